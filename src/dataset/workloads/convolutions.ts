// Convolutions that compose or add up (rows 18-19 of the table of identities).
import type { ValueId } from '../../ir/graph.ts'
import type { Net } from './net.ts'
import { applyConv, convLayer, enlarged, identityLayer, scaled, sumOfLayers, thenPointwise } from './parts.ts'
import { workload } from './workload.ts'

const dims = {
  small: { channels: 24, inner: 48, to: 24, size: 20 },
  full: { channels: 96, inner: 192, to: 96, size: 48 },
  reverse: { channels: 192, inner: 16, to: 192, size: 28 },
}

/** Both convolutions as one, and the activation. */
function composed(net: Net, { channels, inner, to, size }: (typeof dims)['full'], kernel: number): void {
  const x = net.input('x', 1, channels, size, size)
  const first = convLayer(net, channels, inner, kernel)
  net.output(net.relu(applyConv(net, x, thenPointwise(net, first, convLayer(net, inner, to, 1)))))
}

function sumOf(net: Net, values: readonly ValueId[]): ValueId {
  return values.reduce((a, b) => net.add(a, b))
}

export const convolutions = [
  workload({
    name: 'pointwise-pointwise',
    family: 'conv-composition',
    suite: 'algebra',
    expected: 'conv1x1 . conv1x1 is one convolution where the middle is not the narrowest',
    sizes: dims,
    build(net, { channels, inner, to, size }) {
      const x = net.input('x', 1, channels, size, size)
      net.output(net.convRelu(net.conv(x, inner, 1), to, 1))
    },
    byHand: (net, d) => composed(net, d, 1),
  }),
  workload({
    name: 'conv-then-pointwise',
    family: 'conv-composition',
    suite: 'algebra',
    expected: 'conv3x3 followed by conv1x1 is one 3x3 convolution (the bias meets no padding)',
    sizes: {
      small: { channels: 16, inner: 32, to: 16, size: 20 },
      full: { channels: 48, inner: 96, to: 48, size: 48 },
      reverse: { channels: 64, inner: 16, to: 256, size: 28 },
    },
    build(net, { channels, inner, to, size }) {
      const x = net.input('x', 1, channels, size, size)
      net.output(net.convRelu(net.conv(x, inner, 3), to, 1))
    },
    byHand: (net, d) => composed(net, d, 3),
  }),
  workload({
    name: 'parallel-convs',
    family: 'conv-sum',
    suite: 'algebra',
    expected: 'conv(x, W1) + conv(x, W2) = conv(x, W1 + W2)',
    sizes: { small: { channels: 24, size: 20 }, full: { channels: 96, size: 40 } },
    build(net, { channels, size }) {
      const x = net.input('x', 1, channels, size, size)
      net.output(net.relu(net.add(net.conv(x, channels, 3), net.conv(x, channels, 3))))
    },
    byHand(net, { channels, size }) {
      const x = net.input('x', 1, channels, size, size)
      const both = [0, 1].map(() => convLayer(net, channels, channels, 3))
      net.output(net.relu(applyConv(net, x, sumOfLayers(net, both))))
    },
  }),
  workload({
    name: 'conv-of-sum',
    family: 'conv-sum',
    suite: 'algebra',
    expected: 'conv(x, W) + conv(y, W) = conv(x + y, W): one convolution instead of two',
    sizes: { small: { channels: 24, size: 20 }, full: { channels: 96, size: 40 } },
    build(net, { channels, size }) {
      const weight = net.weight([channels, channels, 3, 3], channels * 9)
      const pads = { pads: { kind: 'ints', value: [1, 1, 1, 1] } } as const
      const maps = ['x', 'y'].map((name) => net.node('Conv', [net.input(name, 1, channels, size, size), weight], pads))
      net.output(net.relu(sumOf(net, maps)))
    },
    byHand(net, { channels, size }) {
      const layer = { weight: net.weight([channels, channels, 3, 3], channels * 9), bias: net.scalar(0, channels) }
      const [x, y] = ['x', 'y'].map((name) => net.input(name, 1, channels, size, size))
      net.output(net.relu(applyConv(net, net.add(x!, y!), layer)))
    },
  }),
  workload({
    name: 'three-branch-conv',
    family: 'conv-sum',
    suite: 'algebra',
    expected: '3x3 + 1x1 + identity is one 3x3 convolution',
    sizes: { small: { channels: 24, size: 20, depth: 2 }, full: { channels: 64, size: 32, depth: 3 } },
    build(net, { channels, size, depth }) {
      let x = net.input('x', 1, channels, size, size)
      for (let i = 0; i < depth; i++) {
        x = net.relu(net.mul(sumOf(net, [net.conv(x, channels, 3), net.conv(x, channels, 1), x]), net.scalar(0.45)))
      }
      net.output(x)
    },
    byHand(net, { channels, size, depth }) {
      let x = net.input('x', 1, channels, size, size)
      for (let i = 0; i < depth; i++) {
        const wide = convLayer(net, channels, channels, 3)
        const points = [convLayer(net, channels, channels, 1), identityLayer(net, channels)]
        const all = sumOfLayers(net, [wide, ...points.map((p) => enlarged(net, p))])
        x = net.relu(applyConv(net, x, scaled(net, all, 0.45)))
      }
      net.output(x)
    },
  }),
]
