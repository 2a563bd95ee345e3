// The network in TensorFlow.js, for training: variables, forward pass, loss. The loss of a batch is
//   Huber(log kernel time)  +  Huber(log graph time)  +  pairwise logistic within the variants of one root  +  weight decay.
// The first two make sums right, the third makes choices right (ranking loss to choose, log loss to add: Kaufman et al. 2021).
import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-core'
import type { Tf } from '../tensorflow.ts'
import type { Batch } from './batches.ts'
import { BOUND, LAYER_SIZES, type Layer } from './network.ts'

export interface TensorNetwork {
  readonly kernels: readonly Variable[]
  readonly biases: readonly Variable[]
  /** Logarithm of end-to-end time over the sum of isolated kernel times. */
  readonly logScale: Variable
  /** Logarithm of the microseconds of a run outside kernels. */
  readonly logOverhead: Variable
  /** [1, 2]: how much longer synthetic and profiled labels are than the network's prices, logarithm. */
  readonly sourceBias: Variable
}

export interface LossWeights {
  readonly kernel: number
  readonly graph: number
  readonly pair: number
  readonly decay: number
}

/** Scale of log errors beyond which the loss turns linear. */
const HUBER = 0.2
/** Log difference that counts as clearly predicted: pairs are pushed apart until about there. */
const MARGIN = 0.05

/** Product whose gradient transposes first: on wasm a transpose flag is 3-10 times slower than an explicit transpose. */
function product(tf: Tf, a: Tensor2D, b: Tensor2D): Tensor2D {
  const withGradient = (x: Tensor, y: Tensor, save: (tensors: Tensor[]) => void) => {
    save([x, y])
    return {
      value: tf.matMul(x, y),
      gradFunc: (dy: Tensor, saved: Tensor[]) => [
        tf.matMul(dy, tf.transpose(saved[1]!)),
        tf.matMul(tf.transpose(saved[0]!), dy),
      ],
    }
  }
  const run = tf.customGrad(withGradient as unknown as Parameters<typeof tf.customGrad>[0])
  return run(a, b) as Tensor2D
}

/** Product with a constant on the left: no gradient is computed for it. */
function constantTimes(tf: Tf, a: Tensor2D, b: Tensor2D): Tensor2D {
  const withGradient = (y: Tensor, save: (tensors: Tensor[]) => void) => {
    save([a]) // keeps it alive until the backward pass
    return {
      value: tf.matMul(a, y as Tensor2D),
      gradFunc: (dy: Tensor, saved: Tensor[]) => tf.matMul(tf.transpose(saved[0]!), dy),
    }
  }
  const run = tf.customGrad(withGradient as unknown as Parameters<typeof tf.customGrad>[0])
  return run(b) as Tensor2D
}

export function createNetwork(
  tf: Tf,
  layers: readonly Layer[],
  start: { readonly logScale: number; readonly logOverhead: number },
): TensorNetwork {
  const shapes = LAYER_SIZES.slice(1).map((outputs, i): [number, number] => [LAYER_SIZES[i]!, outputs])
  const variable = (make: () => Tensor): Variable => {
    const initial = make()
    const v = tf.variable(initial)
    initial.dispose()
    return v
  }
  return {
    kernels: layers.map((l, i) => variable(() => tf.tensor2d(l.kernel, shapes[i]!))),
    biases: layers.map((l) => variable(() => tf.tensor1d(l.bias))),
    logScale: variable(() => tf.scalar(start.logScale)),
    logOverhead: variable(() => tf.scalar(start.logOverhead)),
    sourceBias: variable(() => tf.tensor2d([[-start.logScale, -start.logScale]])),
  }
}

export const variablesOf = (n: TensorNetwork): Variable[] => [
  ...n.kernels,
  ...n.biases,
  n.logScale,
  n.logOverhead,
  n.sourceBias,
]

/** Copies the weights out. */
export function readLayers(n: TensorNetwork): Layer[] {
  return n.kernels.map((k, i) => ({
    kernel: Float32Array.from(k.dataSync()),
    bias: Float32Array.from(n.biases[i]!.dataSync()),
  }))
}

