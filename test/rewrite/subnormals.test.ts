import { expect } from 'chai'
import { ndarray, tensor, toNdArray } from '../../src/ir/tensor.ts'
import { ConstantTable } from '../../src/rewrite/constants.ts'

describe('rewrite: numbers below the normal range', () => {
  const least = 2 ** -126
  const values = [1, least, -least / 2, 0, 1e-39, 1e-60, -2, 3]
  const weights = (table: ConstantTable) => table.given(tensor('float32', [2, 4], values), 'w')

  it('are counted where they are: normal numbers, zeros, and what rounds to zero are none', () => {
    const table = new ConstantTable()
    expect(table.subnormalShare(weights(table))).to.equal(2 / 8)
    expect(table.subnormalShare(table.literal(ndarray('float64', [1], [1e-39])))).to.equal(0)
    expect(table.subnormalShare(table.literal(ndarray('float32', [0, 4], [])))).to.equal(0)
  })

  it('are found in a share of the rows of large weights', () => {
    const table = new ConstantTable()
    const large = Float64Array.from({ length: 512 * 512 }, (_, i) => (i % 10 === 0 ? 1e-39 : 1))
    expect(table.subnormalShare(table.literal(ndarray('float32', [512, 512], large)))).to.be.closeTo(0.1, 0.01)
  })

  it('are counted by runs of 16 along an axis too', () => {
    const table = new ConstantTable()
    const data = new Float64Array(20 * 3).fill(1)
    data[17 * 3 + 1] = 1e-39 // in the second run, of four, of the middle column
    const w = table.literal(ndarray('float32', [20, 3], data))
    expect(table.subnormalRuns(w, 0)).to.equal(1 / 6)
    expect(table.subnormalRuns(w, 1)).to.equal(1 / 20)
  })

  it('become zero in a constant of its own, though the two are nearly equal', () => {
    const table = new ConstantTable()
    const w = weights(table)
    const flushed = table.flushed(w)
    expect(flushed).to.not.equal(w)
    expect(table.flushed(w)).to.equal(flushed)
    expect([...toNdArray(table.tensor(flushed)).data].map((x) => x + 0)).to.deep.equal([1, least, 0, 0, 0, 0, -2, 3])
    expect(table.subnormalShare(flushed)).to.equal(0)
    const halved = (id: typeof w) =>
      table.derive('half', [id], 8, () => ({ ...table.array(id), data: table.array(id).data.map((v) => v / 2) }))!
    expect(halved(flushed)).to.not.equal(halved(w))
    expect(table.subnormalShare(halved(flushed))).to.equal(1 / 8) // 2^-127
    expect([...toNdArray(table.tensor(w)).data][4]).to.be.closeTo(1e-39, 1e-44)
  })
})
