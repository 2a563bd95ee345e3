// Attention-shaped algebra: the late normaliser and shared recurrent weights (rows 23 and 26 of the table of identities).
import type { ValueId } from '../../ir/graph.ts'
import { workload } from './workload.ts'

export const attention = [
  workload({
    name: 'late-normaliser',
    family: 'late-normaliser',
    suite: 'algebra',
    expected: '(e / sum e) V = (e V) / sum e where keys outnumber the value width',
    sizes: {
      small: { heads: 2, rows: 96, keys: 128, width: 16 },
      full: { heads: 4, rows: 512, keys: 512, width: 32 },
      reverse: { heads: 4, rows: 256, keys: 16, width: 128 },
    },
    build(net, { heads, rows, keys, width }) {
      const e = net.op('Exp', net.input('scores', heads, rows, keys))
      const weights = net.op('Div', e, net.reduce('ReduceSum', e, -1, true))
      net.output(net.matmul(weights, net.input('v', heads, keys, width)))
    },
    byHand(net, { heads, rows, keys, width }) {
      const e = net.op('Exp', net.input('scores', heads, rows, keys))
      const sums = net.matmul(e, net.input('v', heads, keys, width))
      net.output(net.op('Div', sums, net.reduce('ReduceSum', e, -1, true)))
    },
  }),
  workload({
    name: 'late-query-norm',
    family: 'late-normaliser',
    suite: 'algebra',
    expected: "(q / r) k' = (q k') / r: Mirage's QK-norm, either side by size",
    sizes: {
      small: { rows: 64, width: 64, keys: 32 },
      full: { rows: 1024, width: 256, keys: 64 },
      reverse: { rows: 256, width: 32, keys: 1024 },
    },
    build(net, { rows, width, keys }) {
      const q = net.input('q', rows, width)
      const meanSquare = net.reduce('ReduceMean', net.mul(q, q), -1, true)
      const normed = net.op('Div', q, net.op('Sqrt', net.add(meanSquare, net.scalar(1e-6))))
      net.output(net.mul(net.matmul(normed, net.input('k', width, keys)), net.scalar(1 / Math.sqrt(width))))
    },
    byHand(net, { rows, width, keys }) {
      const q = net.input('q', rows, width)
      const meanSquare = net.reduce('ReduceMean', net.mul(q, q), -1, true)
      const root = net.op('Sqrt', net.add(meanSquare, net.scalar(1e-6)))
      const scale = net.op('Div', net.scalar(1 / Math.sqrt(width)), root)
      net.output(net.mul(net.matmul(q, net.input('k', width, keys)), scale))
    },
  }),
  workload({
    name: 'unrolled-input-projection',
    family: 'unrolled-recurrence',
    suite: 'algebra',
    expected: 'the input products of all steps share W: one product over the stacked steps',
    sizes: { small: { steps: 8, width: 96 }, full: { steps: 24, width: 384 } },
    build(net, { steps, width }) {
      const [wx, wh] = [net.weight([width, width]), net.weight([width, width])]
      let h = net.input('h', 1, width)
      for (let t = 0; t < steps; t++) {
        const x = net.input(`x${t}`, 1, width)
        h = net.tanh(net.add(net.matmul(x, wx), net.matmul(h, wh)))
      }
      net.output(h)
    },
    byHand(net, { steps, width }) {
      const [wx, wh] = [net.weight([width, width]), net.weight([width, width])]
      let h = net.input('h', 1, width)
      const inputs = Array.from({ length: steps }, (_, t) => net.input(`x${t}`, 1, width))
      for (const x of net.split(net.matmul(net.concat(inputs, 0), wx), steps, 0)) {
        h = net.tanh(net.add(x, net.matmul(h, wh)))
      }
      net.output(h)
    },
  }),
  workload({
    name: 'shared-towers',
    family: 'unrolled-recurrence',
    suite: 'algebra',
    expected: 'two towers with the same weights run once on the stacked batch',
    sizes: { small: { rows: 1, width: 128 }, full: { rows: 4, width: 768 }, reverse: { rows: 256, width: 256 } },
    build(net, { rows, width }) {
      const weights = [0, 1, 2].map(() => net.weight([width, width], width, 1.3))
      const tower = (x: ValueId) => weights.reduce((y, w) => net.tanh(net.matmul(y, w)), x)
      const [a, b] = [tower(net.input('a', rows, width)), tower(net.input('b', rows, width))]
      net.output(net.reduce('ReduceSum', net.mul(net.mul(a, b), net.scalar(1 / Math.sqrt(width))), 1, true))
    },
    byHand(net, { rows, width }) {
      const weights = [0, 1, 2].map(() => net.weight([width, width], width, 1.3))
      const stacked = net.concat([net.input('a', rows, width), net.input('b', rows, width)], 0)
      const [a, b] = net.split(
        weights.reduce((y, w) => net.tanh(net.matmul(y, w)), stacked),
        2,
        0,
      )
      net.output(net.reduce('ReduceSum', net.mul(net.mul(a!, b!), net.scalar(1 / Math.sqrt(width))), 1, true))
    },
  }),
  workload({
    name: 'softmax-over-rows',
    family: 'reduction-axis',
    suite: 'algebra',
    expected:
      'softmax over the last axis is much faster: transpose before and after, or move the transposes that are there',
    sizes: { small: { rows: 64, heads: 8, width: 32 }, full: { rows: 1024, heads: 8, width: 64 } },
    build(net, { rows, heads, width }) {
      const scores = net.linear(net.input('x', 1, rows, width), heads)
      const weights = net.softmax(scores, 1)
      net.output(net.matmul(net.transpose(weights, [0, 2, 1]), net.linear(net.input('y', 1, rows, width), width)))
    },
  }),
  workload({
    name: 'normalised-step',
    family: 'late-normaliser',
    suite: 'algebra',
    expected: "nGPT's step norm(x + a (norm(h) - x)): the division by the inner norm may move past the gain",
    sizes: { small: { rows: 32, width: 64 }, full: { rows: 1024, width: 512 } },
    build(net, { rows, width }) {
      const norm = (v: ValueId) => net.op('Div', v, net.op('Sqrt', net.reduce('ReduceSum', net.mul(v, v), -1, true)))
      const [x, h] = [norm(net.input('x', rows, width)), net.input('h', rows, width)]
      const step = net.mul(net.uniform([width], 0.05, 0.2), net.op('Sub', norm(h), x))
      net.output(norm(net.add(x, step)))
    },
  }),
]
