import { expect } from 'chai'
import fc from 'fast-check'
import type { Kernel } from '../../src/cost/index.ts'
import { diffKernels } from '../../src/search/kernel-diff.ts'

const kernels = (ops: string): Kernel[] => [...ops].map((op) => ({ op, inputs: [], outputs: [], attributes: {} }))
const kept = (ops: string, changed: readonly boolean[]): string => [...ops].filter((_, i) => !changed[i]).join('')

describe('search: what changed between two programs', () => {
  const diff = (a: string, b: string) => {
    const { before, after } = diffKernels(kernels(a), kernels(b))
    return [before, after].map((side) => side.map((c) => (c ? '!' : '.')).join(''))
  }

  it('marks what was taken away and what is new, and nothing else', () => {
    expect(diff('abcd', 'abcd')).to.deep.equal(['....', '....'])
    expect(diff('abcd', 'axd')).to.deep.equal(['.!!.', '.!.'])
    expect(diff('', 'ab')).to.deep.equal(['', '!!'])
    expect(diff('ab', 'ba')).to.deep.equal(['!.', '.!'])
  })

  it('keeps the same sequence on both sides', () => {
    const ops = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 })
    fc.assert(
      fc.property(ops, ops, (a, b) => {
        const { before, after } = diffKernels(kernels(a), kernels(b))
        expect(kept(a, before)).to.equal(kept(b, after))
      }),
      { seed: 1 },
    )
  })
})
