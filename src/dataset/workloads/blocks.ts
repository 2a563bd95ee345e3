// Blocks and heads that deployed models are made of (section "real heads and blocks" of the workloads).
import type { ValueId } from '../../ir/graph.ts'
import { causalBlock, geluTorchScript, joinHeads, postNormBlock, splitHeads } from './layers.ts'
import type { Net } from './net.ts'
import { workload } from './workload.ts'

interface EncoderDims {
  readonly vocabulary: number
  readonly rows: number
  readonly width: number
  readonly heads: number
  readonly layers: number
}

const encoderSizes = {
  small: { vocabulary: 200, rows: 24, width: 64, heads: 2, layers: 2 },
  full: { vocabulary: 2000, rows: 64, width: 256, heads: 4, layers: 4 },
}
const idsOf = ({ vocabulary }: EncoderDims) => ({ ids: { kind: 'ids', below: vocabulary } }) as const

/** Token and position embeddings, normalised: [1, rows, width]. */
function embed(net: Net, d: EncoderDims, tableWidth = d.width): ValueId {
  const tokens = net.gather(net.weight([d.vocabulary, tableWidth], 1), net.ids('ids', 1, d.rows))
  const lifted = tableWidth === d.width ? tokens : net.project(tokens, d.width)
  return net.layerNorm(net.add(lifted, net.uniform([d.rows, d.width], -0.5, 0.5)))
}

function encode(net: Net, x: ValueId, d: EncoderDims): ValueId {
  let h = x
  for (let i = 0; i < d.layers; i++) h = postNormBlock(net, h, d.heads, 4 * d.width, geluTorchScript)
  return h
}

export const encoders = [
  workload({
    name: 'bert-first-token',
    family: 'first-token-encoder',
    suite: 'blocks',
    expected: 'everything after the keys and values of the last layer runs on one row',
    sizes: encoderSizes,
    opset: 17,
    inputs: idsOf,
    build(net, d) {
      const first = net.gather(encode(net, embed(net, d), d), net.builder.int64s([0], 'index'), 1)
      net.output(net.linear(net.tanh(net.linear(first, d.width)), 2), 'logits')
    },
  }),
  workload({
    name: 'sentence-encoder',
    family: 'mean-pooled-encoder',
    suite: 'blocks',
    expected: 'the mean over rows moves before the projection',
    sizes: encoderSizes,
    opset: 17,
    inputs: idsOf,
    build(net, d) {
      const hidden = encode(net, embed(net, d), { ...d, layers: 1 })
      net.output(net.reduce('ReduceMean', net.linear(hidden, 4 * d.width), 1, false), 'sentence')
    },
  }),
  workload({
    name: 'factorised-embedding',
    family: 'factorised-embedding',
    suite: 'blocks',
    expected: 'E[ids] P = (E P)[ids] where the file may grow; the first layer stays',
    sizes: encoderSizes,
    opset: 17,
    inputs: idsOf,
    build(net, d) {
      const h = encode(net, embed(net, d, d.width / 4), { ...d, layers: 1 })
      net.output(h, 'hidden')
    },
  }),
  workload({
    name: 'decoder-last-position',
    family: 'last-position-decoder',
    suite: 'blocks',
    expected:
      'the output layer and the whole last block but its keys and values run on the last row: 1.7-2.3 on a small decoder',
    sizes: encoderSizes,
    opset: 17,
    inputs: idsOf,
    build(net, d) {
      let x = embed(net, d)
      for (let i = 0; i < d.layers; i++) x = causalBlock(net, x, d.heads, 4 * d.width)
      net.output(net.slice(net.linear(net.layerNorm(x), d.vocabulary), 1, d.rows - 1, d.rows), 'logits')
    },
  }),
  workload({
    name: 'linear-attention',
    family: 'linear-attention',
    suite: 'blocks',
    expected: "(phi(q) phi(k)') v = phi(q) (phi(k)' v), and the normaliser with it",
    sizes: {
      small: { rows: 192, width: 64, heads: 2 },
      full: { rows: 768, width: 256, heads: 4 },
      reverse: { rows: 32, width: 512, heads: 4 },
    },
    build(net, { rows, width, heads }) {
      const x = net.input('x', 1, rows, width)
      const [q, k, v] = [0, 1, 2].map(() => splitHeads(net, net.linear(x, width), heads))
      const phi = (y: ValueId) => net.add(net.relu(y), net.scalar(0.1))
      const scores = net.matmul(phi(q!), net.transpose(phi(k!), [0, 1, 3, 2]))
      const weights = net.op('Div', scores, net.reduce('ReduceSum', scores, -1, true))
      net.output(net.linear(joinHeads(net, net.matmul(weights, v!)), width))
    },
  }),
]

