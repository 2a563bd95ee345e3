// A few random graphs around each rule; `npm run fuzz:rules` draws thousands.
import { expect } from 'chai'
import { ruleFamilies } from '../../../src/rewrite/rules/index.ts'
import { fuzzRule } from './fuzz.ts'

const CASES = 10
const FROM = 1_000_000

describe('rewrite: random graphs around every rule', function () {
  this.timeout(60_000)
  for (const rule of ruleFamilies.flatMap((f) => f.rules))
    it(`${rule.name} keeps every value`, async () => {
      const tally = await fuzzRule(rule, { cases: CASES, from: FROM, failures: 1 })
      expect(
        tally.failures.map((f) => `seed ${f.seed}: ${f.wrong[0]}`),
        `npm run fuzz:rules -- --rule ${rule.name}`,
      ).to.deep.equal([])
      expect(tally.cases).to.equal(CASES)
    })
})
