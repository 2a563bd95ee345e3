// Correcting profiled durations.
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { correctedTotal, correctMicros, DEFAULT_CORRECTION, fitCorrection } from '../../src/cost/labels.ts'
import type { GraphSample } from '../../src/cost/samples.ts'

const sample = (micros: number, profiledMicros: number | null, kernels: number): GraphSample => ({
  variant: 'v',
  root: 'r',
  family: 'f',
  plans: [],
  counts: [[0, kernels]],
  micros,
  repeats: [micros],
  noise: 0.01,
  profiledMicros,
})

describe('the correction of profiled durations', () => {
  it('is found again in times that were made by one', () => {
    const random = createRandom(2)
    const graphs = Array.from({ length: 40 }, () => {
      const [kernels, profiled] = [5 + random.below(300), 1000 + random.below(20000)]
      return sample(1.05 * profiled - 1.7 * kernels, profiled, kernels)
    })
    const c = fitCorrection(graphs)
    expect(c.slope).to.be.closeTo(1.05, 1e-6)
    expect(c.perKernel).to.be.closeTo(1.7, 1e-6)
    expect(correctedTotal(c, graphs[0]!)).to.be.closeTo(graphs[0]!.micros, 1e-6)
  })
  it('is the measured default where few variants are profiled', () => {
    expect(fitCorrection([sample(100, 110, 5)])).to.equal(DEFAULT_CORRECTION)
  })
  it('is the default, and says why, where the data do not agree with any sensible one', () => {
    const graphs = Array.from({ length: 20 }, (_, i) => sample(5000 + i * 700, 1000 + i * 30, 10 + i))
    const c = fitCorrection(graphs)
    expect([c.slope, c.perKernel]).to.deep.equal([DEFAULT_CORRECTION.slope, DEFAULT_CORRECTION.perKernel])
    expect(c.note).to.contain('not plausible')
  })
  it('never makes a duration zero or negative, and keeps the order of durations', () => {
    const corrected = [0, 0.5, 1, 2, 2.5, 3, 10, 1000].map((t) => correctMicros(DEFAULT_CORRECTION, t))
    expect(corrected.every((t) => t > 0)).to.equal(true)
    expect([...corrected].sort((a, b) => a - b)).to.deep.equal(corrected)
  })
  it('has nothing to say of a graph that was not profiled', () => {
    expect(correctedTotal(DEFAULT_CORRECTION, sample(100, null, 5))).to.equal(null)
  })
})
