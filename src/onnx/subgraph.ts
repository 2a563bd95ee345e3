// Subgraphs of a node as Graphs: read with the values around them in sight, changed, and put back in place.

import type { Graph, Node, Value } from '../ir/graph.ts'
import { inferTypes } from '../ir/infer.ts'
import { exportGraph } from './export.ts'
import { type AttributeProto, AttributeProtoSchema, type GraphProto } from './generated/onnx_pb.ts'
import { importGraph, type Shell } from './import.ts'
import { irVersionFor } from './ir-version.ts'
import { copy, encode } from './proto.ts'
import { capturedNames, subgraphAttributes, subgraphsOf } from './scope.ts'

/** A subgraph of a node. */
export interface Body {
  readonly attribute: string
  /** Which of the attribute's graphs. */
  readonly index: number
  /** Types as declared. What it captures are the last inputs, under the names and of the types that they have outside. */
  readonly graph: Graph
  readonly shell: Shell
}

export type SubgraphChange<R> = (graph: Graph) => { readonly ok: true; readonly graph: Graph } | R

/** Later than any opset that we know: initializers of subgraphs are never listed as inputs. */
const irVersion = irVersionFor(new Map([['', Number.POSITIVE_INFINITY]]))

/** The subgraphs of a node of `outer`, in order. */
export function bodiesOf(node: Node, outer: Graph): readonly Body[] {
  const attributes = [...subgraphAttributes(node.attributes)]
  if (attributes.length === 0) return []
  const scope = new Map(outer.values.map((v): [string, Value] => [v.name, v]))
  return attributes.flatMap(([attribute, a]) =>
    subgraphsOf(a).map((proto, index) => {
      const where = `subgraph ${proto.name} of node ${node.name || node.op}`
      return { attribute, index, ...importGraph(proto, { opsets: outer.opsets, irVersion, outer: scope, where }) }
    }),
  )
}

/** The node with these graphs in place of these of its subgraphs; the others stay as the bytes they are. */
export function withBodies(node: Node, changed: ReadonlyMap<Body, Graph>): Node {
  const attributes = { ...node.attributes }
  for (const [name, proto] of subgraphAttributes(node.attributes)) {
    const graphs = [...subgraphsOf(proto)]
    const own = [...changed].filter(([body]) => body.attribute === name)
    for (const [body, graph] of own) graphs[body.index] = exportGraph(graph, body.shell, { irVersion })
    if (own.length > 0) attributes[name] = { kind: 'opaque', bytes: encodeWith(proto, graphs) }
  }
  return { ...node, attributes }
}

/** The node without captures that its subgraphs no longer read. */
export function withoutUnread(node: Node, outer: Graph): Node {
  const read = capturedNames([...subgraphAttributes(node.attributes).values()])
  return { ...node, captures: node.captures.filter((v) => read.has(outer.values[v]!.name)) }
}

/** The node with `change` applied to each of its subgraphs, or the first answer of `change` that is not ok. */
export function changeSubgraphs<R extends { readonly ok: false }>(
  node: Node,
  outer: Graph,
  change: SubgraphChange<R>,
): { readonly ok: true; readonly node: Node } | R {
  const changed = new Map<Body, Graph>()
  for (const body of bodiesOf(node, outer)) {
    const result = change(inferTypes(body.graph, { mayBeDead: true }))
    if (!result.ok) return result
    changed.set(body, result.graph)
  }
  return { ok: true, node: withBodies(node, changed) }
}

function encodeWith(proto: AttributeProto, graphs: readonly GraphProto[]): Uint8Array {
  const out = copy(AttributeProtoSchema, proto)
  if (proto.g) out.g = graphs[0]!
  out.graphs = graphs.slice(proto.g ? 1 : 0)
  return encode(AttributeProtoSchema, out)
}
