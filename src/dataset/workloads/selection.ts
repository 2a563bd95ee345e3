// Selecting rows or columns of what was computed point by point along them (rows 10-11 of the table of identities).
import type { ValueId } from '../../ir/graph.ts'
import type { Net } from './net.ts'
import { applyConv, applyLinear, convLayer, linearLayer } from './parts.ts'
import { workload } from './workload.ts'

function rowWise(net: Net, x: ValueId, width: number): ValueId {
  const hidden = net.gelu(net.linear(net.layerNorm(x), 2 * width))
  return net.tanh(net.linear(hidden, width))
}

export const selection = [
  workload({
    name: 'first-token',
    family: 'row-selection',
    suite: 'algebra',
    expected: 'only row 0 is used: every row-wise layer runs on one row',
    sizes: { small: { rows: 32, width: 96 }, full: { rows: 128, width: 384 }, reverse: { rows: 2, width: 256 } },
    build(net, { rows, width }) {
      const out = rowWise(net, net.input('x', 1, rows, width), width)
      net.output(net.gather(out, net.builder.int64s([0], 'index'), 1))
    },
    byHand(net, { rows, width }) {
      const first = net.gather(net.input('x', 1, rows, width), net.builder.int64s([0], 'index'), 1)
      net.output(rowWise(net, first, width))
    },
  }),
  workload({
    name: 'last-position',
    family: 'row-selection',
    suite: 'algebra',
    expected: 'only the last row is used, also by the wide output layer',
    sizes: { small: { rows: 24, width: 64, vocabulary: 256 }, full: { rows: 64, width: 256, vocabulary: 4096 } },
    build(net, { rows, width, vocabulary }) {
      const hidden = rowWise(net, net.input('x', 1, rows, width), width)
      net.output(net.slice(net.linear(hidden, vocabulary), 1, rows - 1, rows))
    },
    byHand(net, { rows, width, vocabulary }) {
      const last = net.slice(net.input('x', 1, rows, width), 1, rows - 1, rows)
      net.output(net.linear(rowWise(net, last, width), vocabulary))
    },
  }),
  workload({
    name: 'used-columns',
    family: 'column-selection',
    suite: 'algebra',
    expected: '(x W)[:, a:b] = x W[:, a:b]',
    sizes: {
      small: { rows: 48, width: 128, to: 256, kept: 24 },
      full: { rows: 128, width: 512, to: 2048, kept: 128 },
      reverse: { rows: 128, width: 512, to: 512, kept: 508 },
    },
    build(net, { rows, width, to, kept }) {
      const wide = net.linear(net.input('x', rows, width), to)
      net.output(net.relu(net.slice(wide, 1, 0, kept)))
    },
    byHand(net, { rows, width, to, kept }) {
      const x = net.input('x', rows, width)
      const { weight, bias } = linearLayer(net, width, to)
      const used = { weight: net.slice(weight, 1, 0, kept), bias: net.slice(bias, 0, 0, kept) }
      net.output(net.relu(applyLinear(net, x, used)))
    },
  }),
  workload({
    name: 'used-channels',
    family: 'column-selection',
    suite: 'algebra',
    expected: 'output channels of a convolution that nobody reads are cut from its weights',
    sizes: { small: { channels: 16, to: 64, size: 28, kept: 8 }, full: { channels: 64, to: 256, size: 40, kept: 32 } },
    build(net, { channels, to, size, kept }) {
      const y = net.convRelu(net.input('x', 1, channels, size, size), to, 3)
      net.output(net.slice(y, 1, to - kept, to))
    },
    byHand(net, { channels, to, size, kept }) {
      const x = net.input('x', 1, channels, size, size)
      const { weight, bias } = convLayer(net, channels, to, 3)
      const [used, usedBias] = [weight, bias].map((v) => net.slice(v, 0, to - kept, to))
      net.output(net.relu(applyConv(net, x, { weight: used!, bias: usedBias! })))
    },
  }),
]
