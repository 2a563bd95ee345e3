import { expect } from 'chai'
import { ruleExamples } from '../../.ci/rule-examples.ts'
import { rulesDocument, writtenRules } from '../../.ci/rules-doc.ts'
import { RULE_EXAMPLES } from '../../src/rewrite/rules/examples.ts'

describe('docs/rules.md', () => {
  it('says what the tables of rules say; otherwise run `npm run docs`', () => {
    expect(writtenRules()).to.equal(rulesDocument())
  })
})

describe('src/rewrite/rules/examples.ts', () => {
  it('shows what the rules make of their samples; otherwise run `npm run docs`', () => {
    expect(RULE_EXAMPLES).to.deep.equal(ruleExamples())
  }).timeout(60_000)
})
