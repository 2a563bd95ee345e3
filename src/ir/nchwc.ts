// The block size of a graph in ONNX Runtime's blocked layout: 8 or 16 channels, a property of the machine that wrote it, which
// the graph does not state. It can be read off the weights, which are padded to it.
import { int } from './attribute.ts'
import { type Graph, type Node, producers } from './graph.ts'
import { BLOCK_SIZE, NCHWC_DOMAIN } from './ops/ort-nchwc.ts'

export type BlockSize = 8 | 16

const isNchwc = (node: Node | undefined, op: string): node is Node => node?.domain === NCHWC_DOMAIN && node.op === op

/** Channel counts that are surely padded: outputs of blocked convolutions, and inputs that were reordered. */
function paddedCounts(graph: Graph): number[] {
  const madeBy = producers(graph)
  return graph.nodes.flatMap((node) => {
    if (!isNchwc(node, 'Conv')) return []
    const [x, w] = node.inputs
    const shape = w == null ? undefined : graph.values[w]!.type?.shape
    const [out, inner] = [shape?.[0], shape?.[1]]
    const maker = x == null ? undefined : madeBy.get(x)
    const reordered = isNchwc(maker === undefined ? undefined : graph.nodes[maker], 'ReorderInput')
    const whole =
      node.attributes.group === undefined || (node.attributes.group.kind === 'int' && node.attributes.group.value === 1)
    return [out, reordered && whole ? inner : undefined].filter((d) => typeof d === 'number')
  })
}

/** The block size that wrote this graph: 8 if any padded count says so, else `otherwise` (16: what AVX-512 and Neon have). */
export function nchwcBlockSize(graph: Graph, otherwise: BlockSize = 16): BlockSize {
  return paddedCounts(graph).some((count) => count % 16 !== 0) ? 8 : otherwise
}

/** The same graph with the block size noted in every ReorderInput, so that shapes can be inferred; run `inferTypes` after. */
export function withNchwcBlock(graph: Graph, size: BlockSize = nchwcBlockSize(graph)): Graph {
  const nodes = graph.nodes.map((node) =>
    isNchwc(node, 'ReorderInput') ? { ...node, attributes: { ...node.attributes, [BLOCK_SIZE]: int(size) } } : node,
  )
  return { ...graph, nodes }
}
