// The race between variants with optimised bodies and those without.
import { expect } from 'chai'
import { silentTalk } from '../../src/base/talk.ts'
import { untrainedModel } from '../../src/cost/index.ts'
import { type Backend, createBackend } from '../../src/runtime/index.ts'
import type { Bodies } from '../../src/search/bodies.ts'
import { exploreModel } from '../../src/search/explore-model.ts'
import { beginLowering, predict } from '../../src/search/predict.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { model, node, ramp, value } from '../onnx/protos.ts'

/** A mean of a product, which has several programs; its "bodies" are none, so that only their prices matter. */
const m = model(
  {
    nodes: [node('MatMul', 'x w', 'p'), node('ReduceMean', 'p', 'y', { axes: [0] }), node('MatMul', 'y v', 'z')],
    inputs: [value('x', 'float32', [64, 32])],
    outputs: ['z'],
    constants: { w: ramp([32, 32], -1, 0.01), v: ramp([32, 8], -1, 0.02) },
  },
  17,
)

describe('search: variants with optimised bodies', function () {
  this.timeout(60_000)
  let backend: Backend
  before(() => {
    backend = createBackend('cpu')
  })
  after(() => backend.close())

  async function ranked(bodies: Pick<Bodies, 'isAny' | 'beforeMs' | 'afterMs'>) {
    const prepared = prepareGraph(m, '')
    const explored = await exploreModel(prepared, [], { rules: null, seconds: 10, blockSize: 8 }, silentTalk)
    const all: Bodies = { ...bodies, found: [], rules: new Map([['lin-pull', 1]]), apply: (g) => g }
    const cost = { model: untrainedModel(), warning: '' }
    const lowering = beginLowering({ device: backend, tested: backend }, prepared, Promise.resolve())
    return predict(prepared, explored, all, cost, lowering, { seed: 1, maxGrowth: null }, silentTalk)
  }

  it('race with those without, the graph as it is among them', async () => {
    const plain = await ranked({ isAny: false, beforeMs: 0, afterMs: 0 })
    const { variants, original } = await ranked({ isAny: true, beforeMs: 5, afterMs: 1 })
    expect(original.predictedMs).to.be.closeTo(plain.original.predictedMs + 5, 1e-9)
    const changed = variants.filter((v) => v.hasOptimisedBodies)
    expect(changed).to.have.length(plain.variants.length + 1)
    expect(changed.map((v) => v.id)).to.include('v0b')
    expect(variants.filter((v) => !v.hasOptimisedBodies).map((v) => v.id)).to.deep.equal(
      plain.variants.map((v) => v.id),
    )
    expect(variants.slice(0, 3).map((v) => v.hasOptimisedBodies ?? false)).to.deep.equal([true, true, false])
    expect(new Set(variants.map((v) => v.hash)).size).to.equal(variants.length)
    for (const v of changed) expect(v.candidate!.rules.has('lin-pull')).to.equal(true)
  })

  it('without optimised bodies only the price of the bodies is added', async () => {
    const plain = await ranked({ isAny: false, beforeMs: 0, afterMs: 0 })
    const { variants } = await ranked({ isAny: false, beforeMs: 5, afterMs: 5 })
    expect(variants.map((v) => v.id)).to.deep.equal(plain.variants.map((v) => v.id))
    expect(variants[0]!.predictedMs).to.be.closeTo(plain.variants[0]!.predictedMs + 5, 1e-9)
  })
})
