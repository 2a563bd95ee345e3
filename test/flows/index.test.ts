import { expect } from 'chai'
import * as menu from '../../src/index.ts'

describe('the public menu', () => {
  it('offers the flows, the errors and a silent talk, and nothing by accident', () => {
    expect(Object.keys(menu).sort()).to.deep.equal([
      'EXIT',
      'InvariantError',
      'UnsupportedError',
      'UserError',
      'collect',
      'compare',
      'optimize',
      'silentTalk',
      'train',
    ])
  })
})