/** [rows, 1]: residual over the roofline, in logarithms. x: [rows, features], scaled. */
export function residual(tf: Tf, n: TensorNetwork, x: Tensor2D): Tensor2D {
  const hidden = (h: Tensor2D, i: number): Tensor2D => {
    const sum = tf.add((i === 0 ? constantTimes : product)(tf, h, n.kernels[i] as unknown as Tensor2D), n.biases[i]!)
    return (i === n.kernels.length - 1 ? sum : tf.relu(sum)) as Tensor2D
  }
  const last = n.kernels.reduce<Tensor2D>((h, _, i) => hidden(h, i), x)
  return tf.mul(tf.tanh(last), BOUND)
}

/** Smooth Huber loss (Charbonnier), per element. */
function huber(tf: Tf, error: Tensor): Tensor {
  const scaled = tf.square(tf.div(error, HUBER))
  return tf.mul(tf.sub(tf.sqrt(tf.add(scaled, 1)), 1), HUBER)
}

/** Loss of a batch, a scalar. Call inside tidy or variableGrads. */
export function lossOf(tf: Tf, n: TensorNetwork, batch: Batch, weights: LossWeights): Scalar {
  const { rows, kernelRows, graphRows } = batch
  const x = tf.tensor2d(batch.features, [rows, LAYER_SIZES[0]!])
  const isolated = tf.add(tf.tensor2d(batch.logBase, [rows, 1]), residual(tf, n, x)) as Tensor2D
  const parts: Tensor[] = []
  if (kernelRows > 0)
    parts.push(tf.mul(kernelLoss(tf, n, batch, tf.slice(isolated, [0, 0], [kernelRows, 1])), weights.kernel))
  if (graphRows > 0) {
    const kernels = tf.add(tf.slice(isolated, [kernelRows, 0], [rows - kernelRows, 1]), n.logScale) as Tensor2D
    const totals = constantTimes(tf, tf.tensor2d(batch.counts, [graphRows, rows - kernelRows]), tf.exp(kernels))
    const logTotals = tf.log(tf.add(totals, tf.exp(n.logOverhead))) as Tensor2D
    parts.push(tf.mul(graphLoss(tf, batch, logTotals), weights.graph))
    parts.push(tf.mul(pairLoss(tf, batch, logTotals), weights.pair))
  }
  for (const k of n.kernels) parts.push(tf.mul(tf.sum(tf.square(k)), weights.decay))
  parts.push(tf.mul(tf.sum(tf.square(tf.add(n.sourceBias, n.logScale))), 0.1))
  return tf.addN(parts) as Scalar
}

/** The network's prices are end-to-end microseconds; what a profile shows of them is biased by its source. */
function kernelLoss(tf: Tf, n: TensorNetwork, batch: Batch, isolated: Tensor): Tensor {
  const shape: [number, number] = [batch.kernelRows, 1]
  const bias = tf.sum(tf.mul(tf.tensor2d(batch.sources, [batch.kernelRows, 2]), n.sourceBias), 1, true)
  const predicted = tf.add(tf.add(isolated, n.logScale), bias)
  return weightedMean(
    tf,
    huber(tf, tf.sub(predicted, tf.tensor2d(batch.kernelLabels, shape))),
    tf.tensor2d(batch.kernelWeights, shape),
  )
}

function graphLoss(tf: Tf, batch: Batch, logTotals: Tensor2D): Tensor {
  const shape: [number, number] = [batch.graphRows, 1]
  const error = tf.sub(logTotals, tf.tensor2d(batch.graphLabels, shape))
  return weightedMean(tf, huber(tf, error), tf.tensor2d(batch.graphWeights, shape))
}

/** Mean of softplus(-(log t_i - log t_j) / margin) over pairs (i slower than j) that differ by more than their noise. */
function pairLoss(tf: Tf, batch: Batch, logTotals: Tensor2D): Tensor {
  const gap = tf.div(tf.sub(logTotals, tf.transpose(logTotals)), MARGIN)
  const wanted = tf.tensor2d(batch.pairs, [batch.graphRows, batch.graphRows])
  // softplus(-gap), written so that neither side overflows.
  const loss = tf.add(tf.relu(tf.neg(gap)), tf.log(tf.add(tf.exp(tf.neg(tf.abs(gap))), 1)))
  return tf.mul(weightedMean(tf, loss, wanted), MARGIN)
}

function weightedMean(tf: Tf, values: Tensor, weights: Tensor): Tensor {
  return tf.div(tf.sum(tf.mul(values, weights)), tf.add(tf.sum(weights), 1e-6))
}
