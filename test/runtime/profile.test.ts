import { expect } from 'chai'
import { ints } from '../../src/ir/attribute.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { correctedTotalMs, OnnxruntimeBackend, type ProfiledKernel, providerShares } from '../../src/runtime/index.ts'
import { readProfile } from '../../src/runtime/profile-events.ts'
import { ModelFolder, normal, unwrap } from './models.ts'

const session = (name: string, ts: number, dur: number) => ({
  cat: 'Session',
  pid: 1,
  tid: 1,
  dur,
  ts,
  ph: 'X',
  name,
  args: {},
})
const kernel = (name: string, op: string, ts: number, dur: number, provider = 'CPUExecutionProvider') => ({
  cat: 'Node',
  pid: 1,
  tid: 1,
  dur,
  ts,
  ph: 'X',
  name: `${name}_kernel_time`,
  args: { op_name: op, provider, output_type_shape: [{ float: [1, 2] }] },
})
const program = (label: string, dur: number) => ({
  cat: 'Api',
  pid: 1,
  tid: 2,
  dur,
  ts: 0,
  ph: 'X',
  name: label,
  args: {},
})

describe('profile of ONNX Runtime', function () {
  this.timeout(30_000)

  it('gives the last runs, kernel by kernel', () => {
    const run = (at: number) => [
      kernel('a', 'Add', at, 5),
      kernel('b', 'Relu', at + 6, 2),
      session('model_run', at, 10),
    ]
    const events = [session('session_initialization', 0, 3), ...run(10), ...run(30), ...run(50)]
    const runs = readProfile(JSON.stringify(events), 2)
    expect(runs).to.have.length(2)
    expect(runs[0]!.map((k) => [k.name, k.op, k.micros])).to.deep.equal([
      ['a', 'Add', 5],
      ['b', 'Relu', 2],
    ])
    expect(runs[1]![0]!.outputs).to.deep.equal([{ dtype: 'float32', shape: [1, 2] }])
  })

  it('drops what runs inside If and Loop, at any depth', () => {
    const events = [
      kernel('before', 'Add', 0, 5),
      kernel('inner', 'Add', 12, 1),
      kernel('inner', 'Mul', 15, 2),
      kernel('choice', 'If', 14, 4),
      kernel('inner', 'Add', 22, 1),
      kernel('loop', 'Loop', 11, 20),
      kernel('after', 'Add', 31, 5),
      session('model_run', 0, 40),
    ]
    const [run] = readProfile(JSON.stringify(events), 1)
    expect(run!.map((k) => k.name)).to.deep.equal(['before', 'loop', 'after'])
  })

  it('takes the time of GPU programs for the launches of the host, several programs to a kernel', () => {
    const gpu = 'WebGpuExecutionProvider'
    const run = [
      kernel('conv', 'Conv', 0, 90, gpu),
      kernel('Relu_7', 'Relu', 1, 90, gpu),
      kernel('Relu_8', 'Relu', 2, 90, gpu),
      kernel('view', 'Reshape', 3, 90, gpu),
      kernel('shape', 'Shape', 4, 6),
      session('model_run', 0, 400),
    ]
    const programs = [
      program('conv&Conv&Transpose', 3),
      program('conv&Conv&Conv2dMM', 4),
      program('&Relu&Relu', 5),
      program('&Relu&Relu', 6),
    ]
    const runs = readProfile(JSON.stringify([...run, ...run, ...programs, ...programs]), 2)
    for (const r of runs) expect(r.map((k) => k.micros)).to.deep.equal([7, 5, 6, 0, 6])
  })

  it('refuses what is no profile, what has too few runs and GPU programs of no kernel', () => {
    for (const text of ['', '{}', '[1]', '[null]', '[]'])
      expect(() => readProfile(text, 1), text).to.throw(/profile of ONNX Runtime/)
    const lost = [kernel('a', 'Add', 0, 5), session('model_run', 0, 10), program('b&Conv&Conv2dMM', 4)]
    expect(() => readProfile(JSON.stringify(lost), 1)).to.throw(/b&Conv&Conv2dMM/)
  })

  it('is corrected for what the profiler adds, and shared out by provider', () => {
    const k = (micros: number, provider: string): ProfiledKernel => ({
      name: '',
      op: '',
      provider,
      micros,
      durations: [micros],
      kernel: null,
    })
    expect(correctedTotalMs([k(1000, 'a'), k(1000, 'a')])).to.be.closeTo(2.0616, 1e-9)
    expect(providerShares([k(30, 'gpu'), k(10, 'cpu'), k(60, 'gpu')])).to.deep.equal([
      { provider: 'gpu', kernels: 2, timeShare: 0.9 },
      { provider: 'cpu', kernels: 1, timeShare: 0.1 },
    ])
    expect(providerShares([])).to.deep.equal([])
  })

  describe('of a real session', () => {
    const models = new ModelFolder()
    const backend = new OnnxruntimeBackend('cpu')
    after(async () => {
      await backend.close()
      models.remove()
    })
    const profiled = async (path: string, shape: readonly number[]) => {
      const s = unwrap(await backend.open(path, { threads: 1, optimization: 'all', profile: true }))
      const kernels = unwrap(await s.profile({ x: normal(shape) }, 4))
      await s.close()
      return kernels
    }

    it('names operators in full, with shapes, attributes, and the weights that the profile leaves out', async () => {
      const kernels = await profiled(models.convolutions(), [1, 3, 16, 16])
      const convolutions = kernels.filter((k) => k.op.endsWith('Conv'))
      expect(convolutions).to.have.length(2)
      for (const k of kernels) {
        expect(k.durations).to.have.length(4)
        expect(k.micros).to.equal(k.durations.reduce((a, b) => a + b, 0) / 4)
        expect(k.provider).to.equal('CPUExecutionProvider')
        expect(k.kernel?.op).to.equal(k.op)
      }
      const first = convolutions[0]!.kernel!
      expect(first.inputs.slice(0, 2).map((o) => o!.constant)).to.deep.equal([false, true])
      expect(first.attributes.pads).to.deep.equal([1, 1, 1, 1])
      expect(first.outputs[0]!.shape).to.deep.equal([1, 16, 16, 16])
    })

    it('sees shapes that depend on the data', async () => {
      const path = models.write('non-zero', (b) => {
        const x = b.input('x', 'float32', [4])
        b.output(b.node('Transpose', [b.node('NonZero', [b.node('Relu', [x])])], { perm: ints([1, 0]) }), 'y')
      })
      const s = unwrap(await backend.open(path, { threads: 1, optimization: 'all', profile: true }))
      const kernels = unwrap(await s.profile({ x: tensor('float32', [4], [1, -1, 2, 3]) }, 1))
      expect(kernels.at(-1)!.kernel!.outputs[0]!.shape).to.deep.equal([3, 1])
      await s.close()
    })

    it('is taken once', async () => {
      const s = unwrap(await backend.open(models.double(), { threads: 1, optimization: 'all', profile: true }))
      unwrap(await s.profile({ x: normal([2, 2]) }, 1))
      expect(await s.profile({ x: normal([2, 2]) }, 1)).to.include({ ok: false, kind: 'error' })
      await s.close()
    })

    it('needs a session that was opened for it', async () => {
      const s = unwrap(await backend.open(models.double(), { threads: 1, optimization: 'all' }))
      expect(await s.profile({ x: normal([2, 2]) }, 1)).to.include({ ok: false, kind: 'error' })
      await s.close()
    })
  })
})
