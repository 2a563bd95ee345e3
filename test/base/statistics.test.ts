import { expect } from 'chai'
import fc from 'fast-check'
import { createRandom } from '../../src/base/random.ts'
import {
  bootstrapInterval,
  geometricMean,
  interquartileRange,
  kendallCeiling,
  kendallTau,
  maximum,
  mean,
  median,
  medianAbsoluteDeviation,
  minimum,
  quantile,
  ranks,
  sigmaFromIqr,
  spearmanRho,
  standardDeviation,
  summarize,
} from '../../src/base/statistics.ts'

const sample = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 40 })
const varies = (xs: readonly number[]) => new Set(xs).size > 1

describe('statistics', () => {
  it('summarises a known sample', () => {
    expect(summarize([4, 1, 3, 2])).to.deep.equal({ median: 2.5, iqr: 1.5, min: 1, n: 4 })
    expect([mean([1, 2, 6]), median([1, 2, 6]), minimum([2, 1]), maximum([2, 1])]).to.deep.equal([3, 2, 1, 2])
    expect(geometricMean([1, 4])).to.be.closeTo(2, 1e-12)
    expect(standardDeviation([2, 4])).to.be.closeTo(Math.SQRT2, 1e-12)
    expect(standardDeviation([7])).to.equal(0)
    expect(medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9])).to.equal(1)
    expect(quantile([1, 2, 3, 4, 5], 0.9)).to.be.closeTo(4.6, 1e-12)
    expect(interquartileRange([1, 1, 1])).to.equal(0)
  })

  it('refuses an empty sample by name', () => {
    for (const f of [mean, median, minimum, summarize]) expect(() => f([])).to.throw(/empty sample/)
  })

  it('leaves the sample as it was', () => {
    fc.assert(
      fc.property(sample, (xs) => {
        const before = [...xs]
        summarize(xs)
        ranks(xs)
        expect(xs).to.deep.equal(before)
      }),
      { seed: 1 },
    )
  })

  it('gives the deviation of a normal sample from its quartiles', () => {
    const random = createRandom(3)
    const xs = Array.from({ length: 20_000 }, () => 5 + 2 * random.normal())
    expect(sigmaFromIqr(interquartileRange(xs))).to.be.closeTo(2, 0.06)
  })

  describe('bootstrap', () => {
    const noisy = (n: number, seed: number) => {
      const random = createRandom(seed)
      return Array.from({ length: n }, () => 10 + random.normal())
    }

    it('depends on the seed alone', () => {
      const once = () => bootstrapInterval(noisy(30, 1), median, createRandom(7))
      expect(once()).to.deep.equal(once())
      expect(once()).to.not.deep.equal(bootstrapInterval(noisy(30, 1), median, createRandom(8)))
    })

    it('covers the true mean about as often as it says', () => {
      let covered = 0
      for (let seed = 0; seed < 200; seed++) {
        const interval = bootstrapInterval(noisy(40, seed), mean, createRandom(seed), { resamples: 300 })
        if (interval.low <= 10 && 10 <= interval.high) covered++
      }
      expect(covered).to.be.within(176, 199) // 95 % nominal; the percentile bootstrap undercovers slightly
    })

    it('shrinks a constant sample to a point', () => {
      expect(bootstrapInterval([3, 3, 3], median, createRandom(1))).to.deep.equal({ low: 3, high: 3 })
    })

    it('resamples whole groups', () => {
      const groups = [
        [1, 2],
        [3, 4],
        [5, 6],
      ]
      const seen = new Set<number>()
      const size = (drawn: readonly (readonly number[])[]) => {
        for (const g of drawn) seen.add(groups.indexOf(g as number[]))
        return drawn.length
      }
      expect(bootstrapInterval(groups, size, createRandom(1))).to.deep.equal({ low: 3, high: 3 })
      expect(seen).to.deep.equal(new Set([0, 1, 2]))
    })
  })

  describe('rank correlation', () => {
    it('agrees with published values', () => {
      // Kendall 1938's example rankings; scipy.stats.kendalltau([12,2,1,12,2],[1,4,7,1,0]) = -0.47140
      expect(kendallTau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0])).to.be.closeTo(-0.4714045, 1e-6)
      // scipy.stats.spearmanr([1,2,3,4,5],[5,6,7,8,7]) = 0.8207826816681233
      expect(spearmanRho([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])).to.be.closeTo(0.8207826816681233, 1e-12)
    })

    it('is 1 against itself, -1 against its negative, symmetric, and blind to monotone maps', () => {
      fc.assert(
        fc.property(sample.filter(varies), (xs) => {
          const ys = xs.map((x) => x ** 3 + x)
          for (const correlation of [kendallTau, spearmanRho]) {
            expect(correlation(xs, ys)).to.be.closeTo(1, 1e-9)
            expect(
              correlation(
                xs,
                xs.map((x) => -x),
              ),
            ).to.be.closeTo(-1, 1e-9)
            const other = xs.map((_, i) => (i * 7919) % 13)
            if (varies(other)) expect(correlation(xs, other)).to.be.closeTo(correlation(other, xs), 1e-9)
          }
        }),
        { seed: 2 },
      )
    })

    it('is not a number where one side does not vary', () => {
      expect(kendallTau([1, 1], [1, 2])).to.satisfy(Number.isNaN)
      expect(spearmanRho([1, 1], [1, 2])).to.satisfy(Number.isNaN)
    })

    it('shares the mean rank among ties', () => {
      expect(ranks([10, 20, 20, 5])).to.deep.equal([2, 3.5, 3.5, 1])
    })

    it('has the ceiling that noisy labels leave to a perfect predictor', () => {
      const random = createRandom(11)
      const truth = Array.from({ length: 2000 }, () => random.normal())
      const labels = truth.map((t) => t + 0.5 * random.normal())
      expect(kendallTau(truth, labels)).to.be.closeTo(kendallCeiling(1, 0.5), 0.03)
      expect([kendallCeiling(1, 0), kendallCeiling(0, 1)]).to.deep.equal([1, 0])
    })
  })
})
