// Networks that leave the runtime's blocked layout as exporters write them, and stay in it as the search finds them.
import { expect } from 'chai'
import type { KernelTable } from '../../src/cost/index.ts'
import { ints } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import type { BlockSize } from '../../src/ir/nchwc.ts'
import { modelOf } from '../../src/onnx/index.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { type Backend, blockSizeOf, createBackend } from '../../src/runtime/index.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { chooseCostModel } from '../../src/search/shipped-model.ts'
import { makeCandidates } from '../../src/search/variants.ts'
import { Sample } from '../rewrite/sample.ts'

const LIMITS = { iterationLimit: 8, nodeLimit: 4000, timeLimitMs: 10_000 }

class Network extends Sample {
  constructor() {
    super(1, new GraphBuilder('network', new Map([['', 17]])))
  }
  biased(x: ValueId, out: number, into: number, size: number, group = 1): ValueId {
    const y = this.conv(x, this.w([out, into / group, size, size]), (size - 1) / 2, group)
    return this.op('Add', [y, this.w([out, 1, 1])])
  }
  ended(y: ValueId): Graph {
    this.b.output(y, 'y')
    return this.b.build()
  }
}

/** conv, squeeze-and-excite with 22 channels in between, conv. */
function squeezeAndExcite(): Graph {
  const s = new Network()
  const x = s.op('Relu', [s.biased(s.x([1, 16, 32, 32], 'x'), 96, 16, 3)])
  const squeezed = s.op('ReduceMean', [x], { axes: ints([2, 3]) })
  const gate = s.op('HardSigmoid', [s.biased(s.op('Relu', [s.biased(squeezed, 22, 96, 1)]), 96, 22, 1)])
  return s.ended(s.biased(s.op('Mul', [x, gate]), 32, 96, 1))
}

/** Depthwise and 1x1 convolutions of 58 channels, with a shortcut. */
function oddChannels(): Graph {
  const s = new Network()
  const x = s.op('Relu', [s.biased(s.x([1, 3, 32, 32], 'x'), 58, 3, 3)])
  const deep = s.op('Relu', [s.biased(x, 58, 58, 3, 58)])
  return s.ended(s.biased(s.op('Relu', [s.op('Add', [x, s.biased(deep, 58, 58, 1)])]), 64, 58, 1))
}

/** Depthwise and 1x1 convolutions of 24 channels, pooled and gated: three blocks of 8, but no whole number of 16. */
function halfBlocks(): Graph {
  const s = new Network()
  let x = s.op('Relu', [s.biased(s.x([2, 3, 24, 24], 'x'), 24, 3, 3)])
  for (let i = 0; i < 2; i++) {
    x = s.op('Relu', [s.biased(x, 24, 24, 3, 24)])
    const gate = s.op('Sigmoid', [s.biased(s.op('GlobalAveragePool', [x]), 24, 24, 1)])
    x = s.biased(s.op('Mul', [x, gate]), 24, 24, 1)
  }
  return s.ended(s.biased(x, 32, 24, 1))
}

const count = (kernels: KernelTable, test: (op: string) => boolean): number => kernels.filter((k) => test(k.op)).length
const isReorder = (op: string): boolean => op.includes('Reorder')
const isPlainConv = (op: string): boolean => ['Conv', 'com.microsoft:FusedConv'].includes(op)

