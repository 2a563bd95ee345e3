// kill -9 while a dataset grows: what was committed stays as it was to the byte, what was not is collected again, nothing twice.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { readDataset, TABLE_NAMES, type TableName } from '../../src/dataset/index.ts'
import { rowKey } from '../../src/dataset/schema.ts'
import { programIn } from './support/program.ts'
import { createWorkspace } from './support/workspace.ts'

const APPENDER = fileURLToPath(new URL('./appender.ts', import.meta.url))
const SEED = 20260

/** The whole lines of every table: what a reader may rely on. */
function committed(folder: string): ReadonlyMap<TableName, string> {
  const wholeLines = (table: TableName) => {
    const path = join(folder, `${table}.csv`)
    if (!existsSync(path)) return ''
    const text = readFileSync(path, 'utf8')
    return text.slice(0, text.lastIndexOf('\n') + 1)
  }
  return new Map(TABLE_NAMES.map((table) => [table, wholeLines(table)]))
}

/** Roots with their row; the header is none. */
const rootsIn = (tables: ReadonlyMap<TableName, string>): number =>
  Math.max(0, tables.get('graphs')!.split('\n').length - 2)

function expectNothingLost(before: ReadonlyMap<TableName, string>, after: ReadonlyMap<TableName, string>): void {
  for (const [table, text] of before)
    expect(after.get(table)!.startsWith(text), `${table}.csv still begins with what was committed`).to.equal(true)
}

/** Reads the dataset, which checks every cell, and expects each key once and every reference to lead somewhere. */
function expectSound(folder: string): void {
  const { tables, notes } = readDataset(folder)
  expect(notes).to.deep.equal([])
  for (const table of TABLE_NAMES) {
    const keys = tables[table].map((row) => rowKey(table, row as Parameters<typeof rowKey>[1]))
    expect(new Set(keys).size, `keys of ${table}`).to.equal(keys.length)
  }
  const variants = new Set(tables.variants.map((v) => v.variant))
  for (const t of tables.timings) expect(variants.has(t.variant)).to.equal(true)
  const kernels = new Set(tables.kernels.map((k) => k.kernel))
  for (const t of tables['kernel-timings']) expect(kernels.has(t.kernel)).to.equal(true)
}

/** Waits until the process has opened the dataset. */
async function lockOf(folder: string, child: ChildProcess): Promise<void> {
  const lock = join(folder, '.lock')
  while (!existsSync(lock) || !readFileSync(lock, 'utf8').startsWith(`${child.pid} `)) {
    if (child.exitCode !== null) throw new Error(`the program ended by itself: ${child.exitCode}`)
    await sleep(5)
  }
}

describe(`a dataset whose writer is killed, seed ${SEED}`, function () {
  this.timeout(120_000)
  const space = createWorkspace()
  after(() => space.remove())

  it('keeps every committed row and no torn one, at whatever byte the writer died', async () => {
    const folder = space.path('appended')
    const random = createRandom(SEED)
    let before = committed(folder)
    for (let kill = 0; kill < 4; kill++) {
      const child = spawn(process.execPath, ['--import', 'tsx', APPENDER, folder, String(rootsIn(before))])
      await once(child.stdout, 'data')
      await sleep(5 + random.below(60))
      child.kill('SIGKILL')
      if (child.signalCode === null) await once(child, 'close')
      const after = committed(folder)
      expectNothingLost(before, after)
      before = after
      // A root counts when its row is there: then its variants are, too.
      const { tables } = readDataset(folder)
      const counts = new Map<string, number>()
      for (const v of tables.variants) counts.set(v.root, (counts.get(v.root) ?? 0) + 1)
      for (const g of tables.graphs) expect(counts.get(g.root), `variants of ${g.root}, kill ${kill}`).to.equal(200)
    }
    expect(rootsIn(before)).to.be.greaterThan(0)
  })

  it('is completed by --resume: no row twice, none torn, no committed root lost', async () => {
    const folder = space.path('collected')
    const program = programIn(space.path('tmp'))
    const sources = ['first-token:small', 'scalar-products:small', 'cube:small']
    const options = ['--variants', '3', '--repeats', '1', '--seed', '3', '--kernels', '20', '--resume', '--json']
    const start = () => program.start(['collect', ...sources, '-o', folder, ...options])
    const random = createRandom(SEED)
    let before = committed(folder)
    for (let kill = 0; kill < 2; kill++) {
      const { child, ended } = start()
      if (kill > 0) await lockOf(folder, child) // the first may die before there is a dataset
      await sleep(100 + random.below(1400))
      child.kill('SIGKILL')
      await ended
      const after = committed(folder)
      expectNothingLost(before, after)
      before = after
    }
    const { code, stdout, stderr } = await start().ended
    expect(code, stderr).to.equal(0)
    const result = JSON.parse(stdout) as Record<string, number>
    expect(result.graphs! + rootsIn(before)).to.equal(sources.length)
    expectNothingLost(before, committed(folder))
    expectSound(folder)
    const { tables } = readDataset(folder)
    expect(tables.graphs.map((g) => g.name).sort()).to.deep.equal([...sources].sort())
    const measured = new Set(tables.timings.map((t) => t.variant))
    for (const v of tables.variants) expect(measured.has(v.variant), `${v.variant} is timed`).to.equal(true)
    expect(existsSync(join(folder, '.lock'))).to.equal(false)
  })
})
