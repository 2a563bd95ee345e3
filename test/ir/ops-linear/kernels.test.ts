// The float64 kernels against the plainest possible statement of what they compute.
import { expect } from 'chai'
import fc from 'fast-check'
import { createRandom } from '../../../src/base/random.ts'
import { attend } from '../../../src/ir/kernels/attention.ts'
import { matmul, matmulInto } from '../../../src/ir/kernels/matmul.ts'
import { gather, matmulStacked, permute, transposeLast } from '../../../src/ir/kernels/stacked.ts'
import { elementCount } from '../../../src/ir/shape.ts'

const SEED = 20260
const size = fc.integer({ min: 0, max: 11 })
const numbers = (count: number, seed: number): Float64Array => {
  const random = createRandom(seed)
  return Float64Array.from({ length: count }, () => random.below(19) - 9)
}

/** Integers keep every order of summation exact. */
function plainMatmul(a: Float64Array, b: Float64Array, m: number, k: number, n: number): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    let sum = 0
    for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[p * n + j]!
    return sum
  })
}

describe('ir: float64 kernels', () => {
  it('multiply matrices of every size, empty ones included', () => {
    fc.assert(
      fc.property(size, size, size, fc.nat(999), (m, k, n, seed) => {
        const [a, b] = [numbers(m * k, seed), numbers(k * n, seed + 1)]
        expect(Array.from(matmul(a, b, m, k, n))).to.deep.equal(plainMatmul(a, b, m, k, n))
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  it('multiply slices of larger arrays and touch nothing around the result', () => {
    const [a, b] = [numbers(3 + 5 * 4, 1), numbers(2 + 4 * 6, 2)]
    const out = new Float64Array(40).fill(99)
    matmulInto(out, a, b, 5, 4, 6, { a: 3, b: 2, out: 7 })
    expect(Array.from(out.subarray(7, 37))).to.deep.equal(plainMatmul(a.slice(3), b.slice(2), 5, 4, 6))
    expect([...out.subarray(0, 7), ...out.subarray(37)]).to.deep.equal(new Array(10).fill(99))
  })

  it('keep what is not a number: zero times infinity is NaN at every size', () => {
    for (const m of [1, 4, 5]) {
      const a = new Float64Array(m * 3)
      const b = new Float64Array(15).fill(Infinity)
      expect(Array.from(matmul(a, b, m, 3, 5)).every(Number.isNaN)).to.equal(true)
    }
  })

  it('broadcast stacks of matrices as NumPy does', () => {
    const a = { shape: [2, 1, 3, 2], data: numbers(12, 3) }
    const b = { shape: [3, 2, 4], data: numbers(24, 4) }
    const product = matmulStacked(a, b)
    expect(product.shape).to.deep.equal([2, 3, 3, 4])
    for (let i = 0; i < 6; i++) {
      const left = a.data.slice(Math.floor(i / 3) * 6, Math.floor(i / 3) * 6 + 6)
      const right = b.data.slice((i % 3) * 8, (i % 3) * 8 + 8)
      expect(Array.from(product.data.slice(i * 12, i * 12 + 12))).to.deep.equal(plainMatmul(left, right, 3, 2, 4))
    }
  })

  it('undo a permutation by its inverse', () => {
    const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 4 }), orders, (shape, order) => {
        const x = { shape, data: numbers(elementCount(shape), 5) }
        const back = order.map((_, axis) => order.indexOf(axis))
        expect(permute(permute(x, order), back)).to.deep.equal(x)
      }),
      { seed: SEED, numRuns: 100 },
    )
  })

  it('gather with a stride of zero by repeating', () => {
    expect(Array.from(gather(Float64Array.of(1, 2), [2, 3], [1, 0]))).to.deep.equal([1, 1, 1, 2, 2, 2])
    expect(Array.from(gather(Float64Array.of(7), [], []))).to.deep.equal([7])
    expect(transposeLast({ shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) }).data).to.deep.equal(
      Float64Array.of(1, 4, 2, 5, 3, 6),
    )
  })

  it('give zeros to a query that may attend no key', () => {
    const q = { shape: [1, 1, 2, 1], data: Float64Array.of(1, 2) }
    const k = { shape: [1, 1, 2, 1], data: Float64Array.of(3, 4) }
    const v = { shape: [1, 1, 2, 1], data: Float64Array.of(5, 7) }
    const bias = (_b: number, _h: number, i: number, j: number) => (i === 0 || j === 0 ? -Infinity : 0)
    const { y } = attend(q, k, v, { scale: 1, softcap: 0, bias })
    expect(Array.from(y.data)).to.deep.equal([0, 7])
  })
})
