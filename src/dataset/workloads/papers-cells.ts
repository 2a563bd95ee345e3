// Branching convolutional networks of the papers, scaled: SqueezeNet 1.1, NasNet-A, Inception-v3.
import type { ValueId } from '../../ir/graph.ts'
import { classifierHead } from './layers.ts'
import type { Net } from './net.ts'
import { workload } from './workload.ts'

interface Dims {
  readonly size: number
  /** Every channel count of the paper divided by this. */
  readonly divide: number
}

function fire(net: Net, x: ValueId, squeeze: number, expand: number): ValueId {
  const s = net.convRelu(x, squeeze, 1)
  return net.concat([net.convRelu(s, expand, 1), net.convRelu(s, expand, 3)], 1)
}

function squeezeNet(net: Net, { size, divide }: Dims): void {
  const half = (x: ValueId) => net.pool('MaxPool', x, 3, { stride: 2, pad: 1 })
  const stages = [
    [
      [16, 64],
      [16, 64],
    ],
    [
      [32, 128],
      [32, 128],
    ],
    [
      [48, 192],
      [48, 192],
      [64, 256],
      [64, 256],
    ],
  ] as const
  let x = net.convRelu(net.input('x', 1, 3, size, size), 64 / divide, 3, { stride: 2 })
  for (const stage of stages) {
    x = half(x)
    for (const [squeeze, expand] of stage) x = fire(net, x, squeeze / divide, expand / divide)
  }
  net.output(net.op('GlobalAveragePool', net.convRelu(x, 100, 1)), 'logits')
}

/** relu, depthwise k x k, 1x1. */
function separable(net: Net, x: ValueId, channels: number, kernel: number, stride: number): ValueId {
  const deep = net.conv(net.relu(x), net.shape(x)[1]!, kernel, { stride, groups: net.shape(x)[1]!, bias: false })
  return net.conv(deep, channels, 1, { bias: false })
}

/** The first operand at the size and channels that the cell works on. */
function atSize(net: Net, x: ValueId, channels: number, size: number): ValueId {
  const [, have, height] = net.shape(x)
  if (have === channels && height === size) return x
  return net.conv(net.relu(x), channels, 1, { stride: height! / size })
}

/** NASNet-A's normal cell (Zoph et al., 2018, figure 4), from the two previous cells' outputs. */
function normalCell(net: Net, previous: ValueId, current: ValueId, channels: number): ValueId {
  const h = atSize(net, current, channels, net.shape(current)[2]!)
  const p = atSize(net, previous, channels, net.shape(current)[2]!)
  const average = (x: ValueId) => net.pool('AveragePool', x, 3, { stride: 1, pad: 1 })
  const sums = [
    net.add(separable(net, h, channels, 3, 1), h),
    net.add(separable(net, p, channels, 3, 1), separable(net, h, channels, 5, 1)),
    net.add(average(h), p),
    net.add(average(p), average(p)),
    net.add(separable(net, p, channels, 5, 1), separable(net, p, channels, 3, 1)),
  ]
  return net.concat(
    sums.map((x) => net.mul(x, net.scalar(0.5))),
    1,
  )
}

/** NASNet-A's reduction cell: half the size. */
function reductionCell(net: Net, previous: ValueId, current: ValueId, channels: number): ValueId {
  const h = atSize(net, current, channels, net.shape(current)[2]!)
  const p = atSize(net, previous, channels, net.shape(current)[2]!)
  const pool = (kind: 'MaxPool' | 'AveragePool', x: ValueId, stride: number) => net.pool(kind, x, 3, { stride, pad: 1 })
  const first = net.add(separable(net, h, channels, 5, 2), separable(net, p, channels, 7, 2))
  const second = net.add(pool('MaxPool', h, 2), separable(net, p, channels, 7, 2))
  const third = net.add(pool('AveragePool', h, 2), separable(net, p, channels, 5, 2))
  const fourth = net.add(pool('MaxPool', h, 2), separable(net, first, channels, 3, 1))
  const fifth = net.add(pool('AveragePool', first, 1), second)
  return net.concat(
    [second, third, fourth, fifth].map((x) => net.mul(x, net.scalar(0.5))),
    1,
  )
}

interface CellDims {
  readonly size: number
  readonly channels: number
  readonly normals: number
}

function nasNet(net: Net, { size, channels, normals }: CellDims): void {
  let previous = net.conv(net.input('x', 1, 3, size, size), channels, 3)
  let current = previous
  for (let stage = 0; stage < 3; stage++) {
    for (let i = 0; i < normals; i++)
      [previous, current] = [current, normalCell(net, previous, current, channels << stage)]
    if (stage < 2) [previous, current] = [current, reductionCell(net, previous, current, channels << (stage + 1))]
  }
  net.output(classifierHead(net, net.relu(current), 100), 'logits')
}

