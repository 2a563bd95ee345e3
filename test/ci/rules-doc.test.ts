import { expect } from 'chai'
import { rulesDocument, writtenRules } from '../../.ci/rules-doc.ts'

describe('docs/rules.md', () => {
  it('says what the tables of rules say; otherwise run `npm run docs`', () => {
    expect(writtenRules()).to.equal(rulesDocument())
  })
})
