// Sums of products that share an operand, and adapters (rows 7-8 of the table of identities).
import { applyLinear, linearLayer } from './parts.ts'
import { workload } from './workload.ts'

export const sums = [
  workload({
    name: 'sum-shared-input',
    family: 'sum-shared-operand',
    suite: 'algebra',
    expected: 'x A + x B = x (A + B)',
    sizes: { small: { rows: 32, width: 128, to: 128 }, full: { rows: 192, width: 640, to: 640 } },
    build(net, { rows, width, to }) {
      const x = net.input('x', rows, width)
      net.output(net.relu(net.add(net.project(x, to), net.project(x, to))))
    },
    byHand(net, { rows, width, to }) {
      const x = net.input('x', rows, width)
      net.output(net.relu(net.matmul(x, net.add(net.weight([width, to]), net.weight([width, to])))))
    },
  }),
  workload({
    name: 'sum-shared-weight',
    family: 'sum-shared-operand',
    suite: 'algebra',
    expected: 'x W + y W = (x + y) W',
    sizes: {
      small: { rows: 32, width: 128, to: 128 },
      full: { rows: 192, width: 640, to: 640 },
      reverse: { rows: 192, width: 512, to: 2 },
    },
    build(net, { rows, width, to }) {
      const weight = net.weight([width, to])
      const [x, y] = [net.input('x', rows, width), net.input('y', rows, width)]
      net.output(net.tanh(net.add(net.matmul(x, weight), net.matmul(y, weight))))
    },
    byHand(net, { rows, width, to }) {
      const weight = net.weight([width, to])
      const [x, y] = [net.input('x', rows, width), net.input('y', rows, width)]
      net.output(net.tanh(net.matmul(net.add(x, y), weight)))
    },
  }),
  workload({
    name: 'static-adapter',
    family: 'static-adapter',
    suite: 'algebra',
    expected: 'x W + (x A) B = x (W + A B)',
    sizes: { small: { rows: 32, width: 192, rank: 8 }, full: { rows: 128, width: 768, rank: 64 } },
    build(net, { rows, width, rank }) {
      const x = net.input('x', rows, width)
      const adapter = net.project(net.project(x, rank), width, 0.1)
      net.output(net.add(net.linear(x, width), adapter))
    },
    byHand(net, { rows, width, rank }) {
      const x = net.input('x', rows, width)
      const adapter = net.matmul(net.weight([width, rank]), net.weight([rank, width], undefined, 0.1))
      const { weight, bias } = linearLayer(net, width, width)
      net.output(applyLinear(net, x, { weight: net.add(weight, adapter), bias }))
    },
  }),
]
