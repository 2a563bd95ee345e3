// Merges that pay on GPUs and mostly lose on CPUs: the cases in which a cost model earns its keep.
import type { ValueId } from '../../ir/graph.ts'
import { attend, joinHeads, rmsNormSpelled, splitHeads } from './layers.ts'
import { workload } from './workload.ts'

export const linearMerges = [
  workload({
    name: 'qkv',
    family: 'merge-shared-input',
    suite: 'merges',
    expected: 'x Wq, x Wk, x Wv as one product and a split: 0.96-0.99 measured on a CPU',
    sizes: {
      small: { rows: 32, width: 128, heads: 4 },
      full: { rows: 128, width: 512, heads: 8 },
      reverse: { rows: 1, width: 768, heads: 12 },
    },
    build(net, { rows, width, heads }) {
      const x = net.input('x', 1, rows, width)
      const [q, k, v] = [0, 1, 2].map(() => splitHeads(net, net.linear(x, width), heads))
      net.output(net.linear(joinHeads(net, attend(net, q!, k!, v!)), width))
    },
  }),
  workload({
    name: 'gated-mlp',
    family: 'merge-shared-input',
    suite: 'merges',
    expected: 'gate and up products merged: 0.96-1.00 measured on a CPU',
    sizes: { small: { rows: 8, width: 128, inner: 256 }, full: { rows: 64, width: 512, inner: 1024 } },
    build(net, { rows, width, inner }) {
      const x = net.input('x', rows, width)
      const gate = net.project(x, inner)
      net.output(net.project(net.mul(net.mul(gate, net.sigmoid(gate)), net.project(x, inner)), width))
    },
  }),
  workload({
    name: 'sum-of-two-products',
    family: 'merge-block-product',
    suite: 'merges',
    expected: 'x A + y B = [x, y][A; B]: 0.98 measured on a CPU',
    sizes: { small: { rows: 32, width: 128, to: 128 }, full: { rows: 192, width: 512, to: 512 } },
    build(net, { rows, width, to }) {
      const [x, y] = [net.input('x', rows, width), net.input('y', rows, width)]
      net.output(net.relu(net.add(net.project(x, to), net.project(y, to))))
    },
  }),
  workload({
    name: 'dynamic-adapter',
    family: 'merge-block-product',
    suite: 'merges',
    expected: 'adapter factors that arrive at run time: the concatenated form loses, 0.59 measured on a CPU',
    sizes: { small: { rows: 16, width: 128, rank: 8 }, full: { rows: 64, width: 768, rank: 16 } },
    build(net, { rows, width, rank }) {
      const x = net.input('x', rows, width)
      const low = net.matmul(x, net.input('a', width, rank))
      const adapter = net.mul(net.matmul(low, net.input('b', rank, width)), net.scalar(1 / width))
      net.output(net.add(net.project(x, width), adapter))
    },
  }),
  workload({
    name: 'norm-then-linear',
    family: 'norm-into-linear',
    suite: 'merges',
    expected:
      'the gain folds into the weight, the division by the root mean square moves behind the product: about 1.03',
    sizes: { small: { rows: 16, width: 128, to: 192 }, full: { rows: 128, width: 512, to: 768 } },
    build(net, { rows, width, to }) {
      net.output(net.project(rmsNormSpelled(net, net.input('x', rows, width)), to))
    },
  }),
  workload({
    name: 'cube',
    family: 'power',
    suite: 'merges',
    expected: 'x^3 as x * x * x: 0.63 measured on a CPU',
    sizes: { small: 1 << 12, full: 1 << 18 },
    build(net, n) {
      net.output(net.op('Pow', net.input('x', n), net.scalar(3)))
    },
  }),
]

const image = (channels: number, size: number) => [1, channels, size, size]

