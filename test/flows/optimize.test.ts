import { existsSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { silentTalk } from '../../src/base/talk.ts'
import { inputSets, verifyModels } from '../../src/bench/index.ts'
import { readModelFile } from '../../src/onnx/index.ts'
import { optimize } from '../../src/optimize.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { createWorkspace, optimizeOptions } from './support/workspace.ts'

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
