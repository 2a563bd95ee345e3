// How large the integers fed to a model may be: an input that ends up as the indices of a Gather, or says where a scatter writes,
// must stay below the length of what it points into, or the model fails.
import { getInt } from '../ir/attribute.ts'
import type { Graph, Node, ValueId } from '../ir/graph.ts'
import { integersOf } from '../ir/tensor.ts'

/** Operators that pass indices on: some of them, shifted by a constant, or with negative ones counted from the end (`Where(i < 0, i + n, i)`). */
const CARRIERS: ReadonlySet<string> = new Set([
  'Cast',
  'Identity',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Slice',
  'Expand',
  'Concat',
  'Split',
  'Where',
  'Add',
  'Sub',
  'Gather',
  'TopK',
])
const LOOKUPS: ReadonlySet<string> = new Set(['Gather', 'GatherElements', 'ScatterElements', 'GatherND', 'ScatterND'])
const RECURRENT: ReadonlySet<string> = new Set(['RNN', 'GRU', 'LSTM'])

/** The inputs that a value holds numbers of, and the most that was added to them on the way. */
type Sources = ReadonlyMap<ValueId, number>

/** What each input, by name, must stay below since it indexes something, or says how much of it to read; others are absent. */
export function vocabularyBounds(graph: Graph): ReadonlyMap<string, number> {
  const sources = new Map<ValueId, Sources>(graph.inputs.map((v) => [v, new Map([[v, 0]])]))
  const bounds = new Map<string, number>()
  for (const node of graph.nodes) {
    if (node.domain !== '') continue
    if (CARRIERS.has(node.op)) carry(graph, node, sources)
    const [read, below] = LOOKUPS.has(node.op)
      ? [node.inputs[1], lengthRead(graph, node)]
      : RECURRENT.has(node.op)
        ? [node.inputs[4], stepsRead(graph, node)]
        : []
    if (read == null || below == null) continue
    for (const [v, shift] of sources.get(read) ?? []) {
      const name = graph.values[v]!.name
      bounds.set(name, Math.max(1, Math.min(below - shift, bounds.get(name) ?? Number.POSITIVE_INFINITY)))
    }
  }
  return bounds
}

function carry(graph: Graph, node: Node, sources: Map<ValueId, Sources>): void {
  const given = ['Concat', 'Add', 'Where'].includes(node.op) ? node.inputs : node.inputs.slice(0, 1)
  const shift = shiftOf(graph, node)
  const from = new Map<ValueId, number>()
  for (const v of given)
    for (const [source, before] of (v === null ? undefined : sources.get(v)) ?? [])
      from.set(source, Math.max(before + shift, from.get(source) ?? Number.NEGATIVE_INFINITY))
  for (const v of node.outputs) if (v !== null && from.size > 0) sources.set(v, from)
}

/** The most that a sum or a difference with a constant adds. */
function shiftOf(graph: Graph, { op, inputs }: Node): number {
  if (op !== 'Add' && op !== 'Sub') return 0
  const constants = (op === 'Add' ? inputs : inputs.slice(1)).flatMap((v) => {
    const value = v === null ? undefined : graph.initializers.get(v)
    return (value && integersOf(value)) ?? []
  })
  if (constants.length === 0) return 0
  return op === 'Add' ? Math.max(...constants) : -Math.min(...constants)
}

/** The length of what a lookup points into. */
function lengthRead(graph: Graph, node: Node): number | null {
  const [table] = node.inputs
  const shape = table == null ? undefined : (graph.initializers.get(table)?.shape ?? graph.values[table]!.type?.shape)
  if (!shape) return null
  const axis = node.op.endsWith('ND') ? 0 : getInt(node.attributes, 'axis', 0)
  const length = shape[axis < 0 ? axis + shape.length : axis]
  return typeof length === 'number' ? length : null
}

/** Lengths of sequences may be as large as the longest. */
function stepsRead(graph: Graph, { inputs: [x], attributes }: Node): number | null {
  const steps = x == null ? undefined : graph.values[x]!.type?.shape[getInt(attributes, 'layout', 0)]
  return typeof steps === 'number' ? steps + 1 : null
}
