// Resize commutes with 1x1 convolutions, and 1x1 convolutions with concatenation (rows 16-17 of the table of identities). Transposed
// convolutions of disjoint windows are 1x1 convolutions before DepthToSpace, as the heads of text detectors have them; larger
// convolutions of doubled pictures, as decoders have them, are smaller ones of the small picture.
import { int, ints } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import type { Net } from './net.ts'
import { applyConv, convLayer, type Layer } from './parts.ts'
import { workload } from './workload.ts'

export const resizing = [
  ...(['nearest', 'linear'] as const).map((mode) =>
    workload({
      name: `resize-${mode}-then-conv`,
      family: 'resize-conv',
      suite: 'algebra',
      expected: 'a 1x1 convolution moves before the resize, where it has fewer pixels to work on',
      sizes: {
        small: { channels: 32, to: 32, size: 14 },
        full: { channels: 128, to: 128, size: 28 },
        reverse: { channels: 16, to: 256, size: 28 },
      },
      build(net, { channels, to, size }) {
        const large = net.resize(net.input('x', 1, channels, size, size), 2 * size, 2 * size, mode)
        net.output(net.convRelu(large, to, 1))
      },
      byHand(net, { channels, to, size }) {
        const small = net.conv(net.input('x', 1, channels, size, size), to, 1)
        net.output(net.relu(net.resize(small, 2 * size, 2 * size, mode)))
      },
    }),
  ),
  workload({
    name: 'conv-of-concat',
    family: 'conv-of-concat',
    suite: 'algebra',
    expected: 'conv1x1(concat(a, b, ..)) = sum of conv1x1; with resized parts each moves before its resize',
    sizes: {
      small: { channels: 24, to: 48, size: 8, parts: 3 },
      full: { channels: 64, to: 128, size: 14, parts: 3 },
      narrowing: { channels: 128, to: 32, size: 14, parts: 3 },
    },
    build(net, { channels, to, size, parts }) {
      const largest = size << (parts - 1)
      const maps = Array.from({ length: parts }, (_, i) => {
        const x = net.input(`x${i}`, 1, channels, size << i, size << i)
        return net.resize(x, largest, largest, 'linear')
      })
      net.output(net.convRelu(net.concat(maps, 1), to, 1))
    },
    byHand(net, { channels, to, size, parts }) {
      const inputs = Array.from({ length: parts }, (_, i) => net.input(`x${i}`, 1, channels, size << i, size << i))
      const { weight, bias } = convLayer(net, parts * channels, to, 1)
      const none = net.scalar(0, to)
      const maps = inputs.map((x, i) => {
        const own = net.slice(weight, 1, i * channels, (i + 1) * channels)
        const [map, largest] = [applyConv(net, x, { weight: own, bias: i === 0 ? bias : none }), size << (parts - 1)]
        return i === parts - 1 ? map : net.resize(map, largest, largest, 'linear')
      })
      net.output(net.relu(maps.reduce((a, b) => net.add(a, b))))
    },
  }),
  workload({
    name: 'deconvolution-twice',
    family: 'deconvolution',
    suite: 'algebra',
    expected:
      'two transposed convolutions of disjoint windows are 1x1 convolutions; all pixels of a block are put in place once',
    sizes: {
      small: { channels: 16, to: 1, size: 16 },
      full: { channels: 24, to: 1, size: 96 },
      reverse: { channels: 32, to: 32, size: 48 },
    },
    build(net, { channels, to, size }) {
      const first = deconvolutionLayer(net, channels, channels)
      const second = deconvolutionLayer(net, channels, to)
      const hidden = net.relu(deconvolve(net, net.input('x', 1, channels, size, size), first))
      net.output(net.sigmoid(deconvolve(net, hidden, second)))
    },
    byHand(net, { channels, to, size }) {
      const first = deconvolutionLayer(net, channels, channels)
      const second = deconvolutionLayer(net, channels, to)
      const hidden = net.relu(inPhases(net, net.input('x', 1, channels, size, size), first, 1))
      net.output(placed(net, placed(net, net.sigmoid(inPhases(net, hidden, second, 4)))))
    },
  }),
  workload({
    name: 'repeated-then-conv',
    family: 'resize-phases',
    suite: 'algebra',
    expected:
      'a 3x3 convolution of a doubled picture is four 2x2 convolutions of the small one, their pixels interleaved',
    sizes: {
      small: { channels: 16, to: 16, size: 10 },
      full: { channels: 128, to: 128, size: 32 },
      reverse: { channels: 4, to: 4, size: 64 },
    },
    build(net, { channels, to, size }) {
      const large = net.resize(net.input('x', 1, channels, size, size), 2 * size, 2 * size, 'nearest')
      net.output(net.convRelu(large, to, 3))
    },
    byHand(net, { channels, to, size }) {
      const x = net.input('x', 1, channels, size, size)
      const { weight, bias } = convLayer(net, channels, to, 3)
      const pixels = joinedTaps(net, weight, 2).flatMap((row, top) =>
        joinedTaps(net, row, 3).map((kernel, left) => {
          const pads = ints([1 - top, 1 - left, top, left])
          return net.relu(net.node('Conv', [x, kernel, bias], { kernel_shape: ints([2, 2]), pads }))
        }),
      )
      net.output(placed(net, net.concat(pixels, 1)))
    },
  }),
]

/** 2x2 windows side by side: weight [from, to, 2, 2]. */
function deconvolutionLayer(net: Net, from: number, to: number): Layer {
  return { weight: net.weight([from, to, 2, 2], from, Math.SQRT2), bias: net.uniform([to], -0.1, 0.1) }
}

const deconvolve = (net: Net, x: ValueId, { weight, bias }: Layer): ValueId =>
  net.node('ConvTranspose', [x, weight, bias], { strides: ints([2, 2]) })

/** The four pixels of each window as channels, those of a pixel side by side; `groups`: x holds as many pixels in this way. */
function inPhases(net: Net, x: ValueId, { weight, bias }: Layer, groups: number): ValueId {
  const [from, to] = net.shape(weight) as [number, number]
  const kernel = net.reshape(net.transpose(weight, [2, 3, 1, 0]), [4 * to, from, 1, 1])
  const repeated = (v: ValueId, times: number) => net.concat(new Array<ValueId>(times).fill(v), 0)
  const operands = [x, repeated(kernel, groups), repeated(bias, 4 * groups)]
  return net.node('Conv', operands, { kernel_shape: ints([1, 1]), group: int(groups) })
}

const placed = (net: Net, x: ValueId): ValueId => net.node('DepthToSpace', [x], { blocksize: int(2) })

/** Three taps along an axis as the two that read different pixels of the small picture: for the first and the second pixel of each pair. */
function joinedTaps(net: Net, weight: ValueId, axis: number): readonly ValueId[] {
  const [first, middle, last] = [0, 1, 2].map((i) => net.slice(weight, axis, i, i + 1)) as [ValueId, ValueId, ValueId]
  return [net.concat([first, net.add(middle, last)], axis), net.concat([net.add(first, middle), last], axis)]
}
