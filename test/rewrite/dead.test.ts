// What the search for channels of one number costs; what it finds is checked with every other rule.
import { expect } from 'chai'
import { ndarray } from '../../src/ir/tensor.ts'
import { ruleFamilies } from '../../src/rewrite/rules/index.ts'
import { TensorEGraph } from '../../src/rewrite/tensor-egraph.ts'

describe('rewrite: channels of one number', () => {
  it('looks into a class once per depth, however many e-nodes lead back to it', () => {
    const t = new TensorEGraph(21)
    const x = t.input(0, { dtype: 'float32', shape: [2, 4] })
    for (let i = 1; i <= 8; i++) t.egraph.union(x, t.add(x, t.scalar(i, 2)))
    const w = t.literal(ndarray('float32', [4, 3], new Float64Array(12).fill(1)))
    const lin = t.lin(x, w, 1)
    t.egraph.rebuild()
    let looks = 0
    const nodesOf = t.egraph.nodesOf.bind(t.egraph)
    t.egraph.nodesOf = (c) => {
      looks++
      return nodesOf(c)
    }
    const rule = ruleFamilies.flatMap((f) => f.rules).find((r) => r.name === 'dead-channels')!
    const found = [...rule.apply(t, nodesOf(lin)[0]!)]
    expect(found).to.deep.equal([])
    expect(looks).to.be.lessThan(20)
  })
})
