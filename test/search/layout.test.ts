// Squeeze-and-excite in the runtime's blocked layout, which x * g, as exporters write it, leaves and enters again.
import { expect } from 'chai'
import type { KernelTable } from '../../src/cost/index.ts'
import { ints } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { modelOf } from '../../src/onnx/index.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { type Backend, createBackend } from '../../src/runtime/index.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { chooseCostModel } from '../../src/search/shipped-model.ts'
import { makeCandidates } from '../../src/search/variants.ts'
import { Sample } from '../rewrite/sample.ts'

/** conv, squeeze-and-excite with 22 channels in between, conv. */
function block() {
  const s = new Sample(1, new GraphBuilder('block', new Map([['', 17]])))
  const conv = (x: ValueId, out: number, into: number, size: number) =>
    s.op('Conv', [x, s.w([out, into, size, size]), s.w([out])], { pads: ints(new Array(4).fill((size - 1) / 2)) })
  const x = s.op('Relu', [conv(s.x([1, 16, 32, 32], 'x'), 96, 16, 3)])
  const squeezed = s.op('ReduceMean', [x], { axes: ints([2, 3]) })
  const gate = s.op('HardSigmoid', [conv(s.op('Relu', [conv(squeezed, 22, 96, 1)]), 96, 22, 1)])
  s.b.output(conv(s.op('Mul', [x, gate]), 32, 96, 1), 'y')
  return s.b.build()
}

const reorders = (kernels: KernelTable): number => kernels.filter((k) => k.op.includes('Reorder')).length

describe('search: layout', function () {
  this.timeout(60_000)
  let backend: Backend
  before(() => {
    backend = createBackend('cpu')
  })
  after(() => backend.close())

  it('squeeze-and-excite stays in the blocked layout', async () => {
    const prepared = prepareGraph(modelOf(block()), '')
    const e = explore(prepared.graph, { iterationLimit: 8, nodeLimit: 4000, timeLimitMs: 10_000 })
    const { model } = chooseCostModel(null, 'cpu', '')
    const made = makeCandidates(e, prepared.graph, model, prepared.bindings, { count: 6, seed: 0, timeLimitMs: 10_000 })
    const best = made.slice(1).reduce((a, b) => (b.extractedMs < a.extractedMs ? b : a))
    expect([...best.rules.keys()]).to.include('stretch-operand')
    const before = await backend.lower(prepared.original, prepared.shapes)
    const after = await backend.lower(prepared.wrap(best.graph), prepared.shapes)
    if (!before.ok || !after.ok) throw new Error('the runtime refuses a program')
    if (reorders(before.value) === 0) return // a runtime without a blocked layout
    expect(reorders(after.value)).to.be.at.most(reorders(before.value) - 3)
  })
})
