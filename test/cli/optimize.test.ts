import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { optimizeAnswer } from '../../src/cli/optimize-answer.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { gainRun } from '../report/fixtures.ts'
import { type Folder, jsonOf, makeFolder, runCli, writeSmallModel } from './support.ts'

const KEYS = [
  'input output report gain device costModel originalMs chosenMs speedup speedupInterval predictedSpeedup variants',
  'distinctAfterLowering measured verified rules saturation seconds warnings',
].flatMap((line) => line.split(' '))

describe('optimize', function () {
  this.timeout(120_000)
  let folder: Folder
  before(() => {
    folder = makeFolder()
    writeSmallModel(folder.path('small.onnx'))
  })
  after(() => folder.remove())
  const optimize = (...more: string[]) =>
    runCli(['optimize', folder.path('small.onnx'), '--json', '--threads', '1', ...more])

  it('reports every key of the contract, and writes a file exactly when there is a gain', async () => {
    const out = folder.path('out.onnx')
    const before = readFileSync(folder.path('small.onnx'))
    const ran = await optimize('-o', out)
    expect(ran.code, ran.stderr).to.equal(0)
    const r = jsonOf(ran)
    expect(r).to.include({ schema: 'allotrope.optimize/1', ok: true })
    expect(r).to.include.all.keys(...KEYS)
    expect(r.output).to.equal(r.gain ? out : null)
    expect(existsSync(out)).to.equal(r.gain)
    expect(r.seconds).to.have.all.keys('load', 'saturate', 'predict', 'verify', 'measure', 'write', 'total')
    expect(r.saturation).to.include.all.keys('iterations', 'eNodes', 'eClasses', 'stopReason', 'seconds')
    expect(readFileSync(folder.path('small.onnx')).equals(before), 'the input is untouched').to.equal(true)
    expect(r.report).to.equal(folder.path('out.report.html'))
    expect(readFileSync(folder.path('out.report.html'), 'utf8')).to.match(/^<!doctype html>/i)
  })

  it('makes the same page again from the stored record', async () => {
    const page = folder.path('again.html')
    const ran = await runCli(['report', folder.path('out.run.json'), '-o', page, '--json'])
    expect(jsonOf(ran)).to.deep.include({ schema: 'allotrope.report/1', ok: true, report: page })
    expect(readFileSync(page, 'utf8')).to.equal(readFileSync(folder.path('out.report.html'), 'utf8'))
    expect((await runCli(['report', folder.path('out.run.json'), '-o', page])).code, 'no overwriting').to.equal(2)
    expect((await runCli(['report', folder.path('small.onnx')])).code, 'no record beside it').to.equal(3)
    writeFileSync(folder.path('torn.run.json'), '{"schema": "allotrope.optimize/1"')
    expect((await runCli(['report', folder.path('torn.run.json')])).code, 'a torn record').to.equal(7)
  })

  it('explains a run from its record, and says what is missing where there is none', async () => {
    const r = jsonOf(await runCli(['explain', folder.path('out.onnx'), '--json']))
    expect(r).to.include({ schema: 'allotrope.explain/1', ok: true, input: folder.path('small.onnx') })
    expect(r.steps).to.be.an('array')
    for (const step of r.steps as object[])
      expect(step).to.include.all.keys('rule', 'where', 'before', 'after', 'checked', 'maxRel')
    const late = jsonOf(await runCli(['explain', folder.path('out.onnx'), '--json', '--time-limit', '0.000001']))
    expect((late.steps as { checked: boolean }[]).some((step) => step.checked)).to.equal(false)
    const ran = await runCli(['explain', folder.path('small.onnx'), '--json'])
    expect(ran.code).to.equal(3)
    expect(jsonOf(ran).error).to.include({ code: 'no-record' })
  })

  it('writes neither record nor page with --no-report', async () => {
    const ran = await optimize('-o', folder.path('bare.onnx'), '--no-report', '--measure', '0')
    expect(jsonOf(ran)).to.include({ ok: true, report: null })
    expect(existsSync(folder.path('bare.report.html'))).to.equal(false)
    expect(existsSync(folder.path('bare.run.json'))).to.equal(false)
  })

  it('ends in 5 when a gain is required that nobody could reach', async () => {
    const ran = await optimize('-o', folder.path('five.onnx'), '--require-gain', '1000')
    expect(ran.code).to.equal(5)
    expect(jsonOf(ran)).to.deep.include({ ok: false, input: folder.path('small.onnx') })
    expect(jsonOf(ran).error).to.include({ code: 'gain-not-met' })
  })

  it('ends in 130 after an interruption, and names the best so far', () => {
    const { failure, text } = optimizeAnswer({ ...gainRun, interrupted: true }, 1.01)
    expect(failure).to.include({ exitCode: 130 })
    expect(failure!.complaint).to.include({ code: 'interrupted' })
    expect(failure!.complaint.got).to.contain(gainRun.output)
    expect(text).to.contain('as far as it was measured').and.to.contain(`wrote ${gainRun.output}`)
  })

  it('refuses to overwrite a file before it does any work', async () => {
    const ran = await optimize('-o', folder.path('small.onnx'))
    expect(ran.code).to.equal(2)
    expect(jsonOf(ran).error).to.include({ code: 'file-exists' })
  })

  it('ends in 6 on a device that is missing', async function () {
    const cuda = createBackend('cuda')
    const { available } = await cuda.probe().finally(() => cuda.close())
    if (available) {
      this.test!.title += ': skipped, since this machine has CUDA'
      this.skip()
    }
    const ran = await optimize('-o', folder.path('x.onnx'), '--device', 'cuda')
    expect(ran.code).to.equal(6)
    expect(jsonOf(ran).error).to.have.property('fix').that.is.not.empty
  })

  it('ends in 3 on a model that is none', async () => {
    expect((await runCli(['optimize', folder.path('none.onnx'), '--json'])).code).to.equal(3)
  })
})
