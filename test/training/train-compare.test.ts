// From a dataset on disk to a model on disk, and judged: the two flows on a small made-up dataset, wasm only.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { shortHash } from '../../src/base/hash.ts'
import { createRandom } from '../../src/base/random.ts'
import { silentTalk } from '../../src/base/talk.ts'
import { type CompareResult, compare } from '../../src/compare.ts'
import { kernelFacts } from '../../src/cost/features.ts'
import { type Kernel, kernelSignature, loadLearnedModel } from '../../src/cost/index.ts'
import {
  formatCounts,
  type KernelTimingRow,
  openDataset,
  readDataset,
  type TimingRow,
  type VariantRow,
} from '../../src/dataset/index.ts'
import { samplesOf, type TrainResult, train } from '../../src/train.ts'

const SETTING = { device: 'cpu', provider: 'made up', threads: 1 }
const operand = (shape: number[], constant = false) => ({ dtype: 'float32', shape, constant }) as const

function randomKernel(random: ReturnType<typeof createRandom>): Kernel {
  const [m, k, n] = [16, 16, 16].map((s) => s * (1 + random.below(12))) as [number, number, number]
  return random.next() < 0.6
    ? { op: 'MatMul', inputs: [operand([m, k]), operand([k, n], true)], outputs: [operand([m, n])], attributes: {} }
    : { op: 'Softmax', inputs: [operand([m, n])], outputs: [operand([m, n])], attributes: { axis: -1 } }
}

/** Thin products are slower than their flops tell. */
function microsOf(k: Kernel): number {
  const { geometry: g, work } = kernelFacts(k)
  return k.op === 'MatMul' ? 3 + work.flops / (4e4 * Math.min(1, g.m / 96)) : 4 + work.bytesRead / 2e3
}

const ROOTS = 8
const VARIANTS = 7

/** Eight roots of four families; each variant swaps some kernels. Two repeats, all profiled. */
async function writeDataset(folder: string): Promise<void> {
  const random = createRandom(11)
  const kernels = Array.from({ length: 120 }, () => randomKernel(random))
  const ids = kernels.map((k) => shortHash(kernelSignature(k)))
  const profiled = (k: number) => (microsOf(kernels[k]!) + 2.2) / 1.033
  const variants: VariantRow[] = []
  const timings: TimingRow[] = []
  for (let r = 0; r < ROOTS; r++) {
    const base = Array.from({ length: 8 }, () => random.below(kernels.length))
    for (let v = 0; v < VARIANTS; v++) {
      const list = base.map((k) => (v > 0 && random.next() < 0.3 ? random.below(kernels.length) : k))
      const variant = `root${r}#${v}`
      const plan = v === 0 ? 'original' : v === 1 ? 'least-flops' : null
      const counts = [...new Set(list)].map((k) => [ids[k]!, list.filter((x) => x === k).length] as const)
      variants.push({
        variant,
        root: `root${r}`,
        plan,
        rules: null,
        lowered: shortHash(list.join()),
        nodes: 8,
        kernels: formatCounts(counts),
      })
      const micros = 20 + list.reduce((s, k) => s + microsOf(kernels[k]!), 0)
      for (const repeat of [0, 1]) {
        const medianMs = (micros / 1000) * Math.exp(0.01 * random.normal())
        timings.push({
          ...{
            variant,
            ...SETTING,
            repeat,
            medianMs,
            iqrMs: 0.01 * medianMs,
            minMs: medianMs,
            n: 20,
            ratio: null,
            ratioLow: null,
            ratioHigh: null,
          },
          ...{ profiledUs: list.reduce((s, k) => s + profiled(k), 0), error: null },
        })
      }
    }
  }
  const kernelTimings = ids.map(
    (kernel, i): KernelTimingRow => ({
      kernel,
      source: 'synthetic',
      context: 's0',
      ...SETTING,
      micros: profiled(i),
      iqrUs: 1,
      n: 10,
    }),
  )
  const failed: TimingRow = {
    ...timings[0]!,
    repeat: 2,
    medianMs: null,
    iqrMs: null,
    minMs: null,
    n: 0,
    profiledUs: null,
    error: 'timed out',
  }
  const writer = await openDataset(folder, {
    about: { name: 'made up', description: 'Made up.', licence: 'MIT', seed: 11 },
    machine: {},
  })
  writer.append({
    graphs: Array.from({ length: ROOTS }, (_, r) => ({
      root: `root${r}`,
      family: `family${r % 4}`,
      name: 'n',
      seed: r,
      nodes: 8,
      inputs: '',
    })),
    kernels: kernels.map((k, i) => ({ kernel: ids[i]!, op: k.op, definition: JSON.stringify(k) })),
    variants,
    'kernel-timings': kernelTimings,
    timings: [...timings, failed],
  })
  await writer.close()
}

