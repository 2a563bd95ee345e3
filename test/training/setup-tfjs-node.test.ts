// The set-up of tfjs-node-gpu: clear words where a tool is missing; where it has been run, the trainer really trains.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { probeNative } from '../../src/cost/tensorflow-native.ts'

const SCRIPT = 'training/setup-tfjs-node.ts'

/** What loads; null: nothing was set up, and nobody promised that it was (the CI run does, after setting it up). */
function installed() {
  const probe = probeNative()
  if (probe.available) return probe
  if (process.env.ALLOTROPE_TFJS_NODE === 'required')
    throw new Error(`tfjs-node-gpu was set up, and does not load: ${probe.reason}`)
  return null
}

describe('setup:tfjs-node', function () {
  this.timeout(60_000)
  let home: string
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'allotrope-setup-test-'))
    mkdirSync(join(home, 'bin'))
    symlinkSync(process.execPath, join(home, 'bin', 'node'))
  })
  after(() => rmSync(home, { recursive: true }))

  const runWith = (path: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', SCRIPT], {
      encoding: 'utf8',
      env: { PATH: path, HOME: home, XDG_CACHE_HOME: join(home, 'cache') },
    })

  it('without Python says so, and how to go on, with exit code 6; nothing is left behind', function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') return this.skip() // the recipe is for Linux on x64
    const { status, stderr } = runWith(join(home, 'bin'))
    expect(stderr).to.contain('no python3 on the path').and.to.contain('install Python 3 with pip')
    expect(status).to.equal(6)
  })
  it('is done already where it has been run (skipped where it has not)', function () {
    const probe = installed()
    if (!probe) return this.skip()
    expect(probe.reason).to.match(/^TensorFlow 2\.\d+\.\d+, backend tensorflow, on the (CPU|GPU)$/)
  })
  it('gives a trainer that learns: a line is fitted on it (skipped where it has not been run)', function () {
    if (!installed()) return this.skip()
    const program = `
      const { loadTrainer } = await import('./src/cost/tensorflow.ts')
      const { tf, label } = await loadTrainer('tfjs-node-gpu')
      const x = tf.tensor1d([0, 1, 2, 3]), y = tf.tensor1d([1, 3, 5, 7]), a = tf.variable(tf.scalar(0)), b = tf.variable(tf.scalar(0))
      const optimizer = tf.train.adam(0.1)
      for (let i = 0; i < 400; i++) optimizer.minimize(() => tf.mean(tf.square(tf.sub(tf.add(tf.mul(a, x), b), y))))
      console.log(JSON.stringify({ label, a: a.dataSync()[0], b: b.dataSync()[0] }))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    const line = stdout.split('\n').find((l) => l.startsWith('{'))
    expect(line, stderr.slice(-500)).not.to.equal(undefined)
    const { label, a, b } = JSON.parse(line!) as { label: string; a: number; b: number }
    expect(label).to.match(/^tfjs-node-gpu \((CPU|GPU)\)$/)
    expect([a, b].map((v) => Math.round(10 * v) / 10)).to.deep.equal([2, 1])
  })
})
