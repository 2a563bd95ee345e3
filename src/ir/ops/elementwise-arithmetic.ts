// Element-wise arithmetic of two or more operands: Add, Sub, Mul, Div, Mod, Pow, Max, Min, Sum, Mean; bits and shifts.
import { getInt, getText } from '../attribute.ts'
import { addDims, type Dim, exactDiv, maxDims, minDims, mulDims, subDims } from '../dim.ts'
import { DTYPES, type DType, isFloat } from '../dtype.ts'
import type { AttributeSpec, Call, Op } from '../op.ts'
import { mapContents, truncatedDiv } from './contents.ts'
import { binary, linearOnFloats, many, operandOf, TRANSCENDENTAL_FLOPS, variadic } from './define.ts'
import { operand, reject } from './operands.ts'

/** Attributes of two-operand broadcasting before opset 7. */
export const LEGACY_BROADCAST: Readonly<Record<string, AttributeSpec>> = {
  axis: { kind: 'int' },
  broadcast: { kind: 'int', default: 0 },
}

const everyInput = (call: Call): readonly number[] =>
  isFloat(operand(call, 0).dtype) ? call.inputs.map((_, i) => i) : []
const fold =
  (f: (a: Dim, b: Dim) => Dim) =>
  (...x: readonly Dim[]) =>
    x.reduce(f)

const add = binary({
  name: 'Add',
  since: 1,
  attributes: LEGACY_BROADCAST,
  laws: ['commutative', 'associative', 'monotone', 'zero-preserving'],
  torch: { target: 'operator.add' },
  linearIn: linearOnFloats(0, 1),
  jointlyLinear: true,
  dims: fold(addDims),
  compute: () => (x, y) => x + y,
})

const sub = binary({
  name: 'Sub',
  since: 1,
  attributes: LEGACY_BROADCAST,
  laws: ['zero-preserving'],
  torch: { target: 'operator.sub' },
  linearIn: linearOnFloats(0, 1),
  jointlyLinear: true,
  dims: fold(subDims),
  compute: () => (x, y) => x - y,
})

const mul = binary({
  name: 'Mul',
  since: 1,
  attributes: LEGACY_BROADCAST,
  laws: ['commutative', 'associative', 'zero-preserving'],
  torch: { target: 'operator.mul' },
  linearIn: linearOnFloats(0, 1),
  dims: fold(mulDims),
  compute: (call) => (is64(operand(call, 0).dtype) ? multiplyWide : (x, y) => x * y),
})

const is64 = (dtype: DType): boolean => dtype === 'int64' || dtype === 'uint64'

/** Product of 64-bit integers, exact even where float64 is not; the caller wraps it. */
function multiplyWide(x: number, y: number): number {
  const product = x * y
  return Number.isSafeInteger(product) ? product : Number(BigInt.asIntN(64, BigInt(x) * BigInt(y)))
}

const divide = binary({
  name: 'Div',
  since: 1,
  attributes: LEGACY_BROADCAST,
  torch: { target: 'operator.truediv' },
  linearIn: linearOnFloats(0),
  compute: (call) => (isFloat(operand(call, 0).dtype) ? (x, y) => x / y : (x, y) => (y === 0 ? 0 : Math.trunc(x / y))),
})

/** A float quotient counts as contents only where it is whole. */
const div: Op = {
  ...divide,
  inferContents: (call) => [
    mapContents(call, (a, b) => (isFloat(operand(call, 0).dtype) ? exactDiv : truncatedDiv)(a!, b!)),
  ],
}

const mod = binary({
  name: 'Mod',
  since: 10,
  attributes: { fmod: { kind: 'int', default: 0 } },
  dims: (a, b) => (typeof a === 'number' && typeof b === 'number' && b > 0 && a >= 0 ? a % b : null),
  compute: (call) => (getInt(call.attributes, 'fmod', 0) ? remainder(call) : flooredRemainder(call)),
})

