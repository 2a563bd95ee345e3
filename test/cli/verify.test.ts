import { expect } from 'chai'
import { type Folder, jsonOf, makeFolder, runCli, writeSmallModel } from './support.ts'

describe('verify', function () {
  this.timeout(60_000)
  let folder: Folder
  before(() => {
    folder = makeFolder()
    writeSmallModel(folder.path('a.onnx'))
    writeSmallModel(folder.path('same.onnx'))
    writeSmallModel(folder.path('off.onnx'), { bias: 1.01 })
    writeSmallModel(folder.path('foreign.onnx'), { foreign: true })
  })
  after(() => folder.remove())
  const verify = (a: string, b: string, ...more: string[]) =>
    runCli(['verify', folder.path(a), folder.path(b), '--json', ...more])

  it('passes a model that computes the same, and says how closely', async () => {
    const ran = await verify('a.onnx', 'same.onnx')
    expect(ran.code).to.equal(0)
    const r = jsonOf(ran)
    expect(r).to.include({ schema: 'allotrope.verify/1', ok: true, passed: true })
    expect(r.inputs).to.be.greaterThan(1)
    expect((r.outputs as object[])[0]).to.have.all.keys('name', 'maxAbs', 'maxRel', 'tolerance')
  })

  it('fails a model that computes something else, with exit code 4 and the numbers', async () => {
    const ran = await verify('a.onnx', 'off.onnx')
    expect(ran.code).to.equal(4)
    const r = jsonOf(ran)
    expect(r).to.include({ ok: false, passed: false })
    expect(r.error).to.include({ code: 'not-equal' })
    expect((r.outputs as { maxAbs: number }[])[0]?.maxAbs).to.be.closeTo(0.01, 1e-4)
  })

  it('says which sizes it chose for open dimensions', async () => {
    expect((await verify('a.onnx', 'same.onnx')).stderr).to.contain('x[0] = 1')
    expect((await verify('a.onnx', 'same.onnx', '--shape', 'x=3x4')).stderr).not.to.contain('x[0]')
  })

  it('ends in 3 where the original itself cannot run, and in 4 where only the other cannot', async () => {
    expect((await verify('foreign.onnx', 'a.onnx')).code).to.equal(3)
    expect((await verify('a.onnx', 'foreign.onnx')).code).to.equal(4)
  })
})
