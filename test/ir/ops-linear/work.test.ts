// Work of the operators that dominate a price, counted by hand.
import { expect } from 'chai'
import { int, ints, text } from '../../../src/ir/attribute.ts'
import type { Work } from '../../../src/ir/op.ts'
import { findOp } from '../../../src/ir/ops/index.ts'
import { callOfSample, inputsOf, type Sample, sample } from '../samples/sample.ts'

function workOf(s: Sample): Work {
  return findOp(s.domain, s.op)!.work!(callOfSample(s, inputsOf(s)))
}
const microsoft = { domain: 'com.microsoft', opset: 1 }
const blocked = { domain: 'com.microsoft.nchwc', opset: 1 }

describe('ir: work of linear operators', () => {
  it('counts two flops for a multiply-add of a product, once per matrix of the stack', () => {
    expect(workOf(sample('MatMul', 'f[7,3,4] !f[4,5]'))).to.deep.equal({
      flops: 2 * 7 * 3 * 4 * 5,
      bytesRead: 4 * (7 * 3 * 4 + 4 * 5),
      bytesWritten: 4 * 7 * 3 * 5,
      weightBytes: 4 * 4 * 5,
    })
  })

  it('counts the addend of Gemm, and the constant part of what it reads', () => {
    expect(workOf(sample('Gemm', 'f[4,3] !f[5,4] !f[5]', { transA: int(1), transB: int(1) }))).to.deep.equal({
      flops: 2 * 3 * 4 * 5 + 2 * 3 * 5,
      bytesRead: 4 * (12 + 20 + 5),
      bytesWritten: 4 * 15,
      weightBytes: 4 * 25,
    })
  })

  it('counts the taps of a convolution per group, and its bias', () => {
    const conv = sample('Conv', 'f[2,6,8,8] !f[4,3,3,3] !f[4]', {
      group: int(2),
      strides: ints([2, 2]),
      pads: ints([1, 1, 1, 1]),
    })
    const out = 2 * 4 * 4 * 4
    expect(workOf(conv)).to.deep.equal({
      flops: out * (2 * 3 * 3 * 3 + 1),
      bytesRead: 4 * (2 * 6 * 8 * 8 + 4 * 27 + 4),
      bytesWritten: 4 * out,
      weightBytes: 4 * (4 * 27 + 4),
    })
  })

  it('counts a transposed convolution from its input', () => {
    expect(workOf(sample('ConvTranspose', 'f[1,3,4,5] f[3,2,3,3]', { strides: ints([2, 2]) })).flops).to.equal(
      3 * 4 * 5 * 2 * 2 * 9,
    )
  })

  it('counts padded channels of the blocked layout, for that is what runs', () => {
    const conv = sample('Conv', 'f[1,16,4,4] !f[32,16,1,1] !f[32] f[1,32,4,4]', { activation: text('Relu') }, blocked)
    const out = 32 * 16
    expect(workOf(conv)).to.deep.equal({
      flops: out * (2 * 16 + 1 + 1 + 1),
      bytesRead: 4 * (16 * 16 + 32 * 16 + 32 + out),
      bytesWritten: 4 * out,
      weightBytes: 4 * (32 * 16 + 32),
    })
  })

  it('counts a fused product like the product', () => {
    const fused = sample('FusedMatMul', 'f[2,4,3] f[2,5,4]', { transA: int(1), transB: int(1) }, microsoft)
    expect(workOf(fused).flops).to.equal(2 * 2 * 3 * 4 * 5)
  })

  it('counts the whole space of an equation', () => {
    expect(workOf(sample('Einsum', 'f[2,3,4] f[2,4,5]', { equation: text('bij,bjk->bik') })).flops).to.equal(
      2 * 2 * 3 * 4 * 5,
    )
  })

  it('counts all gates of a recurrence at every step', () => {
    const { flops } = workOf(sample('LSTM', 'f[5,2,3] f[1,16,3] f[1,16,4]', { hidden_size: int(4) }))
    expect(flops).to.be.at.least(5 * 2 * 4 * 4 * 2 * (3 + 4))
    expect(flops).to.be.below(3 * 5 * 2 * 4 * 4 * 2 * (3 + 4))
  })

  it('reads of an embedding table only the rows it looks up', () => {
    const inputs = 'k[1,2] - !f[1000,8] !f[512,8] - !f[8] !f[8]'
    const { bytesRead, weightBytes } = workOf(sample('EmbedLayerNormalization', inputs, {}, microsoft))
    expect(bytesRead).to.equal(4 * (2 + 2 * 8 + 2 * 8 + 8 + 8))
    expect(weightBytes).to.equal(4 * (2 * 8 + 2 * 8 + 8 + 8))
  })

  it('moves without computing when a tensor changes its layout', () => {
    expect(workOf(sample('ReorderInput', 'f[1,16,4,4]', {}, blocked))).to.deep.equal({
      flops: 0,
      bytesRead: 4 * 256,
      bytesWritten: 4 * 256,
      weightBytes: 0,
    })
  })
})
