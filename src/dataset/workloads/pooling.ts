// Reductions and pools that commute with what is linear or monotone (rows on pooling of the table of identities).
import { applyLinear, composeLinear, linearLayer } from './parts.ts'
import { workload } from './workload.ts'

const rowsTimesWidth = {
  small: { rows: 64, width: 128, to: 128 },
  full: { rows: 512, width: 512, to: 512 },
  reverse: { rows: 2, width: 512, to: 64 },
}

export const pooling = [
  workload({
    name: 'mean-of-linear',
    family: 'row-pooling',
    suite: 'algebra',
    expected: 'mean(x W) = mean(x) W over rows',
    sizes: rowsTimesWidth,
    build(net, { rows, width, to }) {
      net.output(net.reduce('ReduceMean', net.linear(net.input('x', 1, rows, width), to), 1, false))
    },
    byHand(net, { rows, width, to }) {
      net.output(net.linear(net.reduce('ReduceMean', net.input('x', 1, rows, width), 1, false), to))
    },
  }),
  workload({
    name: 'sum-of-linear-stack',
    family: 'row-pooling',
    suite: 'algebra',
    expected: 'sum over rows moves before both linear layers; a bias turns into rows times the bias',
    sizes: rowsTimesWidth,
    build(net, { rows, width, to }) {
      const hidden = net.linear(net.linear(net.input('x', 2, rows, width), to), width)
      net.output(net.reduce('ReduceSum', hidden, 1, false))
    },
    byHand(net, { rows, width, to }) {
      const x = net.reduce('ReduceSum', net.input('x', 2, rows, width), 1, false)
      const first = linearLayer(net, width, to)
      const { weight, bias } = composeLinear(net, first, linearLayer(net, to, width))
      net.output(applyLinear(net, x, { weight, bias: net.mul(bias, net.scalar(rows)) }))
    },
  }),
  workload({
    name: 'global-pool-of-conv',
    family: 'global-pool',
    suite: 'algebra',
    expected: 'a global average pool moves before a 1x1 convolution',
    sizes: {
      small: { channels: 64, to: 96, size: 14 },
      full: { channels: 256, to: 512, size: 28 },
      reverse: { channels: 64, to: 64, size: 2 },
    },
    build(net, { channels, to, size }) {
      const x = net.input('x', 1, channels, size, size)
      net.output(net.op('GlobalAveragePool', net.conv(x, to, 1)))
    },
    byHand(net, { channels, to, size }) {
      net.output(net.conv(net.op('GlobalAveragePool', net.input('x', 1, channels, size, size)), to, 1))
    },
  }),
  workload({
    name: 'average-pool-of-conv',
    family: 'average-pool',
    suite: 'algebra',
    expected: 'conv1x1 and average pooling commute: pool what has fewer channels, convolve what is smaller',
    sizes: {
      small: { channels: 64, to: 32, size: 28 },
      full: { channels: 256, to: 128, size: 56 },
      reverse: { channels: 32, to: 256, size: 28 },
    },
    build(net, { channels, to, size }) {
      const x = net.relu(net.input('x', 1, channels, size, size))
      net.output(net.pool('AveragePool', net.conv(x, to, 1), 2))
    },
    byHand(net, { channels, to, size }) {
      const x = net.relu(net.input('x', 1, channels, size, size))
      net.output(net.conv(net.pool('AveragePool', x, 2), to, 1))
    },
  }),
  workload({
    name: 'max-pool-of-relu',
    family: 'monotone-pool',
    suite: 'algebra',
    expected: 'maxpool(relu(x)) = relu(maxpool(x)) where relu is not fused into a convolution',
    sizes: { small: { channels: 16, size: 56 }, full: { channels: 64, size: 160 } },
    build(net, { channels, size }) {
      const scaled = net.add(net.input('x', 1, channels, size, size), net.input('y', 1, channels, size, size))
      net.output(net.pool('MaxPool', net.relu(scaled), 2))
    },
    byHand(net, { channels, size }) {
      const scaled = net.add(net.input('x', 1, channels, size, size), net.input('y', 1, channels, size, size))
      net.output(net.relu(net.pool('MaxPool', scaled, 2)))
    },
  }),
  workload({
    name: 'max-pool-of-hard-swish',
    family: 'monotone-pool',
    suite: 'algebra',
    expected: 'max-pool of sigmoid commutes; of HardSwish only through both extremes',
    sizes: { small: { channels: 16, size: 56 }, full: { channels: 48, size: 128 } },
    build(net, { channels, size }) {
      const x = net.input('x', 1, channels, size, size)
      const monotone = net.pool('MaxPool', net.sigmoid(x), 2)
      net.output(net.add(monotone, net.pool('MaxPool', net.op('HardSwish', x), 2)))
    },
  }),
]
