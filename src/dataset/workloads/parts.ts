// Layers taken apart, for forms written by hand: the weights that a layer of Net draws, in its order, and what a person makes of
// them. All of it is computed from constants, so that fold-weights.ts leaves one weight of each.
import { ints } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { tensor } from '../../ir/tensor.ts'
import type { Net } from './net.ts'

export interface Layer {
  /** [from, to] of a linear layer, [to, from, k, k] of a convolution. */
  readonly weight: ValueId
  readonly bias: ValueId
}

/** What `net.linear` draws. */
export function linearLayer(net: Net, from: number, to: number): Layer {
  const weight = net.weight([from, to])
  return { weight, bias: net.uniform([to], -0.1, 0.1) }
}

export function applyLinear(net: Net, x: ValueId, { weight, bias }: Layer): ValueId {
  return net.add(net.matmul(x, weight), bias)
}

/** Both linear layers as one. */
export function composeLinear(net: Net, first: Layer, second: Layer): Layer {
  const weight = net.matmul(first.weight, second.weight)
  return { weight, bias: net.add(net.matmul(first.bias, second.weight), second.bias) }
}

/** A linear layer of [x, expand(y)], where y is one row: its half is computed once. */
export function linearOfPair(net: Net, x: ValueId, y: ValueId, to: number): ValueId {
  const [from, more] = [x, y].map((v) => net.shape(v).at(-1)!) as [number, number]
  const { weight, bias } = linearLayer(net, from + more, to)
  const [own, shared] = [net.slice(weight, 0, 0, from), net.slice(weight, 0, from, from + more)]
  return net.add(net.matmul(x, own), applyLinear(net, y, { weight: shared, bias }))
}

/** The bias of a convolution without one. */
const zeros = (net: Net, channels: number): ValueId => net.scalar(0, channels)

/** What `net.conv` draws for a square kernel. */
export function convLayer(net: Net, from: number, to: number, kernel: number, hasBias = true): Layer {
  const weight = net.weight([to, from, kernel, kernel], from * kernel * kernel, Math.SQRT2)
  return { weight, bias: hasBias ? net.uniform([to], -0.1, 0.1) : zeros(net, to) }
}

/** A convolution that keeps the size. */
export function applyConv(net: Net, x: ValueId, { weight, bias }: Layer): ValueId {
  const kernel = net.shape(weight)[2]!
  const pad = Math.floor(kernel / 2)
  return net.node('Conv', [x, weight, bias], { kernel_shape: ints([kernel, kernel]), pads: ints([pad, pad, pad, pad]) })
}

/** A 1x1 convolution after any other, as one. */
export function thenPointwise(net: Net, first: Layer, point: Layer): Layer {
  const [inner, ...rest] = net.shape(first.weight)
  const matrix = matrixOf(net, point)
  const rows = net.reshape(first.weight, [inner!, rest.reduce((a, b) => a * b)])
  const weight = net.reshape(net.matmul(matrix, rows), [net.shape(matrix)[0]!, ...rest])
  return { weight, bias: net.add(net.matmul(matrix, first.bias), point.bias) }
}

/** A linear layer of each pixel's channels as a 1x1 convolution. */
export function pointwiseOf(net: Net, { weight, bias }: Layer): Layer {
  const [from, to] = net.shape(weight) as [number, number]
  return { weight: net.reshape(net.transpose(weight, [1, 0]), [to, from, 1, 1]), bias }
}

/** [to, from] of a 1x1 convolution. */
function matrixOf(net: Net, { weight }: Layer): ValueId {
  return net.reshape(weight, net.shape(weight).slice(0, 2))
}

/** Convolutions of one input, summed. */
export function sumOfLayers(net: Net, layers: readonly Layer[]): Layer {
  return layers.reduce((a, b) => ({ weight: net.add(a.weight, b.weight), bias: net.add(a.bias, b.bias) }))
}

/** A 1x1 convolution as a 3x3 one. */
export function enlarged(net: Net, { weight, bias }: Layer): Layer {
  return { weight: net.op('Pad', weight, net.builder.int64s([0, 0, 1, 1, 0, 0, 1, 1], 'pads')), bias }
}

/** The 1x1 convolution that changes nothing. */
export function identityLayer(net: Net, channels: number): Layer {
  const values = Array.from({ length: channels * channels }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0))
  const weight = net.builder.constant(tensor('float32', [channels, channels, 1, 1], values), 'identity')
  return { weight, bias: zeros(net, channels) }
}

/** Every output of a convolution times a number. */
export function scaled(net: Net, { weight, bias }: Layer, factor: number): Layer {
  return { weight: net.mul(weight, net.scalar(factor)), bias: net.mul(bias, net.scalar(factor)) }
}

/** A convolution and the BatchNorm after it, whose statistics `net.batchNorm` draws, as one. */
export function thenBatchNorm(net: Net, { weight, bias }: Layer): Layer {
  const channels = net.shape(weight)[0]!
  const [gain, shift] = [net.uniform([channels], 0.8, 1.2), net.uniform([channels], -0.1, 0.1)]
  const [mean, variance] = [net.uniform([channels], -0.1, 0.1), net.uniform([channels], 0.8, 1.2)]
  const scale = net.op('Div', gain, net.op('Sqrt', net.add(variance, net.scalar(1e-5))))
  const spread = net.reshape(scale, [channels, 1, 1, 1])
  return { weight: net.mul(weight, spread), bias: net.add(net.mul(net.op('Sub', bias, mean), scale), shift) }
}
