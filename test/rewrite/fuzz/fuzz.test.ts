// A few random graphs around each rule; `npm run fuzz:rules` draws thousands. And that a long run may be done in pieces.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Rule, ruleMaker } from '../../../src/rewrite/rule.ts'
import { ruleFamilies } from '../../../src/rewrite/rules/index.ts'
import { fuzzRule } from './fuzz.ts'
import { FuzzRecord } from './record.ts'

const CASES = 10
const FROM = 1_000_000
const rules: readonly Rule[] = ruleFamilies.flatMap((f) => f.rules)
const named = (name: string): Rule => rules.find((r) => r.name === name)!

describe('rewrite: random graphs around every rule', function () {
  this.timeout(60_000)
  for (const rule of rules)
    it(`${rule.name} keeps every value`, async () => {
      const tally = await fuzzRule(rule, { cases: CASES, from: FROM, failures: 1 })
      expect(
        tally.failures.map((f) => `seed ${f.seed}: ${f.wrong[0]}`),
        `npm run fuzz:rules -- --rule ${rule.name}`,
      ).to.deep.equal([])
      expect(tally.cases).to.equal(CASES)
    })
})

describe('rewrite: fuzzing itself', function () {
  this.timeout(60_000)

  it('finds a law that does not hold, and makes the graph small', async () => {
    const name = 'sum-as-double'
    const wrong = ruleMaker({ source: 'none' })(name, 'x + y = x', ['Add'], (t, n) =>
      t.isConstant(t.child(n, 0)) ? [] : [t.expand(t.child(n, 0), t.shape(t.egraph.classOf(n)))!],
    )
    const { failures } = await fuzzRule(wrong, { cases: 10, from: 0, failures: 1 })
    expect(failures).to.have.lengthOf(1)
    expect(failures[0]!.graph.nodes).to.have.lengthOf(1)
  })

  it('does a run in pieces as in one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-record-'))
    const path = join(folder, 'record.json')
    const rule = named('double-as-sum')
    for (const cases of [3, 4]) {
      const record = new FuzzRecord(path, 5)
      record.add(await fuzzRule(rule, { cases, from: record.of(rule.name).next }))
    }
    const { failures, ...whole } = await fuzzRule(rule, { cases: 7, from: 5 })
    expect(failures).to.deep.equal([])
    expect({ rule: rule.name, ...new FuzzRecord(path, 0).of(rule.name) }).to.deep.equal({ ...whole, from: 5, wrong: 0 })
    rmSync(folder, { recursive: true })
  })
})
