// Which process lowers what: the device's own, and one more from when it has time.
import { expect } from 'chai'
import { untrainedModel } from '../../src/cost/index.ts'
import type { Backend, LoweredGraph, Outcome } from '../../src/runtime/index.ts'
import { rankCandidates } from '../../src/search/rank.ts'
import { model, node, value } from '../onnx/protos.ts'

const relu = model({ nodes: [node('Relu', 'x', 'y')], inputs: [value('x', 'float32', [4])], outputs: ['y'] }, 17)

/** Lowers everything to one kernel of as many elements as it has lowered so far, and takes its time. */
function fake(): { readonly backend: Backend; readonly lowered: () => number } {
  let count = 0
  const operand = () => ({ dtype: 'float32', shape: [1000 * count], constant: false }) as const
  const lowerGraph = async (): Promise<Outcome<LoweredGraph>> => {
    count++
    await new Promise((resolve) => setTimeout(resolve, 5))
    const kernel = { op: 'Relu', attributes: {}, inputs: [operand()], outputs: [operand()] }
    return { ok: true, value: { kernels: [kernel], sources: null } }
  }
  return { backend: { lowerGraph } as unknown as Backend, lowered: () => count }
}

const candidate = { graph: relu.graph, extractedMs: 0, rules: new Map<string, number>(), steps: () => [] }
const candidates = Array.from({ length: 12 }, (_, i) => ({ id: `v${i + 1}`, candidate, model: relu }))

const rank = (backend: Backend, second?: Promise<Backend | null>) =>
  rankCandidates(backend, untrainedModel(), relu, candidates, { shapes: new Map(), ...(second && { second }) })

describe('search: lowering of candidates', () => {
  it('is shared with a second process from when that has time', async () => {
    const [own, other] = [fake(), fake()]
    const ranking = await rank(own.backend, Promise.resolve(other.backend))
    expect(ranking.candidates).to.equal(12)
    expect(own.lowered() + other.lowered()).to.equal(13)
    expect(other.lowered()).to.be.greaterThan(0)
  })

  it('does not wait for one that has none', async () => {
    for (const second of [undefined, new Promise<null>(() => {}), Promise.resolve(null)]) {
      const own = fake()
      expect((await rank(own.backend, second)).candidates).to.equal(12)
      expect(own.lowered()).to.equal(13)
    }
  })

  it('fails as its own process does', async () => {
    const broken = { lowerGraph: () => Promise.reject(new Error('gone')) } as unknown as Backend
    const ranking = rank(broken, Promise.resolve(fake().backend))
    expect(await ranking.then(() => 'ranked', String)).to.equal('Error: gone')
  })
})
