// Equality as ONNX's backend runner has it: the same dtype and shape; |got - expected| <= 1e-7 + 1e-3 |expected| for floating
// point, NaN equal to NaN and infinities to themselves; everything else exactly equal.
import { DTYPES } from '../../src/ir/dtype.ts'
import { type NdArray, type Tensor, toNdArray } from '../../src/ir/tensor.ts'

const RELATIVE = 1e-3
const ABSOLUTE = 1e-7

const typeText = (t: Tensor | NdArray): string => `${t.dtype}[${t.shape}]`

/** What differs between an output and what the suite expects, or null. */
export function differenceOf(got: Tensor | undefined, expected: Tensor): string | null {
  if (!got) return 'is missing'
  if (typeText(got) !== typeText(expected)) return `is ${typeText(got)}, expected ${typeText(expected)}`
  if (DTYPES[expected.dtype].kind === 'float') return differenceOfNumbers(toNdArray(got), toNdArray(expected))
  return sameBytes(got, expected) ? null : `has other ${expected.dtype} elements`
}

/** The same for computed numbers. */
export function differenceOfNumbers(got: NdArray | undefined, expected: NdArray): string | null {
  if (!got) return 'is missing'
  if (typeText(got) !== typeText(expected)) return `is ${typeText(got)}, expected ${typeText(expected)}`
  const exact = DTYPES[expected.dtype].kind !== 'float'
  const at = expected.data.findIndex((e, i) => !isNear(got.data[i]!, e, exact))
  return at < 0 ? null : `element ${at} is ${got.data[at]}, expected ${expected.data[at]}`
}

const isNear = (got: number, expected: number, exact: boolean): boolean =>
  got === expected ||
  Object.is(got, expected) ||
  (!exact && Number.isFinite(expected) && Math.abs(got - expected) <= ABSOLUTE + RELATIVE * Math.abs(expected))

function sameBytes(a: Tensor, b: Tensor): boolean {
  if (!a.strings && !b.strings) return Buffer.compare(a.bytes, b.bytes) === 0
  const [x, y] = [a.strings ?? [], b.strings ?? []]
  return x.length === y.length && x.every((s, i) => Buffer.compare(s, y[i]!) === 0)
}
