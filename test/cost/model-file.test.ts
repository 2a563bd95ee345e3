// Stored models: what is saved comes back, anything else is refused with exit code 7.
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { createRandom } from '../../src/base/random.ts'
import { DEFAULT_CALIBRATION } from '../../src/cost/baselines/calibrated-roofline.ts'
import { FEATURES } from '../../src/cost/features.ts'
import {
  type Kernel,
  learnedModel,
  loadLearnedModel,
  loadModel,
  type Provenance,
  untrainedModel,
} from '../../src/cost/index.ts'
import { saveModel } from '../../src/cost/learned/model-file.ts'
import { type NetworkParameters, untrainedMember } from '../../src/cost/learned/network.ts'

const provenance: Provenance = {
  device: 'cpu',
  provider: 'p',
  threads: 1,
  dataset: 'd',
  datasetHash: 'h',
  kernels: 1,
  graphs: 1,
  families: ['f'],
  backend: 'wasm',
  seed: 1,
  steps: 10,
  notes: [],
}

/** Two members with random weights. */
function parameters(): NetworkParameters {
  const random = createRandom(4)
  const noise = (a: Float32Array) => a.map(() => 0.1 * random.normal())
  const member = () => {
    const m = untrainedMember(DEFAULT_CALIBRATION)
    return {
      ...m,
      logScale: 0.25,
      overheadMicros: 12,
      layers: m.layers.map((l) => ({ kernel: noise(l.kernel), bias: noise(l.bias) })),
    }
  }
  const scaling = {
    centre: noise(new Float32Array(FEATURES.length)),
    deviation: new Float32Array(FEATURES.length).fill(2),
  }
  return { scaling, members: [member(), member()] }
}

const kernels: readonly Kernel[] = [16, 300].map((n) => ({
  op: 'MatMul',
  inputs: [
    { dtype: 'float32', shape: [n, 64], constant: false },
    { dtype: 'float32', shape: [64, n], constant: true },
  ],
  outputs: [{ dtype: 'float32', shape: [n, n], constant: false }],
  attributes: {},
}))

describe('a stored model', () => {
  let home: string
  let folder: string
  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'allotrope-model-'))
    folder = join(home, 'stored')
    await saveModel(folder, { parameters: parameters(), provenance }, '# card\n')
  })
  after(() => rmSync(home, { recursive: true }))

  const complaintOf = (path: string): UserError => {
    try {
      loadModel(path)
    } catch (error) {
      if (error instanceof UserError) return error
      throw error
    }
    throw new Error(`${path} was accepted`)
  }

  it('prices as it did before it was stored, to the last bit, and knows its overhead', () => {
    const before = learnedModel({ name: 'stored', parameters: parameters(), provenance })
    const after = loadLearnedModel(folder)
    expect([...after.price(kernels)]).to.deep.equal([...before.price(kernels)])
    expect([...after.uncertainty!(kernels)]).to.deep.equal([...before.uncertainty!(kernels)])
    expect(after.overheadMicros).to.equal(12)
    expect(loadModel(folder).provenance).to.deep.equal(provenance)
  })
  it('is the same bytes when it is stored again', async () => {
    const again = join(home, 'again')
    await saveModel(again, { parameters: parameters(), provenance }, '# card\n')
    for (const file of ['model.json', 'weights.bin', 'features.json', 'card.md']) {
      expect(readFileSync(join(again, file)).equals(readFileSync(join(folder, file))), file).to.equal(true)
    }
  })
  it('is refused after a change of any one byte of its weights, features or description', () => {
    const random = createRandom(9)
    for (const file of ['model.json', 'weights.bin', 'features.json']) {
      const original = readFileSync(join(folder, file))
      for (let i = 0; i < 60; i++) {
        const copy = join(home, 'changed')
        cpSync(folder, copy, { recursive: true })
        const bytes = Buffer.from(original)
        const at = random.below(bytes.length)
        bytes[at] = bytes[at]! ^ (1 << random.below(8))
        writeFileSync(join(copy, file), bytes)
        const isBlank = file === 'model.json' && sameJson(original, bytes)
        if (!isBlank) expect(complaintOf(copy).exitCode, `${file} byte ${at}`).to.equal(7)
      }
    }
  })
  it('is refused when cut short anywhere', () => {
    for (const file of ['model.json', 'weights.bin', 'features.json']) {
      const copy = join(home, `cut-${file}`)
      cpSync(folder, copy, { recursive: true })
      const bytes = readFileSync(join(folder, file))
      for (const size of [0, 1, bytes.length >> 1, bytes.length - 1]) {
        writeFileSync(join(copy, file), bytes.subarray(0, size))
        // Without its last line feed model.json still says all it said.
        if (file !== 'model.json' || size < bytes.length - 1)
          expect(complaintOf(copy).exitCode, `${file} ${size}`).to.equal(7)
      }
    }
  })
  it('is refused with the versions named when it was made for other features', () => {
    const copy = join(home, 'other')
    cpSync(folder, copy, { recursive: true })
    const path = join(copy, 'model.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"featureVersion": 1', '"featureVersion": 7'))
    const { message, exitCode } = complaintOf(copy)
    expect(message).to.contain('feature version 1').and.to.contain('got 7')
    expect(exitCode).to.equal(7)
  })
  it('is refused when a file is missing, or there is none at all', () => {
    const copy = join(home, 'part')
    cpSync(folder, copy, { recursive: true })
    rmSync(join(copy, 'weights.bin'))
    expect(complaintOf(copy).message).to.contain('weights.bin')
    expect(complaintOf(join(home, 'nowhere')).exitCode).to.equal(7)
  })
  it('does not mix files of two models', async () => {
    const mixed = join(home, 'mixed')
    const p = parameters()
    const louder = {
      ...p,
      members: p.members.map((m) => ({
        ...m,
        layers: m.layers.map((l) => ({ ...l, bias: l.bias.map((b) => 2 * b) })),
      })),
    }
    await saveModel(mixed, { parameters: louder, provenance }, '')
    copyFileSync(join(folder, 'weights.bin'), join(mixed, 'weights.bin'))
    expect(complaintOf(mixed).message).to.contain('weights.bin')
  })
})

/** True if a change fell on white space. */
function sameJson(a: Buffer, b: Buffer): boolean {
  try {
    return JSON.stringify(JSON.parse(a.toString('utf8'))) === JSON.stringify(JSON.parse(b.toString('utf8')))
  } catch {
    return false
  }
}

describe('the untrained model', () => {
  it('is a roofline: bigger work of one kind costs more', () => {
    const [small, large] = untrainedModel().price(kernels)
    expect(large).to.be.above(small!)
  })
})
