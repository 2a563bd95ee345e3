// Columns of the tables on disk: name, kind, unit and meaning of each, and the text form of their cells. The tables derive
// their row types, their reader, their writer and their documentation from these lists.
// Cells never hold line breaks, so that one row is one line and a torn tail is recognised; text that a spreadsheet would take
// for a formula is escaped by a leading apostrophe, which the reader takes off again.
import { InvariantError } from '../base/errors.ts'

export type CellKind = 'text' | 'integer' | 'number'
export interface Column {
  readonly name: string
  readonly kind: CellKind
  /** `ms`, `us`, `count`, ..; '' for words. */
  readonly unit: string
  readonly meaning: string
  /** True: the cell may be empty, read as null. */
  readonly optional?: boolean
}

type CellOf<C extends Column> = C['kind'] extends 'text' ? string : number
type Maybe<C extends Column> = C extends { readonly optional: true } ? CellOf<C> | null : CellOf<C>
/** Row type of a list of columns. */
export type RowOf<Columns extends readonly Column[]> = { readonly [C in Columns[number] as C['name']]: Maybe<C> }

export type Cell = string | number | null
export type AnyRow = Readonly<Record<string, Cell>>

/** Starts of text that spreadsheets evaluate, and the apostrophe itself so that the escape can be undone. */
export const FORMULA_START = /^['=+\-@\t\r]/

/** What is handed to the CSV writer. Throws InvariantError for a value that does not fit its column. */
export function cellText(column: Column, value: Cell | undefined): string {
  const wrong = (why: string) => new InvariantError(`column ${column.name}: ${why} (${JSON.stringify(value)})`)
  if (value === null || value === undefined) {
    if (column.optional) return ''
    throw wrong('a value is needed')
  }
  if (column.kind === 'text') {
    if (typeof value !== 'string') throw wrong('not text')
    const line = value.replaceAll(/[\r\n]+/g, ' ')
    return FORMULA_START.test(line) ? `'${line}` : line
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong('not a finite number')
  if (column.kind === 'integer' && !Number.isSafeInteger(value)) throw wrong('not a whole number')
  return String(value)
}

/** A cell read back, or what is wrong with it. */
export function parseCell(
  column: Column,
  text: string,
): { readonly ok: true; readonly value: Cell } | { readonly ok: false; readonly expected: string } {
  if (column.kind === 'text') {
    if (text === '' && column.optional) return { ok: true, value: null }
    return { ok: true, value: text.startsWith("'") ? text.slice(1) : text }
  }
  if (text === '')
    return column.optional ? { ok: true, value: null } : { ok: false, expected: `a number in ${column.name}` }
  const value = Number(text)
  const fits =
    Number.isFinite(value) && text.trim() === text && (column.kind === 'number' || Number.isSafeInteger(value))
  return fits
    ? { ok: true, value }
    : { ok: false, expected: `${column.kind === 'integer' ? 'a whole number' : 'a number'} in ${column.name}` }
}
