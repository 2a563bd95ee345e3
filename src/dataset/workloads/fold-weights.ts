// Weights that follow from other weights, for forms written by hand: W1 W2, W + A B, a sliced W. What depends on constants alone is
// computed once in float64 and rounded once, so that the runtime finds plain constants.
import { evaluateGraph } from '../../ir/evaluate.ts'
import type { Graph, Node, ValueId } from '../../ir/graph.ts'
import { fromNdArray, type Tensor } from '../../ir/tensor.ts'

/** The same graph without the nodes that read nothing but constants, and without constants that nothing reads. */
export function foldWeights(graph: Graph): Graph {
  const folded = constantNodes(graph)
  if (folded.size === 0) return withoutUnread(graph)
  const nodes = graph.nodes.filter((n) => !folded.has(n))
  const made = new Set([...folded].flatMap((n) => n.outputs))
  const read = new Set([...nodes.flatMap((n) => n.inputs), ...graph.outputs])
  const wanted = [...read].filter((v): v is ValueId => v !== null && made.has(v))
  const initializers = new Map([...graph.initializers, ...valuesOf(graph, [...folded], wanted)])
  return withoutUnread({ ...graph, nodes, initializers })
}

/** Nodes whose inputs are constants, or come from such nodes. A node that makes an output of the graph stays. */
function constantNodes(graph: Graph): ReadonlySet<Node> {
  const constant = new Set(graph.initializers.keys())
  const found = new Set<Node>()
  for (const node of graph.nodes) {
    const isOutput = node.outputs.some((v) => v !== null && graph.outputs.includes(v))
    if (isOutput || node.inputs.some((v) => v !== null && !constant.has(v))) continue
    found.add(node)
    for (const v of node.outputs) if (v !== null) constant.add(v)
  }
  return found
}

function valuesOf(graph: Graph, nodes: readonly Node[], wanted: readonly ValueId[]): readonly [ValueId, Tensor][] {
  const values = evaluateGraph({ ...graph, inputs: [], nodes, outputs: wanted }, {})
  return wanted.map((v) => [v, fromNdArray(values[graph.values[v]!.name]!)])
}

function withoutUnread(graph: Graph): Graph {
  const read = new Set([...graph.nodes.flatMap((n) => n.inputs), ...graph.outputs])
  return { ...graph, initializers: new Map([...graph.initializers].filter(([v]) => read.has(v))) }
}
