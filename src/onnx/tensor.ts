// TensorProto <-> Tensor. Every way ONNX has of storing elements ends in the same packed little-endian bytes (raw_data).
// Sizes in the file are claims: nothing is allocated from them before the stored elements have been counted.
import { create } from '@bufbuild/protobuf'
import { bytesOf, DTYPES, type DType, dtypeFromOnnx } from '../ir/dtype.ts'
import type { Tensor } from '../ir/tensor.ts'
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from './generated/onnx_pb.ts'
import { badModel, decode, encode, has } from './proto.ts'

/** Reads one TensorProto, the format of ONNX's `input_0.pb` test files. */
export function parseTensor(bytes: Uint8Array, where = 'tensor file'): Tensor {
  const proto = decode(TensorProtoSchema, bytes, where)
  const t = tensorFromProto(proto, where)
  if (t === null) throw badModel(where, 'a known element type', `type ${proto.dataType}`)
  return t
}

/** Encodes a tensor as one TensorProto. */
export function encodeTensor(t: Tensor, name = ''): Uint8Array {
  return encode(TensorProtoSchema, tensorToProto(t, name))
}

/** The tensor, or null if its element type is not known to Allotrope. External data must have been resolved before. */
export function tensorFromProto(proto: TensorProto, where: string): Tensor | null {
  const dtype = dtypeFromOnnx(proto.dataType)
  if (dtype === null) return null
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) throw badModel(where, 'resolved data', 'external data')
  if (proto.segment) throw badModel(where, 'a whole tensor', 'a segment of one')
  const shape = shapeOf(proto, where)
  const count = elementsOf(shape, where)
  if (dtype === 'string') return stringTensor(proto, shape, count, where)
  const bytes = has(TensorProtoSchema, proto, 'rawData') ? proto.rawData : packTyped(proto, dtype)
  const expected = bytesOf(dtype, count)
  if (bytes.length !== expected) throw badModel(where, `${expected} bytes for ${dtype}[${shape}]`, `${bytes.length}`)
  return { dtype, shape, bytes }
}

export function tensorToProto(t: Tensor, name: string): TensorProto {
  const proto = create(TensorProtoSchema, { dims: t.shape.map(BigInt), dataType: DTYPES[t.dtype].onnx })
  if (name !== '') proto.name = name
  if (t.strings) proto.stringData = [...t.strings]
  else proto.rawData = t.bytes
  return proto
}

/** Dimensions of a stored tensor: whole, not negative. */
export function shapeOf(proto: { readonly dims: readonly bigint[] }, where: string): number[] {
  return proto.dims.map((d) => {
    if (d < 0n || d > BigInt(Number.MAX_SAFE_INTEGER))
      throw badModel(where, 'dimensions of 0 and more', `[${proto.dims}]`)
    return Number(d)
  })
}

/** Product of the dimensions; refuses what no file can hold. */
export function elementsOf(shape: readonly number[], where: string): number {
  if (shape.includes(0)) return 0
  const count = shape.reduce((n, d) => n * d, 1)
  if (count > Number.MAX_SAFE_INTEGER / 16) throw badModel(where, 'a tensor that fits into memory', `shape [${shape}]`)
  return count
}

function stringTensor(proto: TensorProto, shape: number[], count: number, where: string): Tensor {
  if (proto.stringData.length !== count)
    throw badModel(where, `${count} strings for [${shape}]`, `${proto.stringData.length}`)
  return { dtype: 'string', shape, bytes: new Uint8Array(0), strings: proto.stringData }
}

type Packed =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Int16Array
  | Uint8Array

/** The typed field that ONNX prescribes for the dtype, packed. */
function packTyped(proto: TensorProto, dtype: DType): Uint8Array {
  const packed = typedField(proto, dtype)
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength)
}

function typedField(proto: TensorProto, dtype: DType): Packed {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return Float32Array.from(proto.floatData)
    case 'float64':
    case 'complex128':
      return Float64Array.from(proto.doubleData)
    case 'int64':
      return BigInt64Array.from(proto.int64Data)
    case 'uint64':
      return BigUint64Array.from(proto.uint64Data)
    case 'uint32':
      return Uint32Array.from(proto.uint64Data, Number)
    case 'int32':
      return Int32Array.from(proto.int32Data)
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return Int16Array.from(proto.int32Data)
    default: // one byte each; types under 8 bits are packed several to a byte, one byte to an entry
      return Uint8Array.from(proto.int32Data)
  }
}
