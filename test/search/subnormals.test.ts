// Weights below the normal range: the lowering by the runtime does not show them, so the search itself tells what they cost.
import { expect } from 'chai'
import { untrainedModel, withSlowSubnormals } from '../../src/cost/index.ts'
import { ints } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { tensor, toNdArray } from '../../src/ir/tensor.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { makeCandidates } from '../../src/search/variants.ts'

describe('search: weights below the normal range', () => {
  const b = new GraphBuilder('tiny', new Map([['', 17]]))
  const x = b.input('x', 'float32', [1, 16, 8, 8])
  const values = Float64Array.from({ length: 16 * 16 * 9 }, (_, i) => (i % 4 === 0 ? 0.1 + (i % 7) : 1e-39))
  const w = b.constant(tensor('float32', [16, 16, 3, 3], values), 'w')
  b.output(b.node('Relu', [b.node('Conv', [x, w], { pads: ints([1, 1, 1, 1]) })]), 'y')
  const graph = b.build()
  const explored = explore(graph, { nodeLimit: 1000, iterationLimit: 4, timeLimitMs: 10_000 })
  const made = (cost = untrainedModel()) =>
    makeCandidates(explored, graph, cost, new Map(), { count: 4, seed: 0, timeLimitMs: 1000 })

  it('cost the original their time, and the best program has none', () => {
    const { candidates, originalSubnormalMs } = made(withSlowSubnormals(untrainedModel()))
    // Each run of 16 output channels has some, but for every fourth: there all are usual.
    expect(originalSubnormalMs).to.be.closeTo(0.75 * ((16 * 16 * 9 * 64) / 16) * 48e-6, 1e-6)
    const [best] = [...candidates].sort((a, b) => a.extractedMs - b.extractedMs)
    expect(best!.subnormalMs).to.equal(0)
    expect([...best!.rules.keys()]).to.include('flush-subnormals')
    const written = [...best!.graph.initializers.values()].flatMap((t) => [...toNdArray(t).data])
    expect(written.filter((v) => v !== 0 && Math.abs(v) < 2 ** -126)).to.deep.equal([])
  })

  it('are zero in one candidate that changes nothing else', () => {
    const { candidates } = made(withSlowSubnormals(untrainedModel()))
    const rules = candidates.map((c) => [...c.rules.keys()].join())
    expect(rules).to.include('flush-subnormals')
    expect(rules).to.include('')
  })

  it('cost nothing, and stay, where the processor is not slow at them', () => {
    const { candidates, originalSubnormalMs } = made()
    expect(originalSubnormalMs).to.equal(0)
    const [best] = [...candidates].sort((a, b) => a.extractedMs - b.extractedMs)
    expect([...best!.rules.keys()]).to.not.include('flush-subnormals')
  })
})
