// The protocol is tested on a scripted backend, whose times are known; nothing here depends on how fast this machine is.
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { type MeasureOptions, measure, type Timed, type VariantTiming } from '../../src/bench/measure.ts'
import { measureInProcesses } from '../../src/bench/measure-processes.ts'
import { noiseFloor } from '../../src/bench/noise-floor.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { BACKENDS, type Backend, failure, type Outcome, type Session } from '../../src/runtime/index.ts'
import { ModelFolder, normal, unwrap } from '../runtime/models.ts'

const FEEDS = { x: tensor('float32', [1], [0]) }

interface Script {
  /** Milliseconds of a run; `call` counts all timings of all models. */
  readonly ms: (path: string, call: number) => number | Outcome<never>
  readonly open?: (path: string) => Outcome<never> | null
}

/** A backend whose clock is the script, and the order in which it was asked. */
function scripted({ ms, open }: Script) {
  const calls: { path: string; batch: number }[] = []
  const closed: string[] = []
  const session = (path: string): Session => ({
    inputNames: ['x'],
    outputNames: ['y'],
    warnings: [],
    run: async () => failure('error', 'not scripted'),
    profile: async () => failure('error', 'not scripted'),
    close: async () => {
      closed.push(path)
    },
    time: async (_, { repeats, batch }) => {
      calls.push({ path, batch })
      const value = ms(path, calls.length)
      return typeof value === 'number' ? { ok: true, value: Array(repeats).fill(value) } : value
    },
  })
  const backend: Backend = {
    name: 'cpu',
    probe: async () => ({ available: true, reason: '', fix: '' }),
    pids: async () => [],
    lower: async () => failure('error', 'not scripted'),
    lowerGraph: async () => failure('error', 'not scripted'),
    open: async (path) => open?.(path) ?? { ok: true, value: session(path) },
    close: async () => {},
  }
  return { backend, calls, closed }
}

const models = (...names: string[]) => names.map((name) => ({ name, modelPath: name }))
const [REFERENCE] = models('reference')
const go = async (script: Script, names: string[], options: Partial<MeasureOptions> = {}) => {
  const s = scripted(script)
  const measurement = unwrap(await measure(s.backend, REFERENCE!, models(...names), FEEDS, { seed: 1, ...options }))
  return { ...s, measurement }
}
const timed = (v: VariantTiming | undefined): Timed => {
  if (v?.kind !== 'timed') throw new Error(`not timed: ${JSON.stringify(v)}`)
  return v
}

