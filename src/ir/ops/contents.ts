// Contents of small integer tensors, followed through shape arithmetic without running it (ONNX calls it data propagation).
// Every element is a dimension, so it may be symbolic. Floating-point values count where they are known to be whole.
import { type Dim, dimEquals, exactDiv, floorDivDims, isNonNegative, subDims } from '../dim.ts'
import type { Call } from '../op.ts'
import { elementCount, isConcrete } from '../shape.ts'
import { type Tensor, toNdArray } from '../tensor.ts'
import { operand } from './operands.ts'

/** Longest tensor whose contents are followed. */
export const CONTENTS_LIMIT = 1024

/** Contents of an input of rank 0 or 1, or null. */
export function contentsOf(call: Call, index: number): readonly Dim[] | null {
  return call.contents[index] ?? wholeConstant(call.constants[index] ?? null)
}

/** The same of an input that must be there. */
export function neededContents(call: Call, index: number): readonly Dim[] | null {
  operand(call, index)
  return contentsOf(call, index)
}

/** Contents that are all numbers, or null. */
export function numbersOf(call: Call, index: number): readonly number[] | null {
  const contents = contentsOf(call, index)
  return contents && isConcrete(contents) ? contents : null
}

/** The one number of an input, or null. */
export function scalarOf(call: Call, index: number): number | null {
  return numbersOf(call, index)?.[0] ?? null
}

/** Elements of a small floating-point constant of rank 0 or 1, if all are whole. */
function wholeConstant(t: Tensor | null): readonly number[] | null {
  if (
    !t ||
    t.shape.length > 1 ||
    elementCount(t.shape) > CONTENTS_LIMIT ||
    !['float32', 'float64', 'float16'].includes(t.dtype)
  )
    return null
  const values = Array.from(toNdArray(t).data)
  return values.every(Number.isSafeInteger) ? values : null
}

/** Element by element over all operands, broadcasting; null where an operand or an element is unknown. */
export function mapContents(call: Call, f: (...x: readonly Dim[]) => Dim | null): readonly Dim[] | null {
  const operands = call.inputs.map((_, i) => contentsOf(call, i))
  if (operands.some((c, i) => c === null || (call.inputs[i]?.shape.length ?? 0) > 1)) return null
  const known = operands as readonly (readonly Dim[])[]
  const lengths = known.map((c) => c.length).filter((n) => n !== 1)
  const length = lengths[0] ?? 1
  if (lengths.some((n) => n !== length) || length > CONTENTS_LIMIT) return null
  const out = Array.from({ length }, (_, i) => f(...known.map((c) => c[c.length === 1 ? 0 : i]!)))
  return out.includes(null) ? null : (out as Dim[])
}

/** Quotient as integers divide: towards zero. Null where the sign of a symbolic operand is unknown. */
export function truncatedDiv(a: Dim, b: Dim): Dim | null {
  if (b === 0) return null
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0
  return exactDiv(a, b) ?? (isNonNegative(a) && typeof b === 'number' && b > 0 ? floorDivDims(a, b) : null)
}

/** 1 or 0 where it is certain that a and b are equal or differ, else null. Dimensions are at least 0. */
export function equalDims(a: Dim, b: Dim): Dim | null {
  if (dimEquals(a, b)) return 1
  const difference = subDims(a, b)
  if (typeof difference === 'number') return 0
  return isPositive(difference) || isPositive(subDims(b, a)) ? 0 : null
}

/** 1 or 0 where it is certain that a < b or not, else null. */
export function lessDims(a: Dim, b: Dim): Dim | null {
  if (isPositive(subDims(b, a))) return 1
  return isNonNegative(subDims(a, b)) ? 0 : null
}

const isPositive = (d: Dim): boolean => isNonNegative(subDims(d, 1))
