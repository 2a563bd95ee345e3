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

  it('are no dearer for what a blocked convolution applies as it writes, unless that is a sigmoid', () => {
    const conv = (bias: boolean, activation: string | null): Kernel => ({
      op: 'com.microsoft.nchwc:Conv',
      attributes: { group: 1, kernel_shape: [1, 1], ...(activation !== null && { activation }) },
      inputs: [operand([1, 16, 112, 112]), operand([96, 16, 1, 1]), ...(bias ? [operand([96])] : [])],
      outputs: [operand([1, 96, 112, 112])],
    })
    // Dearer by what it reads and does, as the prices of an untrained model are by far too much.
    const dear = (k: Kernel) => 100 * k.inputs.length + (k.attributes.activation === undefined ? 0 : 500)
    const priced = withMeasuredRates({ ...plain, price: (kernels) => Float64Array.from(kernels, dear) })
    const price = (bias: boolean, activation: string | null) => priced.price([conv(bias, activation)])[0]!
    const applied = (96 * 112 * 112 * 0.03) / 1000
    expect(price(false, null)).to.equal(200)
    expect(price(true, 'Relu')).to.be.closeTo(200 + applied, 1e-9)
    expect(price(true, null)).to.be.closeTo(200 + applied, 1e-9)
    expect(price(true, 'Sigmoid')).to.equal(800)
  })

  it('take as long as their weights take to be read from memory: products of one row', () => {
    const product = (rows: number, constant: boolean): Kernel => ({
      op: 'MatMul',
      attributes: {},
      inputs: [operand([rows, 1024]), { ...operand([1024, 1024]), constant }],
      outputs: [operand([rows, 1024])],
    })
    const read = (1024 * 1024 * 4 * 72) / 1e6
    const cheap = withMeasuredRates({
      ...plain,
      price: (kernels) => Float64Array.from(kernels, (k) => k.inputs[0]!.shape[0]!),
    })
    const price = (rows: number, constant: boolean) => cheap.price([product(rows, constant)])[0]!
    expect(price(1, true)).to.be.closeTo(read, 1e-9)
    expect(price(1, false)).to.equal(1)
    expect(price(1000, true)).to.equal(1000)
  })

  it('take the time in which every number is added up in its place: transposed convolutions in groups', () => {
    const spread = (group: number): Kernel => ({
      op: 'ConvTranspose',
      attributes: { group },
      inputs: [operand([2, 64, 16, 16]), operand([64, 64 / group, 4, 4])],
      outputs: [operand([2, 64, 32, 32])],
    })
    const cheap = withMeasuredRates({ ...plain, price: (kernels) => new Float64Array(kernels.length).fill(1) })
    expect(cheap.price([spread(64)])[0]).to.be.closeTo((2 * 64 * 16 * 16 * 16 * 0.9) / 1000, 1e-9)
    expect(cheap.price([spread(1)])[0]).to.equal(1)
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