describe('train and compare', function () {
  this.timeout(60_000)
  let home: string
  let dataset: string
  let trained: TrainResult
  let compared: CompareResult
  const small = { trainer: 'wasm', steps: 100, seed: 3, talk: silentTalk } as const
  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'allotrope-train-'))
    dataset = join(home, 'data')
    await writeDataset(dataset)
    trained = await train({ dataset, output: join(home, 'model'), members: 2, ...small })
    compared = await compare({
      dataset,
      model: join(home, 'model'),
      members: 1,
      report: join(home, 'table.md'),
      ...small,
    })
  })
  after(() => rmSync(home, { recursive: true }))

  it('train tells what it learned from, and what it used', () => {
    expect(trained).to.include({
      backend: 'wasm',
      asked: 'wasm',
      graphs: ROOTS,
      families: 4,
      members: 2,
    })
    expect(trained.kernelRows).to.equal(readDataset(dataset).tables['kernel-timings'].length)
    expect(trained.rows).to.equal(trained.kernelRows + trained.graphRows)
    expect(trained.validation.mape).to.be.within(0, 1)
  })
  it('train writes a model that prices, with a card that names the dataset', () => {
    const model = loadLearnedModel(join(home, 'model'))
    expect(model.price([randomKernel(createRandom(1))])[0]).to.be.above(0)
    expect(readFileSync(join(home, 'model', 'card.md'), 'utf8')).to.contain('dataset data')
  })
  it('train gives the same bytes for the same seed', async () => {
    await train({ dataset, output: join(home, 'again'), members: 2, ...small })
    const bytes = (name: string) => readFileSync(join(home, name, 'weights.bin'))
    expect(bytes('again').equals(bytes('model'))).to.equal(true)
  })
  it('variants that lower to the same graph are one sample, failed measurements none, repeats are kept apart', () => {
    const samples = samplesOf(readDataset(dataset), SETTING)
    const { variants } = readDataset(dataset).tables
    expect(samples.graphs.length).to.equal(new Set(variants.map((v) => `${v.root}/${v.lowered}`)).size)
    for (const g of samples.graphs) expect(g.repeats).to.have.length(2)
    expect(samples.graphs.filter((g) => g.plans.includes('original')).length).to.equal(ROOTS)
  })
  it('compare leaves every family out once, and judges every graph', () => {
    expect(compared.split).to.equal('family')
    expect(compared.folds).to.deep.equal(['family0', 'family1', 'family2', 'family3'])
    expect(compared.groups).to.equal(ROOTS)
  })
  it('compare shows every baseline of the contract, and the ceilings', () => {
    for (const name of [
      'flops',
      'bytes',
      'kernelCount',
      'roofline',
      'rooflineCalibrated',
      'opTable',
      'bestFixedPlan',
      'random',
      'oracle',
      'boostedTrees',
      'profiled',
      'original',
    ]) {
      expect(compared.baselines).to.have.property(name)
      expect(compared.table).to.contain(`| ${name} |`)
    }
    expect(compared.baselines.oracle!.top1Regret!.mean).to.equal(0)
    expect(compared.baselines.profiled!.mape).to.be.below(0.05)
    expect(compared.baselines.profiled!.pairwise).to.be.above(compared.baselines.random!.pairwise!)
    expect(readFileSync(join(home, 'table.md'), 'utf8')).to.contain('| model |')
  })
  it('compare judges a model of another dataset as it is', async () => {
    const other = join(home, 'other')
    await writeDataset(other)
    const writer = await openDataset(other, { about: { name: '', description: '', licence: '', seed: 0 }, machine: {} })
    writer.append({ graphs: [{ root: 'more', family: 'g', name: 'n', seed: 1, nodes: 1, inputs: '' }] })
    await writer.close()
    const result = await compare({ dataset: other, model: join(home, 'model'), ...small })
    expect(result.split).to.equal('as-is')
    expect(result.backend).to.equal(null)
    expect(result.model.mape).to.be.within(0, 1)
  })
  it('compare ends its fits once its time is used up, and still judges every graph', async () => {
    let steps = 0
    const talk = { ...silentTalk, progress: () => steps++ }
    const result = await compare({ dataset, members: 1, timeLimit: 0.001, ...small, talk })
    expect(steps, 'one look at each of four fits').to.equal(4)
    expect(result.groups).to.equal(ROOTS)
  })
  it('rows of a root whose collection was interrupted are not used', async () => {
    const other = join(home, 'interrupted')
    await writeDataset(other)
    const path = join(other, 'graphs.csv')
    writeFileSync(
      path,
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => !line.startsWith('root7'))
        .join('\n'),
    )
    const samples = samplesOf(readDataset(other), SETTING)
    expect(new Set(samples.graphs.map((g) => g.root)).size).to.equal(ROOTS - 1)
  })
  it('a dataset whose rows do not fit together ends in exit code 7, and nothing is written', async () => {
    const other = join(home, 'torn-apart')
    await writeDataset(other)
    const path = join(other, 'kernels.csv')
    writeFileSync(
      path,
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((_, i) => i !== 5)
        .join('\n'),
    )
    const output = join(home, 'never')
    try {
      await train({ dataset: other, output, ...small })
    } catch (error) {
      expect((error as UserError).exitCode).to.equal(7)
      expect(existsSync(output)).to.equal(false)
      return
    }
    expect.fail('it trained')
  })
  it('an interrupt stops training without a trace', async () => {
    const stop = new AbortController()
    const output = join(home, 'interrupted-model')
    const talk = { ...silentTalk, signal: stop.signal, progress: () => stop.abort() }
    const outcome = await train({ dataset, output, ...small, steps: 400, talk }).catch((error: unknown) => error)
    expect(outcome).to.be.instanceOf(Error).and.not.instanceOf(UserError)
    expect(existsSync(output)).to.equal(false)
  })
})
