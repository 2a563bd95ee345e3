import { expect } from 'chai'
import { fitsGrowth, growthWarnings } from '../../src/search/growth.ts'

const MB = 2 ** 20
const ranked = (id: string, predictedMs: number) => ({ id, predictedMs, model: { graph: id } }) as never
const sizesOf = (bytes: Readonly<Record<string, number>>) =>
  ({ original: { graph: 'original' }, weightBytes: (graph: unknown) => bytes[graph as string]! }) as never
const rankingOf = (...variants: never[]) => ({ original: ranked('original', 10), variants }) as never

describe('search: growth of constants', () => {
  it('twice the size is allowed by default, and a few megabytes whatever the size', () => {
    const large = fitsGrowth(sizesOf({ original: 100 * MB, twice: 200 * MB, more: 201 * MB }), null)
    expect([ranked('twice', 1), ranked('more', 1)].map(large)).to.deep.equal([true, false])
    const small = fitsGrowth(sizesOf({ original: MB, twice: 5 * MB, more: 6 * MB }), null)
    expect([ranked('twice', 1), ranked('more', 1)].map(small)).to.deep.equal([true, false])
  })

  it('a limit of the user’s holds as it is', () => {
    const fits = fitsGrowth(sizesOf({ original: MB, a: 1.5 * MB, b: 1.6 * MB }), 1.5)
    expect([ranked('a', 1), ranked('b', 1)].map(fits)).to.deep.equal([true, false])
  })

  it('says what the limit costs, and how to lift it, only where it costs something', () => {
    const sizes = sizesOf({ original: 100 * MB, small: 100 * MB, large: 310 * MB })
    expect(growthWarnings(rankingOf(ranked('large', 2), ranked('small', 8)), sizes, null)).to.deep.equal([
      'a variant predicted 5.00x as fast was left out, since its constants are 3.1 times as large; allow it with --max-growth 3.1',
    ])
    expect(growthWarnings(rankingOf(ranked('small', 2), ranked('large', 1.95)), sizes, null)).to.deep.equal([])
    expect(growthWarnings(rankingOf(ranked('large', 2)), sizes, 4)).to.deep.equal([])
  })
})