const average = (net: Net, x: ValueId) => net.pool('AveragePool', x, 3, { stride: 1, pad: 1 })
const shrink = (net: Net, x: ValueId) => net.pool('MaxPool', x, 3, { stride: 2 })
/** A 1 x n then an n x 1 convolution, each with its activation. */
function cross(net: Net, x: ValueId, inner: number, out: number, n: number): ValueId {
  const half = (n - 1) / 2
  const row = net.convRelu(x, inner, n, { kernel: [1, n], pads: [0, half, 0, half] })
  return net.convRelu(row, out, n, { kernel: [n, 1], pads: [half, 0, half, 0] })
}

function inceptionA(net: Net, x: ValueId, c: (n: number) => number, pooled: number): ValueId {
  const five = net.convRelu(net.convRelu(x, c(48), 1), c(64), 5)
  const three = net.convRelu(net.convRelu(net.convRelu(x, c(64), 1), c(96), 3), c(96), 3)
  return net.concat([net.convRelu(x, c(64), 1), five, three, net.convRelu(average(net, x), c(pooled), 1)], 1)
}

function inceptionB(net: Net, x: ValueId, c: (n: number) => number): ValueId {
  const three = net.convRelu(net.convRelu(net.convRelu(x, c(64), 1), c(96), 3), c(96), 3, { stride: 2, pad: 0 })
  return net.concat([net.convRelu(x, c(384), 3, { stride: 2, pad: 0 }), three, shrink(net, x)], 1)
}

function inceptionC(net: Net, x: ValueId, c: (n: number) => number, inner: number): ValueId {
  const once = cross(net, net.convRelu(x, c(inner), 1), c(inner), c(192), 7)
  const twice = cross(net, cross(net, net.convRelu(x, c(inner), 1), c(inner), c(inner), 7), c(inner), c(192), 7)
  return net.concat([net.convRelu(x, c(192), 1), once, twice, net.convRelu(average(net, x), c(192), 1)], 1)
}

function inceptionD(net: Net, x: ValueId, c: (n: number) => number): ValueId {
  const three = net.convRelu(net.convRelu(x, c(192), 1), c(320), 3, { stride: 2, pad: 0 })
  const seven = net.convRelu(cross(net, net.convRelu(x, c(192), 1), c(192), c(192), 7), c(192), 3, {
    stride: 2,
    pad: 0,
  })
  return net.concat([three, seven, shrink(net, x)], 1)
}

function inceptionE(net: Net, x: ValueId, c: (n: number) => number): ValueId {
  const fork = (y: ValueId) => [
    net.convRelu(y, c(384), 3, { kernel: [1, 3], pads: [0, 1, 0, 1] }),
    net.convRelu(y, c(384), 3, { kernel: [3, 1], pads: [1, 0, 1, 0] }),
  ]
  const shallow = fork(net.convRelu(x, c(384), 1))
  const deep = fork(net.convRelu(net.convRelu(x, c(448), 1), c(384), 3))
  return net.concat([net.convRelu(x, c(320), 1), ...shallow, ...deep, net.convRelu(average(net, x), c(192), 1)], 1)
}

function inceptionV3(net: Net, { size, divide }: Dims): void {
  const c = (channels: number) => channels / divide
  let x = net.convRelu(net.input('x', 1, 3, size, size), c(32), 3, { stride: 2, pad: 0 })
  x = shrink(net, net.convRelu(net.convRelu(x, c(32), 3, { pad: 0 }), c(64), 3))
  x = shrink(net, net.convRelu(net.convRelu(x, c(80), 1), c(192), 3, { pad: 0 }))
  for (const pooled of [32, 64, 64]) x = inceptionA(net, x, c, pooled)
  x = inceptionB(net, x, c)
  for (const inner of [128, 160, 160, 192]) x = inceptionC(net, x, c, inner)
  x = inceptionD(net, x, c)
  for (let i = 0; i < 2; i++) x = inceptionE(net, x, c)
  net.output(classifierHead(net, x, 100), 'logits')
}

export const cellPapers = [
  workload({
    name: 'squeezenet-1.1',
    family: 'squeezenet',
    suite: 'papers',
    expected: 'enlarging and merging the expand convolutions loses on a CPU: 0.79',
    sizes: { small: { size: 64, divide: 4 }, full: { size: 160, divide: 2 } },
    build: squeezeNet,
  }),
  workload({
    name: 'nasnet-a',
    family: 'nasnet',
    suite: 'papers',
    expected: 'equal average pools shared; average(p) + average(p) = 2 average(p); merging separable sums loses',
    sizes: {
      small: { size: 16, channels: 8, normals: 2 },
      full: { size: 28, channels: 24, normals: 3 },
      published: { size: 56, channels: 128, normals: 5 },
    },
    build: nasNet,
  }),
  workload({
    name: 'inception-v3',
    family: 'inception',
    suite: 'papers',
    expected: 'merging the parallel 1x1 convolutions: 0.97 measured on a CPU',
    sizes: {
      small: { size: 107, divide: 16 },
      full: { size: 139, divide: 4 },
      published: { size: 299, divide: 1 },
    },
    build: inceptionV3,
  }),
]
