// Features: what each kernel looks like to a model.
import { expect } from 'chai'
import {
  FEATURE_FINGERPRINT,
  FEATURE_VERSION,
  FEATURES,
  factsOf,
  featureMatrix,
  kernelFacts,
} from '../../src/cost/features.ts'
import type { Kernel, KernelOperand } from '../../src/cost/kernel.ts'
import { KNOWN_OPS, OP_CLASSES } from '../../src/cost/op-class.ts'
import { findOp } from '../../src/ir/ops/index.ts'

const x = (...shape: number[]): KernelOperand => ({ dtype: 'float32', shape, constant: false })
const w = (...shape: number[]): KernelOperand => ({ dtype: 'float32', shape, constant: true })
const kernel = (
  op: string,
  inputs: Kernel['inputs'],
  outputs: Kernel['outputs'],
  attributes: Kernel['attributes'] = {},
): Kernel => ({ op, inputs, outputs, attributes })

const feature = (k: Kernel, name: string): number => {
  const at = FEATURES.findIndex((f) => f.name === name)
  expect(at, name).to.be.at.least(0)
  return featureMatrix([kernelFacts(k)])[at]!
}

const CONV = kernel('Conv', [x(1, 32, 56, 56), w(64, 32, 3, 3), w(64)], [x(1, 64, 56, 56)], {
  kernel_shape: [3, 3],
  pads: [1, 1, 1, 1],
})
const DEPTHWISE = kernel('com.microsoft.nchwc:Conv', [x(1, 32, 56, 56), w(32, 1, 3, 3)], [x(1, 32, 56, 56)], {
  group: 32,
  activation: 'Relu',
})
const MATMUL = kernel('MatMul', [x(2, 8, 128, 64), x(2, 8, 64, 32)], [x(2, 8, 128, 32)])
const LINEAR = kernel('MatMul', [x(4, 128, 256), w(256, 512)], [x(4, 128, 512)])

describe('the table of features', () => {
  it('is pinned to its version: whoever edits it must raise FEATURE_VERSION and this line', () => {
    expect([FEATURE_VERSION, FEATURE_FINGERPRINT]).to.deep.equal([1, 'a2058557b6a979a5'])
  })
  it('names no feature twice, and gives each a meaning and a range', () => {
    expect(new Set(FEATURES.map((f) => f.name)).size).to.equal(FEATURES.length)
    for (const f of FEATURES) expect(f.meaning.length > 3 && f.range[0] < f.range[1], f.name).to.equal(true)
  })
  it('fills the matrix with exactly what each feature computes', () => {
    const facts = factsOf([CONV, DEPTHWISE, MATMUL, LINEAR])
    const matrix = featureMatrix(facts)
    facts.forEach((f, row) => {
      FEATURES.forEach((feature, c) => {
        expect(matrix[row * FEATURES.length + c], feature.name).to.be.closeTo(feature.compute(f), 1e-5)
      })
    })
  })
  it('stays finite and in range for empty, scalar and huge operands and unknown operators', () => {
    const odd = [
      kernel('Nothing', [], []),
      kernel('com.unknown:X', [null, x()], [x(0)]),
      kernel('Add', [x(2 ** 26, 2 ** 26), x(1)], [x(2 ** 26, 2 ** 26)]),
      ...KNOWN_OPS.flatMap((op) => [
        kernel(op, [], []),
        kernel(op, [x(2), null, x(2)], [x(2)]),
        kernel(op, [x(1, 4, 4, 4), w(4, 4, 1, 1)], [x(1, 4, 4, 4)]),
      ]),
    ]
    const matrix = featureMatrix(factsOf(odd))
    matrix.forEach((v, i) => {
      const { name, range } = FEATURES[i % FEATURES.length]!
      expect(v, `${odd[Math.floor(i / FEATURES.length)]!.op} ${name}`).to.be.within(range[0], range[1])
    })
  })
})

