// Programs of whole graphs inside of bodies, random ones among them, run beside the original.
import { expect } from 'chai'
import { inputSets, verifyModels } from '../../src/bench/index.ts'
import { type Model, readModel, writeModel, writeModelFile } from '../../src/onnx/index.ts'
import { type Backend, createBackend, type InputShapes, ScratchFolder } from '../../src/runtime/index.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { withOtherBodies } from '../conformance/bodies.ts'
import { smallWorkloads } from '../robustness/corpus.ts'
import { inBody } from './in-bodies.ts'

/** One workload in this many. `EVERY=1` tries them all. */
const STRIDE = Number(process.env.EVERY ?? 16)
/** More than float32 loses by another order of sums, in a program that nobody would choose. */
const ROUNDING = 1e-3

describe('search: bodies that hold whole graphs', function () {
  this.timeout(600_000)
  const scratch = new ScratchFolder()
  let backend: Backend
  before(() => {
    backend = createBackend('cpu')
  })
  after(async () => {
    await backend.close()
    scratch.remove()
  })

  /** Relative; infinite where an answer is of another kind, or none. */
  async function worstError(a: Model, b: Model, shapes: InputShapes, seed: number): Promise<number> {
    const paths = [scratch.fresh('a.onnx'), scratch.fresh('b.onnx')] as const
    writeModelFile(paths[0], a)
    writeModelFile(paths[1], b)
    const sets = inputSets(a.graph, shapes, { seed, kinds: ['structured', 'noise'] })
    const outcome = await verifyModels({ oracle: backend, device: backend }, ...paths, sets)
    if (!outcome.ok) throw new Error(outcome.reason)
    const { outputs, passed } = outcome.value
    return passed ? 0 : Math.max(...outputs.map((o) => o.maxRel), outputs.length === 0 ? Number.POSITIVE_INFINITY : 0)
  }

  for (const caller of ['If', 'Loop'] as const)
    it(`compute the same inside of ${caller}, however they are rewritten`, async () => {
      const graphs = smallWorkloads().filter((_, i) => i % STRIDE === 0)
      let programs = 0
      for (const [i, graph] of graphs.entries()) {
        const m = inBody(graph, caller, i)
        const prepared = prepareGraph(m, '')
        for (const p of withOtherBodies(prepared.graph, prepared.bindings, i)) {
          const written = readModel(writeModel(prepared.wrap(p.graph)))
          const error = await worstError(m, written, prepared.shapes, i)
          expect(error, `${graph.name}: ${[...p.rules.keys()]}`).to.be.lessThan(ROUNDING)
          programs++
        }
      }
      expect(programs).to.be.greaterThan(graphs.length)
    })
})
