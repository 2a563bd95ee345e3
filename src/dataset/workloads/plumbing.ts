// Joins undone by cuts, and cuts by joins (row 21 of the table of identities).
import { workload } from './workload.ts'

const dims = { small: { rows: 64, width: 48 }, full: { rows: 1024, width: 384 } }

export const plumbing = [
  workload({
    name: 'split-of-concat',
    family: 'split-concat',
    suite: 'algebra',
    expected: 'split(concat(x, y)) = x, y',
    sizes: dims,
    build(net, { rows, width }) {
      const joined = net.concat([net.input('x', rows, width), net.input('y', rows, width)], 1)
      const [x, y] = net.split(joined, 2, 1)
      net.output(net.add(net.relu(x!), net.tanh(y!)))
    },
    byHand(net, { rows, width }) {
      const [x, y] = [net.input('x', rows, width), net.input('y', rows, width)]
      net.output(net.add(net.relu(x), net.tanh(y)))
    },
  }),
  workload({
    name: 'concat-of-split',
    family: 'split-concat',
    suite: 'algebra',
    expected: 'concat(split(x)) = x',
    sizes: dims,
    build(net, { rows, width }) {
      const parts = net.split(net.input('x', rows, width), 3, 1)
      net.output(net.mul(net.concat(parts, 1), net.input('y', rows, width)))
    },
    byHand(net, { rows, width }) {
      net.output(net.mul(net.input('x', rows, width), net.input('y', rows, width)))
    },
  }),
  workload({
    name: 'slice-of-concat',
    family: 'split-concat',
    suite: 'algebra',
    expected: 'a slice that meets one part of a concat is a slice of that part; the other part is dead',
    sizes: dims,
    build(net, { rows, width }) {
      const used = net.input('x', rows, width)
      const unused = net.tanh(net.linear(net.input('y', rows, width), width))
      const joined = net.concat([used, unused], 0)
      net.output(net.relu(net.slice(joined, 0, 0, rows / 2)))
    },
    byHand(net, { rows, width }) {
      const used = net.input('x', rows, width)
      net.input('y', rows, width)
      net.output(net.relu(net.slice(used, 0, 0, rows / 2)))
    },
  }),
  workload({
    name: 'activation-of-parts',
    family: 'split-concat',
    suite: 'algebra',
    expected: 'f(a), f(b) then concat = f(concat(a, b)), or the other way: sizes decide',
    sizes: dims,
    build(net, { rows, width }) {
      const parts = ['a', 'b', 'c'].map((name) => net.tanh(net.input(name, rows, width)))
      net.output(net.linear(net.concat(parts, 1), width))
    },
  }),
]
