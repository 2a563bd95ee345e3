import { expect } from 'chai'
import type { Ranked } from '../../src/search/rank.ts'
import type { Verified } from '../../src/trial/trial.ts'
import { nextOf } from '../../src/trial/verify-ranked.ts'

const variant = (id: string, ...rules: string[]): Ranked =>
  ({ id, candidate: { rules: new Map(rules.map((r) => [r, 1])) } }) as unknown as Ranked
const compared = (passed: boolean, ...variants: Ranked[]): Verified[] =>
  variants.map((ranked) => ({ ranked, verification: { passed } }) as unknown as Verified)

describe('which variant is compared next', () => {
  const rough = [1, 2, 3, 4].map((i) => variant(`rough ${i}`, 'lin-push', 'sloppy'))
  const other = variant('other', 'lin-push')
  const queue = [...rough, other, variant('last', 'sloppy')]

  it('is the best that was not', () => {
    expect(nextOf(queue, [])).to.equal(rough[0])
    expect(nextOf(queue, compared(true, ...rough.slice(0, 3)))).to.equal(rough[3])
    expect(nextOf(queue, compared(false, ...rough.slice(0, 2)))).to.equal(rough[2])
    expect(nextOf([other], compared(true, other))).to.equal(undefined)
  })

  it('once three have failed and none has passed, is the best without some rule that all of them use', () => {
    const failed = compared(false, ...rough.slice(0, 3))
    expect(nextOf(queue, failed)).to.equal(other)
    expect(nextOf(rough, failed)).to.equal(rough[3])
    expect(nextOf(queue, [...failed, ...compared(false, other)])).to.equal(queue.at(-1))
    expect(nextOf(queue, [...failed, ...compared(true, other)])).to.equal(rough[3])
  })

  it('once six have failed, is the one that the fewest rules changed', () => {
    const many = [1, 2, 3, 4, 5, 6].map((i) => variant(`${i}`, 'a', 'b', `${i}`))
    const [both, one] = [variant('both', 'a', 'c'), variant('one', 'b')]
    expect(nextOf([...many, both, one], compared(false, ...many.slice(0, 5)))).to.equal(both)
    expect(nextOf([...many, both, one], compared(false, ...many))).to.equal(one)
  })
})
