import { expect } from 'chai'
import { explainAnswer } from '../../src/cli/explain-answer.ts'
import type { CheckedStep } from '../../src/explain.ts'
import { gainRun } from '../report/fixtures.ts'

const [recorded] = gainRun.steps
const equal: CheckedStep = { ...recorded!, checked: true, holds: true, maxRel: 2e-16, reason: '' }
const answer = (...steps: readonly CheckedStep[]) => explainAnswer(gainRun, steps, 'out.onnx')

describe('what explain says', () => {
  it('tells of each step whether both sides are equal', () => {
    const { text, failure } = answer(equal, { ...equal, checked: false, maxRel: null, reason: 'an unknown operator' })
    expect(failure).to.equal(undefined)
    expect(text).to.contain('2 steps').and.to.contain('1 of them checked')
    expect(text).to.contain('equal, max rel 2.0e-16').and.to.contain('not checked: an unknown operator')
  })

  it('tells of bodies whose steps are not listed', () => {
    const bodies = { found: 3, optimised: 1, used: true, kept: [] }
    expect(explainAnswer({ ...gainRun, bodies }, [], 'out.onnx').text).to.match(
      /^no rewrite .* beside those in 1 of 3 bodies/,
    )
  })

  it('ends in 4 at a step that does not hold, and names it', () => {
    const { text, failure, data } = answer(equal, { ...equal, rule: 'bad-rule', holds: false, maxRel: 0.25 })
    expect(failure?.exitCode).to.equal(4)
    expect(failure?.complaint).to.include({ code: 'step-not-equal', where: 'out.onnx' })
    expect(failure?.complaint.got).to.match(/^step 2, bad-rule at head, .* 2\.5e-1$/)
    expect(text).to.contain('DIFFERENT, max rel 2.5e-1')
    expect(data.steps).to.have.length(2)
  })
})
