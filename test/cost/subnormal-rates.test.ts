import { expect } from 'chai'
import {
  type Kernel,
  type KernelOperand,
  kernelSignature,
  untrainedModel,
  withSlowSubnormals,
} from '../../src/cost/index.ts'
import { vectorAxis } from '../../src/cost/subnormal-rates.ts'

const operand = (shape: readonly number[]): KernelOperand => ({ dtype: 'float32', shape, constant: false })
const weight = (shape: readonly number[], subnormal?: number): KernelOperand => ({
  ...operand(shape),
  constant: true,
  ...(subnormal !== undefined && { subnormal }),
})
const kernel = (op: string, inputs: readonly KernelOperand[], output: readonly number[], attributes = {}): Kernel => ({
  op,
  inputs,
  outputs: [operand(output)],
  attributes,
})

describe('products with weights below the normal range', () => {
  const plain = untrainedModel()
  const slow = withSlowSubnormals(plain)
  const added = (k: Kernel) => slow.price([k])[0]! - plain.price([k])[0]!
  const vectors = (count: number) => (count / 16) * 0.048

  it('take as long as each vector of 16 with one takes, whatever the product', () => {
    const [x, w] = [operand([1, 48, 32, 32]), weight([48, 48, 3, 3], 1)]
    const conv = kernel('com.microsoft.nchwc:Conv', [x, w], [1, 48, 32, 32], { pads: [1, 1, 1, 1] })
    expect(added(conv)).to.be.closeTo(vectors(48 * 48 * 9 * 1024), 1e-6)
    const depthwise = kernel('Conv', [x, weight([48, 1, 3, 3], 1)], [1, 48, 30, 30], { group: 48 })
    expect(added(depthwise)).to.be.closeTo(vectors(48 * 9 * 900), 1e-6)
    const spread = kernel('ConvTranspose', [operand([1, 32, 8, 8]), weight([32, 4, 2, 2], 1)], [1, 4, 16, 16])
    expect(added(spread)).to.be.closeTo(vectors(32 * 64 * 16), 1e-6)
    const right = kernel('MatMul', [operand([7, 20]), weight([20, 30], 1)], [7, 30])
    const left = kernel('MatMul', [weight([7, 20], 1), operand([20, 30])], [7, 30])
    const turned = kernel('Gemm', [operand([7, 20]), weight([30, 20], 1)], [7, 30], { transB: 1 })
    for (const product of [right, left, turned]) expect(added(product)).to.be.closeTo(vectors(7 * 20 * 30), 1e-6)
  })

  it('take longer by the share of vectors that have one, which lie along other axes in other kernels', () => {
    const product = (share: number) => kernel('MatMul', [operand([64, 256]), weight([256, 256], share)], [64, 256])
    expect(added(product(0.25)) / added(product(1))).to.be.closeTo(0.25, 1e-9)
    expect(added(product(0))).to.equal(0)
    const gemm = kernel('Gemm', [operand([7, 20]), weight([30, 20])], [7, 30], { transB: 1 })
    const convs = ['com.microsoft.nchwc:Conv', 'Conv', 'ConvTranspose']
    const conv = (op: string) => kernel(op, [operand([1, 16, 8, 8]), weight([16, 16, 1, 1])], [1, 16, 8, 8])
    expect([vectorAxis(product(1), 1), vectorAxis(product(1), 0), vectorAxis(gemm, 1)]).to.deep.equal([1, null, 0])
    expect(convs.map((op) => vectorAxis(conv(op), 1))).to.deep.equal([0, null, null])
    expect(vectorAxis(kernel('Add', [operand([4]), weight([4])], [4]), 1)).to.equal(undefined)
  })

  it('are other kernels than those with usual weights, and only products are slower', () => {
    const product = (share?: number) => kernel('MatMul', [operand([4, 8]), weight([8, 8], share)], [4, 8])
    expect(kernelSignature(product(0.5))).to.not.equal(kernelSignature(product()))
    expect(added(product())).to.equal(0)
    expect(added(kernel('Mul', [operand([4, 8]), weight([8], 1)], [4, 8]))).to.equal(0)
    expect(added(kernel('Add', [operand([4, 8]), weight([8], 1)], [4, 8]))).to.equal(0)
  })
})
