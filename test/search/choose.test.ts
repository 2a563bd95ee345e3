import { expect } from 'chai'
import { chooseVariant, speedupOf } from '../../src/search/choose.ts'

const timed = (name: string, median: number, spread: number) => ({
  kind: 'timed' as const,
  name,
  ratio: { median, low: median - spread, high: median + spread },
})

describe('choosing a variant', () => {
  it('takes the fastest that is faster beyond doubt', () => {
    const verdict = chooseVariant([timed('a', 0.9, 0.02), timed('b', 0.7, 0.02)], () => 0)
    expect(verdict).to.include({ kind: 'gain', name: 'b' })
  })
  it('is silent about what is within the noise: an interval that reaches 1 is no gain', () => {
    expect(chooseVariant([timed('a', 0.95, 0.06)], () => 0).kind).to.equal('no-gain')
  })
  it('a sure gain under one percent is not worth a file', () => {
    expect(chooseVariant([timed('a', 0.995, 0.001)], () => 0).kind).to.equal('no-gain')
  })
  it('what timing cannot tell apart, the preference decides', () => {
    const error = new Map([
      ['a', 1e-4],
      ['b', 1e-6],
    ])
    const verdict = chooseVariant([timed('a', 0.8, 0.01), timed('b', 0.8005, 0.01)], (n) => error.get(n)!)
    expect(verdict).to.include({ kind: 'gain', name: 'b' })
  })
  it('a failed variant is passed over, and none at all is no gain', () => {
    expect(chooseVariant([{ kind: 'failed', name: 'a' }], () => 0)).to.include({ kind: 'no-gain' })
  })
  it('a speed-up is the ratio turned over, its interval too', () => {
    expect(speedupOf(timed('a', 0.5, 0.1))).to.deep.equal({ speedup: 2, interval: [1 / 0.6, 1 / 0.4] })
  })
})
