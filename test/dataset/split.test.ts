// Splits never let a graph, or its family, be on both sides.
import { expect } from 'chai'
import fc from 'fast-check'
import { leaveFamiliesOut, leaveOneFamilyOut, leaveRootsOut } from '../../src/dataset/split.ts'

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
  it('by families together: every family is left out whole, once, in at most as many folds as were asked for', () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 6 }), (list, count) => {
        const folds = leaveFamiliesOut(list, count, 7)
        expect(folds.length).to.be.at.most(count)
        expect(folds.flatMap((f) => [...f.roots]).sort()).to.deep.equal(list.map((g) => g.root).sort())
        for (const { roots } of leaveOneFamilyOut(list))
          expect(folds.filter((f) => [...roots].some((r) => f.roots.has(r)))).to.have.length(1)
        expect(leaveFamiliesOut(list, count, 7)).to.deep.equal(folds)
      }),
      { seed: 3 },
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
