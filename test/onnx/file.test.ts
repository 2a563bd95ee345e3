import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { integersOf } from '../../src/ir/tensor.ts'
import {
  isOneFile,
  moveModelFile,
  readModelFile,
  type StoredTensors,
  writeModelFile,
  writeStubModel,
} from '../../src/onnx/index.ts'
import { i64, model, node, ramp, value } from './protos.ts'
import { load, run } from './runtime.ts'

describe('onnx: files', () => {
  let directory: string
  const at = (name: string) => join(directory, name)
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'allotrope-onnx-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const big = () =>
    model({
      nodes: [node('MatMul', 'x w', 'h'), node('Add', 'h b', 's'), node('Reshape', 's shape', 'y')],
      inputs: [value('x', 'float32', ['n', 40])],
      outputs: ['y'],
      constants: { w: ramp([40, 40], 0, 0.001), b: ramp([40]), shape: i64([3], [-1, 5, 8]) },
    })
  const feeds = { x: ramp([2, 40], 0, 0.1) }

  it('a written model gives the same values as the model', async () => {
    expect(writeModelFile(at('m.onnx'), big())).to.deep.equal([at('m.onnx')])
    expect(readModelFile(at('m.onnx')).graph).to.deep.equal(big().graph)
    expect((await run(at('m.onnx'), feeds)).y!.shape).to.deep.equal([2, 5, 8])
  })

  it('an existing file is kept unless it may be replaced', () => {
    writeFileSync(at('m.onnx'), 'mine')
    expect(() => writeModelFile(at('m.onnx'), big())).to.throw(UserError, '--force')
    expect(readFileSync(at('m.onnx'), 'utf8')).to.equal('mine')
    writeModelFile(at('m.onnx'), big(), { force: true })
    expect(readModelFile(at('m.onnx')).graph.nodes.length).to.equal(3)
    expect(readdirSync(directory)).to.deep.equal(['m.onnx'])
  })

  it('a model that is one file is moved as it would be written', () => {
    writeModelFile(at('m.onnx'), big())
    const bytes = readFileSync(at('m.onnx'))
    expect(isOneFile(big())).to.equal(true)
    expect(isOneFile(big(), { externalAboveBytes: 1000 })).to.equal(false)
    moveModelFile(at('m.onnx'), at('n.onnx'))
    expect(readFileSync(at('n.onnx'))).to.deep.equal(bytes)
    writeModelFile(at('m.onnx'), big())
    expect(() => moveModelFile(at('m.onnx'), at('n.onnx'))).to.throw(UserError, '--force')
    expect(() => moveModelFile(at('m.onnx'), at('none/n.onnx'))).to.throw(UserError, 'to be able to write')
    expect(readdirSync(directory)).to.deep.equal(['m.onnx', 'n.onnx'])
  })

  it('a model too large for one file gets a data file, aligned, that the runtime and we read back', async () => {
    const expected = await run(writeModelFile(at('one.onnx'), big())[0]!, feeds)
    const [path, data] = writeModelFile(at('two.onnx'), big(), { externalAboveBytes: 1000 })
    expect(path).to.equal(at('two.onnx'))
    expect(data).to.match(/two\.onnx\.[0-9a-f]{16}\.data$/)
    expect(statSync(data!).size).to.equal(6400)
    expect(await run(path!, feeds)).to.deep.equal(expected)
    expect(readModelFile(path!).graph).to.deep.equal(big().graph)
  })

  it('the same model writes the same data file', () => {
    const first = writeModelFile(at('m.onnx'), big(), { externalAboveBytes: 0 })
    const bytes = readFileSync(first[0]!)
    expect(writeModelFile(at('m.onnx'), big(), { externalAboveBytes: 0, force: true })).to.deep.equal(first)
    expect(readFileSync(first[0]!)).to.deep.equal(bytes)
    expect(readdirSync(directory).length).to.equal(2)
  })

  it('models that share weights share the data file of the first', async () => {
    const stored: StoredTensors = new Map()
    const model = big()
    const options = { externalAboveBytes: 0, stored }
    const [first, data] = writeModelFile(at('first.onnx'), model, options)
    expect(writeModelFile(at('second.onnx'), model, options)).to.deep.equal([at('second.onnx')])
    expect(await run(at('second.onnx'), feeds)).to.deep.equal(await run(first!, feeds))
    const [, own] = writeModelFile(at('third.onnx'), big(), options) // equal numbers, other bytes
    expect(readFileSync(own!)).to.deep.equal(readFileSync(data!))
  })

  it("a directory that cannot be written, and a file that cannot be read, are the user's errors", () => {
    expect(() => writeModelFile(at('none/m.onnx'), big())).to.throw(UserError, 'to be able to write')
    expect(() => writeModelFile(at('none/m.onnx'), big(), { externalAboveBytes: 0 })).to.throw(
      UserError,
      'to be able to write',
    )
    expect(() => readModelFile(at('none.onnx'))).to.throw(UserError, 'a readable ONNX model')
    writeFileSync(at('text.onnx'), 'not a model')
    expect(() => readModelFile(at('text.onnx'))).to.throw(UserError, 'text.onnx')
  })

  describe('stub models', () => {
    it('point every large float weight at one file of zeros and keep the rest', async () => {
      const { modelPath, dataPath } = writeStubModel(big(), at('stubs'))
      expect(statSync(dataPath).size).to.equal(6400)
      expect(statSync(modelPath).size).to.be.below(1000)
      const { graph } = readModelFile(modelPath)
      const byName = new Map([...graph.initializers].map(([v, t]) => [graph.values[v]!.name, t]))
      expect(byName.get('w')!.bytes.every((b) => b === 0)).to.equal(true)
      expect(byName.get('b')).to.deep.equal(ramp([40]))
      expect(integersOf(byName.get('shape')!)).to.deep.equal([-1, 5, 8])
      await (await load(modelPath)).release()
    })

    it('share the file of zeros, which grows to the largest need', () => {
      const small = model({
        nodes: [node('Add', 'x w', 'y')],
        inputs: [value('x', 'float32', [2000])],
        outputs: ['y'],
        constants: { w: ramp([2000]) },
      })
      const first = writeStubModel(big(), at('stubs'), 'a.onnx')
      const second = writeStubModel(small, at('stubs'), 'b.onnx')
      expect(second.dataPath).to.equal(first.dataPath)
      expect(statSync(first.dataPath).size).to.equal(8000)
      writeStubModel(big(), at('stubs'), 'c.onnx')
      expect(statSync(first.dataPath).size).to.equal(8000)
      expect(readdirSync(at('stubs')).sort()).to.deep.equal(['a.onnx', 'b.onnx', 'c.onnx', 'zeros.bin'])
    })

    it('of a model without large weights are the model', () => {
      const small = model({ nodes: [node('Relu', 'x', 'y')], inputs: [value('x', 'float32', [2])], outputs: ['y'] })
      const { modelPath, dataPath } = writeStubModel(small, at('stubs'))
      expect(readModelFile(modelPath).graph).to.deep.equal(small.graph)
      expect(existsSync(dataPath)).to.equal(true)
    })
  })
})
