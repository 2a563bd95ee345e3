import { expect } from 'chai'
import { saturate } from '../../src/egraph/saturate.ts'
import { int } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { encode } from '../../src/rewrite/encode.ts'
import { bindRule } from '../../src/rewrite/rule.ts'
import { selectRules } from '../../src/rewrite/rules/select.ts'

describe('rewrite: movement', () => {
  it('follows a selection once through each value, however many paths of residual sums lead there', () => {
    const b = new GraphBuilder('residuals', new Map([['', 20]]))
    let x = b.input('x', 'float32', [4, 8])
    for (let i = 0; i < 12; i++) x = b.node('Add', [x, b.node('Relu', [x])])
    b.output(b.node('Gather', [x, b.int64s([0], 'first')], { axis: int(0) }), 'y')
    const { t } = encode(b.build())

    let selections = 0
    const select = t.select.bind(t)
    t.select = (...args) => {
      selections++
      return select(...args)
    }
    const rule = selectRules.find((r) => r.name === 'select-down')!
    const limits = { iterationLimit: 30, nodeLimit: 4000, timeLimitMs: 5000 }
    const { stopReason } = saturate(t.egraph, [bindRule(t, rule)], limits)
    expect(stopReason.kind).to.equal('saturated')
    expect(selections).to.be.lessThan(1000)
  })
})
