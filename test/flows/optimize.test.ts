import { existsSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { silentTalk } from '../../src/base/talk.ts'
import { INPUT_KINDS, inputSets, verifyModels } from '../../src/bench/index.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { modelOf, readModelFile, writeModelFile } from '../../src/onnx/index.ts'
import { optimize } from '../../src/optimize.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { createWorkspace, optimizeOptions } from './support/workspace.ts'

/** mean(x @ w, rows) for x of any size: one product of a row is enough. */
function openGraph() {
  const b = new GraphBuilder('open')
  const x = b.input('x', 'float32', [namedDim('batch'), namedDim('rows'), 96])
  const w = b.constant(
    tensor(
      'float32',
      [96, 64],
      Float64Array.from({ length: 96 * 64 }, (_, i) => Math.sin(i)),
    ),
  )
  const y = b.node('MatMul', [x, w])
  b.output(b.node('ReduceMean', [y, b.int64s([1])]), 'y')
  return b.build()
}

describe('optimize, end to end', function () {
  this.timeout(120_000)
  const space = createWorkspace()
  after(() => space.remove())

  it('writes a model only for a gain, and what it writes computes the same', async () => {
    const input = space.model('mean-of-linear', 'full')
    const run = await optimize(optimizeOptions(input), silentTalk)
    expect(existsSync(run.outputPath)).to.equal(run.chosen !== null)
    expect(run.ranking.variants.length).to.be.greaterThan(0)
    if (run.chosen === null) return
    const backend = createBackend('cpu')
    const { graph } = readModelFile(input)
    const target = { oracle: backend, device: backend, threads: 1 }
    const outcome = await verifyModels(
      target,
      input,
      run.outputPath,
      inputSets(graph, run.prepared.shapes, { seed: 99 }),
    )
    await backend.close()
    expect(outcome.ok && outcome.value.passed).to.equal(true)
  })

  it('finds that a mean over rows commutes with a linear layer, and says by which rules', async () => {
    const input = space.model('mean-of-linear', 'small')
    const run = await optimize(optimizeOptions(input, { measure: 0, force: true }), silentTalk)
    const best = run.ranking.variants[0]!
    expect(best.predictedMs).to.be.lessThan(run.ranking.original.predictedMs)
    expect([...best.candidate!.rules.keys()]).to.satisfy((names: string[]) => names.some((n) => n.startsWith('lin-')))
    const steps = best.candidate!.steps()
    expect(steps.length).to.be.greaterThan(0)
    for (const step of steps) expect(step.before).to.not.equal(step.after)
  })

  it('without rules everything lowers to the original: an honest no gain, and no file', async () => {
    const input = space.model('matmul-chain', 'small')
    const run = await optimize(optimizeOptions(input, { rules: '!*' }), silentTalk)
    expect(run.verdict.kind).to.equal('no-gain')
    expect(existsSync(run.outputPath)).to.equal(false)
  })

  it('with --shape the model is bound to that shape: verified at it alone, and written with it', async () => {
    const input = space.path('open.onnx')
    writeModelFile(input, modelOf(openGraph()), { force: true })
    const shapes = new Map([['x', [8, 64, 96]]])
    const run = await optimize(optimizeOptions(input, { shapes, measure: 0 }), silentTalk)
    expect(run.chosen!.verification).to.include({ passed: true, inputs: INPUT_KINDS.length })
    const { graph } = readModelFile(run.outputPath)
    expect(graph.values[graph.inputs[0]!]!.type!.shape).to.deep.equal([8, 64, 96])
    const open = await optimize(optimizeOptions(input, { measure: 0, force: true }), silentTalk)
    expect(open.chosen!.verification.inputs).to.be.greaterThan(INPUT_KINDS.length)
  })

  it('interrupted while it measures, it keeps the best so far', async () => {
    const input = space.model('mean-of-linear', 'full')
    const stop = new AbortController()
    const progress = (stage: string, done: number) => {
      if (stage === 'measure' && done === 8) stop.abort()
    }
    const options = optimizeOptions(input, { output: space.path('interrupted.onnx'), measure: 1 })
    const run = await optimize(options, { ...silentTalk, progress, signal: stop.signal })
    expect(run).to.include({ interrupted: true, confirmation: null })
    expect(run.measurement!.reference.samplesMs.length).to.be.within(5, 9)
    expect(existsSync(run.outputPath)).to.equal(run.chosen !== null)
  })

  it('refuses to overwrite before any work is done', async () => {
    const input = space.model('seed', 'small')
    const output = space.path('taken.onnx')
    writeFileSync(output, 'mine')
    const error = await optimize(optimizeOptions(input, { output }), silentTalk).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(UserError)
    expect((error as UserError).complaint.code).to.equal('file-exists')
  })

  it('the same seed gives the same candidates', async () => {
    const input = space.model('segformer-head', 'small')
    const options = optimizeOptions(input, { measure: 0, force: true })
    const hashes = async () => (await optimize(options, silentTalk)).ranking.variants.map((v) => v.hash)
    expect(await hashes()).to.deep.equal(await hashes())
  })
})
