// One suite over every backend. An absent one is skipped, and its title says why.
import { expect } from 'chai'
import { kernelSignature } from '../../src/cost/kernel.ts'
import { type Tensor, tensor, toNdArray } from '../../src/ir/tensor.ts'
import { readModelFile } from '../../src/onnx/index.ts'
import { BACKENDS, type Backend, type Session } from '../../src/runtime/index.ts'
import { ModelFolder, normal, unwrap } from './models.ts'

const NAMES = Object.keys(BACKENDS) as Backend['name'][]
const PLAIN = { threads: 1, optimization: 'all' } as const
/** Relative to the largest magnitude of the output; float32 sums of up to 144 terms. */
const TOLERANCE = 1e-4

function expectClose(actual: Tensor | undefined, expected: Tensor | undefined): void {
  const [a, b] = [toNdArray(actual!).data, toNdArray(expected!).data]
  expect(a.length).to.equal(b.length)
  const scale = Math.max(...b.map(Math.abs))
  a.forEach((x, i) => {
    expect(x).to.be.closeTo(b[i]!, TOLERANCE * scale)
  })
}

for (const name of NAMES)
  describe(`backend ${name}`, function () {
    this.timeout(60_000)
    const models = new ModelFolder()
    const backend = BACKENDS[name]({ timeoutMs: 30_000 })
    const oracle = BACKENDS.reference()
    /** One session for several tests: a GPU compiles its programs anew for each. */
    let network: Session

    before(async function () {
      const { available, reason, fix } = await backend.probe()
      if (available) {
        network = unwrap(await backend.open(models.network(), PLAIN))
        return
      }
      expect(reason).to.not.equal('')
      expect(fix).to.not.equal('')
      console.log(`      backend ${name} is absent: ${reason}`)
      this.skip()
    })

    after(async () => {
      await Promise.all([backend.close(), oracle.close()])
      models.remove()
    })

    const open = async (path: string): Promise<Session> => unwrap(await backend.open(path, PLAIN))

    it('says what it is, and needs no fix', async () => {
      const { reason, fix } = await backend.probe()
      expect(reason).to.match(/\w/)
      expect(fix).to.equal('')
    })

    it('times a model whose output has another rank than it declares', async () => {
      const session = await open(models.misdeclared())
      const feeds = { x: normal([6]), shape: tensor('int64', [3], [1, 2, 3]) }
      expect(unwrap(await session.time(feeds, { repeats: 3, batch: 2 }))).to.have.length(3)
      await session.close()
    })

    for (const model of ['network', 'convolutions'] as const)
      it(`computes ${model} as the reference interpreter does`, async () => {
        const path = models[model]()
        const feeds = { x: normal(model === 'network' ? [3, 8] : [1, 3, 16, 16]) }
        const session = await open(path)
        const right = unwrap(await unwrap(await oracle.open(path, PLAIN)).run(feeds))
        const answer = unwrap(await session.run(feeds))
        expect(Object.keys(answer)).to.have.members(session.outputNames)
        for (const output of session.outputNames) expectClose(answer[output], right[output])
        await session.close()
      })

    it('keeps several sessions and inputs apart', async () => {
      const [a, b] = [network, await open(models.network(7))]
      const [one, two] = [{ x: normal([1, 8]) }, { x: tensor('float32', [2, 8], Array(16).fill(1)) }]
      const first = [await a.run(one), await b.run(one), await a.run(two), await b.run(two)].map(unwrap)
      const again = [await b.run(two), await a.run(two), await b.run(one), await a.run(one)].map(unwrap).reverse()
      expect(again).to.deep.equal(first)
      expect(first[0]!.y!.bytes).to.not.deep.equal(first[1]!.y!.bytes)
      expect(first[2]!.y!.shape).to.deep.equal([2, 4])
      await b.close()
    })

    it('remembers more inputs than it keeps', async () => {
      const session = await open(models.double())
      const sets = Array.from({ length: 20 }, (_, i) => ({ x: tensor('float32', [2, 2], [i, 0, 0, 0]) }))
      for (const set of [...sets, ...sets]) {
        const { y } = unwrap(await session.run(set))
        expect(toNdArray(y!).data[0]).to.equal(2 * toNdArray(set.x).data[0]!)
      }
      await session.close()
    })

    it('times in positive milliseconds, one number per repeat, without changing the answer', async () => {
      const feeds = { x: normal([4, 8]) }
      const before = unwrap(await network.run(feeds))
      const millis = unwrap(await network.time(feeds, { repeats: 3, batch: 2 }))
      expect(millis).to.have.length(3)
      for (const ms of millis) expect(ms).to.be.within(1e-4, 30_000)
      expect(unwrap(await network.run(feeds))).to.deep.equal(before)
    })

    it('refuses inputs that are missing, unknown, of the wrong shape or of the wrong type, and goes on', async () => {
      const x = normal([1, 8])
      const refusals = [
        await network.run({}),
        await network.run({ x, z: x }),
        await network.run({ x: normal([1, 9]) }),
        await network.run({ x: tensor('int64', [1, 8], Array(8).fill(1)) }),
      ]
      for (const r of refusals) expect(r).to.include({ ok: false, kind: 'error' })
      expect(refusals.map((r) => (r.ok ? '' : r.reason)).slice(0, 2)).to.deep.equal([
        'no value for input x',
        'the model has no input z; its inputs are x',
      ])
      expect((await network.run({ x })).ok).to.equal(true)
    })

    it('refuses files that are absent or no models', async () => {
      const garbage = models.bytes(
        'garbage.onnx',
        Uint8Array.from({ length: 99 }, (_, i) => i * 7),
      )
      for (const path of [models.path('absent.onnx'), garbage]) {
        expect(await backend.open(path, PLAIN)).to.include({ ok: false, kind: 'error' })
        expect(await backend.lower(path, new Map())).to.include({ ok: false, kind: 'error' })
      }
    })

    it('refuses a closed session', async () => {
      const session = await open(models.double())
      await session.close()
      await session.close()
      expect(await session.run({ x: normal([2, 2]) })).to.deep.equal({
        ok: false,
        kind: 'error',
        reason: 'the session is closed',
      })
    })

    it('lowers a file and a model in memory to the same kernels, with shapes and constants', async () => {
      const path = models.network()
      const shapes = new Map([['x', [3, 8]]])
      const table = unwrap(await backend.lower(path, shapes))
      const again = unwrap(await backend.lower(readModelFile(path), shapes))
      expect(again.map(kernelSignature)).to.deep.equal(table.map(kernelSignature))
      const products = table.filter((k) => /MatMul|Gemm/.test(k.op))
      expect(products.at(-1)!.inputs.map((o) => [o!.shape, o!.constant])).to.deep.equal([
        [[3, 16], false],
        [[16, 4], true],
      ])
      expect(products.at(-1)!.outputs[0]!.shape).to.deep.equal([3, 4])
      const { kernels, sources } = unwrap(await backend.lowerGraph(path, shapes))
      expect(kernels.map(kernelSignature).sort()).to.deep.equal(table.map(kernelSignature).sort())
      expect(sources).to.have.length(kernels.length)
      sources!.forEach((from, i) => {
        for (const s of from) expect(s).to.be.lessThan(i)
      })
      expect(sources!.flat()).to.have.length.greaterThan(0)
    })

    it('contains a crash: the call says so, and the same session works again', async () => {
      const session = await open(models.double())
      const feeds = { x: normal([2, 2]) }
      const right = unwrap(await session.run(feeds))
      const running = session.time(feeds, { repeats: 1_000_000, batch: 100 })
      const [pid] = await backend.pids()
      await new Promise((resolve) => setTimeout(resolve, 100))
      process.kill(pid!, 'SIGSEGV')
      const outcome = await running
      expect(outcome).to.include({ ok: false, kind: 'crash' })
      expect(outcome.ok ? '' : outcome.reason).to.contain('SIGSEGV')
      expect(unwrap(await session.run(feeds))).to.deep.equal(right)
      expect(await backend.pids()).to.not.include(pid)
      await session.close()
    })
  })
