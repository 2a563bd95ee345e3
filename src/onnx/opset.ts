// Raising a graph to a later opset of ONNX's own domain, so that the rest of Allotrope meets one definition of each
// operator. Each node climbs from one definition to the next; where the meaning changed an adapter rewrites it
// (opset/adapters.ts). Subgraphs are raised with their node. What cannot be raised refuses the whole graph, with the reason.
import { InvariantError } from '../base/errors.ts'
import { type Graph, type Node, opsetOf } from '../ir/graph.ts'
import { inferTypes } from '../ir/infer.ts'
import { decodeAttribute } from './attribute.ts'
import { type Model, modelOf } from './model.ts'
import { adapterFor } from './opset/adapters.ts'
import { RaiseContext } from './opset/context.ts'
import { raiseFunction } from './opset/functions.ts'
import { LATEST_OPSET, revisionsOf } from './opset/table.ts'
import { allNames, subgraphsOf } from './scope.ts'
import { changeSubgraphs } from './subgraph.ts'

export { LATEST_OPSET } from './opset/table.ts'

/** What graphs are raised to unless the caller wants another opset. */
export const DEFAULT_OPSET = 20

export type Raised = { readonly ok: true; readonly graph: Graph } | Unraised
export interface Unraised {
  readonly ok: false
  readonly reason: string
}

/** An equivalent graph of opset `target`; the graph itself where it is there already. Values keep their names. */
export function raiseOpset(graph: Graph, target = DEFAULT_OPSET): Raised {
  return raise(graph, target, namesIn(graph), false)
}

/** The model with its graph raised. Functions of the model are kept as they are, so they must mean the same in both opsets. */
export function raiseModel(
  model: Model,
  target = DEFAULT_OPSET,
): { readonly ok: true; readonly model: Model } | Unraised {
  const raised = raiseOpset(model.graph, target)
  if (!raised.ok || raised.graph === model.graph) return raised.ok ? { ok: true, model } : raised
  for (const f of model.envelope.proto.functions) {
    const result = raiseFunction(f, target)
    if (!result.ok) return result
  }
  return { ok: true, model: modelOf(raised.graph, model) }
}

function raise(graph: Graph, target: number, taken: Set<string>, isNested: boolean): Raised {
  const from = opsetOf(graph, '')
  if (target > LATEST_OPSET)
    return { ok: false, reason: `opset ${target} is later than ${LATEST_OPSET}, the latest that is known` }
  if (from >= target) return { ok: true, graph }
  const context = new RaiseContext(graph, target, taken)
  const nodes: Node[] = []
  for (const node of graph.nodes) {
    const inner = changeSubgraphs(node, graph, (g) => raise(g, target, taken, true))
    if (!inner.ok) return inner
    const raised = raiseNode(inner.node, from, context)
    if ('reason' in raised) return { ok: false, reason: raised.reason }
    nodes.push(...raised.nodes)
  }
  const opsets = new Map([...graph.opsets, ['', target]])
  const { values, initializers } = context
  const raised = { ...graph, opsets, values, initializers, nodes }
  return { ok: true, graph: inferTypes(raised, { mayBeDead: isNested }) }
}

type RaisedNode = { readonly nodes: readonly Node[] } | { readonly reason: string }

/** The node, valid in opset `from`, as nodes that are valid in the target. */
function raiseNode(node: Node, from: number, context: RaiseContext): RaisedNode {
  if (node.domain !== '') return { nodes: [node] }
  const revisions = revisionsOf(node.op)
  if (revisions === null) return { reason: `${named(node)}: ONNX has no operator of that name` }
  const step = revisions.find((r) => r.opset > from && r.opset <= context.targetOpset && r.needsAdapter)
  if (!step) return { nodes: [node] }
  const adapter = adapterFor(node.op, step.opset)
  if (!adapter) throw new InvariantError(`no adapter for ${node.op} at opset ${step.opset}`)
  const result = adapter(node, context)
  if ('refused' in result)
    return { reason: `${named(node)} cannot be raised to opset ${step.opset}: ${result.refused}` }
  return raiseAll(result, step.opset, context)
}

function raiseAll(nodes: readonly Node[], from: number, context: RaiseContext): RaisedNode {
  const out: Node[] = []
  for (const node of nodes) {
    const raised = raiseNode(node, from, context)
    if ('reason' in raised) return raised
    out.push(...raised.nodes)
  }
  return { nodes: out }
}

const named = (node: Node): string => (node.name ? `node ${node.name} (${node.op})` : `a ${node.op} node`)

/** Every name of a value or node in a graph and of a value in what is nested in it. */
export function namesIn(graph: Graph): Set<string> {
  const names = new Set([...graph.values, ...graph.nodes].map((v) => v.name))
  for (const node of graph.nodes)
    for (const a of Object.values(node.attributes))
      if (a.kind === 'opaque')
        for (const g of subgraphsOf(decodeAttribute(a.bytes))) for (const name of allNames(g)) names.add(name)
  return names
}
