// Constant tensors as they are stored: packed little-endian bytes, exactly ONNX's raw_data. The reference interpreter and
// constant folding work on NdArray instead: the same numbers in float64.
import { InvariantError, UnsupportedError } from '../base/errors.ts'
import { bytesOf, DTYPES, type DType } from './dtype.ts'
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from './half.ts'
import { type ConcreteShape, elementCount, type Shape } from './shape.ts'

/** dtype and symbolic shape of a value. */
export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

/** A constant. `bytes` is row-major, little-endian, packed; strings are in `strings` (UTF-8 bytes) and `bytes` is empty. */
export interface Tensor {
  readonly dtype: DType
  readonly shape: ConcreteShape
  readonly bytes: Uint8Array
  readonly strings?: readonly Uint8Array[]
}

/** Numbers for computing: every dtype as float64 (bool as 0 and 1; int64 exact up to 2^53). Row-major. */
export interface NdArray {
  readonly dtype: DType
  readonly shape: ConcreteShape
  readonly data: Float64Array
}

const VIEWS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const
type Viewable = keyof typeof VIEWS
export type TypedArray = InstanceType<(typeof VIEWS)[Viewable]>

const isViewable = (dtype: DType): dtype is Viewable => dtype in VIEWS

/** Bytes seen as numbers of the tensor's dtype (float16 and bfloat16 as raw Uint16). Copies only if misaligned. */
export function typedView(t: Tensor): TypedArray {
  if (!isViewable(t.dtype)) throw new UnsupportedError(`numbers of dtype ${t.dtype}`)
  const View = VIEWS[t.dtype]
  const aligned = t.bytes.byteOffset % View.BYTES_PER_ELEMENT === 0 ? t.bytes : new Uint8Array(t.bytes)
  return new View(aligned.buffer as ArrayBuffer, aligned.byteOffset, elementCount(t.shape))
}

/** The same values in float64. Throws UnsupportedError for strings, complex numbers and types under 8 bits. */
export function toNdArray(t: Tensor): NdArray {
  const view = typedView(t)
  if (!(view instanceof Uint16Array || view instanceof BigInt64Array || view instanceof BigUint64Array))
    return { dtype: t.dtype, shape: t.shape, data: new Float64Array(view) } // converted natively, ten times as fast
  const data = new Float64Array(view.length)
  if (t.dtype === 'float16') for (let i = 0; i < data.length; i++) data[i] = decodeFloat16(view[i] as number)
  else if (t.dtype === 'bfloat16') for (let i = 0; i < data.length; i++) data[i] = decodeBfloat16(view[i] as number)
  else for (let i = 0; i < data.length; i++) data[i] = Number(view[i])
  return { dtype: t.dtype, shape: t.shape, data }
}

/** Rounds once to the dtype of `a`. */
export function fromNdArray(a: NdArray): Tensor {
  if (!isViewable(a.dtype)) throw new UnsupportedError(`numbers of dtype ${a.dtype}`)
  if (a.dtype === 'float32')
    return { dtype: a.dtype, shape: a.shape, bytes: new Uint8Array(new Float32Array(a.data).buffer) }
  const out = new VIEWS[a.dtype](a.data.length)
  for (let i = 0; i < out.length; i++) out[i] = encode(a.dtype, a.data[i]!) as never
  return { dtype: a.dtype, shape: a.shape, bytes: new Uint8Array(out.buffer) }
}

function encode(dtype: Viewable, x: number): number | bigint {
  if (dtype === 'int64' || dtype === 'uint64') return wholeBits(x, dtype === 'int64' ? 63n : 64n)
  if (dtype === 'float16') return encodeFloat16(x)
  if (dtype === 'bfloat16') return encodeBfloat16(x)
  if (dtype === 'bool') return x !== 0 ? 1 : 0
  return x
}

/** Exporters write the largest int64 for "to the end"; in float64 it is 2^63, which must not wrap to the smallest. */
function wholeBits(x: number, bits: 63n | 64n): bigint {
  const whole = BigInt(Math.trunc(x))
  return whole === 2n ** bits ? whole - 1n : whole
}

/** A constant from plain numbers. */
export function tensor(dtype: DType, shape: ConcreteShape, values: Iterable<number>): Tensor {
  const data = Float64Array.from(values)
  if (data.length !== elementCount(shape)) throw new InvariantError(`${data.length} values for shape [${shape}]`)
  return fromNdArray({ dtype, shape, data })
}

export function ndarray(dtype: DType, shape: ConcreteShape, data: Iterable<number>): NdArray {
  return { dtype, shape, data: data instanceof Float64Array ? data : Float64Array.from(data) }
}

/** Bytes of the tensor as stored. */
export function tensorBytes(t: Tensor): number {
  return t.strings ? t.strings.reduce((n, s) => n + s.length, 0) : bytesOf(t.dtype, elementCount(t.shape))
}

/** Whole numbers of a small integer constant, or null for other dtypes. */
export function integersOf(t: Tensor): readonly number[] | null {
  const kind = DTYPES[t.dtype].kind
  return kind === 'int' || kind === 'bool' ? Array.from(typedView(t) as Iterable<number | bigint>, Number) : null
}
