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
  readonly mean: Float32Array
  readonly deviation: Float32Array
}

export interface NetworkParameters {
  readonly scaling: Scaling
  readonly members: readonly Member[]
}

/** Sizes of the layers, input first. */
export const LAYER_SIZES: readonly number[] = [FEATURES.length, HIDDEN, HIDDEN, 1]

/** Mean and deviation of each size column over distinct kernels; flags stay 0 and 1. */
export function scalingOf(x: Float32Array): Scaling {
  const width = FEATURES.length
  const rows = x.length / width
  const mean = new Float32Array(width)
  const deviation = new Float32Array(width).fill(1)
  FEATURES.forEach((feature, c) => {
    if (feature.unit === 'flag' || rows === 0) return
    let sum = 0
    let squares = 0
    for (let r = 0; r < rows; r++) sum += x[r * width + c]!
    mean[c] = sum / rows
    for (let r = 0; r < rows; r++) squares += (x[r * width + c]! - mean[c]!) ** 2
    deviation[c] = Math.sqrt(squares / rows) || 1
  })
  return { mean, deviation }
}

/** What the first layer sees: standardised and clipped. */
export function scaleFeatures(x: Float32Array, { mean, deviation }: Scaling): Float32Array {
  const width = mean.length
  return x.map((v, i) => Math.min(CLIP, Math.max(-CLIP, (v - mean[i % width]!) / deviation[i % width]!)))
}

/** A member whose network answers zero. */
export function untrainedMember(calibration: Calibration): Member {
  const layers = LAYER_SIZES.slice(1).map((outputs, i) => ({
    kernel: new Float32Array(LAYER_SIZES[i]! * outputs),
    bias: new Float32Array(outputs),
  }))
  return { calibration, layers, logScale: 0, overheadMicros: 0 }
}

/** Output of the network for one row of scaled features. */
export function forward(layers: readonly Layer[], row: Float32Array): number {
  let values: Float32Array | Float64Array = row
  layers.forEach(({ kernel, bias }, at) => {
    const width = bias.length
    const out = Float64Array.from(bias)
    for (let i = 0; i < values.length; i++) {
      const v = values[i]!
      if (v === 0) continue // most one-hot columns, and half of the hidden units
      for (let o = 0, k = i * width; o < width; o++, k++) out[o]! += v * kernel[k]!
    }
    if (at < layers.length - 1) for (let o = 0; o < width; o++) if (out[o]! < 0) out[o] = 0
    values = out
  })
  return values[0]!
}

/** [member][kernel]: logarithm of the predicted microseconds. */
export function logPrices({ scaling, members }: NetworkParameters, facts: readonly KernelFacts[]): Float64Array[] {
  const width = FEATURES.length
  const x = scaleFeatures(featureMatrix(facts), scaling)
  return members.map(({ calibration, layers, logScale }) =>
    Float64Array.from(facts, (f, i) => {
      const residual = BOUND * Math.tanh(forward(layers, x.subarray(i * width, (i + 1) * width)))
      return Math.log(priceByCalibration(calibration, f)) + logScale + residual
    }),
  )
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
