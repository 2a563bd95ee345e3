import { expect } from 'chai'
import { outputError, scaleOf } from '../../src/bench/compare-outputs.ts'
import type { InputSet } from '../../src/bench/inputs.ts'
import { prepareReference, type VerifyTarget, verifyCandidate, verifyModels } from '../../src/bench/verify.ts'
import { int, text } from '../../src/ir/attribute.ts'
import type { GraphBuilder } from '../../src/ir/builder.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { type Tensor, tensor, toNdArray } from '../../src/ir/tensor.ts'
import { BACKENDS, type Backend, type Feeds, type Outcome, type Session } from '../../src/runtime/index.ts'
import { ModelFolder, normal, unwrap } from '../runtime/models.ts'

const floats = (...xs: number[]) => tensor('float32', [xs.length], xs)

describe('distance of outputs', () => {
  it('is the largest difference, relative to the scale that is given', () => {
    expect(outputError(floats(1, 2, 4), floats(1, 2.5, 3.75), 4)).to.deep.equal({
      maxAbs: 0.5,
      maxRel: 0.125,
      difference: null,
    })
    expect(scaleOf(floats(1, -5, Number.POSITIVE_INFINITY, Number.NaN))).to.equal(5)
    expect(scaleOf(tensor('int64', [1], [9]))).to.equal(0)
  })

  it('takes NaN for NaN and infinity for infinity, and nothing else for them', () => {
    const odd = floats(Number.NaN, Number.POSITIVE_INFINITY, 1)
    expect(outputError(odd, odd, 1).maxRel).to.equal(0)
    for (const other of [
      floats(0, Infinity, 1),
      floats(NaN, -Infinity, 1),
      floats(NaN, NaN, 1),
      floats(NaN, Infinity, NaN),
    ])
      expect(outputError(odd, other, 1).maxRel).to.equal(Infinity)
    expect(outputError(floats(1), floats(NaN), 1).difference).to.equal('element 0 is NaN, expected 1')
  })

  it('counts zero and minus zero as equal', () => {
    expect(outputError(floats(0), floats(-0), 1).maxAbs).to.equal(0)
  })

  it('wants shapes, dtypes, integers, booleans and strings equal', () => {
    const strings = (...words: string[]): Tensor => ({
      dtype: 'string',
      shape: [words.length],
      bytes: new Uint8Array(0),
      strings: words.map((w) => new TextEncoder().encode(w)),
    })
    const pairs: [Tensor, Tensor, RegExp][] = [
      [floats(1, 2), tensor('float32', [1, 2], [1, 2]), /shape \[1,2\], expected \[2\]/],
      [floats(1), tensor('float64', [1], [1]), /dtype float64, expected float32/],
      [tensor('int64', [3], [1, 2, 3]), tensor('int64', [3], [1, 2, 4]), /element 2 differs, and int64 must be equal/],
      [tensor('bool', [1], [1]), tensor('bool', [1], [0]), /bool must be equal/],
      [strings('a', 'b'), strings('a', 'c'), /strings differ/],
    ]
    for (const [a, b, reason] of pairs) {
      expect(outputError(a, b, 1).difference).to.match(reason)
      expect(outputError(a, a, 1)).to.deep.equal({ maxAbs: 0, maxRel: 0, difference: null })
    }
    expect(outputError(floats(1), undefined, 1).difference).to.equal('the output is missing')
  })
})

