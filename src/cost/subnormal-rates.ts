// What products with weights below the normal range take on a processor that is slow at them. Measured on an Intel Xeon with AVX-512: 44
// to 55 ns for each vector of 16 numbers with at least one, whatever the product (1x1 and 3x3, depthwise and transposed convolutions, products
// of matrices); so one weight in a thousand makes a 3x3 convolution several times as slow, and one in ten more than a hundred times.
import type { CostModel } from './cost-model.ts'
import type { Kernel, KernelOperand } from './kernel.ts'

/** Numbers of a weight that a processor multiplies at once. */
export const LANES = 16
const NANOS_PER_VECTOR = 48

const PRODUCTS = ['MatMul', 'Gemm', 'Conv', 'ConvTranspose', 'FusedMatMul', 'FusedGemm', 'FusedConv']

const BLOCKED_CONV = 'com.microsoft.nchwc:Conv'

const plainName = (op: string): string => op.slice(op.lastIndexOf(':') + 1)

/** Along which axis of a weight the vectors lie; null: each of its numbers meets a vector of the other operand; undefined: no product.
 * (They slow a Mul as well, but the usual ones, a factor for each channel, fold into a convolution.) */
export function vectorAxis({ op, attributes, inputs }: Kernel, weight: number): number | null | undefined {
  const name = plainName(op)
  if (!PRODUCTS.includes(name)) return undefined
  if (op === BLOCKED_CONV) return 0
  if (weight !== 1 || name.includes('Conv')) return null
  return attributes.transB ? 0 : inputs[1]!.shape.length - 1
}

/** Microseconds that a kernel takes longer for them. */
export function subnormalMicros(kernel: Kernel): number {
  const i = kernel.inputs.findIndex((o) => o?.subnormal)
  const weight = kernel.inputs[i]
  if (!weight?.subnormal || vectorAxis(kernel, i) === undefined) return 0
  return ((multiplications(kernel, weight) / LANES) * weight.subnormal * NANOS_PER_VECTOR) / 1000
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
