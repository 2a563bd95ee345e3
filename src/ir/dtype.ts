// Element types of tensors, as ONNX numbers them (onnx.proto, TensorProto.DataType).

export const DTYPES = {
  float32: { onnx: 1, bits: 32, kind: 'float' },
  uint8: { onnx: 2, bits: 8, kind: 'int' },
  int8: { onnx: 3, bits: 8, kind: 'int' },
  uint16: { onnx: 4, bits: 16, kind: 'int' },
  int16: { onnx: 5, bits: 16, kind: 'int' },
  int32: { onnx: 6, bits: 32, kind: 'int' },
  int64: { onnx: 7, bits: 64, kind: 'int' },
  string: { onnx: 8, bits: 0, kind: 'string' },
  bool: { onnx: 9, bits: 8, kind: 'bool' },
  float16: { onnx: 10, bits: 16, kind: 'float' },
  float64: { onnx: 11, bits: 64, kind: 'float' },
  uint32: { onnx: 12, bits: 32, kind: 'int' },
  uint64: { onnx: 13, bits: 64, kind: 'int' },
  complex64: { onnx: 14, bits: 64, kind: 'complex' },
  complex128: { onnx: 15, bits: 128, kind: 'complex' },
  bfloat16: { onnx: 16, bits: 16, kind: 'float' },
  float8e4m3fn: { onnx: 17, bits: 8, kind: 'float8' },
  float8e4m3fnuz: { onnx: 18, bits: 8, kind: 'float8' },
  float8e5m2: { onnx: 19, bits: 8, kind: 'float8' },
  float8e5m2fnuz: { onnx: 20, bits: 8, kind: 'float8' },
  uint4: { onnx: 21, bits: 4, kind: 'int4' },
  int4: { onnx: 22, bits: 4, kind: 'int4' },
  float4e2m1: { onnx: 23, bits: 4, kind: 'float4' },
  float8e8m0: { onnx: 24, bits: 8, kind: 'float8' },
  uint2: { onnx: 25, bits: 2, kind: 'int2' },
  int2: { onnx: 26, bits: 2, kind: 'int2' },
} as const

export type DType = keyof typeof DTYPES
export type DTypeKind = (typeof DTYPES)[DType]['kind']

const byOnnx = new Map<number, DType>(Object.entries(DTYPES).map(([name, d]) => [d.onnx, name as DType]))

/** The dtype with this ONNX number, or null. */
export function dtypeFromOnnx(code: number): DType | null {
  return byOnnx.get(code) ?? null
}

/** Bytes that `count` elements occupy, packed. Strings: 0. */
export function bytesOf(dtype: DType, count: number): number {
  return Math.ceil((DTYPES[dtype].bits * count) / 8)
}

/** True for float16, bfloat16, float32, float64: the types that algebra is allowed on. */
export function isFloat(dtype: DType): boolean {
  return DTYPES[dtype].kind === 'float'
}
