import { expect } from 'chai'
import { USUAL_SIZES } from '../../src/dataset/workloads/index.ts'
import { rootsOf } from '../../src/search/roots.ts'

const sizesOf = (source: string): string[] => rootsOf([source], 0).map((r) => (r.kind === 'workload' ? r.size : ''))

describe('roots of a dataset', () => {
  it('are workloads at their usual sizes, and at a slow one where it is named', () => {
    expect(sizesOf('graph-convolution')).to.deep.equal(['small', 'full'])
    expect(sizesOf('graph-convolution:cora')).to.deep.equal(['cora'])
    expect(sizesOf('all').filter((size) => !USUAL_SIZES.includes(size))).to.deep.equal([])
  })

  it('refuse a size that there is not, naming those there are', () => {
    expect(() => rootsOf(['graph-convolution:huge'], 0)).to.throw('one of the sizes small, full, cora')
  })
})