export const graphsAndScorers = [
  workload({
    name: 'graph-convolution',
    family: 'graph-convolution',
    suite: 'blocks',
    expected: '(A X) W = A (X W) in both layers',
    sizes: {
      small: { nodes: 256, features: 256, hidden: 16, classes: 7 },
      full: { nodes: 640, features: 1433, hidden: 16, classes: 7 },
      cora: { nodes: 2708, features: 1433, hidden: 16, classes: 7 },
    },
    inputs: () => ({ a: { kind: 'adjacency', degree: 5 }, x: { kind: 'uniform', low: 0, high: 1 } }),
    build(net, { nodes, features, hidden, classes }) {
      const a = net.input('a', nodes, nodes)
      const first = net.relu(net.linear(net.matmul(a, net.input('x', nodes, features)), hidden))
      net.output(net.softmax(net.linear(net.matmul(a, first), classes)))
    },
  }),
  workload({
    name: 'normalised-graph-convolution',
    family: 'graph-convolution',
    suite: 'blocks',
    expected: 'D^-1/2 A D^-1/2 X W: the degree scalings move from A onto the narrow X W',
    sizes: { small: { nodes: 256, features: 64, hidden: 16 }, full: { nodes: 720, features: 256, hidden: 16 } },
    inputs: () => ({ a: { kind: 'adjacency', degree: 5 } }),
    build(net, { nodes, features, hidden }) {
      const a = net.input('a', nodes, nodes)
      const degree = net.add(net.reduce('ReduceSum', a, 1, true), net.scalar(0.1))
      const scale = net.op('Reciprocal', net.op('Sqrt', degree))
      const normed = net.mul(net.mul(scale, a), net.transpose(scale, [1, 0]))
      net.output(net.relu(net.project(net.matmul(normed, net.input('x', nodes, features)), hidden)))
    },
  }),
  workload({
    name: 'unmerged-adapters',
    family: 'unmerged-adapters',
    suite: 'blocks',
    expected: 'x W + (x A) B = x (W + A B) for each projection of the block',
    sizes: { small: { rows: 24, width: 96, heads: 4, rank: 8 }, full: { rows: 96, width: 512, heads: 8, rank: 32 } },
    build(net, { rows, width, heads, rank }) {
      const x = net.input('x', 1, rows, width)
      const adapted = (y: ValueId) => {
        const low = net.mul(net.project(net.project(y, rank), width), net.scalar(0.25))
        return net.add(net.linear(y, width), low)
      }
      const [q, k, v] = [0, 1, 2].map(() => splitHeads(net, adapted(x), heads))
      const scores = net.mul(net.matmul(q!, net.transpose(k!, [0, 1, 3, 2])), net.scalar(Math.sqrt(heads / width)))
      net.output(adapted(joinHeads(net, net.matmul(net.softmax(scores), v!))))
    },
  }),
  workload({
    name: 'svd-linear',
    family: 'svd-linear',
    suite: 'blocks',
    expected: 'stay factored where the rank is low, multiply out where it is not: both kinds are here',
    sizes: { small: { rows: 32, width: 128, low: 8, high: 120 }, full: { rows: 128, width: 768, low: 48, high: 700 } },
    build(net, { rows, width, low, high }) {
      const factored = (x: ValueId, rank: number) => net.linear(net.project(x, rank), width)
      const hidden = net.relu(factored(net.input('x', rows, width), high))
      net.output(factored(hidden, low))
    },
  }),
  workload({
    name: 'two-tower-scorer',
    family: 'two-tower-scorer',
    suite: 'blocks',
    expected: 'the user half of the first layer runs once, not once per item',
    sizes: {
      small: { items: 64, item: 48, user: 64, hidden: 64 },
      full: { items: 1024, item: 128, user: 384, hidden: 256 },
    },
    build(net, { items, item, user, hidden }) {
      const spread = net.expand(net.input('user', 1, user), [items, user])
      const both = net.concat([net.input('items', items, item), spread], 1)
      const top = net.relu(net.linear(net.relu(net.linear(both, hidden)), hidden / 2))
      net.output(net.sigmoid(net.linear(top, 1)), 'score')
    },
  }),
]

interface PyramidDims {
  readonly channels: readonly number[]
  readonly width: number
  readonly size: number
}
const pyramidSizes = {
  small: { channels: [16, 32, 64, 96], width: 48, size: 32 },
  full: { channels: [32, 64, 160, 256], width: 128, size: 64 },
}

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
    sizes: pyramidSizes,
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
  }),
]
