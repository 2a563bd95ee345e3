// A dataset folder: opened for appending by one writer at a time, or read whole and checked.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { z } from 'zod'
import { UserError } from '../base/errors.ts'
import { shortHash } from '../base/hash.ts'
import { aboutJson, type DatasetAbout } from './about.ts'
import { datasheet } from './datasheet.ts'
import { takeLock } from './lock.ts'
import { DATASET_SCHEMA, type Row, TABLE_NAMES, type TableName } from './schema.ts'
import { damaged, openTable, readTable, type TableWriter } from './table-file.ts'

const machineJson = z.record(z.string(), z.unknown())
/** machine.json: where it was measured; free fields, printed in the datasheet. */
export type Machine = Readonly<Record<string, unknown>>

export type Tables = { readonly [T in TableName]: readonly Row<T>[] }

export interface Dataset {
  readonly folder: string
  readonly about: DatasetAbout
  readonly machine: Machine
  readonly tables: Tables
  /** Hash of all rows: tells whether a model was trained on exactly these. */
  readonly contentHash: string
  /** What was passed over while reading; empty when nothing was. */
  readonly notes: readonly string[]
}

export interface DatasetWriter {
  readonly folder: string
  /** What opening repaired; empty when nothing was. */
  readonly notes: readonly string[]
  /** True if a row with this key is there: its work need not be done again. */
  has<T extends TableName>(table: T, key: Partial<Row<T>>): boolean
  /** Appends the rows whose keys are new, table by table in the schema's order; on the disk when it returns. Returns how many. */
  append(rows: { readonly [T in TableName]?: readonly Row<T>[] }): number
  /** Writes the datasheet and lets go of the folder. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** For a folder that holds no dataset yet. */
  readonly about: Omit<DatasetAbout, 'schema'>
  readonly machine: Machine
}

const tablePath = (folder: string, table: TableName): string => join(folder, `${table}.csv`)

function readJson<T>(path: string, schema: z.ZodType<T>): T {
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw damaged(path, 'JSON', (error as Error).message, 'restore the file')
  }
  const found = (raw as { schema?: unknown } | null)?.schema
  if (schema === (aboutJson as unknown) && found !== DATASET_SCHEMA) {
    throw damaged(
      path,
      `schema ${DATASET_SCHEMA}`,
      String(found),
      'use the version of allotrope that wrote it, or collect again',
    )
  }
  const parsed = schema.safeParse(raw)
  if (!parsed.success)
    throw damaged(
      path,
      'the fields of its schema',
      z.prettifyError(parsed.error).replaceAll('\n', ' '),
      'restore the file',
    )
  return parsed.data
}

/** Makes the folder, or checks that it holds a dataset. A folder with other things in it is refused. */
async function prepare(folder: string, { about, machine }: OpenOptions): Promise<void> {
  const path = join(folder, 'dataset.json')
  if (!existsSync(path)) {
    const others = existsSync(folder) ? readdirSync(folder).filter((f) => f !== '.lock' && f !== 'machine.json') : []
    if (others.length > 0) {
      const fix = 'name a new folder'
      throw new UserError({
        code: 'not-a-dataset',
        where: folder,
        expected: 'a dataset, or an empty folder',
        got: `a folder with ${others[0]} in it`,
        fix,
      })
    }
    await writeFileAtomic(join(folder, 'machine.json'), `${JSON.stringify(machine, null, 2)}\n`)
    await writeFileAtomic(path, `${JSON.stringify({ schema: DATASET_SCHEMA, ...about }, null, 2)}\n`)
  }
  readJson(path, aboutJson)
}

/** Opens a dataset for appending, and makes it where there is none. Throws UserError where another process writes it. */
export async function openDataset(folder: string, options: OpenOptions): Promise<DatasetWriter> {
  mkdirSync(folder, { recursive: true })
  const lock = takeLock(folder)
  const writers = new Map<TableName, TableWriter<TableName>>()
  try {
    await prepare(folder, options)
    for (const table of TABLE_NAMES) writers.set(table, openTable(tablePath(folder, table), table))
  } catch (error) {
    for (const w of writers.values()) w.close()
    lock.release()
    throw error
  }
  return {
    folder,
    notes: [lock.note, ...[...writers.values()].flatMap((w) => w.notes)].filter((n) => n !== ''),
    has: (table, key) => writers.get(table)!.has(key as Readonly<Record<string, unknown>>),
    append: (rows) =>
      TABLE_NAMES.reduce(
        (n, table) => n + writers.get(table)!.append((rows[table] ?? []) as unknown as readonly Row<TableName>[]),
        0,
      ),
    close: async () => {
      for (const w of writers.values()) w.close()
      try {
        await writeDatasheet(folder)
      } finally {
        lock.release()
      }
    },
  }
}

async function writeDatasheet(folder: string): Promise<void> {
  const { about, machine, tables } = readDataset(folder)
  const counts = Object.fromEntries(TABLE_NAMES.map((t) => [t, tables[t].length])) as Record<TableName, number>
  await writeFileAtomic(join(folder, 'README.md'), datasheet(about, machine, counts))
}

/** Reads a whole dataset and checks every row. Throws UserError (exit code 7) on damage, 3 where there is no dataset. */
export function readDataset(folder: string): Dataset {
  if (!existsSync(join(folder, 'dataset.json'))) {
    const fix = 'name a folder that `allotrope collect` wrote'
    throw new UserError({
      code: 'no-dataset',
      where: folder,
      expected: 'a dataset',
      got: existsSync(folder) ? 'a folder without dataset.json' : 'no such folder',
      fix,
    })
  }
  const about = readJson(join(folder, 'dataset.json'), aboutJson)
  const machine = readJson(join(folder, 'machine.json'), machineJson)
  const read = TABLE_NAMES.map((table) => [table, readTable(tablePath(folder, table), table)] as const)
  const tables = Object.fromEntries(read.map(([table, c]) => [table, c.rows])) as unknown as Tables
  const contentHash = shortHash(JSON.stringify(TABLE_NAMES.map((t) => tables[t])))
  return { folder, about, machine, tables, contentHash, notes: read.flatMap(([, c]) => c.notes) }
}

/** Name of a dataset for people: its folder's. */
export const datasetName = (dataset: Dataset): string => basename(dataset.folder)
