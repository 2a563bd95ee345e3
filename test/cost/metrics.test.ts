// Metrics against cases that can be worked out by hand.
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import {
  type Group,
  intervalsOf,
  type JudgedVariant,
  metricsOf,
  pairwiseAccuracy,
  regretAt,
} from '../../src/cost/metrics.ts'

const variant = (predicted: number, measured: number, more: Partial<JudgedVariant> = {}): JudgedVariant => ({
  predicted,
  measured,
  repeats: [measured],
  noise: 0.01,
  isOriginal: false,
  ...more,
})
const group = (root: string, ...variants: JudgedVariant[]): Group => ({ root, absolute: true, variants })

describe('metrics', () => {
  it('of a perfect predictor are perfect', () => {
    const perfect = group('a', variant(100, 100, { isOriginal: true }), variant(80, 80), variant(50, 50))
    const m = metricsOf([perfect])
    expect(m).to.include({ mape: 0, within10: 1, kendallTau: 1, pairwise: 1, top5Regret: 0, gainCapture: 1 })
    expect(m.top1Regret).to.deep.equal({ mean: 0, p90: 0, max: 0 })
    expect(m.notes).to.deep.equal([])
  })
  it('of a predictor that is right in order and wrong in scale rank well and measure badly', () => {
    const m = metricsOf([group('a', variant(200, 100), variant(100, 50))])
    expect(m).to.include({ mape: 1, within10: 0, kendallTau: 1, pairwise: 1 })
  })
  it('weigh every root the same, however many variants it has', () => {
    const good = group('good', variant(10, 10), variant(20, 20))
    const bad = group('bad', ...Array.from({ length: 50 }, (_, i) => variant(50 - i, 10 + i)))
    expect(metricsOf([good, bad]).kendallTau).to.equal(0)
  })
  it('count a pair only if it differs by more than twice its noise', () => {
    const near = [variant(1, 100), variant(2, 101)]
    const far = [variant(1, 100), variant(2, 90)]
    expect(pairwiseAccuracy(near)).to.equal(null)
    expect(pairwiseAccuracy(far)).to.equal(0)
    expect(metricsOf([group('a', ...near)]).notes.join()).to.contain('pairwise')
  })
  it('count equal predictions as half right', () => {
    expect(pairwiseAccuracy([variant(1, 100), variant(1, 50)])).to.equal(0.5)
  })
  it('take the regret from other measurements than the choice', () => {
    // The second looks fastest in the first repeat only: choosing it is no skill, and finding it is no oracle.
    const variants = [variant(2, 10, { repeats: [10, 10, 10] }), variant(1, 10, { repeats: [8, 12, 12] })]
    expect(regretAt(variants, 1)).to.equal(0)
    expect(regretAt([variant(1, 10, { repeats: [10, 12] }), variant(2, 10, { repeats: [9, 10] })], 1)).to.be.closeTo(
      0.2,
      1e-9,
    )
  })
  it('shrink the regret when more of the best predicted are measured', () => {
    const variants = [variant(1, 30), variant(2, 20), variant(3, 10)]
    expect([1, 2, 3].map((k) => Number(regretAt(variants, k).toFixed(9)))).to.deep.equal([2, 1, 0])
  })
  it('have no gain to capture where nothing is faster than the original beyond the noise', () => {
    const m = metricsOf([group('a', variant(10, 10, { isOriginal: true }), variant(9.95, 9.95))])
    expect(m.gainCapture).to.equal(null)
    expect(m.notes.join()).to.contain('gainCapture')
  })
  it('capture no gain by choosing worse than the original, which is always there to fall back on', () => {
    const m = metricsOf([group('a', variant(10, 10, { isOriginal: true }), variant(1, 20), variant(30, 5))])
    expect(m.gainCapture).to.equal(0)
  })
  it('lower the ceiling of tau with the noise of the labels', () => {
    const at = (noise: number) =>
      metricsOf([group('a', ...[10, 11, 12, 13].map((t) => variant(t, t, { noise })))]).tauCeiling!
    expect(at(0.001)).to.be.above(0.98)
    expect(at(0.05)).to.be.below(at(0.01)).and.above(0)
  })
  it('of nothing are null, each with its reason', () => {
    const { notes, ...numbers } = metricsOf([])
    expect(Object.values(numbers).every((v) => v === null)).to.equal(true)
    expect(notes).to.have.length(Object.keys(numbers).length)
  })
  it('come with intervals that hold the mean and are the same for the same seed', () => {
    const random = createRandom(3)
    const groups = Array.from({ length: 12 }, (_, i) =>
      group(`${i}`, ...Array.from({ length: 6 }, () => variant(random.next(), 1 + random.next()))),
    )
    const intervals = intervalsOf(groups, createRandom(1))
    const { mape } = metricsOf(groups)
    expect(mape).to.be.within(intervals.mape!.low, intervals.mape!.high)
    expect(intervalsOf(groups, createRandom(1))).to.deep.equal(intervals)
  })
})
