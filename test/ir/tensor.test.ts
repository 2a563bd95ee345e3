import { expect } from 'chai'
import fc from 'fast-check'
import { InvariantError, UnsupportedError } from '../../src/base/errors.ts'
import {
  type Attributes,
  attributesKey,
  float,
  floats,
  getFloat,
  getFloats,
  getInt,
  getInts,
  getText,
  int,
  ints,
  text,
} from '../../src/ir/attribute.ts'
import { namedDim } from '../../src/ir/dim.ts'
import { bytesOf, DTYPES, type DType, dtypeFromOnnx } from '../../src/ir/dtype.ts'
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../../src/ir/half.ts'
import { broadcastShapes, elementCount, evaluateShape, type Shape, shapeText, stridesOf } from '../../src/ir/shape.ts'
import { fromNdArray, integersOf, ndarray, tensor, tensorBytes, toNdArray } from '../../src/ir/tensor.ts'

interface HalfFormat {
  readonly encode: (x: number) => number
  readonly decode: (bits: number) => number
  readonly infinity: number
}
const HALVES: Readonly<Record<string, HalfFormat>> = {
  float16: { encode: encodeFloat16, decode: decodeFloat16, infinity: 0x7c00 },
  bfloat16: { encode: encodeBfloat16, decode: decodeBfloat16, infinity: 0x7f80 },
}

describe('ir: half floats', () => {
  for (const [name, { encode, decode, infinity }] of Object.entries(HALVES)) {
    it(`every ${name} that is a number comes back from its value`, () => {
      for (let bits = 0; bits < 65536; bits++) {
        const x = decode(bits)
        if ((bits & 0x7fff) > infinity) expect(x).to.be.NaN
        else if (encode(x) !== bits) expect.fail(`${bits.toString(16)} -> ${x} -> ${encode(x).toString(16)}`)
      }
      expect(decode(encode(Number.NaN))).to.be.NaN
    })

    it(`a number becomes the nearest ${name}, ties the even one`, () => {
      // Numbers at, just above and just below the middle between two neighbours.
      const nudge = fc.constantFrom(0, 1, -1, 1e9, -1e9)
      fc.assert(
        fc.property(fc.integer({ min: 0, max: infinity - 2 }), nudge, fc.boolean(), (bits, ulps, negative) => {
          const [low, high] = [decode(bits), decode(bits + 1)]
          const middle = (low + high) / 2
          const x = middle + ulps * middle * 2 ** -52
          const nearest = ulps > 0 ? bits + 1 : ulps < 0 ? bits : bits + (bits & 1)
          expect(encode(negative ? -x : x), String(x)).to.equal(negative ? nearest | 0x8000 : nearest)
        }),
        { seed: 3, numRuns: 5000 },
      )
    })

    it(`what is too large becomes an infinite ${name}`, () => {
      const largest = decode(infinity - 1)
      const step = largest - decode(infinity - 2)
      expect(encode(largest + step / 2)).to.equal(infinity)
      expect(encode(largest + step * 0.499)).to.equal(infinity - 1)
      expect(encode(Number.NEGATIVE_INFINITY)).to.equal(infinity | 0x8000)
    })
  }
})

describe('ir: tensors', () => {
  const computable = (Object.keys(DTYPES) as DType[]).filter((d) => ['float', 'int', 'bool'].includes(DTYPES[d].kind))
  for (const dtype of computable)
    it(`${dtype} numbers come back from their bytes`, () => {
      const { kind } = DTYPES[dtype]
      const low = kind === 'bool' || dtype.startsWith('u') ? 0 : -2
      const values = kind === 'bool' ? [0, 1, 1, 0] : [0, 1, low, kind === 'float' ? 0.5 : 7]
      const t = tensor(dtype, [2, 2], values)
      expect(t.bytes.length).to.equal(bytesOf(dtype, 4)).and.to.equal(tensorBytes(t))
      expect(Array.from(toNdArray(t).data)).to.deep.equal(values)
      expect(fromNdArray(toNdArray(t))).to.deep.equal(t)
    })

  it('bytes that are not aligned are read all the same', () => {
    const t = tensor('float64', [2], [1.5, -2])
    const shifted = new Uint8Array(17)
    shifted.set(t.bytes, 1)
    expect(Array.from(toNdArray({ ...t, bytes: shifted.subarray(1) }).data)).to.deep.equal([1.5, -2])
  })

  it('only integers and truth values are whole numbers', () => {
    expect(integersOf(tensor('int64', [2], [3, -1]))).to.deep.equal([3, -1])
    expect(integersOf(tensor('bool', [2], [1, 0]))).to.deep.equal([1, 0])
    expect(integersOf(tensor('float32', [1], [3]))).to.equal(null)
  })

  it('a wrong number of values, and a dtype without numbers, are refused', () => {
    expect(() => tensor('float32', [3], [1, 2])).to.throw(InvariantError)
    expect(() => fromNdArray(ndarray('string', [1], [0]))).to.throw(UnsupportedError, /string/)
    expect(() => toNdArray({ dtype: 'int4', shape: [2], bytes: new Uint8Array(1) })).to.throw(UnsupportedError, /int4/)
  })

  it('packed dtypes round their bytes up', () => {
    expect(bytesOf('int4', 3)).to.equal(2)
    expect(bytesOf('uint2', 5)).to.equal(2)
    expect(bytesOf('string', 9)).to.equal(0)
  })

  it('every dtype has its own ONNX number', () => {
    for (const dtype of Object.keys(DTYPES) as DType[]) expect(dtypeFromOnnx(DTYPES[dtype].onnx)).to.equal(dtype)
    expect(dtypeFromOnnx(0)).to.equal(null)
  })
})

