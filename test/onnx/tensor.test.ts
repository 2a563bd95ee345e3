import { create, toBinary } from '@bufbuild/protobuf'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import type { DType } from '../../src/ir/dtype.ts'
import type { Tensor } from '../../src/ir/tensor.ts'
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from '../../src/onnx/generated/onnx_pb.ts'
import { encodeTensor, parseTensor } from '../../src/onnx/index.ts'
import { tensorFromProto } from '../../src/onnx/tensor.ts'

type Fields = Partial<Omit<TensorProto, '$typeName' | '$unknown'>>
const parse = (fields: Fields) => parseTensor(toBinary(TensorProtoSchema, create(TensorProtoSchema, fields)))
const bytes = (t: Tensor) => [...t.bytes]

describe('onnx: tensors', () => {
  const typed: readonly (readonly [DType, number, Fields, readonly number[]])[] = [
    ['float32', 1, { floatData: [1, -2] }, [0, 0, 128, 63, 0, 0, 0, 192]],
    ['float64', 11, { doubleData: [1, -2] }, [0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 0, 192]],
    ['int64', 7, { int64Data: [1n, -1n] }, [1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]],
    [
      'uint64',
      13,
      { uint64Data: [1n, 2n ** 64n - 1n] },
      [1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255],
    ],
    ['uint32', 12, { uint64Data: [1n, 2n ** 32n - 1n] }, [1, 0, 0, 0, 255, 255, 255, 255]],
    ['int32', 6, { int32Data: [1, -1] }, [1, 0, 0, 0, 255, 255, 255, 255]],
    ['int16', 5, { int32Data: [1, -2] }, [1, 0, 254, 255]],
    ['uint16', 4, { int32Data: [1, 65535] }, [1, 0, 255, 255]],
    ['float16', 10, { int32Data: [0x3c00, 0xc000] }, [0, 60, 0, 192]],
    ['bfloat16', 16, { int32Data: [0x3f80, 0xc000] }, [128, 63, 0, 192]],
    ['int8', 3, { int32Data: [1, -1] }, [1, 255]],
    ['uint8', 2, { int32Data: [1, 255] }, [1, 255]],
    ['bool', 9, { int32Data: [1, 0] }, [1, 0]],
    ['float8e4m3fn', 17, { int32Data: [0x38, 0xb8] }, [0x38, 0xb8]],
    ['int4', 22, { int32Data: [0xf1] }, [0xf1]],
    ['uint2', 25, { int32Data: [0x0b] }, [0x0b]],
    ['float4e2m1', 23, { int32Data: [0x21] }, [0x21]],
  ]
  for (const [dtype, dataType, fields, expected] of typed)
    it(`${dtype} elements may be in the typed field or packed`, () => {
      expect(bytes(parse({ dataType, dims: [2n], ...fields }))).to.deep.equal(expected)
      const packed = parse({ dataType, dims: [2n], rawData: Uint8Array.from(expected) })
      expect(packed).to.deep.equal({ dtype, shape: [2], bytes: Uint8Array.from(expected) })
    })

  it('complex numbers are pairs', () => {
    expect(parse({ dataType: 14, dims: [1n], floatData: [1, 2] }).bytes.length).to.equal(8)
    expect(parse({ dataType: 15, dims: [1n], doubleData: [1, 2] }).bytes.length).to.equal(16)
  })

  it('strings keep their bytes', () => {
    const strings = [Uint8Array.of(104, 105), Uint8Array.of(255)]
    const t = parse({ dataType: 8, dims: [2n], stringData: strings })
    expect(t.strings).to.deep.equal(strings)
    expect(parseTensor(encodeTensor(t, 's'))).to.deep.equal(t)
  })

  it('a scalar has one element and an empty tensor none', () => {
    expect(parse({ dataType: 1, floatData: [3] }).shape).to.deep.equal([])
    expect(parse({ dataType: 1, dims: [0n, 3n] }).bytes.length).to.equal(0)
  })

  it('a stored tensor is read back as it was', () => {
    const t: Tensor = { dtype: 'float32', shape: [2, 1], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }
    expect(parseTensor(encodeTensor(t, 'x'))).to.deep.equal(t)
  })

  for (const [what, fields, message] of [
    ['too few elements', { dataType: 1, dims: [3n], floatData: [1, 2] }, 'expected 12 bytes for float32[3], got 8'],
    ['too many bytes', { dataType: 7, dims: [1n], rawData: new Uint8Array(9) }, 'expected 8 bytes for int64[1], got 9'],
    ['too few strings', { dataType: 8, dims: [2n], stringData: [] }, 'expected 2 strings'],
    ['a negative dimension', { dataType: 1, dims: [-1n] }, 'dimensions of 0 and more'],
    ['a dimension beyond all memory', { dataType: 1, dims: [2n ** 62n] }, 'dimensions of 0 and more'],
    ['a product beyond all memory', { dataType: 1, dims: [2n ** 40n, 2n ** 40n], floatData: [1] }, 'fits into memory'],
    [
      'more elements than are stored',
      { dataType: 1, dims: [2n ** 40n], floatData: [1] },
      'expected 4398046511104 bytes',
    ],
    [
      'a segment',
      { dataType: 1, dims: [1n], segment: { $typeName: 'onnx.TensorProto.Segment', begin: 0n, end: 1n } },
      'a whole tensor',
    ],
    [
      'unresolved external data',
      { dataType: 1, dims: [1n], dataLocation: TensorProto_DataLocation.EXTERNAL },
      'external data',
    ],
    ['an unknown element type', { dataType: 99, dims: [1n] }, 'a known element type'],
  ] as const)
    it(`${what} is the user's error`, () => {
      expect(() => parse(fields as unknown as Fields)).to.throw(UserError, message)
    })

  it('an unknown element type is not ours to read', () => {
    expect(tensorFromProto(create(TensorProtoSchema, { dataType: 27, dims: [1n] }), 't')).to.equal(null)
  })

  it("bytes that are no protobuf message are the user's error", () => {
    expect(() => parseTensor(Uint8Array.of(8, 255, 255))).to.throw(UserError, 'binary format')
  })

  it('a tensor cut out of a Buffer is usable at any alignment', () => {
    const whole = Buffer.from(
      encodeTensor({ dtype: 'float64', shape: [1], bytes: new Uint8Array(8) }, 'a name that shifts the data'),
    )
    const t = parseTensor(whole)
    expect(Object.getPrototypeOf(t.bytes)).to.equal(Uint8Array.prototype)
  })
})
