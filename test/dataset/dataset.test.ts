// Datasets on disk: what is written comes back, crashes leave whole rows, damage is refused.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import Papa from 'papaparse'
import { UserError } from '../../src/base/errors.ts'
import { type GraphRow, openDataset, readDataset, type TimingRow } from '../../src/dataset/index.ts'
import { formatCounts, parseCounts, TABLE_NAMES, TABLES } from '../../src/dataset/schema.ts'

const OPTIONS = { about: { name: 'test', description: 'A test.', licence: 'MIT', seed: 1 }, machine: { cpu: 'none' } }
const graph = (root: string): GraphRow => ({ root, family: 'f', name: 'n', seed: 1, nodes: 2, inputs: 'x=1x2' })
const timing = (variant: string): TimingRow => ({
  variant,
  device: 'cpu',
  provider: 'p',
  threads: 1,
  repeat: 0,
  medianMs: 1.5,
  iqrMs: 0.1,
  minMs: 1.4,
  n: 30,
  ratio: null,
  ratioLow: null,
  ratioHigh: null,
  profiledUs: null,
  error: null,
})

/** The UserError that a promise or function ends in. */
async function complaint(act: () => unknown): Promise<UserError> {
  try {
    await act()
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a dataset on disk', () => {
  let home: string
  let folder: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'allotrope-dataset-'))
    folder = join(home, 'd')
  })
  afterEach(() => rmSync(home, { recursive: true }))

  const write = async (rows: Parameters<Awaited<ReturnType<typeof openDataset>>['append']>[0]): Promise<number> => {
    const writer = await openDataset(folder, OPTIONS)
    const n = writer.append(rows)
    await writer.close()
    return n
  }

  it('gives back any row as it was written, formulas, quotes and apostrophes included', async () => {
    const word = fc
      .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('=1+1', "'=x", '-2', '@a', '+', 'a,"b"', '\t', 'ünï'))
      .map((s) => s.replaceAll(/[\r\n]+/g, ' '))
    const rows = fc.sample(fc.tuple(word, word, fc.integer(), fc.nat()), { numRuns: 300, seed: 3 })
    const graphs = rows.map(
      ([family, name, seed, nodes], i): GraphRow => ({ root: `r${i}`, family, name, seed, nodes, inputs: '' }),
    )
    await write({ graphs })
    expect(readDataset(folder).tables.graphs).to.deep.equal(graphs)
  })

  it('writes no cell that a spreadsheet would evaluate', async () => {
    await write({ graphs: [graph('=cmd()'), graph('+1'), graph('-1'), graph('@x')] })
    const cells = Papa.parse<string[]>(readFileSync(join(folder, 'graphs.csv'), 'utf8')).data.flat()
    expect(cells.filter((c) => /^[=+@]|^-\D/.test(c))).to.deep.equal([])
  })

  it('keeps numbers to the last bit and tells empty from zero', async () => {
    const rows = [0, 0.1 + 0.2, 5e-324, 1e300].map((medianMs, i) => ({
      ...timing(`v${i}`),
      medianMs,
      ratio: i === 0 ? null : medianMs,
    }))
    await write({ timings: rows })
    expect(readDataset(folder).tables.timings).to.deep.equal(rows)
  })

  it('appends a row whose key is there only once, also after closing and opening again', async () => {
    expect(await write({ graphs: [graph('a'), graph('a'), graph('b')] })).to.equal(2)
    expect(await write({ graphs: [graph('b'), graph('c')] })).to.equal(1)
    expect(readDataset(folder).tables.graphs.map((g) => g.root)).to.deep.equal(['a', 'b', 'c'])
  })

  it('knows which work is done', async () => {
    await write({ timings: [timing('v')] })
    const writer = await openDataset(folder, OPTIONS)
    expect(writer.has('timings', timing('v'))).to.equal(true)
    expect(writer.has('timings', { ...timing('v'), repeat: 1 })).to.equal(false)
    await writer.close()
  })

  it('refuses numbers that are not finite before anything is written', async () => {
    const writer = await openDataset(folder, OPTIONS)
    expect(() => writer.append({ timings: [timing('a'), { ...timing('b'), medianMs: Number.NaN }] })).to.throw(
      'medianMs',
    )
    await writer.close()
    expect(readDataset(folder).tables.timings).to.deep.equal([])
  })

  it('survives a crash at every byte of the last batch: whole rows stay, the torn one is cut, and resuming completes it', async () => {
    await write({ graphs: [graph('a')] })
    const path = join(folder, 'graphs.csv')
    const before = readFileSync(path)
    await write({ graphs: [graph('b'), graph('c')] })
    const after = readFileSync(path)
    for (let size = before.length; size < after.length; size++) {
      writeFileSync(path, after.subarray(0, size))
      const reader = readDataset(folder)
      const writer = await openDataset(folder, OPTIONS)
      const isTorn = after[size - 1] !== 0x0a
      expect([reader.notes.length, writer.notes.length], `at ${size}`).to.deep.equal(isTorn ? [1, 1] : [0, 0])
      writer.append({ graphs: [graph('b'), graph('c')] })
      await writer.close()
      expect(readFileSync(path, 'utf8'), `at ${size}`).to.equal(after.toString('utf8'))
    }
  })

  it('starts again from a file that a crash left without even its header', async () => {
    await write({})
    writeFileSync(join(folder, 'graphs.csv'), 'root,fam')
    await write({ graphs: [graph('a')] })
    expect(readDataset(folder).tables.graphs).to.deep.equal([graph('a')])
  })

  it('lets one writer in at a time, and takes over the lock of a process that is gone', async () => {
    const first = await openDataset(folder, OPTIONS)
    expect((await complaint(() => openDataset(folder, OPTIONS))).complaint.code).to.equal('dataset-in-use')
    const mark = readFileSync(join(folder, '.lock'), 'utf8')
    await first.close()
    expect(existsSync(join(folder, '.lock'))).to.equal(false)
    writeFileSync(join(folder, '.lock'), mark.replace(/^\d+/, '4194305')) // above the largest pid of Linux
    const second = await openDataset(folder, OPTIONS)
    expect(second.notes.join()).to.contain('taken over')
    await second.close()
  })

  it('does not write into a folder that holds something else', async () => {
    const error = await complaint(async () => {
      writeFileSync(join(home, 'photo.jpg'), '')
      await openDataset(home, OPTIONS)
    })
    expect(error.complaint.got).to.contain('photo.jpg')
    expect(existsSync(join(home, '.lock'))).to.equal(false)
  })

  it('describes every column in its README', async () => {
    await write({ graphs: [graph('a')] })
    const readme = readFileSync(join(folder, 'README.md'), 'utf8')
    for (const table of TABLE_NAMES)
      for (const c of TABLES[table].columns) expect(readme).to.contain(`\`${c.name}\``).and.to.contain(`${table}.csv`)
    expect(readme).to.contain('1 rows').and.to.contain('| cpu | none |')
  })

  const damage: readonly [what: string, file: string, change: (text: string) => string, says: string][] = [
    ['a row with a missing cell', 'graphs.csv', (t) => `${t}x,f,n,1\n`, 'graphs.csv:3'],
    ['a number that is none', 'graphs.csv', (t) => t.replace('n,1,2', 'n,1,two'), 'whole number in nodes'],
    ['a fraction where a count belongs', 'graphs.csv', (t) => t.replace('n,1,2', 'n,1,2.5'), 'whole number in nodes'],
    ['another header', 'graphs.csv', (t) => t.replace('family', 'famille'), 'the header'],
    ['an open quote', 'graphs.csv', (t) => `${t}"x,f,n,1,2,\n`, 'graphs.csv'],
    ['an empty line', 'graphs.csv', (t) => `${t}\n`, 'graphs.csv:3'],
    ['another schema', 'dataset.json', (t) => t.replace('dataset/1', 'dataset/9'), 'dataset/9'],
    ['broken JSON', 'dataset.json', (t) => t.slice(1), 'JSON'],
    ['a machine that is no object', 'machine.json', () => '[]', 'machine.json'],
  ]
  for (const [what, file, change, says] of damage) {
    it(`refuses ${what} with exit code 7, and says where`, async () => {
      await write({ graphs: [graph('a')] })
      const path = join(folder, file)
      writeFileSync(path, change(readFileSync(path, 'utf8')))
      const error = await complaint(() => readDataset(folder))
      expect(error.exitCode).to.equal(7)
      expect(error.message).to.contain(says)
    })
  }

  it('refuses bytes that are not UTF-8', async () => {
    await write({ graphs: [graph('a')] })
    appendFileSync(join(folder, 'graphs.csv'), Buffer.from([0xff, 0xfe, 0x0a]))
    expect((await complaint(() => readDataset(folder))).exitCode).to.equal(7)
  })

  it('says that a folder is no dataset', async () => {
    expect((await complaint(() => readDataset(join(home, 'nothing')))).complaint.code).to.equal('no-dataset')
  })
})

describe('counts in a cell', () => {
  it('come back as they were, whatever the names', () => {
    const name = fc.stringMatching(/^[a-z0-9:.-]{1,12}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.integer({ min: 1, max: 999 }))), (pairs) => {
        expect(parseCounts(formatCounts(pairs))).to.deep.equal(pairs)
      }),
      { seed: 5 },
    )
  })
  it('are refused where they do not parse', () => {
    for (const text of ['a', 'a:', ':1', 'a:0', 'a:1;;b:2', 'a:x']) expect(parseCounts(text), text).to.equal(null)
  })
})
