// How far one set of outputs is from another. Floating point: the largest difference, as it is and relative to the largest
// magnitude of the output; NaN equals NaN, infinities must match. Everything else: equal or not.
import { DTYPES } from '../ir/dtype.ts'
import { type Tensor, toNdArray } from '../ir/tensor.ts'
import type { Feeds } from '../runtime/index.ts'

/** Distance of an output from the oracle's. */
export interface OutputError {
  readonly maxAbs: number
  /** maxAbs relative to the output's scale; Infinity where they differ in kind (shape, dtype, NaN, infinity, an integer). */
  readonly maxRel: number
  /** Why it is Infinity; null where it is not. */
  readonly difference: string | null
}

const EXACT: OutputError = { maxAbs: 0, maxRel: 0, difference: null }
const differs = (difference: string): OutputError => ({
  maxAbs: Number.POSITIVE_INFINITY,
  maxRel: Number.POSITIVE_INFINITY,
  difference,
})

/** Scale of an output: its largest finite magnitude; 0 for anything but floating point. */
export function scaleOf(t: Tensor): number {
  if (!isComparedByDistance(t)) return 0
  let scale = 0
  for (const x of toNdArray(t).data) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x))
  return scale
}

/** Types that numbers can be taken of; others (strings, 8-bit floats and less) are compared byte by byte. */
const isComparedByDistance = (t: Tensor): boolean => DTYPES[t.dtype].kind === 'float'

/** Error of `actual` against `expected`, relative to `scale`. */
export function outputError(expected: Tensor, actual: Tensor | undefined, scale: number): OutputError {
  if (!actual) return differs('the output is missing')
  if (expected.dtype !== actual.dtype) return differs(`dtype ${actual.dtype}, expected ${expected.dtype}`)
  if (expected.shape.join() !== actual.shape.join())
    return differs(`shape [${actual.shape}], expected [${expected.shape}]`)
  if (!isComparedByDistance(expected))
    return sameBytes(expected, actual) ? EXACT : differs(firstByteDifference(expected, actual))
  return distance(toNdArray(expected).data, toNdArray(actual).data, scale)
}

function distance(expected: Float64Array, actual: Float64Array, scale: number): OutputError {
  let maxAbs = 0
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [expected[i]!, actual[i]!]
    if (Object.is(a, b)) continue
    if (!Number.isFinite(a) || !Number.isFinite(b)) return differs(`element ${i} is ${b}, expected ${a}`)
    maxAbs = Math.max(maxAbs, Math.abs(a - b))
  }
  return { maxAbs, maxRel: maxAbs / Math.max(scale, 1e-30), difference: null }
}

function sameBytes(a: Tensor, b: Tensor): boolean {
  const equal = (x: Uint8Array, y: Uint8Array) => Buffer.compare(x, y) === 0
  if (a.strings || b.strings)
    return a.strings?.length === b.strings?.length && (a.strings ?? []).every((s, i) => equal(s, b.strings![i]!))
  return equal(a.bytes, b.bytes)
}

function firstByteDifference(a: Tensor, b: Tensor): string {
  if (a.strings) return 'strings differ'
  const bytes = a.bytes.findIndex((x, i) => x !== b.bytes[i])
  const element = Math.floor((bytes * 8) / DTYPES[a.dtype].bits)
  return `element ${element} differs, and ${a.dtype} must be equal`
}

/** Error of each output of `expected`. */
export function outputErrors(
  expected: Feeds,
  actual: Feeds,
  scale: (output: string) => number,
): ReadonlyMap<string, OutputError> {
  return new Map(Object.entries(expected).map(([name, t]) => [name, outputError(t, actual[name], scale(name))]))
}
