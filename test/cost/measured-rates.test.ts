import { expect } from 'chai'
import { type Kernel, untrainedModel, withMeasuredRates } from '../../src/cost/index.ts'

const resize = (mode: string): Kernel => ({
  op: 'Resize',
  attributes: { mode },
  inputs: [{ dtype: 'float32', shape: [1, 3, 64, 64], constant: false }],
  outputs: [{ dtype: 'float32', shape: [1, 3, 128, 128], constant: false }],
})

describe('kernels that no dataset has', () => {
  const plain = untrainedModel()
  const model = withMeasuredRates(plain)

  it('are priced at what was measured: a cubic Resize at 95 ns an element', () => {
    expect([...model.price([resize('cubic')])]).to.deep.equal([(3 * 128 * 128 * 95) / 1000])
  })

  it('leave the prices of all others', () => {
    const kernels = [resize('linear'), resize('nearest'), { ...resize('cubic'), op: 'Upsample' }]
    expect(model.price(kernels)).to.deep.equal(plain.price(kernels))
    expect(model.name).to.equal(plain.name)
  })
})
