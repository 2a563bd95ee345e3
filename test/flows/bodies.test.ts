import { expect } from 'chai'
import { silentTalk } from '../../src/base/talk.ts'
import { inputSets, verifyModels } from '../../src/bench/index.ts'
import { bodiesOf, readModelFile, writeModelFile } from '../../src/onnx/index.ts'
import { optimize } from '../../src/optimize.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { loopModel } from '../search/body-models.ts'
import { createWorkspace, optimizeOptions } from './support/workspace.ts'

describe('optimize, on models with control flow', function () {
  this.timeout(120_000)
  const space = createWorkspace()
  after(() => space.remove())

  it('finds what pays in the body of a Loop, and writes a model that computes the same', async () => {
    const input = space.path('loop.onnx')
    writeModelFile(input, loopModel(), { force: true })
    const run = await optimize(optimizeOptions(input, { measure: 0 }), silentTalk)
    expect(run.verdict).to.deep.include({ kind: 'predicted-gain', name: 'v0b' })
    expect(run.chosen!.ranked.hasOptimisedBodies).to.equal(true)
    expect([...run.chosen!.ranked.candidate!.rules.keys()]).to.include('lin-pull')
    const { graph } = readModelFile(run.outputPath)
    const loop = graph.nodes.find((n) => n.op === 'Loop')!
    const ops = bodiesOf(loop, graph)[0]!.graph.nodes.map((n) => n.op)
    expect(ops.indexOf('ReduceMean')).to.be.lessThan(ops.indexOf('MatMul'))
    const backend = createBackend('cpu')
    const sets = inputSets(graph, run.prepared.shapes, { seed: 99 })
    const outcome = await verifyModels({ oracle: backend, device: backend }, input, run.outputPath, sets)
    await backend.close()
    expect(outcome.ok && outcome.value.passed).to.equal(true)
  })

  it('measures it against the original, and keeps it only if it is faster', async () => {
    const input = space.path('loop.onnx')
    const run = await optimize(optimizeOptions(input, { output: space.path('measured.onnx') }), silentTalk)
    expect(run.verified.map((v) => v.ranked.id)).to.include('v0b')
    for (const v of run.verified) expect(v.verification.passed, v.verification.reason).to.equal(true)
    expect(run.measurement!.variants.map((v) => v.name)).to.include('v0b')
  })

  it('leaves bodies alone without rules', async () => {
    const options = optimizeOptions(space.path('loop.onnx'), { rules: '!*', output: space.path('none.onnx') })
    const run = await optimize(options, silentTalk)
    expect(run.verdict.kind).to.equal('no-gain')
    expect(run.bodies.found.map((f) => f.reason)).to.deep.equal(['nothing better was found'])
  })
})
