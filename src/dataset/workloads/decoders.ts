// Heads and blocks of image models: decoders of feature pyramids, and branches that only training needs.
import type { ValueId } from '../../ir/graph.ts'
import type { Net } from './net.ts'
import {
  applyConv,
  convLayer,
  enlarged,
  identityLayer,
  linearLayer,
  pointwiseOf,
  scaled,
  sumOfLayers,
  thenBatchNorm,
  thenPointwise,
} from './parts.ts'
import { workload } from './workload.ts'

interface PyramidDims {
  readonly channels: readonly number[]
  readonly width: number
  readonly size: number
}
const pyramidSizes = {
  small: { channels: [16, 32, 64, 96], width: 48, size: 32 },
  full: { channels: [32, 64, 160, 256], width: 128, size: 64 },
}
/** SegFormer-B0 on an image of 512 x 512. */
const b0 = { channels: [32, 64, 160, 256], width: 256, size: 128 }

function levels(net: Net, { channels, size }: PyramidDims): ValueId[] {
  return channels.map((c, i) => net.input(`c${i + 1}`, 1, c, size >> i, size >> i))
}

export const decoders = [
  workload({
    name: 'segformer-head',
    family: 'segformer-head',
    suite: 'blocks',
    expected:
      'the fusing 1x1 convolution splits over the concat, moves before each resize and composes with each linear: 4.6 by hand',
    sizes: { ...pyramidSizes, b0 },
    build(net, d) {
      const maps = levels(net, d).map((x) => {
        const [, channels, height, width] = net.shape(x)
        const rows = net.transpose(net.reshape(x, [1, channels!, height! * width!]), [0, 2, 1])
        const lifted = net.reshape(net.transpose(net.linear(rows, d.width), [0, 2, 1]), [1, d.width, height!, width!])
        return net.resize(lifted, d.size, d.size, 'linear')
      })
      const fused = net.relu(net.batchNorm(net.conv(net.concat(maps, 1), d.width, 1, { bias: false })))
      net.output(net.conv(fused, 19, 1), 'logits')
    },
    byHand(net, d) {
      const maps = levels(net, d)
      const lifts = d.channels.map((c) => pointwiseOf(net, linearLayer(net, c, d.width)))
      const { weight, bias } = thenBatchNorm(net, convLayer(net, 4 * d.width, d.width, 1, false))
      const none = net.scalar(0, d.width)
      const fused = maps.map((x, i) => {
        const part = net.slice(weight, 1, i * d.width, (i + 1) * d.width)
        const own = thenPointwise(net, lifts[i]!, { weight: part, bias: i === 0 ? bias : none })
        const map = applyConv(net, x, own)
        return i === 0 ? map : net.resize(map, d.size, d.size, 'linear')
      })
      net.output(net.conv(net.relu(fused.reduce((a, b) => net.add(a, b))), 19, 1), 'logits')
    },
  }),
  workload({
    name: 'fpn-decoder',
    family: 'fpn-decoder',
    suite: 'blocks',
    expected: 'resize commutes with the lateral 1x1 convolutions; the last 1x1 composes with the smoothing 3x3',
    sizes: pyramidSizes,
    build(net, d) {
      const maps = levels(net, d)
      let top = net.conv(maps.at(-1)!, d.width, 1)
      for (let i = maps.length - 2; i >= 0; i--) {
        const side = d.size >> i
        top = net.mul(net.add(net.conv(maps[i]!, d.width, 1), net.resize(top, side, side, 'nearest')), net.scalar(0.7))
      }
      net.output(net.conv(net.conv(top, d.width, 3), 16, 1))
    },
  }),
  workload({
    name: 'repvgg-training-form',
    family: 'repvgg',
    suite: 'blocks',
    expected: 'each 3x3 + 1x1 + identity, with their BatchNorms, is one 3x3 convolution',
    sizes: { small: { channels: 24, size: 24, depth: 2 }, full: { channels: 64, size: 40, depth: 4 } },
    build(net, { channels, size, depth }) {
      let x = net.input('x', 1, channels, size, size)
      for (let i = 0; i < depth; i++) {
        const wide = net.batchNorm(net.conv(x, channels, 3, { bias: false }))
        const point = net.batchNorm(net.conv(x, channels, 1, { bias: false }))
        x = net.relu(net.mul(net.add(net.add(wide, point), net.batchNorm(x)), net.scalar(0.5)))
      }
      net.output(x)
    },
    byHand(net, { channels, size, depth }) {
      let x = net.input('x', 1, channels, size, size)
      for (let i = 0; i < depth; i++) {
        const wide = thenBatchNorm(net, convLayer(net, channels, channels, 3, false))
        const point = thenBatchNorm(net, convLayer(net, channels, channels, 1, false))
        const same = thenBatchNorm(net, identityLayer(net, channels))
        const all = sumOfLayers(net, [wide, enlarged(net, point), enlarged(net, same)])
        x = net.relu(applyConv(net, x, scaled(net, all, 0.5)))
      }
      net.output(x)
    },
  }),
]
