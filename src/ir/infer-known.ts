// What a node makes of inputs that are all known: small tensors, computed by the operator's own record. So arithmetic on sizes is
// followed also where no rule for contents is written: through matrices, negative steps, comparisons.
import { UnsupportedError, UserError } from '../base/errors.ts'
import type { Dim } from './dim.ts'
import { DTYPES } from './dtype.ts'
import type { Call, Op } from './op.ts'
import { elementCount, isConcrete, shapeEquals } from './shape.ts'
import { fromNdArray, type NdArray, ndarray, type Tensor, type TensorType, toNdArray } from './tensor.ts'

/** Larger tensors are weights, which nobody computes sizes from. */
const MOST_ELEMENTS = 1024

/** The outputs of a call whose types are `types`, or null: an input is unknown, or something is large, random or not computable. */
export function knownOutputs(call: Call, op: Op, types: readonly (TensorType | null)[]): readonly Tensor[] | null {
  if (op.deterministic === false || call.inputs.length === 0 || !types.every(isSmall)) return null
  const arrays = call.inputs.map((type, i) => type && knownArray(type, call.constants[i]!, call.contents[i]!))
  if (arrays.some((a, i) => a === null && call.inputs[i] !== null)) return null
  const inputs = arrays.map((a) => a && { dtype: a.dtype, shape: a.shape })
  const contents = arrays.map((a) => (a && a.shape.length <= 1 ? Array.from(a.data) : null))
  try {
    const made = op.evaluate({ ...call, inputs, contents }, arrays)
    return made.length === types.length && made.every((a, i) => fits(a, types[i]!)) ? made.map(fromNdArray) : null
  } catch (error) {
    // A RangeError: a whole number that is none, such as a division by 0.
    if (error instanceof UnsupportedError || error instanceof UserError || error instanceof RangeError) return null
    throw error
  }
}

const isSmall = (type: TensorType | null): boolean =>
  type !== null &&
  ['int', 'bool'].includes(DTYPES[type.dtype].kind) &&
  isConcrete(type.shape) &&
  elementCount(type.shape) <= MOST_ELEMENTS

const fits = (a: NdArray, type: TensorType): boolean =>
  a.dtype === type.dtype && shapeEquals(a.shape, type.shape) && a.data.length === elementCount(a.shape)

function knownArray(type: TensorType, constant: Tensor | null, contents: readonly Dim[] | null): NdArray | null {
  if (!isSmall(type)) return null
  if (constant) return toNdArray(constant)
  const isNumbers = contents?.every((d) => typeof d === 'number')
  return isNumbers && contents?.length === elementCount(type.shape as readonly number[])
    ? ndarray(type.dtype, type.shape as readonly number[], contents as readonly number[])
    : null
}
