// The program as a process of its own: what only shows there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { type Folder, makeFolder, writeSmallModel } from './support.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Starts the program from its sources. */
function start(args: readonly string[]) {
  return spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function finish(child: ReturnType<typeof start>) {
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

describe('the program', () => {
  let folder: Folder
  before(() => {
    folder = makeFolder()
    writeSmallModel(folder.path('a model.onnx'))
  })
  after(() => folder.remove())

  it('exits with 0 and hands a whole JSON object to a pipe', async () => {
    const ran = await finish(start(['inspect', folder.path('a model.onnx'), '--json']))
    expect(ran.code).to.equal(0)
    expect(JSON.parse(ran.stdout)).to.include({ ok: true, nodes: 2 })
  })

  it('exits with 2 for a verb that it does not know', async () => {
    const ran = await finish(start(['inspct']))
    expect(ran.code).to.equal(2)
    expect(ran.stderr).to.contain('Did you mean inspect?')
  })

  it('exits with 3 for a file that is not there', async () => {
    expect((await finish(start(['inspect', folder.path('none.onnx')]))).code).to.equal(3)
  })

  it('does not complain when the reader of its output leaves early', async () => {
    const child = start(['inspect', folder.path('a model.onnx')])
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (chunk) => (stderr += chunk))
    const [code] = await once(child, 'close')
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
  })

  it('tells what is there and what is not, and how to get it: doctor', async function () {
    this.timeout(120_000)
    const ran = await finish(start(['doctor', '--json']))
    expect(ran.code, ran.stderr).to.equal(0)
    const report = JSON.parse(ran.stdout) as Record<
      'devices' | 'trainers',
      { name: string; available: boolean; fix: string }[]
    >
    expect(report.devices.map((d) => d.name)).to.deep.equal(['cpu', 'webgpu', 'cuda'])
    expect(report.trainers.map((t) => t.name)).to.include.members(['tfjs-node-gpu', 'wasm', 'cpu'])
    for (const found of [...report.devices, ...report.trainers])
      expect(found.fix === '', found.name).to.equal(found.available)
    expect(report.devices[0]).to.include({ name: 'cpu', available: true })
  })

  it('stops at Ctrl-C with exit code 130, and says so in JSON', async function () {
    this.timeout(60_000)
    const child = start(['demo', '--blocks', '1000000', '--length', '64', '--json'])
    child.stderr.on('data', (chunk) => String(chunk).includes('verify') && child.kill('SIGINT'))
    const ran = await finish(child)
    expect(ran.code, ran.stderr).to.equal(130)
    expect(JSON.parse(ran.stdout)).to.deep.include({ schema: 'allotrope.demo/1', ok: false })
  })
})
