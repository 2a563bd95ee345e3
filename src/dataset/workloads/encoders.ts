// Encoders and classifiers on rows of tokens or patches, of which often one row is all that is wanted.
import type { ValueId } from '../../ir/graph.ts'
import { causalBlock, geluTorchScript, postNormBlock, preNormBlock } from './layers.ts'
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

/** Deployed small encoders: 6 or 12 layers of width 384. Their vocabulary is larger, which costs a run nothing. */
const minilm = { vocabulary: 2000, rows: 128, width: 384, heads: 12 }
const bertSizes = { ...encoderSizes, six: { ...minilm, layers: 6 }, twelve: { ...minilm, layers: 12 } }

const firstRow = (net: Net, x: ValueId): ValueId => net.gather(x, net.builder.int64s([0], 'index'), 1)

/** BERT's classifier: one row through a linear layer, tanh, and another. */
function classify(net: Net, row: ValueId): ValueId {
  return net.linear(net.tanh(net.linear(row, net.shape(row).at(-1)!)), 2)
}

interface VisionDims {
  readonly image: number
  readonly patch: number
  readonly width: number
  readonly heads: number
  readonly layers: number
  readonly classes: number
}
const deit = { image: 224, patch: 16, width: 384, heads: 6, classes: 1000 }
const visionSizes = {
  small: { image: 32, patch: 8, width: 64, heads: 2, layers: 2, classes: 10 },
  full: { image: 128, patch: 16, width: 192, heads: 3, layers: 4, classes: 100 },
  six: { ...deit, layers: 6 },
  twelve: { ...deit, layers: 12 },
}

/** Patches as rows behind the class token, with positions. */
function embedPatches(net: Net, { image, patch, width }: VisionDims): ValueId {
  const map = net.conv(net.input('x', 1, 3, image, image), width, patch, { stride: patch, pad: 0 })
  const rows = net.transpose(net.reshape(map, [1, width, (image / patch) ** 2]), [0, 2, 1])
  const all = net.concat([net.uniform([1, 1, width], -0.5, 0.5), rows], 1)
  return net.add(all, net.uniform(net.shape(all), -0.5, 0.5))
}

export const encoders = [
  workload({
    name: 'bert-first-token',
    family: 'first-token-encoder',
    suite: 'blocks',
    expected: 'everything after the keys and values of the last layer runs on one row',
    sizes: bertSizes,
    opset: 17,
    inputs: idsOf,
    build(net, d) {
      net.output(classify(net, firstRow(net, encode(net, embed(net, d), d))), 'logits')
    },
    byHand(net, d) {
      const x = encode(net, embed(net, d), { ...d, layers: d.layers - 1 })
      const first = postNormBlock(net, x, d.heads, 4 * d.width, geluTorchScript, firstRow(net, x))
      net.output(classify(net, first), 'logits')
    },
  }),
  workload({
    name: 'vit-first-token',
    family: 'first-token-encoder',
    suite: 'blocks',
    expected: 'only the class token leaves the last block: all but its keys and values runs on one row',
    sizes: visionSizes,
    opset: 17,
    build(net, d) {
      let x = embedPatches(net, d)
      for (let i = 0; i < d.layers; i++) x = preNormBlock(net, x, d.heads, 4 * d.width)
      net.output(net.linear(firstRow(net, net.layerNorm(x)), d.classes), 'logits')
    },
    byHand(net, d) {
      let x = embedPatches(net, d)
      for (let i = 1; i < d.layers; i++) x = preNormBlock(net, x, d.heads, 4 * d.width)
      const first = preNormBlock(net, x, d.heads, 4 * d.width, (y) => firstRow(net, y))
      net.output(net.linear(net.layerNorm(first), d.classes), 'logits')
    },
  }),
  workload({
    name: 'classifier-head',
    family: 'first-token-encoder',
    suite: 'blocks',
    expected: 'the last layer of an encoder and its classifier: all but keys and values runs on one row, 3.5 by hand',
    sizes: {
      small: { rows: 24, width: 64, heads: 2 },
      full: { rows: 128, width: 384, heads: 12 },
      base: { rows: 128, width: 768, heads: 12 },
    },
    opset: 17,
    build(net, { rows, width, heads }) {
      const x = net.input('x', 1, rows, width)
      net.output(classify(net, firstRow(net, postNormBlock(net, x, heads, 4 * width, geluTorchScript))), 'logits')
    },
    byHand(net, { rows, width, heads }) {
      const x = net.input('x', 1, rows, width)
      const first = postNormBlock(net, x, heads, 4 * width, geluTorchScript, firstRow(net, x))
      net.output(classify(net, first), 'logits')
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
    byHand(net, d) {
      const hidden = encode(net, embed(net, d), { ...d, layers: 1 })
      net.output(net.linear(net.reduce('ReduceMean', hidden, 1, false), 4 * d.width), 'sentence')
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
]