export const convMerges = [
  workload({
    name: 'inception-pointwise',
    family: 'merge-parallel-convs',
    suite: 'merges',
    expected: 'four 1x1 convolutions of one input as one and a split: 0.97 measured on a CPU',
    sizes: { small: { channels: 48, to: 16, size: 14 }, full: { channels: 192, to: 64, size: 28 } },
    build(net, { channels, to, size }) {
      const x = net.input('x', ...image(channels, size))
      net.output(
        net.concat(
          [0, 1, 2, 3].map(() => net.convRelu(x, to, 1)),
          1,
        ),
      )
    },
  }),
  workload({
    name: 'narrow-branches',
    family: 'narrow-parallel-convs',
    suite: 'merges',
    expected:
      'four 3x3 convolutions of few channels are one: half the time, since each alone leaves the vectors half empty',
    sizes: { small: { channels: 16, to: 4, size: 14 }, full: { channels: 48, to: 8, size: 56 } },
    build(net, { channels, to, size }) {
      const x = net.input('x', ...image(channels, size))
      const branches = [0, 1, 2, 3].map(() => net.convRelu(x, to, 3))
      net.output(net.concat([...branches.slice(0, 3), net.sigmoid(branches[3]!)], 1))
    },
  }),
  workload({
    name: 'conv-of-slices',
    family: 'parallel-groups',
    suite: 'merges',
    expected: 'convolutions of the parts of one value are one convolution in groups, without split and concat',
    sizes: { small: { channels: 16, parts: 2, size: 14 }, full: { channels: 64, parts: 4, size: 56 } },
    build(net, { channels, parts, size }) {
      const x = net.input('x', ...image(channels, size))
      const each = net.split(x, parts, 1).map((slice) => net.convRelu(slice, channels / parts, 3))
      net.output(net.concat(each, 1))
    },
  }),
  workload({
    name: 'fire-expand',
    family: 'merge-parallel-convs',
    suite: 'merges',
    expected: 'the 1x1 kernel enlarged to 3x3 and merged: 0.79 measured on a CPU',
    sizes: { small: { channels: 16, to: 32, size: 14 }, full: { channels: 48, to: 192, size: 28 } },
    build(net, { channels, to, size }) {
      const squeezed = net.convRelu(net.input('x', ...image(2 * channels, size)), channels, 1)
      net.output(net.concat([net.convRelu(squeezed, to, 1), net.convRelu(squeezed, to, 3)], 1))
    },
  }),
  workload({
    name: 'grouped-conv',
    family: 'merge-groups',
    suite: 'merges',
    expected: 'groups merged pairwise: 0.81 for 32 -> 16, 0.25 for dense, measured on a CPU',
    sizes: { small: { channels: 64, groups: 8, size: 14 }, full: { channels: 256, groups: 32, size: 28 } },
    build(net, { channels, groups, size }) {
      const x = net.input('x', ...image(channels, size))
      net.output(net.convRelu(net.convRelu(x, channels, 3, { groups }), channels, 3, { groups }))
    },
  }),
  workload({
    name: 'separable-sum',
    family: 'merge-groups',
    suite: 'merges',
    expected: 'two separable convolutions summed, merged into one: 0.91 measured on a CPU',
    sizes: { small: { channels: 32, size: 14 }, full: { channels: 128, size: 28 } },
    build(net, { channels, size }) {
      const separable = (x: ValueId, kernel: number) =>
        net.conv(net.conv(x, channels, kernel, { groups: channels, bias: false }), channels, 1)
      const [x, y] = [net.input('x', ...image(channels, size)), net.input('y', ...image(channels, size))]
      net.output(net.relu(net.add(separable(x, 3), separable(y, 5))))
    },
  }),
  workload({
    name: 'dilated-conv',
    family: 'space-to-batch',
    suite: 'merges',
    expected: 'a dilated convolution as space-to-batch: 0.48-0.82 measured on a CPU',
    sizes: { small: { channels: 16, size: 28 }, full: { channels: 64, size: 56 } },
    build(net, { channels, size }) {
      net.output(net.convRelu(net.input('x', ...image(channels, size)), channels, 3, { dilation: 2 }))
    },
  }),
  workload({
    name: 'patch-embedding',
    family: 'patch-product',
    suite: 'merges',
    expected: 'a convolution with stride = kernel as a matrix product: 0.80 measured on a CPU',
    sizes: { small: { size: 64, patch: 8, width: 96 }, full: { size: 224, patch: 16, width: 384 } },
    build(net, { size, patch, width }) {
      const patches = net.conv(net.input('x', ...image(3, size)), width, patch, { stride: patch, pad: 0 })
      const rows = (size / patch) ** 2
      net.output(net.layerNorm(net.transpose(net.reshape(patches, [1, width, rows]), [0, 2, 1])))
    },
  }),
  workload({
    name: 'depthwise-pointwise',
    family: 'dense-from-separable',
    suite: 'merges',
    expected: 'depthwise 3x3 then 1x1 as one dense 3x3: 0.20 measured on a CPU',
    sizes: { small: { channels: 32, size: 28 }, full: { channels: 128, size: 56 } },
    build(net, { channels, size }) {
      const deep = net.conv(net.input('x', ...image(channels, size)), channels, 3, { groups: channels })
      net.output(net.convRelu(deep, channels, 1))
    },
  }),
  workload({
    name: 'spatial-conv-of-concat',
    family: 'conv-of-concat',
    suite: 'merges',
    expected: 'splitting conv(concat(x, y)) into a sum: 1.22 measured, a win in the unexpected direction',
    sizes: { small: { channels: 24, size: 20 }, full: { channels: 96, size: 40 } },
    build(net, { channels, size }) {
      const joined = net.concat(
        ['x', 'y'].map((name) => net.input(name, ...image(channels, size))),
        1,
      )
      net.output(net.convRelu(joined, channels, 3))
    },
  }),
]
