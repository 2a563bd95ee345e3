// A few damaged models, and a few models in disguise; `npm run fuzz:models` has millions.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { InvariantError } from '../../src/base/errors.ts'
import { createRandom } from '../../src/base/random.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { encodeTensor, modelOf, parseTensor, readModel, writeModel } from '../../src/onnx/index.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { buildCorpus, smallWorkloads } from './corpus.ts'
import { DISGUISES, differenceInDisguise, differenceOfForms } from './metamorphic.ts'
import { damagedModel, specimensOf } from './mutate.ts'
import { optimiseCase } from './optimise-case.ts'
import { readCase, unlessRefused } from './read-case.ts'
import { watchCases } from './watch.ts'
import { encodeFields, parseFields } from './wire.ts'

const SEED = 20261127
const READS = 3000
const OPTIMISED = 30

describe('robustness', function () {
  this.timeout(120_000)
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-robustness-'))
  const backend = createBackend('cpu')
  const workshop = { backend, folder }
  const corpus = buildCorpus(folder)
  const specimens = specimensOf(corpus)
  after(async () => {
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('has a corpus of more than fifty small models, which all read', () => {
    expect(new Set(corpus.map((m) => m.name)).size).to.be.greaterThan(50)
    for (const { name, bytes } of corpus) expect(readCase(bytes, folder), name).to.not.equal(null)
  })

  it('takes models apart into fields and together again', () => {
    for (const { name, bytes } of corpus)
      expect(Buffer.compare(encodeFields(parseFields(bytes) ?? []), bytes), name).to.equal(0)
  })

  it('reads damaged models, or refuses them in words', () => {
    let read = 0
    for (let at = 0; at < READS; at++) {
      const { bytes, what } = damagedModel(specimens, SEED, at)
      try {
        if (readCase(bytes, folder)) read++
      } catch (error) {
        throw new Error(`${what} (number ${at})`, { cause: error })
      }
    }
    // Both answers occur, or the test would say nothing.
    expect(read).to.be.within(READS / 10, (READS * 9) / 10)
  })

  it('reads damaged tensors and random bytes, or refuses them in words', () => {
    const tensors = specimensOf([
      { name: 'tensor', bytes: encodeTensor(tensor('int64', [2, 3], [1, 2, 3, 4, 5, 6]), 't') },
    ])
    const random = createRandom(SEED)
    for (let at = 0; at < READS; at++) {
      const { bytes } = damagedModel(tensors, SEED, at)
      unlessRefused(() => parseTensor(bytes))
      readCase(
        Uint8Array.from({ length: random.below(64) }, () => random.below(256)),
        folder,
      )
    }
  })

  it('would notice a bug of ours', () => {
    expect(() =>
      unlessRefused(() => {
        throw new InvariantError('x')
      }),
    ).to.throw(InvariantError)
  })

  it('optimises those that read to what computes the same, or refuses them in words', async () => {
    const outcomes = new Set<string>()
    for (let at = 0, done = 0; done < OPTIMISED; at++) {
      const { bytes, what } = damagedModel(specimens, SEED, at)
      const model = readCase(bytes, folder)
      if (model === null) continue
      done++
      try {
        outcomes.add(await optimiseCase(workshop, model, bytes))
      } catch (error) {
        throw new Error(`${what} (number ${at})`, { cause: error })
      }
    }
    expect(outcomes).to.include.keys('equal', 'unchanged', 'not runnable')
  })

  describe('watched children', () => {
    const watch = async (first: number, end: number, caseLimitMs: number) => {
      const failures: Record<number, string> = {}
      const counts: Record<string, number> = {}
      await watchCases({
        module: fileURLToPath(new URL('planted-worker.ts', import.meta.url)),
        args: [],
        first,
        end,
        caseLimitMs,
        memoryLimitBytes: 2 ** 29,
        onFailure: (at, reason) => {
          failures[at] = reason.split('\n')[0]!
        },
        onOutcomes: (more) => {
          for (const [key, n] of Object.entries(more)) counts[key] = (counts[key] ?? 0) + n
          return true
        },
      })
      return { failures, counts }
    }

    it('that throw, hang or end are failures, and the other cases go on', async () => {
      const { failures, counts } = await watch(0, 8, 4000)
      expect(failures[2]).to.equal('Error: planted')
      expect(failures[4]).to.equal('no end within 4000 ms')
      expect(failures[6]).to.match(/^the process ended: 9/)
      expect(Object.keys(failures)).to.have.length(3)
      expect(counts.odd, 'the last child tells its last case').to.be.greaterThan(0)
    })

    it('that hoard memory are failures', async () => {
      const { failures } = await watch(8, 9, 60_000)
      expect(failures[8]).to.match(/^it holds \d+ MB of memory$/)
    })
  })

  describe('the same model in disguise is optimised to the same', () => {
    const names = ['graph-convolution-small', 'late-query-norm-small', 'concat-of-split-small', 'matmul-chain-small']
    const graphs = smallWorkloads().filter((g) => names.includes(g.name))
    for (const disguise of Object.keys(DISGUISES))
      it(disguise, async () => {
        expect(graphs).to.have.length(names.length)
        for (const [seed, graph] of graphs.entries())
          expect(await differenceInDisguise(workshop, graph, disguise, seed)).to.equal(null)
      })

    it('and another model is not', async () => {
      const products = (count: number) => {
        const b = new GraphBuilder('products')
        let x = b.input('x', 'float32', [64, 64])
        for (let i = 0; i < count; i++) x = b.node('Tanh', [b.node('MatMul', [x, x])])
        b.output(x, 'y')
        return readModel(writeModel(modelOf(b.build()))).graph
      }
      expect(await differenceOfForms(workshop, products(2), products(3))).to.match(/ms predicted, not/)
    })
  })
})
