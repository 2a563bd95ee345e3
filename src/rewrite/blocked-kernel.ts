// Kernels of ONNX Runtime's blocked layout (NCHWc) as the runtime writes them, so that a price is of what really runs: channels fill
// whole blocks, those of weights too, and a resize has its factors as an attribute.
import type { Kernel, KernelOperand } from '../cost/kernel.ts'
import { qualifiedName } from '../ir/graph.ts'
import type { BlockSize } from '../ir/nchwc.ts'
import { NCHWC } from './tensor-op.ts'

/** Shape of a picture [N, C, ...] in the layout. */
export const inBlocks = (shape: readonly number[], size: BlockSize): readonly number[] =>
  shape.map((d, axis) => (axis === 1 ? wholeBlocks(d, size) : d))

const wholeBlocks = (channels: number, size: BlockSize): number => Math.ceil(channels / size) * size

/** A kernel whose pictures are in the layout already. */
export function asWritten(kernel: Kernel, size: BlockSize): Kernel {
  if (kernel.op === qualifiedName(NCHWC, 'Conv')) return convolution(kernel, size)
  return kernel.op === qualifiedName(NCHWC, 'Upsample') ? resize(kernel) : kernel
}

/** Weights are padded with what is made, and with what is read. */
function convolution({ op, attributes, inputs, outputs }: Kernel, size: BlockSize): Kernel {
  const [x, w, ...rest] = inputs
  const [channels, perGroup, ...window] = w!.shape as [number, number, ...number[]]
  const group = Number(attributes.group ?? 1)
  const padded = wholeBlocks(channels, size)
  const isDepthwise = perGroup === 1 && group === channels
  const weights = { ...w!, shape: [padded, group === 1 ? x!.shape[1]! : perGroup, ...window] }
  const biasOf = (r: KernelOperand | null) => (r?.shape.length === 1 ? { ...r, shape: [padded] } : r)
  return {
    op,
    attributes: isDepthwise ? { ...attributes, group: padded } : attributes,
    inputs: [x!, weights, ...rest.map(biasOf)],
    outputs,
  }
}

function resize({ op, attributes, inputs: [x], outputs }: Kernel): Kernel {
  const scales = outputs[0]!.shape.map((d, axis) => d / x!.shape[axis]!)
  return { op, attributes: { ...attributes, scales }, inputs: [x!], outputs }
}
