import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { silentTalk } from '../../src/base/talk.ts'
import { type CollectOptions, collect } from '../../src/collect.ts'
import { readDataset, TABLE_NAMES } from '../../src/dataset/index.ts'
import { createWorkspace } from './support/workspace.ts'

describe('collect, end to end', function () {
  this.timeout(120_000)
  const space = createWorkspace()
  after(() => space.remove())
  const options = (more: Partial<CollectOptions> = {}): CollectOptions => ({
    sources: ['first-token:small', 'scalar-products:small'],
    dataset: space.path('data'),
    variants: 4,
    kernels: 0,
    device: 'cpu',
    threads: 1,
    seed: 3,
    timeLimit: null,
    repeats: 1,
    ...more,
  })
  const contents = () => TABLE_NAMES.map((t) => readFileSync(join(space.path('data'), `${t}.csv`), 'utf8'))

  it('times variants of every root beside the original, which has ratio 1', async () => {
    const result = await collect(options(), silentTalk)
    expect(result).to.include({ graphs: 2, failed: 0, resumed: 0 })
    const { graphs, variants, timings, kernels } = readDataset(space.path('data')).tables
    expect(graphs.map((g) => g.name)).to.deep.equal(['first-token:small', 'scalar-products:small'])
    expect(timings).to.have.length(variants.length)
    const originals = variants.filter((v) => v.plan === 'original')
    expect(originals).to.have.length(2)
    for (const v of originals) expect(timings.find((t) => t.variant === v.variant)!.ratio).to.equal(1)
    const known = new Set(kernels.map((k) => k.kernel))
    for (const v of variants)
      for (const part of v.kernels.split(';')) expect(known.has(part.split(':')[0]!)).to.equal(true)
  })

  it('measures nothing twice: a second run changes no byte of any table', async () => {
    const before = contents()
    const result = await collect(options(), silentTalk)
    expect(result).to.include({ graphs: 0, resumed: 2, timings: 0 })
    expect(contents()).to.deep.equal(before)
  })

  it('adds synthetic kernels in context, and resumes those, too', async () => {
    const first = await collect(options({ kernels: 40 }), silentTalk)
    expect(first.timings).to.be.greaterThan(40)
    const again = await collect(options({ kernels: 60 }), silentTalk)
    expect(again.resumed).to.equal(4) // two roots, two synthetic graphs
    const rows = readDataset(space.path('data')).tables['kernel-timings'].filter((t) => t.source === 'synthetic')
    expect(new Set(rows.map((t) => t.context))).to.have.length(3)
  })

  it('refuses a workload that does not exist before it measures anything', async () => {
    const error = await collect(options({ sources: ['no-such-workload'] }), silentTalk).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(UserError)
  })
})