/** Sign of the dividend, as C's fmod. */
const remainder = (call: Call) => (x: number, y: number) => (y === 0 && !isFloat(operand(call, 0).dtype) ? 0 : x % y)

/** Sign of the divisor, as Python's %; a remainder of 0 too. */
function flooredRemainder(call: Call): (x: number, y: number) => number {
  const truncated = remainder(call)
  return (x, y) => {
    const r = truncated(x, y)
    if (r === 0) return y < 0 && isFloat(operand(call, 0).dtype) ? -0 : 0
    return r < 0 !== y < 0 ? r + y : r
  }
}

const pow = many({
  name: 'Pow',
  since: 1,
  attributes: LEGACY_BROADCAST,
  flops: TRANSCENDENTAL_FLOPS,
  torch: { target: 'operator.pow' },
  infer: (call) => {
    operandOf(call, 0, 'number')
    operandOf(call, 1, 'number')
  },
  compute:
    () =>
    ([x, y]) =>
      x! ** y!,
})

const max = variadic({
  name: 'Max',
  since: 1,
  laws: ['commutative', 'associative', 'idempotent', 'monotone', 'zero-preserving'],
  torch: { target: 'torch.maximum' },
  dims: fold(maxDims),
  combine: Math.max,
})

const min = variadic({
  name: 'Min',
  since: 1,
  laws: ['commutative', 'associative', 'idempotent', 'monotone', 'zero-preserving'],
  torch: { target: 'torch.minimum' },
  dims: fold(minDims),
  combine: Math.min,
})

const sum = variadic({
  name: 'Sum',
  since: 1,
  accepts: 'float',
  laws: ['commutative', 'associative', 'monotone', 'zero-preserving'],
  linearIn: everyInput,
  jointlyLinear: true,
  combine: (x, y) => x + y,
})

const mean = variadic({
  name: 'Mean',
  since: 1,
  accepts: 'float',
  laws: ['commutative', 'idempotent', 'monotone', 'zero-preserving'],
  linearIn: everyInput,
  jointlyLinear: true,
  combine: (x, y) => x + y,
  finish: (x, operands) => x / operands,
})

type Bits = (x: bigint, y: bigint, width: bigint) => bigint

/** An operator on the bits of integers, in two's complement. */
const bits = (call: Call, f: Bits) => (x: number, y: number) =>
  Number(BigInt.asIntN(64, f(BigInt(x), BigInt(y), BigInt(DTYPES[operand(call, 0).dtype].bits))))

const bitwise = (name: string, target: string, f: Bits, idempotent: boolean): Op =>
  binary({
    name,
    since: 18,
    accepts: 'int',
    laws: ['commutative', 'associative', 'zero-preserving', ...(idempotent ? (['idempotent'] as const) : [])],
    torch: { target },
    compute: (call) => bits(call, f),
  })

const bitShift = binary({
  name: 'BitShift',
  since: 11,
  accepts: 'int',
  attributes: { direction: { kind: 'string' } },
  laws: ['zero-preserving'],
  compute: (call) => bits(call, directionOf(call) === 'LEFT' ? shiftLeft : shiftRight),
})

function directionOf(call: Call): string {
  const direction = getText(call.attributes, 'direction', '')
  return direction === 'LEFT' || direction === 'RIGHT' ? direction : reject(call, 'direction LEFT or RIGHT', direction)
}

const shiftLeft: Bits = (x, y, width) => (y < 0n || y >= width ? 0n : x << y)
const shiftRight: Bits = (x, y, width) => (y < 0n || y >= width ? (x < 0n ? -1n : 0n) : x >> y)

export const elementwiseArithmetic: readonly Op[] = [
  add,
  sub,
  mul,
  div,
  mod,
  pow,
  max,
  min,
  sum,
  mean,
  bitwise('BitwiseAnd', 'operator.and_', (x, y) => x & y, true),
  bitwise('BitwiseOr', 'operator.or_', (x, y) => x | y, true),
  bitwise('BitwiseXor', 'operator.xor', (x, y) => x ^ y, false),
  bitShift,
]
