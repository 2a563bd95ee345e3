// Memory-bound algebra: scalar chains, factoring, exponentials (rows 20 and 25 of the table of identities).
import type { ValueId } from '../../ir/graph.ts'
import type { Net } from './net.ts'
import { applyLinear, linearLayer } from './parts.ts'
import { workload } from './workload.ts'

const lengths = { small: 1 << 12, full: 1 << 20 }

/** x * k1 + k2 - k3 .. with mild constants. */
function scalarChain(net: Net, x: ValueId, length: number): ValueId {
  let y = x
  for (let i = 0; i < length; i++) {
    const op = (['Mul', 'Add', 'Div', 'Sub'] as const)[i % 4]!
    y = net.op(op, y, net.scalar(i % 2 === 0 ? 1.1 + i / 10 : 0.25))
  }
  return y
}

/** A chain of that length as one multiplication and one addition. */
function mapOfChain(net: Net, length: number): { readonly scale: ValueId; readonly shift: ValueId } {
  const [shift, atOne] = [0, 1].map((x) => scalarChain(net, net.scalar(x), length)) as [ValueId, ValueId]
  return { scale: net.op('Sub', atOne, shift), shift }
}

/** e^-|x| */
const decay = (net: Net, x: ValueId): ValueId => net.op('Exp', net.op('Neg', net.op('Abs', x)))

export const elementWise = [
  workload({
    name: 'scalar-products',
    family: 'scalar-chain',
    suite: 'algebra',
    expected: '(x * c1) * c2 = x * (c1 * c2)',
    sizes: lengths,
    build(net, n) {
      const y = net.mul(net.mul(net.input('x', n), net.scalar(1.5)), net.scalar(0.7))
      net.output(net.tanh(net.add(net.add(y, net.scalar(0.25)), net.scalar(-0.5))))
    },
    byHand(net, n) {
      const y = net.mul(net.input('x', n), net.mul(net.scalar(1.5), net.scalar(0.7)))
      net.output(net.tanh(net.add(y, net.scalar(-0.25))))
    },
  }),
  workload({
    name: 'scalar-affine-chain',
    family: 'scalar-chain',
    suite: 'algebra',
    expected: 'any chain of scalar Mul, Add, Sub, Div is one Mul and one Add',
    sizes: lengths,
    build(net, n) {
      net.output(net.relu(scalarChain(net, net.input('x', n), 6)))
    },
    byHand(net, n) {
      const { scale, shift } = mapOfChain(net, 6)
      net.output(net.relu(net.add(net.mul(net.input('x', n), scale), shift)))
    },
  }),
  workload({
    name: 'scalars-around-linear',
    family: 'scalar-into-linear',
    suite: 'algebra',
    expected: 'the scalars fold into the weight and the bias',
    sizes: { small: { rows: 64, width: 64 }, full: { rows: 2048, width: 128 } },
    build(net, { rows, width }) {
      const before = scalarChain(net, net.input('x', rows, width), 3)
      net.output(scalarChain(net, net.linear(before, width), 3))
    },
    byHand(net, { rows, width }) {
      const x = net.input('x', rows, width)
      const { weight, bias } = linearLayer(net, width, width)
      const { scale, shift } = mapOfChain(net, 3)
      const shifted = net.matmul(net.expand(shift, [width]), weight)
      const all = { weight: net.mul(weight, net.mul(scale, scale)), bias: scalarChain(net, net.add(shifted, bias), 3) }
      net.output(applyLinear(net, x, all))
    },
  }),
  workload({
    name: 'common-factor',
    family: 'element-wise-factoring',
    suite: 'algebra',
    expected: 'x y + x z = x (y + z)',
    sizes: lengths,
    build(net, n) {
      const [x, y, z] = ['x', 'y', 'z'].map((name) => net.input(name, n))
      net.output(net.add(net.mul(x!, y!), net.mul(x!, z!)))
    },
    byHand(net, n) {
      const [x, y, z] = ['x', 'y', 'z'].map((name) => net.input(name, n))
      net.output(net.mul(x!, net.add(y!, z!)))
    },
  }),
  workload({
    name: 'factor-of-self',
    family: 'element-wise-factoring',
    suite: 'algebra',
    expected: 'x + x g = x (g + 1), the sum on the small gate',
    sizes: { small: { channels: 16, size: 28 }, full: { channels: 96, size: 80 } },
    build(net, { channels, size }) {
      const x = net.input('x', 1, channels, size, size)
      const gate = net.sigmoid(net.conv(net.op('GlobalAveragePool', x), channels, 1))
      net.output(net.add(x, net.mul(x, gate)))
    },
    byHand(net, { channels, size }) {
      const x = net.input('x', 1, channels, size, size)
      const gate = net.sigmoid(net.conv(net.op('GlobalAveragePool', x), channels, 1))
      net.output(net.mul(x, net.add(gate, net.scalar(1))))
    },
  }),
  workload({
    name: 'product-of-exponentials',
    family: 'exponentials',
    suite: 'algebra',
    expected: 'nothing: e^x e^y = e^(x + y) only where neither overflows, and of these inputs nothing is known',
    sizes: { small: 1 << 12, full: 1 << 19 },
    inputs: () => ({ x: { kind: 'uniform', low: -1, high: 1 }, y: { kind: 'uniform', low: -1, high: 1 } }),
    build(net, n) {
      const [x, y] = [net.input('x', n), net.input('y', n)]
      net.output(net.mul(net.op('Exp', x), net.op('Exp', y)))
    },
  }),
  workload({
    name: 'product-of-decays',
    family: 'bounded-exponentials',
    suite: 'algebra',
    expected: 'e^-|x| e^-|y| = e^(-|x| - |y|): no exponent is positive, so that nothing overflows',
    sizes: { small: 1 << 12, full: 1 << 19 },
    build(net, n) {
      const [x, y] = ['x', 'y'].map((name) => decay(net, net.input(name, n)))
      net.output(net.mul(x!, y!))
    },
    byHand(net, n) {
      const [x, y] = ['x', 'y'].map((name) => net.op('Abs', net.input(name, n)))
      net.output(net.op('Exp', net.op('Neg', net.add(x!, y!))))
    },
  }),
  workload({
    name: 'decay-of-sum',
    family: 'bounded-exponentials',
    suite: 'algebra',
    expected: 'e^(-|x| - |y|) = e^-|x| e^-|y| where x is a column and y a row: few exponentials',
    sizes: { small: { rows: 64, columns: 48 }, full: { rows: 1024, columns: 512 } },
    build(net, { rows, columns }) {
      const [x, y] = [net.op('Abs', net.input('x', rows, 1)), net.op('Abs', net.input('y', 1, columns))]
      net.output(net.op('Exp', net.add(net.op('Neg', x), net.op('Neg', y))))
    },
    byHand(net, { rows, columns }) {
      net.output(net.mul(decay(net, net.input('x', rows, 1)), decay(net, net.input('y', 1, columns))))
    },
  }),
]