describe('verification', function () {
  this.timeout(30_000)
  const models = new ModelFolder()
  const cpu = BACKENDS.cpu({ timeoutMs: 20_000 })
  const target = { oracle: cpu, device: cpu }
  after(async () => {
    await cpu.close()
    models.remove()
  })

  const sets: readonly InputSet[] = [1, 2, 3].map((seed) => ({ label: `set ${seed}`, feeds: { x: normal([2, 8]) } }))
  const model = (name: string, make: (b: GraphBuilder, x: ValueId) => ValueId, output = 'y') =>
    models.write(name, (b) => b.output(make(b, b.input('x', 'float32', [2, 8])), output))
  const times = (factor: number) => (b: GraphBuilder, x: ValueId) =>
    b.node('Mul', [x, b.constant(tensor('float32', [], [factor]))])

  it('passes a model that computes the same in another way', async () => {
    const double = model('double', (b, x) => b.node('Add', [x, x]))
    const verification = unwrap(await verifyModels(target, double, model('twice', times(2)), sets))
    expect(verification).to.deep.include({ passed: true, inputs: 3, notes: [] })
    expect(verification.outputs).to.deep.equal([{ name: 'y', maxAbs: 0, maxRel: 0, tolerance: 1e-5 }])
    expect(verification).to.not.have.property('reason')
  })

  it('passes within the tolerance and fails beyond it, with the number', async () => {
    const original = model('same', times(1))
    const near = unwrap(await verifyModels(target, original, model('near', times(1.000005)), sets))
    expect(near.passed).to.equal(true)
    expect(near.outputs[0]!.maxRel).to.be.within(4e-6, 6e-6)
    const far = unwrap(await verifyModels(target, original, model('far', times(1.00002)), sets))
    expect(far.passed).to.equal(false)
    expect(far.reason).to.match(/^on input set 1, output y: relative error 2\.\d\de-5, tolerated 1\.00e-5$/)
  })

  it('judges by float64, on inputs of one number, what is no more wrong than the original is', async () => {
    const exact = BACKENDS.reference({ timeoutMs: 20_000 })
    const [count, ids] = [4000, new Array<number>(4000).fill(0)]
    const sum = (before: number, after: number) =>
      models.write(`sum ${before} ${after}`, (b) => {
        const scaled = (x: ValueId, factor: number) => b.node('Mul', [x, b.constant(tensor('float32', [], [factor]))])
        const x = scaled(b.input('x', 'float32', [count]), before)
        const zeros = b.constant(tensor('float32', [1], [0]))
        const y = b.node('ScatterElements', [zeros, b.int64s(ids), x], { axis: int(0), reduction: text('add') })
        b.output(scaled(y, after), 'y')
      })
    const feeds = { x: tensor('float32', [count], new Array<number>(count).fill(0.7)) }
    const judge = (candidate: string, label: string, how: Partial<VerifyTarget>) =>
      verifyModels({ ...target, ...how }, sum(1, 1), candidate, [{ label, feeds }]).then((v) => unwrap(v).passed)
    expect(await judge(sum(3, 1 / 3), 'ones', {})).to.equal(false)
    expect(await judge(sum(3, 1 / 3), 'ones', { exact })).to.equal(true)
    expect(await judge(sum(3, 0.34), 'ones', { exact })).to.equal(false)
    expect(await judge(sum(3, 1 / 3), 'structured', { exact })).to.equal(false)
    await exact.close()
  })

  it('fails what cannot be loaded, cannot run, or has other names, types and shapes', async () => {
    const reference = unwrap(await prepareReference(target, model('same', times(1)), sets))
    const wide = (b: GraphBuilder, x: ValueId) => b.node('Cast', [x], { to: int(11) })
    const candidates: [string, RegExp][] = [
      [models.bytes('garbage.onnx', Uint8Array.of(1, 2, 3)), /^it cannot be loaded: /],
      [model('renamed', times(1), 'z'), /^its outputs are z, expected y$/],
      [models.double(), /^on input set 1: /],
      [model('wide', wide), /^on input set 1, output y: dtype float64, expected float32$/],
      [model('flat', (b, x) => b.node('Reshape', [x, b.int64s([16])])), /output y: shape \[16\], expected \[2,8\]$/],
    ]
    for (const [path, reason] of candidates) {
      const verification = await verifyCandidate(reference, path)
      expect(verification.passed, String(reason)).to.equal(false)
      expect(verification.reason).to.match(reason)
    }
    expect((await verifyCandidate(reference, model('good', times(1)))).passed).to.equal(true)
  })

  it('keeps the inputs that showed a difference, and what was given, if anything was', async () => {
    const reference = unwrap(await prepareReference(target, model('same', times(1)), sets))
    const { witness } = await verifyCandidate(reference, model('far', times(2)))
    expect(witness?.set).to.equal(sets[0])
    expect(witness?.expected.y).to.deep.equal(sets[0]!.feeds.x)
    expect(witness?.got?.y).to.have.property('shape').that.deep.equals([2, 8])
    expect((await verifyCandidate(reference, models.double())).witness).to.include({ got: null })
    const garbage = models.bytes('garbage.onnx', Uint8Array.of(1, 2, 3))
    for (const path of [garbage, model('same', times(1))])
      expect(await verifyCandidate(reference, path)).to.not.have.property('witness')
  })

  it('wants integer outputs equal', async () => {
    const argmax = (factor: number) =>
      model('argmax', (b, x) => b.node('ArgMax', [times(factor)(b, x)], { axis: int(1), keepdims: int(0) }))
    expect(unwrap(await verifyModels(target, argmax(1), argmax(3), sets)).passed).to.equal(true)
    const other = unwrap(await verifyModels(target, argmax(1), argmax(-1), sets))
    expect(other.reason).to.match(/output y: element \d+ differs, and int64 must be equal/)
  })

  it('leaves out, and notes, inputs that the original itself refuses', async () => {
    const odd = { label: 'odd', feeds: { x: normal([3, 9]) } }
    const even = { label: 'even', feeds: odd.feeds }
    const path = model('same', times(1))
    const verification = unwrap(await verifyModels(target, path, path, [...sets, odd, even]))
    expect(verification).to.include({ passed: true, inputs: 3 })
    expect(verification.notes).to.have.length(1)
    expect(verification.notes[0]).to.match(/^the original does not run on input odd, even: /)
    expect(await verifyModels(target, path, path, [odd])).to.include({ ok: false, kind: 'error' })
  })

  describe('against a runtime that is wrong itself', () => {
    /** A backend that answers from a table: path and optimisation -> outputs. */
    const scripted = (answers: (path: string, optimization: string, feeds: Feeds) => Feeds): Backend => ({
      ...cpu,
      name: 'cpu',
      async open(path, { optimization }): Promise<Outcome<Session>> {
        const run = async (feeds: Feeds) => ({ ok: true, value: answers(path, optimization, feeds) }) as const
        const session = { inputNames: ['x'], outputNames: ['y'], warnings: [], run, close: async () => {} }
        return { ok: true, value: session as unknown as Session }
      },
    })
    const one: readonly InputSet[] = [{ label: 'one', feeds: { x: floats(1) } }]
    const judged = async (original: Tensor, optimised: Tensor, candidate: Tensor) => {
      const backend = scripted((path, optimization) => ({
        y: path === 'candidate' ? candidate : optimization === 'disabled' ? original : optimised,
      }))
      return unwrap(await verifyModels({ oracle: backend, device: backend }, 'original', 'candidate', one))
    }

    it('tolerates twenty times its error and a little more', async () => {
      expect((await judged(floats(1), floats(1.001), floats(1.0199))).passed).to.equal(true)
      expect((await judged(floats(1), floats(1.001), floats(1.0201))).passed).to.equal(false)
    })

    it('does not judge an output that its own optimisation changes in kind, and says so', async () => {
      const verification = await judged(tensor('int64', [1], [3]), tensor('int64', [1], [4]), tensor('int64', [1], [5]))
      expect(verification).to.deep.include({ passed: false, outputs: [] })
      expect(verification.reason).to.match(/^output y: on every input the runtime's own optimisation of the original/)
      expect(verification.notes).to.deep.equal([
        "on input one the runtime's own optimisation changes y; not judged there",
      ])
    })

    it('judges an output where it can, and not where its own optimisation makes another one of it', async () => {
      const backend = scripted((path, optimization, { x }) => {
        const right = toNdArray(x!).data[0] === 1 || optimization === 'disabled' || path === 'candidate' ? 1 : 2
        return { y: floats(path === 'candidate' && toNdArray(x!).data[0] === 1 ? wrong : right, 3) }
      })
      let wrong = 1
      const two = [...one, { label: 'two', feeds: { x: floats(2) } }]
      const verify = async () =>
        unwrap(await verifyModels({ oracle: backend, device: backend }, 'original', 'candidate', two))
      expect(await verify()).to.include({ passed: true })
      expect((await verify()).notes).to.have.length(1)
      wrong = 1.1
      expect(await verify()).to.include({ passed: false })
    })

    it('counts, on extreme inputs, what its error is near them: on one it may be none by chance', async () => {
      const backend = scripted((path, optimization, { x }) => {
        const isGiven = toNdArray(x!).data[0] === 1
        return { y: floats(path === 'candidate' ? 1.0005 : optimization === 'all' && !isGiven ? 1 + error : 1) }
      })
      let error = 1e-4
      const passes = async (label: string) => {
        const set = [{ label, feeds: { x: floats(1) } }]
        return unwrap(await verifyModels({ oracle: backend, device: backend }, 'original', 'candidate', set)).passed
      }
      expect(await passes('small')).to.equal(true)
      expect(await passes('noise')).to.equal(false)
      error = 0.5 // another output altogether, of which nothing follows
      expect(await passes('small')).to.equal(false)
    })

    it('measures a vanishing output by its usual scale', async () => {
      const backend = scripted((path, _, feeds) => {
        const x = feeds.x!.shape[0] === 1 ? 0 : 5
        return { y: path === 'candidate' ? floats(x + 1e-8) : floats(x) }
      })
      const two = [...one, { label: 'two', feeds: { x: floats(1, 2) } }, { label: 'three', feeds: { x: floats(1, 2) } }]
      const verdict = unwrap(await verifyModels({ oracle: backend, device: backend }, 'original', 'candidate', two))
      expect(verdict.passed).to.equal(true)
    })
  })
})
