import { expect } from 'chai'
import { chooseVariant, speedupOf } from '../../src/search/choose.ts'

const timed = (name: string, median: number, spread: number) => ({
  kind: 'timed' as const,
  name,
  ratio: { median, low: median - spread, high: median + spread },
})

const nothing = { preferred: () => 0, predicted: () => 1, promises: () => false }

describe('choosing a variant', () => {
  it('takes the fastest that is faster beyond doubt', () => {
    const verdict = chooseVariant([timed('a', 0.9, 0.02), timed('b', 0.7, 0.02)], nothing)
    expect(verdict).to.include({ kind: 'gain', name: 'b' })
  })
  it('is silent about what is within the noise: an interval that reaches 1 is no gain', () => {
    expect(chooseVariant([timed('a', 0.95, 0.06)], nothing).kind).to.equal('no-gain')
  })
  it('a sure gain under one percent is not worth a file', () => {
    expect(chooseVariant([timed('a', 0.995, 0.001)], nothing).kind).to.equal('no-gain')
  })
  it('what timing cannot tell apart, the preference decides', () => {
    const error = new Map([
      ['a', 1e-4],
      ['b', 1e-6],
    ])
    const preferred = (n: string) => error.get(n)!
    const verdict = chooseVariant([timed('a', 0.8, 0.01), timed('b', 0.8005, 0.01)], { ...nothing, preferred })
    expect(verdict).to.include({ kind: 'gain', name: 'b' })
  })
  it('what was predicted counts where timing is in doubt, and not where it is sure', () => {
    const predicted = (n: string) => (n === 'a' ? 1 : 1.12)
    const choose = (spread: number) =>
      chooseVariant([timed('a', 0.455, spread), timed('b', 0.451, spread)], { ...nothing, predicted })
    expect(choose(0.025)).to.include({ kind: 'gain', name: 'a' })
    expect(choose(0.0005)).to.include({ kind: 'gain', name: 'b' })
  })
  it('a prediction alone makes nothing faster than the original', () => {
    const predicted = (n: string) => (n === 'a' ? 0.1 : 1)
    const verdict = chooseVariant([timed('a', 1.02, 0.05), timed('b', 0.9, 0.05)], { ...nothing, predicted })
    expect(verdict).to.include({ kind: 'gain', name: 'b' })
  })
  it('what noise hides is in doubt if it promises a gain', () => {
    const hidden = [timed('a', 0.9, 0.15), timed('b', 0.93, 0.15), timed('c', 1.2, 0.3)]
    expect(chooseVariant(hidden, nothing)).to.not.have.property('inDoubt')
    expect(chooseVariant(hidden, { ...nothing, promises: () => true })).to.include({ kind: 'no-gain', inDoubt: 'a' })
    expect(chooseVariant(hidden, { ...nothing, promises: (n) => n !== 'a' })).to.include({ inDoubt: 'b' })
    expect(chooseVariant(hidden, { ...nothing, promises: (n) => n === 'c' })).to.not.have.property('inDoubt')
  })
  it('a failed variant is passed over, and none at all is no gain', () => {
    expect(chooseVariant([{ kind: 'failed', name: 'a' }], nothing)).to.include({ kind: 'no-gain' })
  })
  it('a speed-up is the ratio turned over, its interval too', () => {
    expect(speedupOf(timed('a', 0.5, 0.1))).to.deep.equal({ speedup: 2, interval: [1 / 0.6, 1 / 0.4] })
  })
})