describe('ir: shapes', () => {
  const [n, m] = [namedDim('n'), namedDim('m')]
  const broadcast = (...shapes: readonly Shape[]) => {
    const out = broadcastShapes(...shapes)
    return out && shapeText(out)
  }

  it('broadcast as NumPy does', () => {
    expect(broadcast([2, 1, 4], [3, 1])).to.equal('[2,3,4]')
    expect(broadcast([], [3])).to.equal('[3]')
    expect(broadcast([0, 1], [1, 5])).to.equal('[0,5]')
    expect(broadcast([2], [3])).to.equal(null)
    expect(broadcast()).to.equal('[]')
  })

  it('broadcast symbolic sizes to what a valid graph must have', () => {
    expect(broadcast([n, 1], [1, m])).to.equal('[n,m]')
    expect(broadcast([n], [4])).to.equal('[4]')
    expect(broadcast([n], [m])).to.equal('[max(m,n)]')
    expect(broadcast([n], [m], [n])).to.equal('[max(m,n)]')
  })

  it('have row-major strides, a count, and numbers once all names are bound', () => {
    expect(stridesOf([2, 3, 4])).to.deep.equal([12, 4, 1])
    expect(elementCount([])).to.equal(1)
    expect(evaluateShape([n, 2], new Map([['n', 5]]))).to.deep.equal([5, 2])
    expect(evaluateShape([n, m], new Map([['n', 5]]))).to.equal(null)
  })
})

describe('ir: attributes', () => {
  it('are read by name and kind, with a default', () => {
    const a: Attributes = {
      axis: int(2),
      alpha: float(0.5),
      perm: ints([1, 0]),
      scales: floats([2]),
      mode: text('linear'),
    }
    expect([getInt(a, 'axis', 0), getInt(a, 'alpha', 7), getInt(a, 'none', null)]).to.deep.equal([2, 7, null])
    expect([getFloat(a, 'alpha', 1), getFloat(a, 'axis', 1)]).to.deep.equal([0.5, 1])
    expect([getInts(a, 'perm', null), getInts(a, 'scales', null)]).to.deep.equal([[1, 0], null])
    expect([getFloats(a, 'scales', null), getText(a, 'mode', ''), getText(a, 'axis', 'x')]).to.deep.equal([
      [2],
      'linear',
      'x',
    ])
  })

  it('have one key whatever their order', () => {
    expect(attributesKey({ a: int(1), b: ints([2]) })).to.equal(attributesKey({ b: ints([2]), a: int(1) }))
  })

  it('have different keys if they differ in anything', () => {
    const t = (dtype: 'int32' | 'float32', ...shape: number[]) =>
      ({ kind: 'tensor', value: tensor(dtype, shape, new Array(2).fill(0)) }) as const
    const words = (...list: string[]) =>
      ({
        kind: 'tensor',
        value: {
          dtype: 'string',
          shape: [list.length],
          bytes: new Uint8Array(),
          strings: list.map((s) => new Uint8Array(Buffer.from(s))),
        },
      }) as const
    const different: Attributes[] = [
      {},
      { a: int(1) },
      { b: int(1) },
      { a: int(1), b: int(1) },
      { 'a=1,b': int(1) },
      { a: float(1) },
      { a: float(-0) },
      { a: float(0) },
      { a: text('1') },
      { a: text('[1]') },
      { a: ints([1]) },
      { a: ints([]) },
      { a: floats([1]) },
      { a: floats([]) },
      { a: { kind: 'strings', value: [] } },
      { a: { kind: 'strings', value: ['1'] } },
      { a: { kind: 'strings', value: ['1', '1'] } },
      { a: { kind: 'string', value: '1', bytes: Uint8Array.of(1) } },
      { a: { kind: 'opaque', bytes: Uint8Array.of(1) } },
      { a: t('int32', 2) },
      { a: t('float32', 2) },
      { a: t('float32', 2, 1) },
      { a: words('ab') },
      { a: words('a', 'b') },
      { a: words('', 'ab') },
    ]
    expect(new Set(different.map(attributesKey)).size).to.equal(different.length)
  })
})