describe('geometry and work', () => {
  it('of a convolution', () => {
    const { geometry, work, opClass } = kernelFacts(CONV)
    expect(opClass).to.equal('conv')
    expect(geometry).to.include({ batch: 1, m: 64, k: 288, n: 3136, groups: 1, kernelArea: 9 })
    expect(work.flops).to.be.closeTo(2 * 64 * 288 * 3136, 64 * 3136) // with or without the bias
    expect(work.weightBytes).to.equal(4 * (64 * 288 + 64))
  })
  it('of a blocked depthwise convolution', () => {
    const { geometry, opClass } = kernelFacts(DEPTHWISE)
    expect(opClass).to.equal('conv-depthwise')
    expect(geometry).to.include({ m: 1, k: 9, groups: 32 })
    expect(feature(DEPTHWISE, 'blocked')).to.equal(1)
    expect(feature(DEPTHWISE, 'activation:Relu')).to.equal(1)
    expect(feature(CONV, 'blocked')).to.equal(0)
  })
  it('of a stack of products, and of one by a shared weight', () => {
    expect(kernelFacts(MATMUL).geometry).to.include({ batch: 16, m: 128, k: 64, n: 32 })
    expect(kernelFacts(LINEAR).geometry).to.include({ batch: 1, m: 512, k: 256, n: 512 })
    expect(kernelFacts(LINEAR).work.flops).to.equal(2 * 512 * 256 * 512)
    expect([feature(MATMUL, 'constantWeight'), feature(LINEAR, 'constantWeight')]).to.deep.equal([0, 1])
  })
  it('of transposed operands', () => {
    const k = kernel('com.microsoft:FusedMatMul', [x(64, 128), x(32, 64)], [x(128, 32)], { transA: 1, transB: 1 })
    expect(kernelFacts(k).geometry).to.include({ m: 128, k: 64, n: 32, movedAxes: 2 })
  })
  it('of reductions, with kept and with dropped dimensions', () => {
    const kept = kernel('ReduceMean', [x(8, 16, 32)], [x(8, 1, 32)], { keepdims: 1 })
    const dropped = kernel('ReduceMean', [x(8, 16, 32)], [x(8, 32)], { keepdims: 0 })
    for (const k of [kept, dropped]) expect(kernelFacts(k).geometry).to.include({ reduced: 16, inner: 32, outer: 8 })
    expect(kernelFacts(kernel('ReduceSum', [x(8, 16)], [x(8, 1)])).geometry).to.include({ reduced: 16, inner: 1 })
  })
  it('of transpositions: axes of one element do not move', () => {
    const moved = kernel('Transpose', [x(2, 3, 4, 5)], [x(2, 4, 3, 5)], { perm: [0, 2, 1, 3] })
    expect(kernelFacts(moved).geometry).to.include({ inner: 5, movedAxes: 2 })
    expect(kernelFacts(kernel('Transpose', [x(1, 3)], [x(3, 1)], { perm: [1, 0] })).geometry.movedAxes).to.equal(1)
  })
  it('of broadcasting: the run over which every operand is full or constant', () => {
    const full = kernel('Add', [x(4, 8, 16), x(4, 8, 16)], [x(4, 8, 16)])
    const row = kernel('Add', [x(4, 8, 16), w(16)], [x(4, 8, 16)])
    const channel = kernel('Mul', [x(1, 8, 4, 4), w(1, 8, 1, 1)], [x(1, 8, 4, 4)])
    expect([full, row, channel].map((k) => kernelFacts(k).geometry.inner)).to.deep.equal([512, 16, 16])
    expect([full, row, channel].map((k) => feature(k, 'broadcast'))).to.deep.equal([0, 1, 1])
  })
  it('of an Einsum: what is contracted is what the result lacks', () => {
    const k = kernel('Einsum', [x(2, 4, 8), x(2, 5, 8)], [x(2, 4, 5)], { equation: 'bid,bjd->bij' })
    expect(kernelFacts(k).geometry).to.include({ m: 40, k: 8 })
  })
  it('counts bytes by dtype', () => {
    const half = kernel(
      'Relu',
      [{ dtype: 'float16', shape: [100], constant: false }],
      [{ dtype: 'float16', shape: [100], constant: false }],
    )
    expect(kernelFacts(half).work).to.include({ bytesRead: 200, bytesWritten: 200 })
  })
  it('puts every operator that the house knows into a class, most of them not `other`', () => {
    expect(OP_CLASSES).to.include('other')
    const known = KNOWN_OPS.filter((name) => {
      const colon = name.indexOf(':')
      return findOp(name.slice(0, Math.max(0, colon)), name.slice(colon + 1)) !== null
    })
    expect(known.length / KNOWN_OPS.length).to.be.above(0.6)
  })
})
