// Splits never let a graph, or its family, be on both sides.
import { expect } from 'chai'
import fc from 'fast-check'
import { leaveOneFamilyOut, leaveRootsOut } from '../../src/dataset/split.ts'

const graphs = fc
  .uniqueArray(fc.tuple(fc.nat(500), fc.constantFrom('a', 'b', 'c', 'd')), { selector: ([root]) => root })
  .map((list) => list.map(([root, family]) => ({ root: `r${root}`, family })))

describe('splits', () => {
  it('by family: every root is left out once, together with its whole family', () => {
    fc.assert(
      fc.property(graphs, (list) => {
        const folds = leaveOneFamilyOut(list)
        for (const { root, family } of list)
          expect(folds.filter((f) => f.roots.has(root)).map((f) => f.name)).to.deep.equal([family])
        expect(folds.reduce((n, f) => n + f.roots.size, 0)).to.equal(list.length)
      }),
      { seed: 1 },
    )
  })
  it('by root: every root is left out once, in folds of nearly the same size, the same for the same seed', () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 8 }), (list, count) => {
        const folds = leaveRootsOut(list, count, 7)
        const all = folds.flatMap((f) => [...f.roots])
        expect([...all].sort()).to.deep.equal(list.map((g) => g.root).sort())
        const sizes = folds.map((f) => f.roots.size)
        if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1)
        expect(leaveRootsOut(list, count, 7)).to.deep.equal(folds)
      }),
      { seed: 2 },
    )
  })
})
