// Comparisons, logic, choice: Equal, Less, .., And, Or, Xor, Not, Where, IsNaN, IsInf, BitwiseNot.
import { getInt } from '../attribute.ts'
import type { Dim } from '../dim.ts'
import { isFloat } from '../dtype.ts'
import type { Call, Law, Op } from '../op.ts'
import { equalDims, lessDims } from './contents.ts'
import { type Accepts, binary, many, operandOf, unary } from './define.ts'
import { LEGACY_BROADCAST } from './elementwise-arithmetic.ts'
import { operand, reject } from './operands.ts'

type Compare = (x: number, y: number) => boolean
interface Comparison {
  readonly since: number
  readonly holds: Compare
  readonly torch: string
  readonly accepts?: Accepts
  readonly laws?: readonly Law[]
  readonly dims?: (a: Dim, b: Dim) => Dim | null
}

const compare = (name: string, c: Comparison): Op =>
  binary({
    name,
    since: c.since,
    ...(c.since === 1 && { attributes: LEGACY_BROADCAST }),
    accepts: c.accepts ?? 'number',
    laws: c.laws ?? [],
    torch: { target: c.torch },
    result: () => 'bool',
    ...(c.dims && { dims: (a?: Dim, b?: Dim) => c.dims!(a!, b!) }),
    compute: () => (x, y) => (c.holds(x, y) ? 1 : 0),
  })

const negated = (d: Dim | null): Dim | null => (typeof d === 'number' ? 1 - d : null)

const comparisons: readonly Op[] = [
  compare('Equal', {
    since: 1,
    accepts: 'any',
    torch: 'operator.eq',
    laws: ['commutative'],
    holds: (x, y) => x === y,
    dims: equalDims,
  }),
  compare('Greater', { since: 1, torch: 'operator.gt', holds: (x, y) => x > y, dims: (a, b) => lessDims(b, a) }),
  compare('GreaterOrEqual', {
    since: 12,
    torch: 'operator.ge',
    holds: (x, y) => x >= y,
    dims: (a, b) => negated(lessDims(a, b)),
  }),
  compare('Less', { since: 1, torch: 'operator.lt', holds: (x, y) => x < y, dims: lessDims }),
  compare('LessOrEqual', {
    since: 12,
    torch: 'operator.le',
    holds: (x, y) => x <= y,
    dims: (a, b) => negated(lessDims(b, a)),
  }),
]

const JOIN: readonly Law[] = ['commutative', 'associative', 'idempotent', 'monotone', 'zero-preserving']
const logic: readonly Op[] = [
  compare('And', {
    since: 1,
    accepts: 'bool',
    torch: 'torch.logical_and',
    laws: JOIN,
    holds: (x, y) => x !== 0 && y !== 0,
  }),
  compare('Or', {
    since: 1,
    accepts: 'bool',
    torch: 'torch.logical_or',
    laws: JOIN,
    holds: (x, y) => x !== 0 || y !== 0,
  }),
  compare('Xor', {
    since: 1,
    accepts: 'bool',
    torch: 'torch.logical_xor',
    laws: ['commutative', 'associative', 'zero-preserving'],
    holds: (x, y) => (x !== 0) !== (y !== 0),
  }),
  unary({
    name: 'Not',
    since: 1,
    accepts: 'bool',
    laws: ['involution'],
    torch: { target: 'torch.logical_not' },
    dims: (x) => negated(x!),
    compute: () => (x) => (x === 0 ? 1 : 0),
  }),
  unary({
    name: 'BitwiseNot',
    since: 18,
    accepts: 'int',
    laws: ['involution'],
    torch: { target: 'torch.bitwise_not' },
    compute: () => (x) => -x - 1,
  }),
]

const where = many({
  name: 'Where',
  since: 9,
  torch: { target: 'torch.where' },
  result: (call) => operand(call, 1).dtype,
  infer: (call) => {
    operandOf(call, 0, 'bool')
    const [x, y] = [operand(call, 1).dtype, operand(call, 2).dtype]
    if (x !== y) reject(call, 'two alternatives of one dtype', `${x} and ${y}`)
  },
  linearIn: (call) => (isFloat(operand(call, 1).dtype) ? [1, 2] : []),
  jointlyLinear: true,
  dims: (c, x, y) => (typeof c === 'number' ? (c !== 0 ? x! : y!) : null),
  compute:
    () =>
    ([c, x, y]) =>
      c !== 0 ? x! : y!,
})

function isInfinite(call: Call): (x: number) => number {
  const positive = getInt(call.attributes, 'detect_positive', 1) !== 0
  const negative = getInt(call.attributes, 'detect_negative', 1) !== 0
  return (x) => ((positive && x === Number.POSITIVE_INFINITY) || (negative && x === Number.NEGATIVE_INFINITY) ? 1 : 0)
}

const isInf = unary({
  name: 'IsInf',
  since: 10,
  attributes: { detect_positive: { kind: 'int', default: 1 }, detect_negative: { kind: 'int', default: 1 } },
  laws: ['zero-preserving'],
  torch: { target: 'torch.isinf' },
  result: () => 'bool',
  compute: isInfinite,
})

const isNotNumber = unary({
  name: 'IsNaN',
  since: 9,
  laws: ['zero-preserving'],
  torch: { target: 'torch.isnan' },
  result: () => 'bool',
  compute: () => (x) => (Number.isNaN(x) ? 1 : 0),
})

export const elementwiseLogic: readonly Op[] = [...comparisons, ...logic, where, isInf, isNotNumber]
