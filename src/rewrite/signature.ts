// What tells constants apart without comparing them: norm and two random projections. Two constants of one dtype and shape
// are one if these agree to 1e-13 of the norm, so that differently associated products of weights coincide.
import { createRandom } from '../base/random.ts'
import type { Rows } from './constant-rows.ts'

export interface Signature {
  readonly norm: number
  readonly first: number
  readonly second: number
  /** Tells where they are: 1 / -0 is not 1 / 0. */
  readonly negativeZeros: number
}

const TOLERANCE = 1e-13

/** How far the parts of two signatures of one constant may be apart. */
export const slackOf = (s: Signature): number => s.norm * TOLERANCE

export const sameSignature = (a: Signature, b: Signature, slack: number): boolean =>
  a.negativeZeros === b.negativeZeros &&
  Math.abs(a.norm - b.norm) <= slack &&
  Math.abs(a.first - b.first) <= slack &&
  Math.abs(a.second - b.second) <= slack

/** Fixed pseudo-random vectors of coprime lengths; their product does not repeat within 8 million elements. */
const [longNoise, shortNoise] = (() => {
  const random = createRandom(20261124)
  return [4093, 2039].map((n) => Float64Array.from({ length: n }, () => random.next() + 0.5))
})() as [Float64Array, Float64Array]

export function signatureOf(x: Rows): Signature {
  const sums = { square: 0, first: 0, second: 0, negativeZeros: 0 }
  if (x.data) addAll(sums, x.data, 0)
  else addRows(sums, x)
  const { square, ...projections } = sums
  return { norm: Math.sqrt(square), ...projections }
}

type Sums = { square: number; first: number; second: number; negativeZeros: number }

function addRows(sums: Sums, x: Rows): void {
  const row = new Float64Array(x.columns)
  for (let r = 0; r < x.rows; r++) {
    x.fill(r, row)
    addAll(sums, row, r * x.columns)
  }
}

/** Adds values of which the first is at `position` in the whole. */
function addAll(sums: Sums, values: Float64Array | Float32Array, position: number): void {
  for (let from = 0; from < values.length; ) from = addRun(sums, values, from, position + from)
}

/** Adds the elements from `from` on, until a noise vector starts anew; returns where it stopped. */
function addRun(sums: Sums, row: Float64Array | Float32Array, from: number, position: number): number {
  const long = position % longNoise.length
  const short = position % shortNoise.length
  const length = Math.min(row.length - from, longNoise.length - long, shortNoise.length - short)
  let { square, first, second } = sums
  for (let i = 0; i < length; i++) {
    const v = row[from + i]!
    const r = longNoise[long + i]! * shortNoise[short + i]!
    square += v * v
    first += v * r
    second += v * (r * r - 1)
    if (v === 0 && Object.is(v, -0)) sums.negativeZeros += r
  }
  sums.square = square
  sums.first = first
  sums.second = second
  return from + length
}
