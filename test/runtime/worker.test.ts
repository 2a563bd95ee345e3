import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { DType } from '../../src/ir/dtype.ts'
import { type Tensor, tensor, toNdArray } from '../../src/ir/tensor.ts'
import { OnnxruntimeBackend, ReferenceBackend } from '../../src/runtime/index.ts'
import { residentBytes } from '../../src/runtime/process-memory.ts'
import { ModelFolder, normal, unwrap } from './models.ts'

const PLAIN = { threads: 1, optimization: 'all' } as const

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('worker process', function () {
  this.timeout(30_000)
  const models = new ModelFolder()
  const backends: OnnxruntimeBackend[] = []
  const start = (options: ConstructorParameters<typeof OnnxruntimeBackend>[1] = {}) => {
    const backend = new OnnxruntimeBackend('cpu', options)
    backends.push(backend)
    return backend
  }
  after(async () => {
    await Promise.all(backends.map((b) => b.close()))
    models.remove()
  })

  it('is killed when it hangs; other sessions go on in the next one', async () => {
    const backend = start({ timeoutMs: 1_000 })
    const good = unwrap(await backend.open(models.double(), PLAIN))
    const bad = unwrap(await backend.open(models.endless(), PLAIN))
    const [pid] = await backend.pids()
    const outcome = await bad.run({ x: tensor('float32', [1], [0]) })
    expect(outcome).to.deep.equal({ ok: false, kind: 'timeout', reason: 'no answer within 1000 ms' })
    expect(isAlive(pid!)).to.equal(false)
    const { y } = unwrap(await good.run({ x: tensor('float32', [2, 2], [1, 2, 3, 4]) }))
    expect([...toNdArray(y!).data]).to.deep.equal([2, 4, 6, 8])
  })

  it('is killed when the reference interpreter takes too long', async () => {
    const backend = new ReferenceBackend({ timeoutMs: 1_000 })
    const session = unwrap(await backend.open(models.slowProduct(), PLAIN))
    expect(await session.run({ x: tensor('float32', [1, 1], [1]) })).to.include({ ok: false, kind: 'timeout' })
    await backend.close()
  })

  it('is killed when it holds more memory than it may', async function () {
    if (residentBytes(process.pid) === null) return this.skip() // this platform does not tell a process's memory
    const backend = start({ memoryLimitBytes: 700 * 2 ** 20 })
    const session = unwrap(await backend.open(models.hungry(), PLAIN))
    const outcome = await session.run({ x: tensor('float32', [1, 1], [1]) })
    expect(outcome).to.include({ ok: false, kind: 'out-of-memory' })
    expect(unwrap(await backend.open(models.double(), PLAIN)).inputNames).to.deep.equal(['x'])
  })

  it('answers several callers one after the other', async () => {
    const backend = start()
    const session = unwrap(await backend.open(models.double(), PLAIN))
    const answers = await Promise.all(
      [1, 2, 3, 4].map((v) => session.run({ x: tensor('float32', [2, 2], Array(4).fill(v)) })),
    )
    expect(answers.map((a) => toNdArray(unwrap(a).y!).data[3])).to.deep.equal([2, 4, 6, 8])
    expect(await backend.pids()).to.have.length(1)
  })

  it('takes no innocent call with it when it dies', async () => {
    const backend = start({ timeoutMs: 1_000 })
    const path = models.double()
    const sessions = [unwrap(await backend.open(path, PLAIN)), unwrap(await backend.open(path, PLAIN))]
    const bad = unwrap(await backend.open(models.endless(), PLAIN))
    const feeds = { x: tensor('float32', [2, 2], [1, 1, 1, 1]) }
    const outcomes = await Promise.all([
      bad.run({ x: tensor('float32', [1], [0]) }),
      ...sessions.flatMap((s) => [s.run(feeds), s.run(feeds), s.run({ ...feeds })]),
    ])
    expect(outcomes[0]).to.include({ ok: false, kind: 'timeout' })
    for (const o of outcomes.slice(1)) expect(toNdArray(unwrap(o).y!).data[0]).to.equal(2)
  })

  it('is replaced after so many sessions, once none is open', async () => {
    const backend = start({ sessionsPerWorker: 3 })
    const path = models.double()
    const pids = new Set<number>()
    for (let i = 0; i < 7; i++) {
      const session = unwrap(await backend.open(path, PLAIN))
      for (const pid of await backend.pids()) pids.add(pid)
      await session.close()
    }
    expect(pids.size).to.equal(3)
    const held = unwrap(await backend.open(path, PLAIN))
    for (let i = 0; i < 5; i++) await unwrap(await backend.open(path, PLAIN)).close()
    expect((await held.run({ x: normal([2, 2]) })).ok).to.equal(true)
  })

  it('flushes subnormals only where asked, although ONNX Runtime decides once per process', async () => {
    const backend = start()
    const path = models.double()
    const feeds = { x: tensor('float32', [2, 2], [1e-39, 1, 2, 3]) }
    const first = async (denormalAsZero: boolean) => {
      const session = unwrap(await backend.open(path, { ...PLAIN, denormalAsZero }))
      return toNdArray(unwrap(await session.run(feeds)).y!).data[0]!
    }
    expect(await first(true)).to.equal(0)
    expect(await first(false)).to.be.closeTo(2e-39, 1e-44)
    expect(await first(true)).to.equal(0)
    expect(await backend.pids()).to.have.length(2)
  })

  const elements: Partial<Record<DType, Tensor>> = {
    int64: {
      dtype: 'int64',
      shape: [2, 3],
      bytes: new Uint8Array(BigInt64Array.of(1n, -1n, 2n ** 62n, 0n, 5n, 6n).buffer),
    },
    string: {
      dtype: 'string',
      shape: [2, 3],
      bytes: new Uint8Array(0),
      strings: ['a', '', 'Ω', 'b', 'c', 'd'].map((s) => new TextEncoder().encode(s)),
    },
  }
  const plain: DType[] = [
    'float32',
    'float64',
    'float16',
    'int8',
    'uint8',
    'int16',
    'uint16',
    'int32',
    'uint32',
    'uint64',
    'bool',
  ]
  for (const dtype of [...plain, 'int64', 'string'] as const)
    it(`carries ${dtype} there and back unchanged`, async () => {
      const backend = backends[0]!
      const session = unwrap(await backend.open(models.identity(dtype), PLAIN))
      const x = elements[dtype] ?? tensor(dtype, [2, 3], [0, 1, 1, 0, 1, 0])
      const { y } = unwrap(await session.run({ x }))
      expect({ ...y, bytes: [...y!.bytes], strings: y!.strings?.map((s) => [...s]) }).to.deep.equal({
        ...x,
        bytes: [...x.bytes],
        strings: x.strings?.map((s) => [...s]),
      })
      expect(unwrap(await session.time({ x }, { repeats: 1, batch: 2 }))).to.have.length(1)
      await session.close()
    })

  it('refuses element types that the binding does not take, by name', async () => {
    const session = unwrap(await backends[0]!.open(models.identity('float32'), PLAIN))
    const outcome = await session.run({ x: { dtype: 'bfloat16', shape: [2, 3], bytes: new Uint8Array(12) } })
    expect(outcome).to.deep.equal({ ok: false, kind: 'error', reason: 'input x: onnxruntime-node takes no bfloat16' })
    const short = await session.run({ x: { dtype: 'float32', shape: [2, 3], bytes: new Uint8Array(20) } })
    expect(short).to.include({ ok: false, kind: 'error' })
  })

  it('keeps its parent alive until it has stopped, however long its pipes stay open', async () => {
    const script = join(dirname(fileURLToPath(import.meta.url)), 'stopping.ts')
    const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    await once(child, 'close')
    expect(text).to.equal('stopped')
  })

  it('neither keeps its parent alive nor outlives it', async () => {
    const script = join(dirname(fileURLToPath(import.meta.url)), 'forgetful.ts')
    const child = spawn(process.execPath, ['--import', 'tsx', script, models.double()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    const [code] = await once(child, 'close')
    expect(code).to.equal(0)
    const pid = Number(text)
    expect(pid).to.be.greaterThan(0)
    for (let i = 0; i < 100 && isAlive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isAlive(pid)).to.equal(false)
  })
})
