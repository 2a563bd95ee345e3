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

  it('are priced at what a whole block takes: blocked convolutions to few channels', () => {
    const conv = (outputs: number, group = 1): Kernel => ({
      op: 'com.microsoft.nchwc:Conv',
      attributes: { group, kernel_shape: [3, 3] },
      inputs: [operand([1, 48, 56, 56]), operand([outputs, 48 / group, 3, 3])],
      outputs: [operand([1, outputs, 54, 54])],
    })
    const times = (kernel: Kernel) => model.price([kernel])[0]! / plain.price([kernel])[0]!
    expect(times(conv(8))).to.be.within(1.9, 2.1)
    expect(times(conv(4))).to.be.within(3.5, 4.2)
    expect(times(conv(16))).to.equal(1)
    expect(times(conv(8, 2))).to.equal(1)
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
