// The learned model's parameters and its forward pass, in plain numbers: no tensor library, no start-up, the same digits on
// every backend. Training (fit.ts) is TensorFlow.js's; a test holds the two forward passes to each other.
//
//   log micros(kernel) = log roofline(kernel) + logScale + BOUND * tanh(MLP(features))
//
// MLP: width -> 64 -> 64 -> 1, relu; the last layer starts at zero, so that the untrained network is the calibrated roofline.
// An ensemble predicts the mean of its members' logarithms; their standard deviation is the uncertainty.
import { type Calibration, priceByCalibration } from '../baselines/calibrated-roofline.ts'
import type { FactsModel } from '../facts-model.ts'
import { FEATURES, featureMatrix, type KernelFacts } from '../features.ts'

/** Largest logarithm by which the network may differ from the roofline. */
export const BOUND = 2.5
export const HIDDEN = 64
/** Standardised features are clipped here, so that sizes never seen do not throw the network off. */
export const CLIP = 4

export interface Layer {
  /** Row-major [inputs, outputs]. */
  readonly kernel: Float32Array
  readonly bias: Float32Array
}

export interface Member {
  readonly calibration: Calibration
  readonly layers: readonly Layer[]
  /** Logarithm of end-to-end time over the sum of isolated kernel times. */
  readonly logScale: number
  /** Microseconds of one run of a graph outside its kernels. */
  readonly overheadMicros: number
}

export interface Scaling {
  /** What becomes zero. */
  readonly centre: Float32Array
  readonly deviation: Float32Array
}

export interface NetworkParameters {
  readonly scaling: Scaling
  readonly members: readonly Member[]
}

/** Sizes of the layers, input first. */
export const LAYER_SIZES: readonly number[] = [FEATURES.length, HIDDEN, HIDDEN, 1]

/** A value that so large a share of the kernels has in a column becomes zero, which costs nothing to multiply. */
const COMMON_SHARE = 0.3

/** Centre and deviation of each size column over distinct kernels; flags stay 0 and 1. Most sizes do not apply to most kernels:
 * the centre is the commonest value where it is common, else the mean. */
export function scalingOf(x: Float32Array): Scaling {
  const width = FEATURES.length
  const rows = x.length / width
  const centre = new Float32Array(width)
  const deviation = new Float32Array(width).fill(1)
  FEATURES.forEach((feature, c) => {
    if (feature.unit === 'flag' || rows === 0) return
    const column = Float32Array.from({ length: rows }, (_, r) => x[r * width + c]!)
    const mean = column.reduce((s, v) => s + v, 0) / rows
    const [value, share] = commonest(column)
    centre[c] = share >= COMMON_SHARE ? value : mean
    deviation[c] = Math.sqrt(column.reduce((s, v) => s + (v - mean) ** 2, 0) / rows) || 1
  })
  return { centre, deviation }
}

/** The commonest value and its share. */
function commonest(values: Float32Array): readonly [value: number, share: number] {
  const counts = new Map<number, number>()
  let best = values[0]!
  for (const v of values) {
    const n = (counts.get(v) ?? 0) + 1
    counts.set(v, n)
    if (n > counts.get(best)!) best = v
  }
  return [best, counts.get(best)! / values.length]
}

/** What the first layer sees: standardised and clipped. */
export function scaleFeatures(x: Float32Array, { centre, deviation }: Scaling): Float32Array {
  const width = centre.length
  const out = new Float32Array(x.length)
  for (let at = 0; at < x.length; at += width)
    for (let c = 0; c < width; c++)
      out[at + c] = Math.min(CLIP, Math.max(-CLIP, (x[at + c]! - centre[c]!) / deviation[c]!))
  return out
}

/** A member whose network answers zero. */
export function untrainedMember(calibration: Calibration): Member {
  const layers = LAYER_SIZES.slice(1).map((outputs, i) => ({
    kernel: new Float32Array(LAYER_SIZES[i]! * outputs),
    bias: new Float32Array(outputs),
  }))
  return { calibration, layers, logScale: 0, overheadMicros: 0 }
}

/** Adds `value` times a row of weights; four at a time, which halves the time of pricing. The length is a multiple of four. */
function accumulate(out: Float64Array, value: number, kernel: Float32Array, row: number): void {
  let at = row * out.length
  for (let o = 0; o < out.length; o += 4, at += 4) {
    out[o] = out[o]! + value * kernel[at]!
    out[o + 1] = out[o + 1]! + value * kernel[at + 1]!
    out[o + 2] = out[o + 2]! + value * kernel[at + 2]!
    out[o + 3] = out[o + 3]! + value * kernel[at + 3]!
  }
}

/** The network of one member as a function from a row of scaled features to its output. Buffers are reused: not reentrant. */
export function networkOf(layers: readonly Layer[]): (row: Float32Array) => number {
  const hidden = layers.slice(0, -1)
  const last = layers.at(-1)!
  const sums = hidden.map((l) => new Float64Array(l.bias.length))
  return (row) => {
    let values: Float32Array | Float64Array = row
    hidden.forEach(({ kernel, bias }, at) => {
      const out = sums[at]!
      out.set(bias)
      // Zero: features that do not apply. Below zero behind the first layer: units that relu switches off.
      for (let i = 0; i < values.length; i++) {
        const v = values[i]!
        if (v > 0 || (at === 0 && v < 0)) accumulate(out, v, kernel, i)
      }
      values = out
    })
    let sum = last.bias[0]!
    for (let i = 0; i < values.length; i++) sum += Math.max(0, values[i]!) * last.kernel[i]!
    return sum
  }
}

/** [member][kernel]: logarithm of the predicted microseconds. */
export function logPrices({ scaling, members }: NetworkParameters, facts: readonly KernelFacts[]): Float64Array[] {
  const width = FEATURES.length
  const x = scaleFeatures(featureMatrix(facts), scaling)
  return members.map(({ calibration, layers, logScale }) => {
    const network = networkOf(layers)
    return Float64Array.from(facts, (f, i) => {
      const residual = BOUND * Math.tanh(network(x.subarray(i * width, (i + 1) * width)))
      return Math.log(priceByCalibration(calibration, f)) + logScale + residual
    })
  })
}

const meanOf = (values: readonly number[]): number => values.reduce((s, v) => s + v, 0) / values.length

/** The ensemble as a model of kernels. */
export function networkModel(name: string, parameters: NetworkParameters): FactsModel {
  const { members } = parameters
  const deviations = (facts: readonly KernelFacts[]) => {
    const logs = logPrices(parameters, facts)
    return Float64Array.from(facts, (_, i) => {
      const mean = meanOf(logs.map((m) => m[i]!))
      return Math.sqrt(logs.reduce((s, m) => s + (m[i]! - mean) ** 2, 0) / (logs.length - 1))
    })
  }
  return {
    name,
    overheadMicros: meanOf(members.map((m) => m.overheadMicros)),
    priceFacts: (facts) => {
      const logs = logPrices(parameters, facts)
      return Float64Array.from(facts, (_, i) => Math.exp(meanOf(logs.map((m) => m[i]!))))
    },
    ...(members.length > 1 ? { uncertaintyOfFacts: deviations } : {}),
  }
}
