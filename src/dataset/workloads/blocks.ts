// Blocks that deployed models are made of: attention without softmax, graph layers, adapters, scorers.
import type { ValueId } from '../../ir/graph.ts'
import { joinHeads, splitHeads } from './layers.ts'
import { linearLayer, linearOfPair } from './parts.ts'
import { workload } from './workload.ts'

export const graphsAndScorers = [
  workload({
    name: 'linear-attention',
    family: 'linear-attention',
    suite: 'blocks',
    expected: "(phi(q) phi(k)') v = phi(q) (phi(k)' v), and the normaliser with it",
    sizes: {
      small: { rows: 192, width: 64, heads: 2 },
      full: { rows: 768, width: 256, heads: 4 },
      reverse: { rows: 32, width: 512, heads: 4 },
      long: { rows: 4096, width: 128, heads: 2 },
    },
    build(net, { rows, width, heads }) {
      const x = net.input('x', 1, rows, width)
      const [q, k, v] = [0, 1, 2].map(() => splitHeads(net, net.linear(x, width), heads))
      const phi = (y: ValueId) => net.add(net.relu(y), net.scalar(0.1))
      const scores = net.matmul(phi(q!), net.transpose(phi(k!), [0, 1, 3, 2]))
      const weights = net.op('Div', scores, net.reduce('ReduceSum', scores, -1, true))
      net.output(net.linear(joinHeads(net, net.matmul(weights, v!)), width))
    },
    byHand(net, { rows, width, heads }) {
      const x = net.input('x', 1, rows, width)
      const [q, k, v] = [0, 1, 2].map(() => splitHeads(net, net.linear(x, width), heads))
      const [phiQ, phiK] = [q!, k!].map((y) => net.add(net.relu(y), net.scalar(0.1))) as [ValueId, ValueId]
      const turned = net.transpose(phiK, [0, 1, 3, 2])
      const sums = net.matmul(phiQ, net.reduce('ReduceSum', turned, -1, true))
      const mixed = net.op('Div', net.matmul(phiQ, net.matmul(turned, v!)), sums)
      net.output(net.linear(joinHeads(net, mixed), width))
    },
  }),
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
    byHand(net, { nodes, features, hidden, classes }) {
      const [a, x] = [net.input('a', nodes, nodes), net.input('x', nodes, features)]
      const narrowFirst = (y: ValueId, to: number) => {
        const { weight, bias } = linearLayer(net, net.shape(y)[1]!, to)
        return net.add(net.matmul(a, net.matmul(y, weight)), bias)
      }
      net.output(net.softmax(narrowFirst(net.relu(narrowFirst(x, hidden)), classes)))
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
    byHand(net, { nodes, features, hidden }) {
      const a = net.input('a', nodes, nodes)
      const degree = net.add(net.reduce('ReduceSum', a, 1, true), net.scalar(0.1))
      const scale = net.op('Reciprocal', net.op('Sqrt', degree))
      const narrow = net.mul(scale, net.project(net.input('x', nodes, features), hidden))
      net.output(net.relu(net.mul(scale, net.matmul(a, narrow))))
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
      many: { items: 4096, item: 32, user: 512, hidden: 64 },
    },
    build(net, { items, item, user, hidden }) {
      const spread = net.expand(net.input('user', 1, user), [items, user])
      const both = net.concat([net.input('items', items, item), spread], 1)
      const top = net.relu(net.linear(net.relu(net.linear(both, hidden)), hidden / 2))
      net.output(net.sigmoid(net.linear(top, 1)), 'score')
    },
    byHand(net, { items, item, user, hidden }) {
      const [one, each] = [net.input('user', 1, user), net.input('items', items, item)]
      const top = net.relu(net.linear(net.relu(linearOfPair(net, each, one, hidden)), hidden / 2))
      net.output(net.sigmoid(net.linear(top, 1)), 'score')
    },
  }),
]
