import { expect } from 'chai'
import { type Kernel, untrainedModel, withMeasuredRates } from '../../src/cost/index.ts'

const operand = (shape: readonly number[]) => ({ dtype: 'float32', shape, constant: false }) as const

/** From 64x64 to `size` x `size`. */
const resize = (attributes: Kernel['attributes'], size = 128, op = 'Resize'): Kernel => ({
  op,
  attributes,
  inputs: [operand([1, 3, 64, 64])],
  outputs: [operand([1, 3, size, size])],
})

describe('kernels of which too few were measured to learn from', () => {
  const plain = untrainedModel()
  const model = withMeasuredRates(plain)
  const nanoseconds = (kernel: Kernel) =>
    (1000 * model.price([kernel])[0]!) / kernel.outputs[0]!.shape.reduce((a, b) => a * b, 1)

  it('are priced by element of the output: cubic, linear, blocked linear, and nearest neighbours', () => {
    expect(nanoseconds(resize({ mode: 'cubic' }))).to.be.closeTo(95, 1e-9)
    expect(nanoseconds(resize({ mode: 'linear' }))).to.be.closeTo(1.42, 1e-9)
    expect(nanoseconds(resize({ mode: 'linear' }, 512))).to.be.closeTo(1.42, 1e-9)
    expect(nanoseconds(resize({ mode: 'linear' }, 128, 'com.microsoft.nchwc:Upsample'))).to.be.closeTo(0.5, 1e-9)
    expect(nanoseconds(resize({ mode: 'nearest' }))).to.be.closeTo(1.2, 1e-9)
  })

  it('leave the prices of all others: doubled by a kernel of its own, copied, blocked', () => {
    const doubled = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric' }
    const kernels = [
      resize(doubled),
      resize({ mode: 'linear' }, 64),
      resize({ mode: 'nearest' }, 128, 'com.microsoft.nchwc:Upsample'),
      resize({ mode: 'cubic' }, 128, 'Upsample'),
    ]
    expect(model.price(kernels)).to.deep.equal(plain.price(kernels))
    expect(nanoseconds(resize(doubled, 256))).to.be.closeTo(1.2, 1e-9)
    expect(model.name).to.equal(plain.name)
  })
})
