// One CSV file of a dataset: read whole, appended in batches. A batch is one buffer that ends in a line feed, written and
// synced as one; a tail without its line feed is what a crash left, and is cut. Anything else that does not parse is damage,
// and is refused.
import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import Papa from 'papaparse'
import { EXIT, UserError } from '../base/errors.ts'
import { type AnyRow, type Cell, cellText, parseCell } from './column.ts'
import { type Row, rowKey, TABLES, type TableName } from './schema.ts'

export const NEWLINE = '\n'

/** Damage in a dataset: exit code 7. */
export function damaged(
  where: string,
  expected: string,
  got: string,
  fix = 'restore the file, or delete the row and run collect again',
): UserError {
  return new UserError({ code: 'damaged-dataset', where, expected, got, fix, exitCode: EXIT.dataDamaged })
}

/** The rows as CSV lines, each ending in a line feed. */
export function formatRows<T extends TableName>(table: T, rows: readonly Row<T>[]): string {
  if (rows.length === 0) return ''
  const { columns } = TABLES[table]
  const cells = rows.map((row) => columns.map((c) => cellText(c, (row as AnyRow)[c.name])))
  return Papa.unparse(cells, { newline: NEWLINE }) + NEWLINE
}

export const headerLine = (table: TableName): string => TABLES[table].columns.map((c) => c.name).join(',') + NEWLINE

export interface TableContents<T extends TableName> {
  readonly rows: readonly Row<T>[]
  /** Bytes of the file that hold whole lines. */
  readonly wholeBytes: number
  /** What was passed over, for the user; empty when nothing was. */
  readonly notes: readonly string[]
}

/** Reads and checks a table. A missing file is an empty table. Throws UserError (exit code 7) on damage. */
export function readTable<T extends TableName>(path: string, table: T): TableContents<T> {
  if (!existsSync(path)) return { rows: [], wholeBytes: 0, notes: [] }
  const bytes = readFileSync(path)
  const wholeBytes = bytes.lastIndexOf(NEWLINE) + 1
  const torn = bytes.length - wholeBytes
  const notes = torn > 0 ? [`${path}: a torn last line of ${torn} bytes is left out`] : []
  const rows = wholeBytes === 0 ? [] : parseRows(path, table, bytes.subarray(0, wholeBytes))
  return { rows, wholeBytes, notes }
}

function decodeUtf8(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw damaged(path, 'UTF-8 text', 'bytes that are not')
  }
}

function parseRows<T extends TableName>(path: string, table: T, bytes: Uint8Array): Row<T>[] {
  const text = decodeUtf8(path, bytes)
  const header = headerLine(table)
  if (!text.startsWith(header)) {
    throw damaged(
      `${path}:1`,
      `the header ${header.trim()}`,
      text.slice(0, text.indexOf(NEWLINE)).slice(0, 200) || 'an empty line',
    )
  }
  const parsed = Papa.parse<string[]>(text.slice(header.length), {
    newline: NEWLINE,
    delimiter: ',',
    skipEmptyLines: false,
  })
  const fault = parsed.errors[0]
  if (fault && fault.code !== 'UndetectableDelimiter')
    throw damaged(`${path}:${(fault.row ?? 0) + 2}`, 'a CSV row', fault.message)
  // The text ends in a line feed, after which papaparse sees one more, empty row.
  const lines = parsed.data.slice(0, -1)
  return lines.map((cells, i) => parseRow(`${path}:${i + 2}`, table, cells))
}

function parseRow<T extends TableName>(where: string, table: T, cells: readonly string[]): Row<T> {
  const { columns } = TABLES[table]
  if (cells.length !== columns.length) throw damaged(where, `${columns.length} cells`, `${cells.length}`)
  const row: Record<string, Cell> = {}
  columns.forEach((column, i) => {
    const cell = parseCell(column, cells[i]!)
    if (!cell.ok) throw damaged(where, cell.expected, JSON.stringify(cells[i]!.slice(0, 80)))
    row[column.name] = cell.value
  })
  return row as Row<T>
}

/** An open table. Appended rows are on the disk when `append` returns. */
export interface TableWriter<T extends TableName> {
  readonly notes: readonly string[]
  has(row: Parameters<typeof rowKey<T>>[1]): boolean
  /** Appends the rows whose keys are new, and returns how many that were. */
  append(rows: readonly Row<T>[]): number
  close(): void
}

/** Opens a table for appending; cuts a torn tail and says so. */
export function openTable<T extends TableName>(path: string, table: T): TableWriter<T> {
  const contents = readTable(path, table)
  const keys = new Set(contents.rows.map((row) => rowKey(table, row)))
  const file = openSync(path, existsSync(path) ? 'r+' : 'wx+')
  let size = contents.wholeBytes
  const notes = contents.notes.map((n) => n.replace('is left out', 'was cut off'))
  if (fstatSync(file).size > size) {
    ftruncateSync(file, size)
    fsyncSync(file)
  }
  const write = (text: string) => {
    const buffer = Buffer.from(text, 'utf8')
    try {
      for (let at = 0; at < buffer.length; ) at += writeSync(file, buffer, at, buffer.length - at, size + at)
      fsyncSync(file)
    } catch (error) {
      ftruncateSync(file, size) // a full disk leaves whole rows only
      throw error
    }
    size += buffer.length
  }
  if (size === 0) write(headerLine(table))
  return {
    notes,
    has: (row) => keys.has(rowKey(table, row)),
    append: (rows) => {
      const fresh = new Map<string, Row<T>>()
      for (const row of rows) if (!keys.has(rowKey(table, row))) fresh.set(rowKey(table, row), row)
      if (fresh.size === 0) return 0
      write(formatRows(table, [...fresh.values()]))
      for (const key of fresh.keys()) keys.add(key)
      return fresh.size
    },
    close: () => closeSync(file),
  }
}
