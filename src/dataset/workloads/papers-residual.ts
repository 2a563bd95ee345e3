// Residual and plain convolutional networks of the papers, scaled: ResNet-50, ResNeXt-50, VGG-19, MobileNet-v2.
// A network's last BatchNorm of each branch is damped, so that residual sums keep their scale.
import type { ValueId } from '../../ir/graph.ts'
import { classifierHead } from './layers.ts'
import type { Net } from './net.ts'
import { workload } from './workload.ts'

const RESNET_BLOCKS = [3, 4, 6, 3]

interface Bottleneck {
  readonly inner: number
  readonly out: number
  readonly stride: number
  readonly groups: number
}

function bottleneck(net: Net, x: ValueId, { inner, out, stride, groups }: Bottleneck): ValueId {
  const normed = (y: ValueId) => net.relu(net.batchNorm(y))
  const narrow = normed(net.conv(x, inner, 1, { bias: false }))
  const spatial = normed(net.conv(narrow, inner, 3, { stride, groups, bias: false }))
  const wide = net.batchNorm(net.conv(spatial, out, 1, { bias: false }))
  const same = net.shape(x)[1] === out && stride === 1
  const skip = same ? x : net.batchNorm(net.conv(x, out, 1, { stride, bias: false }))
  return net.relu(net.mul(net.add(wide, skip), net.scalar(0.6)))
}

interface ResidualDims {
  readonly size: number
  /** Channels after the stem; 64 in the papers. */
  readonly width: number
}

function residualNet(net: Net, { size, width }: ResidualDims, groups: number, innerRatio: number): void {
  const stem = net.relu(net.batchNorm(net.conv(net.input('x', 1, 3, size, size), width, 7, { stride: 2, bias: false })))
  let x = net.pool('MaxPool', stem, 3, { stride: 2, pad: 1 })
  RESNET_BLOCKS.forEach((blocks, stage) => {
    const inner = (width << stage) * innerRatio
    for (let i = 0; i < blocks; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1
      x = bottleneck(net, x, { inner, out: (width << stage) * 4, stride, groups })
    }
  })
  net.output(classifierHead(net, x, 100), 'logits')
}

const residualSizes = {
  small: { size: 32, width: 16 },
  full: { size: 96, width: 32 },
  published: { size: 224, width: 64 },
}

/** VGG-19: convolutions per stage; channels double up to eight times the first. */
const VGG_STAGES = [2, 2, 4, 4, 4]

function vgg(net: Net, { size, width }: ResidualDims): void {
  let x = net.input('x', 1, 3, size, size)
  VGG_STAGES.forEach((convs, stage) => {
    for (let i = 0; i < convs; i++) x = net.convRelu(x, width * Math.min(8, 1 << stage), 3)
    x = net.pool('MaxPool', x, 2)
  })
  const flat = net.node('Flatten', [x], { axis: { kind: 'int', value: 1 } })
  const hidden = net.relu(net.linear(net.relu(net.linear(flat, 16 * width, Math.SQRT2)), 16 * width, Math.SQRT2))
  net.output(net.linear(hidden, 100), 'logits')
}

/** MobileNet-v2's table: expansion, channels (of width 32), repeats, stride of the first. */
const MOBILENET_STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

function relu6(net: Net, x: ValueId): ValueId {
  return net.op('Clip', x, net.scalar(0), net.scalar(6))
}

function invertedResidual(net: Net, x: ValueId, expansion: number, out: number, stride: number): ValueId {
  const channels = net.shape(x)[1]!
  const inner = channels * expansion
  const wide = expansion === 1 ? x : relu6(net, net.batchNorm(net.conv(x, inner, 1, { bias: false })))
  const deep = relu6(net, net.batchNorm(net.conv(wide, inner, 3, { stride, groups: inner, bias: false })))
  const narrow = net.batchNorm(net.conv(deep, out, 1, { bias: false }))
  return stride === 1 && channels === out ? net.mul(net.add(x, narrow), net.scalar(0.7)) : narrow
}

function mobileNet(net: Net, { size, width }: ResidualDims): void {
  const scaled = (channels: number) => Math.max(4, Math.round((channels * width) / 128) * 4)
  let x = relu6(
    net,
    net.batchNorm(net.conv(net.input('x', 1, 3, size, size), scaled(32), 3, { stride: 2, bias: false })),
  )
  for (const [expansion, channels, repeats, stride] of MOBILENET_STAGES) {
    for (let i = 0; i < repeats; i++) x = invertedResidual(net, x, expansion, scaled(channels), i === 0 ? stride : 1)
  }
  net.output(classifierHead(net, relu6(net, net.conv(x, scaled(1280), 1)), 100), 'logits')
}

export const residualPapers = [
  workload({
    name: 'resnet-50',
    family: 'residual-network',
    suite: 'papers',
    expected: 'nothing: the runtime folds BatchNorm and activations itself; a negative control',
    sizes: residualSizes,
    build: (net, d) => residualNet(net, d, 1, 1),
  }),
  workload({
    name: 'resnext-50',
    family: 'residual-network',
    suite: 'papers',
    expected: 'merging groups loses on a CPU: 0.81 from 32 to 16 groups',
    sizes: residualSizes,
    build: (net, d) => residualNet(net, d, d.width / 2, 2),
  }),
  workload({
    name: 'vgg-19',
    family: 'plain-network',
    suite: 'papers',
    expected: 'nothing: a chain of fused convolutions; a negative control',
    sizes: { small: { size: 32, width: 8 }, full: { size: 64, width: 32 } },
    build: vgg,
  }),
  workload({
    name: 'mobilenet-v2',
    family: 'mobile-network',
    suite: 'papers',
    expected: 'little: depthwise then pointwise must not be merged',
    sizes: { small: { size: 64, width: 16 }, full: { size: 128, width: 32 } },
    build: mobileNet,
  }),
]
