// How large the integers fed to a model may be: an input that ends up as the indices of a Gather, or says where a scatter writes,
// must stay below the length of what it points into, or the model fails.
import { getInt } from '../ir/attribute.ts'
import type { Graph, Node, ValueId } from '../ir/graph.ts'

/** Operators that pass indices on: unchanged, or with negative ones counted from the end (`Where(i < 0, i + n, i)`). */
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
])
const LOOKUPS: ReadonlySet<string> = new Set(['Gather', 'GatherElements', 'ScatterElements', 'GatherND', 'ScatterND'])

/** The least length that each input, by name, is used to index; inputs that index nothing are absent. */
export function vocabularyBounds(graph: Graph): ReadonlyMap<string, number> {
  const sources = new Map<ValueId, ReadonlySet<ValueId>>(graph.inputs.map((v) => [v, new Set([v])]))
  const bounds = new Map<string, number>()
  for (const node of graph.nodes) {
    if (node.domain === '' && CARRIERS.has(node.op)) carry(node, sources)
    if (node.domain === '' && LOOKUPS.has(node.op)) lookUp(graph, node, sources, bounds)
  }
  return bounds
}

function carry(node: Node, sources: Map<ValueId, ReadonlySet<ValueId>>): void {
  const given = ['Concat', 'Add', 'Where'].includes(node.op) ? node.inputs : node.inputs.slice(0, 1)
  const from = new Set(given.flatMap((v) => (v === null ? [] : [...(sources.get(v) ?? [])])))
  for (const v of node.outputs) if (v !== null && from.size > 0) sources.set(v, from)
}

function lookUp(
  graph: Graph,
  node: Node,
  sources: ReadonlyMap<ValueId, ReadonlySet<ValueId>>,
  bounds: Map<string, number>,
): void {
  const [table, indices] = node.inputs
  const shape = table == null ? undefined : (graph.initializers.get(table)?.shape ?? graph.values[table]!.type?.shape)
  if (!shape || indices == null) return
  const axis = node.op.endsWith('ND') ? 0 : getInt(node.attributes, 'axis', 0)
  const length = shape[axis < 0 ? axis + shape.length : axis]
  for (const v of sources.get(indices) ?? []) {
    const name = graph.values[v]!.name
    if (typeof length === 'number') bounds.set(name, Math.min(length, bounds.get(name) ?? length))
  }
}
