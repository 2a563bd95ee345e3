import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { silentTalk } from '../../src/base/talk.ts'
import { collect } from '../../src/collect.ts'
import { readDataset } from '../../src/dataset/index.ts'
import { optimize } from '../../src/optimize.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { createWorkspace, optimizeOptions } from './support/workspace.ts'

/** The same code path as on a real card; without one it runs on software Vulkan, from a development dependency. */
describe('the flows on WebGPU', function () {
  this.timeout(240_000)
  const space = createWorkspace()
  let adapter = ''
  before(async function () {
    const backend = createBackend('webgpu')
    const { available, reason } = await backend.probe()
    await backend.close()
    adapter = reason
    if (available) return
    process.stderr.write(`WebGPU is skipped: ${reason}\n`)
    this.skip()
  })
  after(() => space.remove())

  it('optimises, verifies and times a small model on the adapter, and says on what its prices were trained', async () => {
    const options = optimizeOptions(space.model('linear-linear', 'small'), { device: 'webgpu', measure: 1 })
    const run = await optimize(options, silentTalk)
    expect(run.verified).to.have.length(1)
    for (const v of run.verified) expect(v.verification.passed, v.verification.reason).to.equal(true)
    expect(run.measurement!.reference.time.median).to.be.greaterThan(0)
    expect(run.cost.model.name).to.equal('webgpu-h100-v1')
    if (!adapter.includes('H100')) expect(run.warnings.join('\n')).to.contain('NVIDIA H100').and.to.contain(adapter)
    expect(existsSync(run.outputPath)).to.equal(run.chosen !== null)
  })

  it('records timings in a dataset, with the name of the adapter', async () => {
    const dataset = space.path('webgpu-data')
    const result = await collect(
      {
        sources: ['linear-linear:small'],
        dataset,
        variants: 2,
        kernels: 0,
        device: 'webgpu',
        threads: 1,
        seed: 1,
        timeLimit: null,
        repeats: 1,
      },
      silentTalk,
    )
    expect(result.timings).to.be.greaterThan(1)
    expect(result.failed).to.equal(0)
    const { timings } = readDataset(dataset).tables
    expect(new Set(timings.map((t) => t.device))).to.deep.equal(new Set(['webgpu']))
    for (const t of timings) expect(t.provider).to.contain(adapter)
    for (const t of timings) expect(t.medianMs).to.be.greaterThan(0)
  })
})
