// Work done once instead of once per copy: expanded vectors and gathered tables (rows 12-14 of the table of identities).
import { int } from '../../ir/attribute.ts'
import { tensor } from '../../ir/tensor.ts'
import { linearOfPair } from './parts.ts'
import { workload } from './workload.ts'

export const broadcast = [
  workload({
    name: 'expanded-input',
    family: 'expanded-input',
    suite: 'algebra',
    expected: 'expand(x) W = expand(x W)',
    sizes: {
      small: { copies: 32, width: 96, to: 96 },
      full: { copies: 256, width: 512, to: 512 },
      reverse: { copies: 2, width: 64, to: 2048 },
    },
    build(net, { copies, width, to }) {
      const spread = net.expand(net.input('x', 1, width), [copies, width])
      const items = net.input('items', copies, to)
      net.output(net.mul(net.relu(net.linear(spread, to)), items))
    },
    byHand(net, { copies, width, to }) {
      const [x, items] = [net.input('x', 1, width), net.input('items', copies, to)]
      net.output(net.mul(net.relu(net.linear(x, to)), items))
    },
  }),
  workload({
    name: 'concat-with-expanded',
    family: 'concat-with-expanded',
    suite: 'algebra',
    expected: '[x, expand(y)] W = x W1 + y W2',
    sizes: {
      small: { rows: 64, item: 48, user: 48, to: 64 },
      full: { rows: 512, item: 256, user: 256, to: 512 },
      reverse: { rows: 4, item: 480, user: 16, to: 256 },
    },
    build(net, { rows, item, user, to }) {
      const spread = net.expand(net.input('user', 1, user), [rows, user])
      const both = net.concat([net.input('items', rows, item), spread], 1)
      net.output(net.relu(net.linear(both, to)))
    },
    byHand(net, { rows, item, user, to }) {
      const [one, items] = [net.input('user', 1, user), net.input('items', rows, item)]
      net.output(net.relu(linearOfPair(net, items, one, to)))
    },
  }),
  workload({
    name: 'embedding-then-linear',
    family: 'embedding-table',
    suite: 'algebra',
    expected: 'E[ids] W = (E W)[ids]: the table is folded',
    sizes: {
      small: { vocabulary: 200, rows: 256, width: 64, to: 128 },
      full: { vocabulary: 2000, rows: 2048, width: 128, to: 512 },
      reverse: { vocabulary: 30000, rows: 8, width: 32, to: 512 },
    },
    inputs: ({ vocabulary }) => ({ ids: { kind: 'ids', below: vocabulary } }),
    build(net, { vocabulary, rows, width, to }) {
      const table = net.weight([vocabulary, width], 1)
      net.output(net.linear(net.gather(table, net.ids('ids', rows)), to))
    },
    byHand(net, { vocabulary, rows, width, to }) {
      const [table, ids] = [net.weight([vocabulary, width], 1), net.ids('ids', rows)]
      net.output(net.gather(net.linear(table, to), ids))
    },
  }),
  workload({
    name: 'activated-embedding',
    family: 'embedding-table',
    suite: 'algebra',
    expected: 'f(E[ids]) = f(E)[ids] for a point-wise f: linear, bias and activation all fold into the table',
    sizes: { small: { vocabulary: 100, rows: 400, width: 64 }, full: { vocabulary: 1000, rows: 4000, width: 256 } },
    inputs: ({ vocabulary }) => ({ ids: { kind: 'ids', below: vocabulary } }),
    build(net, { vocabulary, rows, width }) {
      const table = net.weight([vocabulary, width], 1)
      const embedded = net.gather(table, net.ids('ids', rows))
      net.output(net.tanh(net.linear(net.layerNorm(embedded), width)))
    },
    byHand(net, { vocabulary, rows, width }) {
      const [table, ids] = [net.weight([vocabulary, width], 1), net.ids('ids', rows)]
      net.output(net.gather(net.tanh(net.linear(net.layerNorm(table), width)), ids))
    },
  }),
  workload({
    name: 'one-hot-product',
    family: 'embedding-table',
    suite: 'algebra',
    expected: 'onehot(ids) W = W[ids] where every id is known to be in range',
    sizes: { small: { vocabulary: 64, rows: 64, width: 32 }, full: { vocabulary: 1024, rows: 512, width: 256 } },
    inputs: ({ vocabulary }) => ({ ids: { kind: 'ids', below: vocabulary } }),
    build(net, { vocabulary, rows, width }) {
      const depth = net.builder.constant(tensor('int64', [], [vocabulary]), 'depth')
      const offOn = net.builder.constant(tensor('float32', [2], [0, 1]), 'off_on')
      const rowsOfTable = net.node('OneHot', [net.ids('ids', rows), depth, offOn], { axis: int(-1) })
      net.output(net.relu(net.matmul(rowsOfTable, net.weight([vocabulary, width], 1))))
    },
  }),
]
