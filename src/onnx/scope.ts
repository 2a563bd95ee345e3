// Names in ONNX graphs: which outer values a subgraph reads, and an order of nodes in which every value is made before it
// is read. Both work on messages, before there is a Graph.

import type { Attributes } from '../ir/attribute.ts'
import { decodeAttribute } from './attribute.ts'
import type { AttributeProto, GraphProto, NodeProto } from './generated/onnx_pb.ts'
import { badModel } from './proto.ts'

/** The subgraphs that an attribute holds. */
export const subgraphsOf = (a: AttributeProto): readonly GraphProto[] => (a.g ? [a.g, ...a.graphs] : a.graphs)

/** Names that a graph reads but does not define, its nested graphs included. */
export function freeNames(graph: GraphProto): ReadonlySet<string> {
  const defined = new Set(definedNames(graph))
  const free = new Set<string>()
  const read = (name: string) => {
    if (name !== '' && !defined.has(name)) free.add(name)
  }
  for (const node of graph.node) for (const name of readNames(node)) read(name)
  for (const output of graph.output) read(output.name)
  return free
}

/** Names that a graph itself defines: inputs, initializers, outputs of nodes. */
export function* definedNames(graph: GraphProto): Generator<string> {
  for (const v of graph.input) yield v.name
  for (const t of graph.initializer) yield t.name
  for (const t of graph.sparseInitializer) yield t.values?.name ?? ''
  for (const node of graph.node) yield* node.output.filter((name) => name !== '')
}

/** Every value name in a graph and in the graphs nested in it. */
export function* allNames(graph: GraphProto): Generator<string> {
  yield* definedNames(graph)
  for (const node of graph.node) {
    yield* node.input
    for (const a of node.attribute) for (const g of subgraphsOf(a)) yield* allNames(g)
  }
}

/** Inputs of a node and the outer names that its subgraphs read. */
export function* readNames(node: NodeProto): Generator<string> {
  yield* node.input.filter((name) => name !== '')
  yield* capturedNames(node.attribute)
}

/** Outer names that the subgraphs among these attributes read. */
export function capturedNames(attributes: readonly AttributeProto[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const a of attributes) for (const g of subgraphsOf(a)) for (const name of freeNames(g)) names.add(name)
  return names
}

/** The encoded attributes of a node that hold subgraphs, decoded. */
export function subgraphAttributes(attributes: Attributes): ReadonlyMap<string, AttributeProto> {
  const found = new Map<string, AttributeProto>()
  for (const [name, a] of Object.entries(attributes)) {
    const proto = a.kind === 'opaque' ? decodeAttribute(a.bytes) : null
    if (proto && subgraphsOf(proto).length > 0) found.set(name, proto)
  }
  return found
}

/** The nodes in an order that makes values before they are read: the given one where it already does (Kahn's algorithm). */
export function sortNodes(nodes: readonly NodeProto[], where: string): readonly NodeProto[] {
  const maker = new Map<string, number>()
  nodes.forEach((node, i) => {
    for (const name of node.output) if (name !== '') maker.set(name, i)
  })
  const needs = nodes.map(
    (node) => new Set([...readNames(node)].map((name) => maker.get(name)).filter((m) => m !== undefined)),
  )
  if (needs.every((set, i) => [...set].every((m) => m < i))) return nodes
  const order = kahn(needs)
  if (order.length < nodes.length) throw cycle(nodes, new Set(order), where)
  return order.map((i) => nodes[i]!)
}

function kahn(needs: readonly ReadonlySet<number>[]): number[] {
  const readers = needs.map((): number[] => [])
  needs.forEach((set, i) => {
    for (const m of set) readers[m]!.push(i)
  })
  const open = needs.map((set) => set.size)
  const order = open.flatMap((count, i) => (count === 0 ? [i] : []))
  for (let at = 0; at < order.length; at++) for (const r of readers[order[at]!]!) if (--open[r]! === 0) order.push(r)
  return order
}

function cycle(nodes: readonly NodeProto[], sorted: ReadonlySet<number>, where: string): Error {
  const stuck = nodes.filter((_, i) => !sorted.has(i)).map(describeNode)
  return badModel(
    where,
    'an acyclic graph',
    `a cycle among ${stuck.slice(0, 3).join(', ')}${stuck.length > 3 ? ' ..' : ''}`,
  )
}

/** `node conv1 (Conv)` */
export function describeNode(node: { readonly name: string; readonly opType: string }): string {
  return node.name === '' ? `a ${node.opType} node` : `node ${node.name} (${node.opType})`
}
