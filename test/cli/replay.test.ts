// A wrong rule is planted: no variant passes, and what shows it is left beside the output.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import { modelOf, parseTensor, writeModelFile } from '../../src/onnx/index.ts'
import type { Rule } from '../../src/rewrite/rule.ts'
import { ruleFamilies } from '../../src/rewrite/rules/index.ts'
import { type Folder, jsonOf, makeFolder, runCli } from './support.ts'

const wrongRule: Rule = {
  name: 'erf-is-relu',
  law: 'erf x = relu x',
  condition: '',
  source: 'planted by a test',
  exactness: 'exact',
  families: ['Erf'],
  *apply(t, n) {
    yield t.onnx('Relu', [t.child(n, 0)])
  },
}

describe('optimize with a wrong rule', function () {
  this.timeout(60_000)
  const rules = ruleFamilies.find((f) => f.phase === 'search')!.rules as Rule[]
  let folder: Folder
  before(() => {
    folder = makeFolder()
    const b = new GraphBuilder('g')
    b.output(b.node('Erf', [b.input('x', 'float32', [namedDim('n'), 1000])]), 'y')
    writeModelFile(folder.path('erf.onnx'), modelOf(b.build()))
    rules.push(wrongRule)
  })
  after(() => {
    rules.splice(rules.indexOf(wrongRule), 1)
    folder.remove()
  })
  const tensorAt = (name: string) => parseTensor(readFileSync(folder.path(name)))

  it('ends in 4, writes no model, and leaves what shows the difference, with the command', async () => {
    const ran = await runCli(['optimize', folder.path('erf.onnx'), '-o', folder.path('out.onnx'), '--json'])
    expect(ran.code, ran.stderr).to.equal(4)
    const { error, replay, next } = jsonOf(ran) as {
      error: Record<string, string>
      replay: string
      next: { command: string }[]
    }
    expect(replay).to.equal(folder.path('out.replay'))
    expect(error.code).to.equal('verification-failed')
    expect(error.fix).to.contain(replay).and.to.contain(next[0]!.command)
    expect(ran.stderr).to.contain(replay)
    expect(existsSync(folder.path('out.onnx'))).to.equal(false)
    expect(readdirSync(folder.path('.')).sort()).to.deep.equal(['erf.onnx', 'out.replay'])
    expect(readdirSync(replay).sort()).to.deep.equal(['got', 'model.onnx', 'replay.txt', 'test_data_set_0'])
    expect(readFileSync(`${replay}/replay.txt`, 'utf8'))
      .to.contain('relative error')
      .and.to.contain(next[0]!.command)
    const x = tensorAt('out.replay/test_data_set_0/input_0.pb')
    expect(x.shape).to.deep.equal([1, 1000])
    expect(tensorAt('out.replay/got/output_0.pb')).to.not.deep.equal(tensorAt('out.replay/test_data_set_0/output_0.pb'))
  })

  it('shows the difference again by that command', async () => {
    const text = readFileSync(folder.path('out.replay/replay.txt'), 'utf8')
    const words = text
      .split('\n')[1]!
      .match(/'[^']*'|\S+/g)!
      .map((word) => word.replaceAll("'", ''))
    expect(words[0]).to.equal('allotrope')
    const ran = await runCli([...words.slice(1), '--json'])
    expect(ran.code, ran.stderr).to.equal(4)
    expect(jsonOf(ran).reason).to.contain('test_data_set_0, output y: relative error')
  })

  it('keeps earlier replays', async () => {
    const args = ['optimize', folder.path('erf.onnx'), '-o', folder.path('out.onnx'), '--json']
    expect(jsonOf(await runCli(args)).replay).to.equal(folder.path('out.replay-2'))
  })
})
