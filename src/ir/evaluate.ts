// The reference interpreter: a graph, node by node, in float64. Plain and slow; float results are never rounded to their dtype,
// which is what makes it a reference. It runs no subgraphs, strings or random operators: those end in an UnsupportedError.
import { InvariantError, UnsupportedError, UserError } from '../base/errors.ts'
import { DTYPES } from './dtype.ts'
import { type Graph, type Node, opsetOf, qualifiedName, type ValueId } from './graph.ts'
import type { ConcreteCall } from './op.ts'
import { findOp } from './ops/index.ts'
import { shapeText } from './shape.ts'
import { type NdArray, type Tensor, toNdArray } from './tensor.ts'

/** Arrays by the name of an input or output. */
export type Arrays = Readonly<Record<string, NdArray>>

/** Outputs of the graph for these inputs. Inputs that have a default value may be left out. */
export function evaluateGraph(graph: Graph, feeds: Arrays): Arrays {
  const values = startValues(graph, feeds)
  const lastUse = lastUses(graph)
  graph.nodes.forEach((node, at) => {
    const outputs = evaluateNode(graph, node, values)
    node.outputs.forEach((v, i) => {
      if (v !== null) values.set(v, outputs[i] ?? missingOutput(node, i))
    })
    for (const v of node.inputs) if (v !== null && lastUse.get(v) === at) values.delete(v)
  })
  return Object.fromEntries(graph.outputs.map((v) => [graph.values[v]!.name, values.get(v) ?? unmade(graph, v)]))
}

function missingOutput(node: Node, i: number): never {
  throw new InvariantError(`${qualifiedName(node.domain, node.op)} gives no output ${i}`)
}
function unmade(graph: Graph, v: ValueId): never {
  throw new InvariantError(`no node makes ${graph.values[v]!.name}`)
}

/** Values known before the first node: inputs and initializers. */
function startValues(graph: Graph, feeds: Arrays): Map<ValueId, NdArray> {
  const values = new Map<ValueId, NdArray>()
  for (const [v, t] of graph.initializers) if (isComputable(t)) values.set(v, toNdArray(t))
  for (const v of graph.inputs) {
    const { name, type } = graph.values[v]!
    const fed = feeds[name]
    if (fed) values.set(v, checkFeed(name, fed, type))
    else if (!graph.initializers.has(v))
      throw new UserError({
        code: 'missing-input',
        where: `input ${name}`,
        expected: 'a value',
        got: 'none',
        fix: 'feed every input',
      })
  }
  return values
}

/** Strings and packed types stay out of the way until a node reads them. */
function isComputable(t: Tensor): boolean {
  return ['float', 'int', 'bool'].includes(DTYPES[t.dtype].kind)
}

function checkFeed(name: string, fed: NdArray, type: Graph['values'][number]['type']): NdArray {
  if (!type) return fed
  const fits =
    type.shape.length === fed.shape.length && type.shape.every((d, i) => typeof d !== 'number' || d === fed.shape[i])
  if (fits && type.dtype === fed.dtype) return fed
  const [expected, got] = [`${type.dtype}${shapeText(type.shape)}`, `${fed.dtype}${shapeText(fed.shape)}`]
  throw new UserError({ code: 'bad-input', where: `input ${name}`, expected, got, fix: 'feed a tensor of that type' })
}

/** For each value that is not an output, the last node that reads it. */
function lastUses(graph: Graph): ReadonlyMap<ValueId, number> {
  const last = new Map<ValueId, number>()
  graph.nodes.forEach((node, at) => {
    for (const v of node.inputs) if (v !== null) last.set(v, at)
  })
  for (const v of graph.outputs) last.delete(v)
  return last
}

function evaluateNode(graph: Graph, node: Node, values: ReadonlyMap<ValueId, NdArray>): readonly NdArray[] {
  const name = `${qualifiedName(node.domain, node.op)}-${opsetOf(graph, node.domain)}`
  const op = findOp(node.domain, node.op)
  if (!op) throw new UnsupportedError(`evaluation of ${name}`)
  const inputs = node.inputs.map((v) => {
    if (v === null) return null
    const array = values.get(v)
    if (array) return array
    const t = graph.initializers.get(v)
    throw t
      ? new UnsupportedError(`evaluation of ${name} on dtype ${t.dtype}`)
      : new InvariantError(`node ${node.name} reads a value before it is made`)
  })
  return op.evaluate(concreteCall(graph, node, inputs), inputs)
}

function concreteCall(graph: Graph, node: Node, inputs: readonly (NdArray | null)[]): ConcreteCall {
  return {
    domain: node.domain,
    op: node.op,
    opset: opsetOf(graph, node.domain),
    attributes: node.attributes,
    inputs: inputs.map((a) => a && { dtype: a.dtype, shape: a.shape }),
    outputCount: node.outputs.length,
    constants: node.inputs.map((v) => constantOf(graph, v)),
    contents: inputs.map((a) =>
      a && a.shape.length <= 1 && DTYPES[a.dtype].kind !== 'float' ? Array.from(a.data) : null,
    ),
  }
}

/** The initializer that a value is; the default of an input is none. */
function constantOf(graph: Graph, v: ValueId | null): Tensor | null {
  return v === null || graph.inputs.includes(v) ? null : (graph.initializers.get(v) ?? null)
}
