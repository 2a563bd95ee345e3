// Scalings and shifts of constants, x * s and x + s with a much smaller s: several of one form are one.
import type { NdArray } from '../ir/tensor.ts'

export type ChangeOp = 'Mul' | 'Add'

/** As in signatures: differences below this part of the whole are rounding. */
const TOLERANCE = 1e-13

/** The same operand in its plainest form: without leading axes of one element, and a scalar if it holds one value only. */
export function plainOperand(s: NdArray): NdArray {
  const [first] = s.data
  if (s.data.every((v) => v === first)) return { ...s, shape: [], data: s.data.slice(0, 1) }
  const leading = s.shape.findIndex((d) => d !== 1)
  return { ...s, shape: s.shape.slice(leading) }
}

/** False where the result says less than its operands do: x * 0 is zero for every x, and NaN is not even itself. */
export const isTellable = (op: ChangeOp, s: NdArray): boolean =>
  s.data.every((v) => Number.isFinite(v) && (op === 'Add' || v !== 0))

/** The change that two in a row are, both plain; 'none' if they cancel, null if they go along different axes. */
export function combineChanges(op: ChangeOp, a: NdArray, b: NdArray): NdArray | 'none' | null {
  const [wide, narrow] = a.data.length >= b.data.length ? [a, b] : [b, a]
  if (narrow.shape.length > 0 && narrow.shape.join() !== wide.shape.join()) return null
  const other = (i: number) => narrow.data[narrow.data.length === 1 ? 0 : i]!
  const data = wide.data.map((v, i) => (op === 'Mul' ? v * other(i) : v + other(i)))
  const scale = op === 'Mul' ? 1 : a.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
  const neutral = op === 'Mul' ? 1 : 0
  return data.every((v) => Math.abs(v - neutral) <= TOLERANCE * scale) ? 'none' : plainOperand({ ...wide, data })
}
