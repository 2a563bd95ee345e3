// A sample of the models that PyTorch's two exporters wrote, where the shared test data is: what is found computes what PyTorch computed.
// `npm run bench -- exports` takes all of them, and times them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentTalk } from '../../src/base/talk.ts'
import { outputError, scaleOf } from '../../src/bench/compare-outputs.ts'
import { inputSpecs, readInputSets } from '../../src/bench/index.ts'
import { parseTensor, readModelFile } from '../../src/onnx/index.ts'
import { optimize } from '../../src/optimize.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { sharedArchive } from '../support/shared-data.ts'
import { createWorkspace, optimizeOptions } from './support/workspace.ts'

/** Small ones of three architectures, and a rule without which their gain is not found. */
const SAMPLE: Readonly<Record<string, string>> = {
  pyg_dense_mix_ts: 'lin-push',
  pyg_dense_mix_dynamo: 'lin-push',
  relu_linattn_ts: 'matmul-associate',
  relu_linattn_dynamo: 'matmul-associate',
  fpn_nearest_ts: 'lin-push',
  fpn_nearest_dynamo: 'lin-push',
}
/** Relative to the largest magnitude of the output; float32 in another order than PyTorch's. */
const TOLERANCE = 1e-3

describe('optimize, on exports of PyTorch', function () {
  this.timeout(120_000)
  const shared = sharedArchive('exports')
  const space = createWorkspace()
  const backend = createBackend('cpu')
  before(function () {
    if (shared.ok) return
    console.log(`      skipped: ${shared.reason}`)
    this.skip()
  })
  after(async () => {
    await backend.close()
    space.remove()
  })

  for (const [name, rule] of Object.entries(SAMPLE))
    it(`finds ${rule} in ${name}`, async () => {
      if (!shared.ok) return
      const folder = join(shared.path, 'exports', name)
      const inputs = join(folder, 'test_data_set_0')
      const output = space.path(`${name}.onnx`)
      const run = await optimize(
        optimizeOptions(join(folder, 'model.onnx'), { inputs, output, measure: 0 }),
        silentTalk,
      )
      expect([...run.chosen!.ranked.candidate!.rules.keys()]).to.include(rule)
      const session = await backend.open(output, { threads: 1, optimization: 'all' })
      if (!session.ok) throw new Error(session.reason)
      const { feeds } = readInputSets(inputs, inputSpecs(readModelFile(output).graph, run.prepared.shapes))[0]!
      const answer = await session.value.run(feeds)
      if (!answer.ok) throw new Error(answer.reason)
      const expected = parseTensor(readFileSync(join(inputs, 'output_0.pb')))
      const got = answer.value[session.value.outputNames[0]!]!
      expect(outputError(expected, got, scaleOf(expected)).maxRel).to.be.lessThan(TOLERANCE)
      await session.value.close()
    })
})
