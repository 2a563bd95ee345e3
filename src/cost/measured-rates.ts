// What no dataset tells, told by hand. Resizes are priced by the time that one element of their output takes, which their kind settles: within
// a tenth the same at any size and factor. A model that has seen few of them, most of them doublings, prices a factor of 4 at half and of 8 at a
// quarter, cubic interpolation as any other, and what replaces it looks dear. Convolutions that fill one block of the blocked
// layout, or less, take longer than their work says. Products with few rows take as long as their weights take to be read from memory: a
// dataset's kernels run again and again on weights that stay in the cache, which those of a whole model do not. Transposed convolutions in
// groups take as long as their numbers take to be added up in their places. And what a convolution applies as it writes is next to free.
// Rates are of ONNX Runtime 1.30 and one thread.
import type { CostModel } from './cost-model.ts'
import type { Kernel } from './kernel.ts'

/** Nanoseconds per output element. On the machine of `datasets/cpu-x64`: linear 1.36 to 1.5, nearest 1.1 to 1.45. The others are of an AMD EPYC
 * with AVX2: cubic 85 to 100 at 2- to 32-fold, 178 at 1.07-fold; blocked linear takes there a third of plain linear. */
const CUBIC = 95
const LINEAR = 1.42
const NEAREST = 1.2
const BLOCKED_LINEAR = 0.5

/** What any kernel takes, in microseconds. */
const LEAST = 3
/** A blocked convolution to 8 channels runs at 34 to 40 GFLOP/s where 32 channels reach 73 to 87, and one to 4 takes as long as one to 8. */
const ONE_BLOCK = 8
const TIMES_ITS_WORK = 2.1

/** Microseconds to read a megabyte of weights: 65 to 87 of 0.3 to 5 MB on an Intel Xeon with AVX-512, as MatMul, Gemm or Conv; 20 to 40 from its caches. */
const COLD_MICROS_PER_MB = 72
const PRODUCTS = ['MatMul', 'Gemm', 'Conv', 'FusedMatMul', 'FusedGemm', 'FusedConv']

/** The least that a product with constant weights takes in a model whose weights fill no cache. */
function coldMicros({ op, inputs }: Kernel): number {
  if (!PRODUCTS.includes(op.slice(op.lastIndexOf(':') + 1))) return 0
  const floats = inputs.reduce((sum, o) => sum + (o?.constant ? o.shape.reduce((a, b) => a * b, 1) : 0), 0)
  return (floats * 4 * COLD_MICROS_PER_MB) / 1e6
}

/** Nanoseconds for each tap of each pixel that a transposed convolution in groups spreads: 0.8 to 1.25 on an Intel Xeon with AVX-512. */
const SPREAD = 0.9

/** The least that a transposed convolution in groups takes, of which a dataset has none: each group is a product of its own, of which
 * every number is added up in its place. */
function spreadMicros({ op, attributes, inputs }: Kernel): number {
  const [x, w] = inputs
  const group = Number(attributes.group ?? 1)
  if (op !== 'ConvTranspose' || group === 1 || !x || !w) return 0
  const [batch, , ...pixels] = x.shape
  const [, perGroup, ...taps] = w.shape
  return ([batch!, group, perGroup!, ...pixels, ...taps].reduce((a, b) => a * b, 1) * SPREAD) / 1000
}

function measuredMicros(kernel: Kernel): number | null {
  const rate = rateOf(kernel)
  if (rate === null) return null
  return Math.max(LEAST, (elementsOf(kernel) * rate) / 1000)
}

function rateOf({ op, attributes, inputs, outputs }: Kernel): number | null {
  const isBlocked = op === 'com.microsoft.nchwc:Upsample'
  if (isBlocked) return attributes.mode === 'linear' ? BLOCKED_LINEAR : null
  if (op !== 'Resize') return null
  if (attributes.mode === 'cubic') return CUBIC
  const [from, to] = [inputs[0]?.shape ?? [], outputs[0]?.shape ?? []]
  if (from.every((d, i) => d === to[i])) return null
  if (attributes.mode === 'linear') return LINEAR
  const isDoubled =
    attributes.coordinate_transformation_mode === 'asymmetric' && from.every((d, i) => to[i] === (i < 2 ? d : 2 * d))
  return isDoubled ? null : NEAREST
}

/** How much longer than its work says a convolution to few channels takes. */
function timesItsWork({ op, attributes, inputs }: Kernel): number {
  const outputs = inputs[1]?.shape[0]
  const isOfFew = op === 'com.microsoft.nchwc:Conv' && Number(attributes.group ?? 1) === 1
  return isOfFew && outputs !== undefined && outputs <= ONE_BLOCK ? (TIMES_ITS_WORK * ONE_BLOCK) / outputs : 1
}

/** Nanoseconds per output element of a bias and an activation that a blocked convolution applies as it writes: 0 to 0.03; a
 * Sigmoid takes 0.55 and is left to the model. */
const EPILOGUE = 0.03
const CHEAP_ACTIVATIONS = ['Relu', 'LeakyRelu', 'Clip', 'HardSigmoid', 'HardSwish']

/** A blocked convolution without its bias and activation, where it has some that take next to nothing; else null. */
function bareConvolution({ op, attributes, inputs, outputs }: Kernel): Kernel | null {
  const [x, w, bias, ...residual] = inputs
  const { activation, ...others } = attributes
  const isCheap = activation === undefined || CHEAP_ACTIVATIONS.includes(String(activation))
  if (op !== 'com.microsoft.nchwc:Conv' || !isCheap || (!bias && activation === undefined)) return null
  const read = residual.length > 0 ? [x!, w!, null, ...residual] : [x!, w!]
  return { op, attributes: others, inputs: read, outputs }
}

/** Prices of the model, but with a bias and an activation no dearer than what they take. */
function pricesOf(model: CostModel, kernels: readonly Kernel[]): Float64Array {
  const bare = kernels.map(bareConvolution)
  const prices = model.price([...kernels, ...bare.filter((k) => k !== null)])
  let next = kernels.length
  return Float64Array.from(kernels, (kernel, i) => {
    if (bare[i] === null) return prices[i]!
    return Math.min(prices[i]!, prices[next++]! + (elementsOf(kernel) * EPILOGUE) / 1000)
  })
}

const elementsOf = ({ outputs }: Kernel): number => outputs[0]?.shape.reduce((a, b) => a * b, 1) ?? 0

const stretched = (kernel: Kernel, micros: number): number =>
  micros + Math.max(0, micros - LEAST) * (timesItsWork(kernel) - 1)

/** The model, but for those kernels. */
export function withMeasuredRates(model: CostModel): CostModel {
  return {
    ...model,
    price: (kernels) => {
      const prices = pricesOf(model, kernels)
      return prices.map(
        (micros, i) =>
          measuredMicros(kernels[i]!) ??
          Math.max(stretched(kernels[i]!, micros), coldMicros(kernels[i]!), spreadMicros(kernels[i]!)),
      )
    },
  }
}
