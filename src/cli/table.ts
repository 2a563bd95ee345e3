// Text for people: aligned columns and short numbers.
import Table from 'cli-table3'

/** Columns two spaces apart, headed; those whose cells are all numbers or '-' are aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumeric = (column: number) => rows.every((row) => /^-$|^[\d.]/.test(row[column] ?? ''))
  const t = new Table({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: head.map((_, i) => (rows.length > 0 && isNumeric(i) ? 'right' : 'left')),
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
      ...{
        'bottom-right': '',
        left: '',
        'left-mid': '',
        mid: '',
        'mid-mid': '',
        right: '',
        'right-mid': '',
        middle: '',
      },
    },
  })
  t.push(...rows.map((row) => [...row]))
  return t
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

const UNITS = ['', ' k', ' M', ' G', ' T', ' P']

/** 3 significant digits with a decimal prefix: `1.23 M`. `-` for null. */
export function shortNumber(x: number | null): string {
  if (x === null) return '-'
  const power = x < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(x) / 3))
  const scaled = x / 1000 ** power
  return `${power === 0 ? String(scaled) : scaled.toPrecision(3)}${UNITS[power]}`
}

/** `4.52 MB`. */
export function shortBytes(bytes: number | null): string {
  if (bytes === null) return '-'
  const text = shortNumber(bytes)
  return text.includes(' ') ? `${text}B` : `${text} B`
}
