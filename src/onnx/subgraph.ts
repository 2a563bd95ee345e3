// Subgraphs of a node as Graphs: read with the values around them in sight, changed, and put back in place.

import type { Graph, Node, Value } from '../ir/graph.ts'
import { inferTypes } from '../ir/infer.ts'
import { exportGraph } from './export.ts'
import { type AttributeProto, AttributeProtoSchema, type GraphProto } from './generated/onnx_pb.ts'
import { importGraph } from './import.ts'
import { irVersionFor } from './ir-version.ts'
import { copy, encode } from './proto.ts'
import { subgraphAttributes, subgraphsOf } from './scope.ts'

export type SubgraphChange<R> = (graph: Graph) => { readonly ok: true; readonly graph: Graph } | R

/** The node with `change` applied to each of its subgraphs, or the first answer of `change` that is not ok. */
export function changeSubgraphs<R extends { readonly ok: false }>(
  node: Node,
  outer: Graph,
  change: SubgraphChange<R>,
): { readonly ok: true; readonly node: Node } | R {
  let changed = node
  for (const [name, proto] of subgraphAttributes(node.attributes)) {
    const graphs: GraphProto[] = []
    for (const g of subgraphsOf(proto)) {
      const result = changeOne(g, node, outer, change)
      if (!result.ok) return result
      graphs.push(result.proto)
    }
    changed = {
      ...changed,
      attributes: { ...changed.attributes, [name]: { kind: 'opaque', bytes: encodeWith(proto, graphs) } },
    }
  }
  return { ok: true, node: changed }
}

function changeOne<R extends { readonly ok: false }>(
  proto: GraphProto,
  node: Node,
  outer: Graph,
  change: SubgraphChange<R>,
): { ok: true; proto: GraphProto } | R {
  const scope = new Map(outer.values.map((v): [string, Value] => [v.name, v]))
  const irVersion = irVersionFor(new Map([['', Number.POSITIVE_INFINITY]]))
  const where = `subgraph ${proto.name} of node ${node.name || node.op}`
  const { graph, shell } = importGraph(proto, { opsets: outer.opsets, irVersion, outer: scope, where })
  const result = change(inferTypes(graph, { mayBeDead: true }))
  return result.ok ? { ok: true, proto: exportGraph(result.graph, shell, { irVersion }) } : result
}

function encodeWith(proto: AttributeProto, graphs: readonly GraphProto[]): Uint8Array {
  const out = copy(AttributeProtoSchema, proto)
  if (proto.g) out.g = graphs[0]!
  out.graphs = graphs.slice(proto.g ? 1 : 0)
  return encode(AttributeProtoSchema, out)
}
