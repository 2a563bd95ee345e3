// From a lowered graph to its kernels: every node in order of execution, with concrete shapes and constants flagged. Shapes
// are inferred from those of the inputs; where inference does not reach, types seen in a run fill in.
import { shortHash } from '../base/hash.ts'
import { type Kernel, type KernelOperand, type KernelTable, kernelSignature } from '../cost/kernel.ts'
import type { Attribute, Attributes } from '../ir/attribute.ts'
import { bindShapes } from '../ir/bind.ts'
import { type Graph, type Node, producers, qualifiedName, type ValueId } from '../ir/graph.ts'
import { withNchwcBlock } from '../ir/nchwc.ts'
import { BLOCK_SIZE } from '../ir/ops/ort-nchwc.ts'
import { isConcrete } from '../ir/shape.ts'
import type { InputShapes } from './backend.ts'
import type { ConcreteType } from './profile-events.ts'

/** Types by value name, as a run showed them. */
export type SeenTypes = ReadonlyMap<string, ConcreteType>

export interface Lowering {
  /** One kernel per node, null where an operand's shape or element type is unknown. */
  readonly kernels: readonly (Kernel | null)[]
  readonly nodes: readonly Node[]
  /** Operators whose outputs have no known shape. */
  readonly unknown: readonly string[]
}

/** Kernels of a graph at these input shapes. Throws UserError where the shapes contradict the graph. */
export function lowerGraph(graph: Graph, shapes: InputShapes, seen: SeenTypes = new Map()): Lowering {
  const bound = bindShapes(withNchwcBlock(withSeen(graph, seen)), shapes)
  const kernels = bound.nodes.map((node) => kernelOf(bound, node, seen))
  const unknown = bound.nodes.filter((node) => node.outputs.some((v) => v !== null && !operandOf(bound, v, seen)))
  return { kernels, nodes: graph.nodes, unknown: [...new Set(unknown.map((n) => qualifiedName(n.domain, n.op)))] }
}

/** For each node, the nodes whose outputs it reads, by index and in ascending order. */
export function sourcesOf(graph: Graph): readonly (readonly number[])[] {
  const madeBy = producers(graph)
  return graph.nodes.map((node) => {
    const read = [...node.inputs, ...node.captures].flatMap((v) => (v === null ? [] : (madeBy.get(v) ?? [])))
    return [...new Set(read)].sort((a, b) => a - b)
  })
}

/** The table, or null if a shape is missing. */
export function completeTable(lowering: Lowering): KernelTable | null {
  const { kernels } = lowering
  return kernels.every((k) => k !== null) ? kernels : null
}

/** Declared types that a run has made concrete. */
function withSeen(graph: Graph, seen: SeenTypes): Graph {
  if (seen.size === 0) return graph
  const values = graph.values.map((v) => ({ ...v, type: seen.get(v.name) ?? v.type }))
  return { ...graph, values }
}

function kernelOf(graph: Graph, node: Node, seen: SeenTypes): Kernel | null {
  const inputs = node.inputs.map((v) => (v === null ? null : operandOf(graph, v, seen)))
  const outputs = node.outputs.filter((v) => v !== null).map((v) => operandOf(graph, v, seen))
  const missing = inputs.some((o, i) => o === null && node.inputs[i] !== null) || outputs.includes(null)
  if (missing) return null
  return {
    op: qualifiedName(node.domain, node.op),
    inputs,
    outputs: outputs as KernelOperand[],
    attributes: plainAttributes(withoutNote(node.attributes)),
  }
}

function operandOf(graph: Graph, v: ValueId, seen: SeenTypes): KernelOperand | null {
  const type = seen.get(graph.values[v]!.name) ?? graph.values[v]!.type
  if (!type || !isConcrete(type.shape)) return null
  return { dtype: type.dtype, shape: type.shape, constant: graph.initializers.has(v) }
}

/** The block size is our note for shape inference, no attribute of the operator. */
function withoutNote(attributes: Attributes): Attributes {
  if (!(BLOCK_SIZE in attributes)) return attributes
  const { [BLOCK_SIZE]: _, ...rest } = attributes
  return rest
}

type Plain = Kernel['attributes'][string]

/** Scalar and list attributes as plain values. */
export function plainAttributes(attributes: Attributes): Kernel['attributes'] {
  const plain: Record<string, Plain> = {}
  for (const [name, a] of Object.entries(attributes)) {
    const value = plainValue(a)
    if (value !== null) plain[name] = value
  }
  return plain
}

function plainValue(a: Attribute): Plain | null {
  switch (a.kind) {
    case 'int':
      return Number(a.value)
    case 'ints':
      return a.value.map(Number)
    case 'float':
    case 'string':
    case 'floats':
    case 'strings':
      return a.value
    case 'tensor':
    case 'opaque':
      return null
    default:
      return a satisfies never
  }
}

/** Hash of what would be executed, blind to names and to the order of independent kernels: variants of one hash have the
 * same kernels, so the same predicted price, and are measured once. */
export function loweredHash(table: KernelTable): string {
  return shortHash(table.map(kernelSignature).sort().join('\n'))
}
