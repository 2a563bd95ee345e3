// What products with weights below the normal range take on a processor that is slow at them. Measured on an Intel Xeon with AVX-512: 44
// to 55 ns for each vector of 16 numbers with at least one, whatever the product (1x1 and 3x3, depthwise and transposed convolutions, products
// of matrices); so one weight in a thousand costs a third of a convolution's time, and one in ten makes it a hundred times as slow.
import type { CostModel } from './cost-model.ts'
import type { Kernel, KernelOperand } from './kernel.ts'

const LANES = 16
const NANOS_PER_VECTOR = 48
/** The runtime multiplies element by element in shorter vectors: 10.7 ns for each number, all subnormal. */
const NANOS_PER_FACTOR = 10

const PRODUCTS = ['MatMul', 'Gemm', 'Conv', 'ConvTranspose', 'FusedMatMul', 'FusedGemm', 'FusedConv']

const plainName = (op: string): string => op.slice(op.lastIndexOf(':') + 1)

/** Whether such weights cost it time. */
export const tellsSubnormals = (op: string): boolean => op === 'Mul' || PRODUCTS.includes(plainName(op))

/** Microseconds that a kernel takes longer for them. */
export function subnormalMicros(kernel: Kernel): number {
  const weight = kernel.inputs.find((o) => o?.subnormal)
  if (!weight?.subnormal || !tellsSubnormals(kernel.op)) return 0
  if (kernel.op === 'Mul') return (size(kernel.outputs[0]) * weight.subnormal * NANOS_PER_FACTOR) / 1000
  const hit = 1 - (1 - weight.subnormal) ** LANES
  return ((multiplications(kernel, weight) / LANES) * hit * NANOS_PER_VECTOR) / 1000
}

/** Of one number by another. */
function multiplications(kernel: Kernel, weight: KernelOperand): number {
  const [name, perFirst] = [plainName(kernel.op), product(weight.shape.slice(1))]
  if (name === 'ConvTranspose') return size(kernel.inputs[0]) * perFirst
  if (name.endsWith('Conv')) return size(kernel.outputs[0]) * perFirst
  return size(kernel.outputs[0]) * innerSize(kernel, weight)
}

/** K of [M, K] [K, N]. */
function innerSize({ inputs, attributes }: Kernel, { shape }: KernelOperand): number {
  const isRight = inputs[1]?.shape === shape
  return (isRight && shape.length > 1 && !attributes.transB ? shape.at(-2) : shape.at(-1))!
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)
const size = (o: KernelOperand | null | undefined): number => product(o?.shape ?? [])

/** The model, with what such weights cost on a processor that is slow at them. */
export function withSlowSubnormals(model: CostModel): CostModel {
  return {
    ...model,
    price: (kernels) => model.price(kernels).map((micros, i) => micros + subnormalMicros(kernels[i]!)),
  }
}