describe('measurement', () => {
  it('gives each variant its time and its ratio to the reference', async () => {
    const ms = (path: string) => ({ reference: 4, fast: 3, slow: 4.2 })[path]!
    const { measurement, closed } = await go({ ms }, ['fast', 'slow'], { blocks: 8 })
    expect(measurement.reference.time).to.deep.equal({ median: 4, iqr: 0, min: 4, n: 8 })
    expect(measurement.reference.ratio).to.deep.equal({ median: 1, low: 1, high: 1 })
    const [fast, slow] = measurement.variants.map(timed)
    expect(fast).to.deep.include({ name: 'fast', ratio: { median: 0.75, low: 0.75, high: 0.75 }, dropped: false })
    expect(fast!.samplesMs).to.deep.equal(Array(8).fill(3))
    expect(slow!.ratio.median).to.be.closeTo(1.05, 1e-12)
    expect(measurement.noise).to.equal(0)
    expect(closed).to.have.members(['reference', 'fast', 'slow'])
  })

  it('cancels drift of the machine', async () => {
    const ms = (path: string, call: number) => (path === 'variant' ? 0.9 : 1) * (5 + call / 20)
    const { measurement } = await go({ ms }, ['variant'], { blocks: 40 })
    const { ratio, time } = timed(measurement.variants[0])
    expect(time.iqr / time.median).to.be.greaterThan(0.1)
    expect(ratio.median).to.be.closeTo(0.9, 0.01)
    expect(ratio.low).to.be.greaterThan(0.88)
    expect(ratio.high).to.be.lessThan(0.92)
  })

  it('times everything once a block, in an order that the seed shuffles', async () => {
    const order = async (seed: number) => {
      const { calls } = await go({ ms: () => 2 }, ['a', 'b'], { blocks: 6, seed })
      return calls.slice(-18).map((c) => c.path)
    }
    const one = await order(1)
    const blocks = Array.from({ length: 6 }, (_, i) => one.slice(3 * i, 3 * i + 3))
    for (const block of blocks) expect([...block].sort()).to.deep.equal(['a', 'b', 'reference'])
    expect(new Set(blocks.map(String)).size).to.be.greaterThan(2)
    expect(await order(1)).to.deep.equal(one)
    expect(await order(2)).to.not.deep.equal(one)
  })

  it('batches runs until a sample lasts long enough', async () => {
    const ms = (path: string) => ({ reference: 0.1, long: 50 })[path]!
    const { calls } = await go({ ms }, ['long'], { blocks: 3, minSampleMs: 2 })
    const batches = (path: string) =>
      new Set(
        calls
          .slice(-9)
          .filter((c) => c.path === path)
          .map((c) => c.batch),
      )
    expect(batches('reference')).to.deep.equal(new Set([20]))
    expect(batches('long')).to.deep.equal(new Set([1]))
  })

  it('warms up until the times settle', async () => {
    const ms = (path: string, call: number) => (path === 'reference' && call <= 30 ? 100 / call : 3)
    const { measurement } = await go({ ms }, [], { blocks: 5 })
    expect(measurement.reference.time.median).to.equal(3)
  })

  it('has an interval that covers the truth and knows the noise', async () => {
    const random = createRandom(5)
    const ms = (path: string) => (path === 'variant' ? 0.97 : 1) * Math.exp(0.03 * random.normal())
    const { measurement } = await go({ ms }, ['variant'], { blocks: 200 })
    const { low, high, median } = timed(measurement.variants[0]).ratio
    expect(low).to.be.lessThan(0.97)
    expect(high).to.be.greaterThan(0.97)
    expect(high - low).to.be.within(0.005, 0.04)
    expect(median).to.be.within(low, high)
    expect(measurement.noise).to.be.within(0.02, 0.04)
  })

  it('drops a variant that is clearly slower, and only that', async () => {
    const ms = (path: string) => ({ reference: 4, good: 3, bad: 4.5, close: 3.2 })[path]!
    const { measurement } = await go({ ms }, ['bad', 'good', 'close'], { blocks: 20, dropAbove: 1.1 })
    const [bad, good, close] = measurement.variants.map(timed)
    expect([bad!.dropped, bad!.samplesMs.length]).to.deep.equal([true, 5])
    expect([good!.dropped, good!.samplesMs.length]).to.deep.equal([false, 20])
    expect(close!.dropped).to.equal(false)
    const all = await go({ ms }, ['bad', 'good'], { blocks: 20, dropAbove: Number.POSITIVE_INFINITY })
    expect(timed(all.measurement.variants[0]).samplesMs).to.have.length(20)
  })

  it('records a variant that fails, with its reason, and goes on with the others', async () => {
    const ms = (path: string, call: number) =>
      path === 'dies' && call > 40 ? failure('crash', 'killed by SIGSEGV') : 4
    const open = (path: string) => (path === 'broken' ? failure('error', 'no such operator') : null)
    const { measurement, calls } = await go({ ms, open }, ['broken', 'dies', 'good'], { blocks: 12 })
    expect(measurement.variants.slice(0, 2)).to.deep.equal([
      { kind: 'failed', name: 'broken', reason: 'no such operator' },
      { kind: 'failed', name: 'dies', reason: 'killed by SIGSEGV' },
    ])
    const good = timed(measurement.variants[2])
    expect(good.ratio.median).to.equal(1)
    expect(good.samplesMs.length).to.be.within(10, 12)
    expect(measurement.reference.samplesMs).to.have.length(good.samplesMs.length)
    const last = calls.map((c) => c.path).lastIndexOf('dies')
    const after = calls.slice(last + 1, last + 20).map((c) => c.batch)
    expect(after.slice(0, 10)).to.deep.equal(Array(10).fill(1)) // warmed up again
  })

  it('fails only if the reference fails', async () => {
    const dead = scripted({ ms: (path) => (path === 'reference' ? failure('timeout', 'no answer') : 1) })
    const options = { seed: 1, blocks: 3 }
    expect(await measure(dead.backend, REFERENCE!, models('a'), FEEDS, options)).to.deep.equal({
      ok: false,
      kind: 'error',
      reason: 'the reference, reference: no answer',
    })
    expect(dead.closed).to.have.members(['reference', 'a'])
  })

  it('stops at the time limit, but not before three blocks, and when it is told to', async () => {
    const { measurement } = await go({ ms: () => 4 }, ['a'], { blocks: 1000, timeLimitMs: 0 })
    expect(timed(measurement.variants[0]).samplesMs).to.have.length(3)
    const controller = new AbortController()
    const ms = (_: string, call: number) => {
      if (call === 60) controller.abort()
      return 4
    }
    const stopped = await go({ ms }, ['a'], { blocks: 1000, signal: controller.signal })
    expect(timed(stopped.measurement.variants[0]).samplesMs.length).to.be.within(8, 20)
    const early = scripted({ ms: () => 4 })
    const outcome = await measure(early.backend, REFERENCE!, [], FEEDS, { seed: 1, signal: AbortSignal.abort() })
    expect(outcome).to.include({ ok: false, reason: 'interrupted before it could tell anything' })
  })

  it('told to stop after too few blocks to judge by, it fails, since they tell nothing', async () => {
    const controller = new AbortController()
    const onBlock = (done: number) => {
      if (done === 3) controller.abort()
    }
    const few = scripted({ ms: () => 4 })
    const options = { seed: 1, signal: controller.signal, onBlock }
    const outcome = await measure(few.backend, REFERENCE!, models('a'), FEEDS, options)
    expect(outcome).to.include({ ok: false, reason: 'interrupted before it could tell anything' })
  })

  it('loads only so many at once, each group with the reference', async () => {
    const ms = (path: string) => (path === 'reference' ? 4 : 3)
    const names = ['a', 'b', 'c', 'd', 'e']
    const { measurement, closed } = await go({ ms }, names, { blocks: 4, together: 2 })
    expect(measurement.variants.map((v) => v.name)).to.deep.equal(names)
    for (const v of measurement.variants) expect(timed(v).ratio.median).to.equal(0.75)
    expect(measurement.reference.samplesMs).to.have.length(3 * 4)
    expect(closed.slice(0, 3)).to.have.members(['reference', 'a', 'b'])
  })

  it('says what equal models differ by', async () => {
    const random = createRandom(6)
    const { backend } = scripted({ ms: () => Math.exp(0.02 * random.normal()) })
    const floor = unwrap(await noiseFloor(backend, REFERENCE!, FEEDS, { seed: 1, blocks: 60 }))
    expect(floor.perBlock).to.be.within(0.01, 0.03)
    expect(floor.ratio).to.be.within(0.001, 0.02)
    const quiet = scripted({ ms: () => 1 })
    expect(unwrap(await noiseFloor(quiet.backend, REFERENCE!, FEEDS, { seed: 1 })).ratio).to.equal(0)
  })

  it('joins several processes: what differs between them widens the interval', async () => {
    let process = 0
    const create = () => {
      const factor = [0.9, 0.95, 1][process++]!
      const ms = (path: string) =>
        path === 'a' ? 4 * factor : path === 'dies' && process === 2 ? failure('crash', 'gone') : 4
      return scripted({ ms }).backend
    }
    const options = { seed: 1, blocks: 6, processes: 3 }
    const joined = unwrap(await measureInProcesses(create, REFERENCE!, models('a', 'dies'), FEEDS, options))
    expect(process).to.equal(3)
    const a = timed(joined.variants[0])
    expect(a.ratio.median).to.be.closeTo(0.95, 1e-12)
    expect([a.ratio.low, a.ratio.high].map((x) => x.toFixed(2))).to.deep.equal(['0.90', '1.00'])
    expect(a.samplesMs).to.have.length(18)
    expect(joined.variants[1]).to.deep.equal({ kind: 'failed', name: 'dies', reason: 'gone' })
    expect(joined.reference.samplesMs).to.have.length(18)
    expect(joined.reference.ratio).to.deep.equal({ median: 1, low: 1, high: 1 })
    const each = joined.perProcess.map((p) => timed(p.variants[0]).ratio.median)
    expect(each.map((x) => x.toFixed(2))).to.deep.equal(['0.90', '0.95', '1.00'])
  })

  it('works on a real runtime, where a variant that hangs does not stop the others', async function () {
    this.timeout(20_000)
    const folder = new ModelFolder()
    const cpu = BACKENDS.cpu({ timeoutMs: 2_000 })
    try {
      const path = folder.write('unit', (b) => b.output(b.node('Relu', [b.input('x', 'float32', [1])]), 'y'))
      const variants = [
        { name: 'hangs', modelPath: folder.endless() },
        { name: 'same', modelPath: path },
      ]
      const feeds = { x: normal([1]) }
      const measurement = unwrap(
        await measure(cpu, { name: 'unit', modelPath: path }, variants, feeds, { seed: 1, blocks: 4 }),
      )
      expect(measurement.variants[0]).to.deep.equal({
        kind: 'failed',
        name: 'hangs',
        reason: 'no answer within 2000 ms',
      })
      expect(timed(measurement.variants[1]).samplesMs).to.have.length(4)
    } finally {
      await cpu.close()
      folder.remove()
    }
  })
})
