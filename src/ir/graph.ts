// The graph: immutable, single-assignment, nodes in topological order. It holds exactly what an ONNX graph holds, typed
// by inference where that is possible. It knows neither protobuf (onnx/) nor e-graphs (egraph/, rewrite/).
import type { Brand } from '../base/brand.ts'
import type { Attributes } from './attribute.ts'
import type { Tensor, TensorType } from './tensor.ts'

/** Index into `Graph.values`. */
export type ValueId = Brand<number, 'ValueId'>

/** A value: a tensor whose type is known, or null: unknown rank, or a sequence, optional or map (see `foreignType`). */
export interface Value {
  readonly name: string
  readonly type: TensorType | null
  /** Encoded TypeProto of a declared type that is not a plain tensor; written back as it came. */
  readonly foreignType?: Uint8Array
}

export interface Node {
  readonly name: string
  /** '' is ONNX's own domain. */
  readonly domain: string
  readonly op: string
  /** null: an optional input that is left out. */
  readonly inputs: readonly (ValueId | null)[]
  readonly outputs: readonly (ValueId | null)[]
  readonly attributes: Attributes
  /** Values of this graph that the node's subgraphs read by name; they must keep their names and stay alive. */
  readonly captures: readonly ValueId[]
  /** NodeProto fields that the graph gives no meaning to (doc string, overload, metadata), encoded. */
  readonly extra?: Uint8Array
}

export interface Graph {
  readonly name: string
  /** Domain -> version. */
  readonly opsets: ReadonlyMap<string, number>
  readonly values: readonly Value[]
  readonly inputs: readonly ValueId[]
  readonly outputs: readonly ValueId[]
  readonly initializers: ReadonlyMap<ValueId, Tensor>
  readonly nodes: readonly Node[]
}

/** `Conv`, `com.microsoft:FusedConv`. */
export function qualifiedName(domain: string, op: string): string {
  return domain === '' || domain === 'ai.onnx' ? op : `${domain}:${op}`
}

/** Version of the domain's operator set that the graph uses; 1 where the graph names none. */
export function opsetOf(graph: Graph, domain: string): number {
  return graph.opsets.get(domain === 'ai.onnx' ? '' : domain) ?? 1
}

/** For each value, the index of the node that makes it; inputs and initializers are absent. */
export function producers(graph: Graph): ReadonlyMap<ValueId, number> {
  const map = new Map<ValueId, number>()
  graph.nodes.forEach((node, i) => {
    for (const v of node.outputs) if (v !== null) map.set(v, i)
  })
  return map
}