describe('search: layout', function () {
  this.timeout(60_000)
  let backend: Backend
  before(() => {
    backend = createBackend('cpu')
  })
  after(() => backend.close())

  /** The rules of the program that is predicted to be the fastest, and the kernels of the original and of it. */
  async function searched(graph: Graph, blockSize: BlockSize = 8) {
    const prepared = prepareGraph(modelOf(graph), '')
    const e = explore(prepared.graph, { ...LIMITS, blockSize })
    const { model } = chooseCostModel(null, 'cpu', '')
    const { candidates: made } = makeCandidates(e, prepared.graph, model, prepared.bindings, {
      count: 6,
      seed: 0,
      timeLimitMs: 10_000,
    })
    const best = made.slice(1).reduce((a, b) => (b.extractedMs < a.extractedMs ? b : a))
    const before = await backend.lower(prepared.original, prepared.shapes)
    const after = await backend.lower(prepared.wrap(best.graph), prepared.shapes)
    if (!before.ok || !after.ok) throw new Error('the runtime refuses a program')
    const lowered = model.price(after.value).reduce((a, b) => a + b, 0) / 1000
    return { rules: [...best.rules.keys()], before: before.value, after: after.value, best: best.extractedMs, lowered }
  }

  it('squeeze-and-excite stays in the blocked layout', async () => {
    const { rules, before, after } = await searched(squeezeAndExcite())
    expect(rules).to.include('stretch-operand')
    if (count(before, isReorder) === 0) return // a runtime without a blocked layout
    expect(count(after, isReorder)).to.be.at.most(count(before, isReorder) - 3)
  })

  it('convolutions of 58 channels are padded into it, and the shortcut with them', async () => {
    const { rules, before, after } = await searched(oddChannels())
    expect(rules).to.include('read-padded')
    if (count(before, isReorder) === 0) return // a runtime without a blocked layout
    expect(count(before, isPlainConv)).to.equal(3)
    expect(count(after, isPlainConv)).to.equal(0)
  })

  it('channels that do not fill blocks of 16 are padded for machines that have these', async () => {
    const isPadded = async (blockSize: BlockSize) =>
      (await searched(halfBlocks(), blockSize)).rules.includes('read-padded')
    expect(await isPadded(16)).to.equal(true)
    expect(await isPadded(8)).to.equal(false)
  })

  it('x sigmoid(x) after a convolution is no convolution with a sigmoid, which the runtime does not make of it', () => {
    const gated = (isSilu: boolean) => {
      const s = new Network()
      const y = s.biased(s.x([1, 16, 8, 8], 'x'), 16, 16, 1)
      const { t } = explore(s.ended(s.op('Mul', [isSilu ? y : s.x([1, 16, 8, 8]), s.op('Sigmoid', [y])])), LIMITS)
      const fused = t.egraph.nodesInFamily(t.operators.family('fused-conv')).map((n) => t.op(n))
      return fused.some((op) => op.kind === 'fused-conv' && op.activation?.op === 'Sigmoid')
    }
    expect(gated(false)).to.equal(true)
    expect(gated(true)).to.equal(false)
  })

  it('extraction expects what the runtime makes of it, kernel for kernel', async function () {
    const size = await blockSizeOf(backend)
    if (size === null) this.skip()
    for (const graph of [squeezeAndExcite(), oddChannels(), halfBlocks()]) {
      const { best, lowered } = await searched(graph, size!)
      expect(best / lowered).to.be.closeTo(1, 0.03)
    }
  })

  it('the size of blocks is that of the weights that the runtime pads', async () => {
    const { after } = await searched(squeezeAndExcite())
    const padded = after.filter((k) => k.op === 'com.microsoft.nchwc:Conv').map((k) => k.inputs[1]!.shape[0]!)
    const size = await blockSizeOf(backend)
    if (size === null) expect(padded).to.deep.equal([])
    else expect(padded.every((channels) => channels % size === 0)).to.equal(true)
    expect(padded.some((channels) => channels % 16 !== 0)).to.equal(size === 8)
  })

  it('where the device has no such layout, nothing is padded or stretched', () => {
    for (const graph of [squeezeAndExcite(), oddChannels()]) {
      const { t } = explore(graph, { ...LIMITS, blockSize: null })
      const made = t.egraph.nodesInFamily(t.operators.family('Resize'))
      expect(made).to.deep.equal([])
      expect(t.operators.family('select')).to.satisfy((f: never) => t.egraph.nodesInFamily(f).length === 0)
    }
  })
})
