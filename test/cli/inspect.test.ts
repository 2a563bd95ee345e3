import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { type Folder, jsonOf, makeFolder, runCli, writeSmallModel } from './support.ts'

describe('inspect', () => {
  let folder: Folder
  before(() => {
    folder = makeFolder()
    writeSmallModel(folder.path('small.onnx'))
    writeSmallModel(folder.path('foreign.onnx'), { foreign: true })
    writeFileSync(folder.path('text.onnx'), 'this is no model')
  })
  after(() => folder.remove())
  const inspect = async (...args: string[]) => jsonOf(await runCli(['inspect', ...args, '--json']))

  it('counts nodes, operators and parameters', async () => {
    const r = await inspect(folder.path('small.onnx'))
    expect(r).to.include({
      schema: 'allotrope.inspect/1',
      ok: true,
      nodes: 2,
      parameters: 15,
      parameterBytes: 60,
      flops: null,
    })
    expect(r).to.deep.include({ opaque: [], openDimensions: ['batch'], opsets: { '': 17 } })
    expect((r.ops as { op: string; count: number }[]).map((o) => [o.op, o.count])).to.deep.equal([
      ['Add', 1],
      ['MatMul', 1],
    ])
  })

  it('computes work once the dynamic dimensions are bound', async () => {
    const r = await inspect(folder.path('small.onnx'), '--shape', 'x=2x4')
    // MatMul: 2*2*4*3 = 48 flop; reads 2*4 and 4*3, writes 2*3 floats. Add: 6 flop; reads 2*3 and 3, writes 2*3 floats.
    expect(r).to.include({ flops: 54, bytes: 4 * (8 + 12 + 6 + 6 + 3 + 6) })
    expect(r.outputs).to.deep.equal([{ name: 'y', type: 'float32[2,3]' }])
  })

  it('names nodes that it cannot look into', async () => {
    const r = await inspect(folder.path('foreign.onnx'), '--shape', 'x=2x4')
    expect(r).to.include({ flops: null })
    expect((r.opaque as { op: string }[]).map((o) => o.op)).to.deep.equal(['com.example:Mystery'])
  })

  it('prints a table of operators, or of nodes', async () => {
    const { stdout } = await runCli(['inspect', folder.path('small.onnx'), '--shape', 'x=2x4'])
    expect(stdout)
      .to.contain('2 nodes, 15 parameters (60 B)')
      .and.to.match(/MatMul +1 +48 +104/)
    const nodes = await runCli(['inspect', folder.path('small.onnx'), '--shape', 'x=2x4', '--nodes'])
    expect(nodes.stdout).to.contain('float32[2,3]')
  })

  const wrong: readonly [what: string, args: (f: Folder) => string[], message: RegExp][] = [
    ['a file that is not there', (f) => [f.path('none.onnx')], /none\.onnx/],
    ['a file that is no model', (f) => [f.path('text.onnx')], /text\.onnx/],
    ['an input that the model lacks', (f) => [f.path('small.onnx'), '--shape', 'z=1'], /one of the inputs x/],
    ['a shape of another rank', (f) => [f.path('small.onnx'), '--shape', 'x=2x4x1'], /2 dimensions/],
    [
      'a shape that contradicts a fixed size',
      (f) => [f.path('small.onnx'), '--shape', 'x=2x5'],
      /dimension 1: expected 4/,
    ],
  ]
  for (const [what, args, message] of wrong) {
    it(`refuses ${what} with exit code 3`, async () => {
      const ran = await runCli(['inspect', ...args(folder)])
      expect(ran.code).to.equal(3)
      expect(ran.stderr).to.match(message)
    })
  }
})
