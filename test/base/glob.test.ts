import { expect } from 'chai'
import { nameFilter } from '../../src/base/glob.ts'

const NAMES = ['merge-linear', 'merge-conv', 'slice-down', 'a.b']
const chosen = (patterns: string) => NAMES.filter(nameFilter(patterns))

describe('a name filter', () => {
  it('takes names, stars and question marks', () => {
    expect(chosen('slice-down')).to.deep.equal(['slice-down'])
    expect(chosen('merge-*')).to.deep.equal(['merge-linear', 'merge-conv'])
    expect(chosen('merge-con?')).to.deep.equal(['merge-conv'])
    expect(chosen('*')).to.deep.equal(NAMES)
  })

  it('joins a list and takes exclusions out of it, or out of everything', () => {
    expect(chosen('merge-*, slice-*')).to.have.length(3)
    expect(chosen('merge-*,!*conv')).to.deep.equal(['merge-linear'])
    expect(chosen('!merge-*')).to.deep.equal(['slice-down', 'a.b'])
  })

  it('takes every other character as itself', () => {
    expect(chosen('a.b')).to.deep.equal(['a.b'])
    expect(chosen('s.ice-down')).to.deep.equal([])
    expect(chosen('merge')).to.deep.equal([])
  })
})
