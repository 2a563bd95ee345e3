// The nodes of a graph as kernels, one for one: what would run if a runtime fused nothing. A runtime's own kernels (after
// its fusions) come from Backend.lower.
import type { Attribute } from '../ir/attribute.ts'
import { type Graph, type Node, qualifiedName, type ValueId } from '../ir/graph.ts'
import { isConcrete } from '../ir/shape.ts'
import type { Kernel, KernelOperand } from './kernel.ts'

/** One kernel per node, in order; null where an operand's type or shape is not known in numbers. */
export function kernelsOfGraph(graph: Graph): readonly (Kernel | null)[] {
  return graph.nodes.map((node) => kernelOfNode(graph, node))
}

function kernelOfNode(graph: Graph, node: Node): Kernel | null {
  const inputs = node.inputs.map((v) => (v === null ? null : operandOf(graph, v)))
  const outputs = node.outputs.filter((v) => v !== null).map((v) => operandOf(graph, v))
  if (inputs.includes(undefined) || outputs.includes(undefined)) return null
  return {
    op: qualifiedName(node.domain, node.op),
    inputs: inputs as (KernelOperand | null)[],
    outputs: outputs as KernelOperand[],
    attributes: plainAttributes(node),
  }
}

function operandOf(graph: Graph, v: ValueId): KernelOperand | undefined {
  const type = graph.values[v]!.type
  if (!type || !isConcrete(type.shape)) return undefined
  return { dtype: type.dtype, shape: type.shape, constant: graph.initializers.has(v) }
}

function plainAttributes(node: Node): Kernel['attributes'] {
  const plain: Record<string, Kernel['attributes'][string]> = {}
  for (const [name, attribute] of Object.entries(node.attributes)) {
    const value = plainValue(attribute)
    if (value !== null) plain[name] = value
  }
  return plain
}

function plainValue(a: Attribute): Kernel['attributes'][string] | null {
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
