// The trainers: which one is used is always told.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { loadTrainer, TRAINERS } from '../../src/cost/tensorflow.ts'
import { probeNative } from '../../src/cost/tensorflow-native.ts'

describe('the trainers', function () {
  this.timeout(60_000)
  const cache = process.env.XDG_CACHE_HOME
  let empty: string
  before(() => {
    empty = mkdtempSync(join(tmpdir(), 'allotrope-cache-'))
    process.env.XDG_CACHE_HOME = empty
  })
  after(() => {
    if (cache === undefined) delete process.env.XDG_CACHE_HOME
    else process.env.XDG_CACHE_HOME = cache
    rmSync(empty, { recursive: true })
  })

  it('answer with what was asked for: wasm is wasm', async () => {
    const { tf, used, asked, label } = await loadTrainer('wasm')
    expect([used, asked, label, tf.getBackend()]).to.deep.equal(['wasm', 'wasm', 'wasm', 'wasm'])
  })
  it('fall back in order, and say why, when any will do', async function () {
    if (probeNative().available) return this.skip() // a native trainer in node_modules is found first: nothing falls back
    const { used, notes } = await loadTrainer('auto')
    expect(used).to.equal('wasm')
    expect(notes).to.have.length(1)
    expect(notes[0]).to.contain(TRAINERS[0])
  })
  it('do not fall back when one is asked for by name: exit code 6, and how to get it', async function () {
    if (probeNative().available) return this.skip() // as above
    try {
      await loadTrainer('tfjs-node-gpu')
    } catch (error) {
      expect(error).to.be.instanceOf(UserError)
      expect((error as UserError).exitCode).to.equal(6)
      expect((error as UserError).message).to.contain('setup:tfjs-node')
      return
    }
    expect.fail('it loaded')
  })
})
