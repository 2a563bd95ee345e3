// Products of matrices: association, composition and factored weights (rows 1-6 of the table of identities).
import type { ValueId } from '../../ir/graph.ts'
import { applyLinear, composeLinear, linearLayer } from './parts.ts'
import { workload } from './workload.ts'

export const products = [
  workload({
    name: 'matmul-chain',
    family: 'matmul-chain',
    suite: 'algebra',
    expected: '(XY)Z = X(YZ) where the last factor is thin',
    sizes: {
      small: { m: 192, k: 192, n: 192, p: 4 },
      full: { m: 640, k: 640, n: 640, p: 8 },
      reverse: { m: 8, k: 512, n: 512, p: 512 },
    },
    build(net, { m, k, n, p }) {
      const [x, y, z] = [net.input('x', m, k), net.input('y', k, n), net.input('z', n, p)]
      const scaled = net.mul(net.matmul(net.matmul(x, y), z), net.scalar(1 / Math.sqrt(k * n)))
      net.output(scaled)
    },
    byHand(net, { m, k, n, p }) {
      const [x, y, z] = [net.input('x', m, k), net.input('y', k, n), net.input('z', n, p)]
      net.output(net.mul(net.matmul(x, net.matmul(y, z)), net.scalar(1 / Math.sqrt(k * n))))
    },
  }),
  workload({
    name: 'matmul-chain-of-four',
    family: 'matmul-chain',
    suite: 'algebra',
    expected: 'the cheapest of five orders, by dynamic programming over the sizes',
    sizes: {
      small: { sizes: [128, 16, 128, 16, 128] },
      full: { sizes: [768, 32, 768, 32, 768] },
      reverse: { sizes: [16, 512, 512, 512, 512] },
    },
    build(net, { sizes }) {
      const factors = sizes.slice(1).map((n, i) => net.input(`x${i}`, sizes[i]!, n))
      const product = factors.reduce((a, b) => net.matmul(a, b))
      net.output(net.mul(product, net.scalar(1 / Math.sqrt(sizes[1]! * sizes[2]! * sizes[3]!))))
    },
    byHand(net, { sizes }) {
      const factors = sizes.slice(1).map((n, i) => net.input(`x${i}`, sizes[i]!, n))
      const [a, b, c, d] = factors as [ValueId, ValueId, ValueId, ValueId]
      const scale = net.scalar(1 / Math.sqrt(sizes[1]! * sizes[2]! * sizes[3]!))
      net.output(net.matmul(net.matmul(a, net.mul(net.matmul(b, c), scale)), d))
    },
  }),
  workload({
    name: 'attention-without-softmax',
    family: 'product-association',
    suite: 'algebra',
    expected: "(QK')V = Q(K'V) where rows outnumber the head width",
    sizes: {
      small: { heads: 2, rows: 192, width: 32 },
      full: { heads: 4, rows: 640, width: 64 },
      reverse: { heads: 8, rows: 24, width: 96 },
    },
    build(net, { heads, rows, width }) {
      const [q, k, v] = ['q', 'k', 'v'].map((name) => net.input(name, 1, heads, rows, width))
      const scores = net.matmul(q!, net.transpose(k!, [0, 1, 3, 2]))
      net.output(net.mul(net.matmul(scores, v!), net.scalar(1 / Math.sqrt(rows * width))))
    },
    byHand(net, { heads, rows, width }) {
      const [q, k, v] = ['q', 'k', 'v'].map((name) => net.input(name, 1, heads, rows, width))
      const mixed = net.matmul(net.transpose(k!, [0, 1, 3, 2]), v!)
      net.output(net.matmul(q!, net.mul(mixed, net.scalar(1 / Math.sqrt(rows * width)))))
    },
  }),
  workload({
    name: 'neighbour-mix',
    family: 'neighbour-mix',
    suite: 'algebra',
    expected: '(A X) W = A (X W) where features shrink',
    sizes: {
      small: { nodes: 192, from: 128, to: 8 },
      full: { nodes: 1024, from: 512, to: 16 },
      reverse: { nodes: 512, from: 16, to: 256 },
    },
    inputs: () => ({ a: { kind: 'adjacency', degree: 8 } }),
    build(net, { nodes, from, to }) {
      const mixed = net.matmul(net.input('a', nodes, nodes), net.input('x', nodes, from))
      net.output(net.relu(net.linear(mixed, to)))
    },
    byHand(net, { nodes, from, to }) {
      const [a, x] = [net.input('a', nodes, nodes), net.input('x', nodes, from)]
      const { weight, bias } = linearLayer(net, from, to)
      net.output(net.relu(net.add(net.matmul(a, net.matmul(x, weight)), bias)))
    },
  }),
  workload({
    name: 'values-then-output',
    family: 'values-then-output',
    suite: 'algebra',
    expected: 'P (x Wv) Wo = P (x (Wv Wo)) where Wo narrows',
    sizes: {
      small: { rows: 96, width: 96, inner: 96, to: 8 },
      full: { rows: 384, width: 384, inner: 384, to: 16 },
      reverse: { rows: 256, width: 256, inner: 16, to: 256 },
    },
    build(net, { rows, width, inner, to }) {
      const x = net.input('x', rows, width)
      const weights = net.softmax(net.input('scores', rows, rows))
      net.output(net.project(net.matmul(weights, net.project(x, inner)), to))
    },
    byHand(net, { rows, width, inner, to }) {
      const x = net.input('x', rows, width)
      const weights = net.softmax(net.input('scores', rows, rows))
      const both = net.matmul(net.weight([width, inner]), net.weight([inner, to]))
      net.output(net.matmul(weights, net.matmul(x, both)))
    },
  }),
  workload({
    name: 'linear-linear',
    family: 'linear-linear',
    suite: 'algebra',
    expected: 'x W1 W2 = x (W1 W2) where the inner width is not the smallest',
    sizes: {
      small: { rows: 32, from: 128, inner: 128, to: 128 },
      full: { rows: 128, from: 512, inner: 1024, to: 512 },
      reverse: { rows: 128, from: 768, inner: 48, to: 768 },
    },
    build(net, { rows, from, inner, to }) {
      const hidden = net.linear(net.input('x', rows, from), inner)
      net.output(net.linear(hidden, to))
    },
    byHand(net, { rows, from, inner, to }) {
      const x = net.input('x', rows, from)
      const first = linearLayer(net, from, inner)
      net.output(applyLinear(net, x, composeLinear(net, first, linearLayer(net, inner, to))))
    },
  }),
  workload({
    name: 'factored-weight',
    family: 'factored-weight',
    suite: 'algebra',
    expected: 'x (A B) = (x A) B for constant A, B of low rank; the runtime folds A B and loses',
    sizes: {
      small: { rows: 32, from: 256, rank: 16, to: 256 },
      full: { rows: 64, from: 1024, rank: 64, to: 1024 },
      reverse: { rows: 64, from: 384, rank: 320, to: 384 },
    },
    build(net, { rows, from, rank, to }) {
      const weight = net.matmul(net.weight([from, rank]), net.weight([rank, to]))
      net.output(net.matmul(net.input('x', rows, from), weight))
    },
    byHand(net, { rows, from, rank, to }) {
      const [a, b] = [net.weight([from, rank]), net.weight([rank, to])]
      net.output(net.matmul(net.matmul(net.input('x', rows, from), a), b))
    },
  }),
]
