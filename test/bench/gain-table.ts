// Gains as a Markdown table, row by row as they are found, with what a reader needs to trust the numbers: machine, versions, load.
import { writeFileSync } from 'node:fs'
import { geometricMean } from '../../src/base/statistics.ts'
import { contextOf, printContext } from './context.ts'
import type { GainOptions } from './gain-options.ts'
import { type ExtraCells, type GainCase, type GainRow, gainOf, type Speedup, withFolder } from './gains.ts'

/** What only one benchmark has. */
export interface Extra {
  /** Columns. */
  readonly heads: readonly string[]
  readonly cells: ExtraCells
  /** Whether a person's form stands beside the graphs. Default false. */
  readonly byHand?: boolean
  /** Lines below the table. Default: none. */
  readonly summary?: (rows: readonly GainRow[]) => readonly string[]
}

/** Below this the written model is slower than the original, whatever the noise. */
export const SLOWER = 0.98
const NO_EXTRA: Extra = { heads: [], cells: () => [] }

/** Runs the cases that were asked for; `make` may write what it needs to the folder. Prints as it goes. */
export async function runGains(
  make: (folder: string) => Iterable<GainCase>,
  options: GainOptions,
  extra: Extra = NO_EXTRA,
): Promise<void> {
  const { processes, threads, measure, seed, size, all } = options
  const context = contextOf({ processes, threads, measure, seed, size: size ?? 'usual', all })
  await withFolder(options.keep, async (folder) => {
    const rows: GainRow[] = []
    printRow(headsOf(options, extra))
    printRow(headsOf(options, extra).map(() => '---'))
    for (const c of make(folder)) {
      const row = await gainOf(c, folder, options, extra.cells)
      rows.push(row)
      printRow(cellsOf(row, extra))
      // After each row, so that an interrupted run keeps what it has.
      if (options.json !== null) writeFileSync(options.json, `${JSON.stringify({ ...context, rows }, null, 1)}\n`)
    }
    printSummary(rows)
    for (const line of extra.summary?.(rows) ?? []) console.log(line)
    printContext(context)
  })
}

const printRow = (cells: readonly string[]): void =>
  console.log(`| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`)

const headsOf = ({ processes }: GainOptions, extra: Extra): readonly string[] => [
  'model',
  'shape',
  'found by optimize',
  `speed-up in ${processes} processes (95 %)`,
  'least of them',
  ...(extra.byHand ? ['by hand (95 %)', 'found / by hand (95 %)'] : []),
  'original, ms',
  'main rules',
  ...extra.heads,
  'optimize, s',
  'max abs, max rel error',
  'verified',
]

function cellsOf(row: GainRow, extra: Extra): readonly string[] {
  return [
    row.name,
    Object.values(row.shapes)
      .map((s) => (s.length === 0 ? 'scalar' : s.join('x')))
      .slice(0, 4)
      .join(', '),
    foundCell(row),
    row.speedup === null ? '' : row.perProcess.length === 0 ? '1.00, nothing written' : speedupText(row.speedup),
    row.perProcess.length === 0 ? '' : Math.min(...row.perProcess).toFixed(3),
    ...(extra.byHand ? [row.byHand, row.share].map((s) => (s === null ? '' : speedupText(s))) : []),
    row.originalMs?.toFixed(3) ?? '',
    mainRules(row),
    ...extra.heads.map((_, i) => row.extra[i] ?? ''),
    row.seconds.total?.toFixed(1) ?? '',
    errorCell(row),
    verifiedCell(row),
  ]
}

const speedupText = ({ median, low, high }: Speedup): string =>
  `${median.toFixed(3)} (${low.toFixed(3)}-${high.toFixed(3)})`

function foundCell(row: GainRow): string {
  if (row.verdict === 'failed') return `FAILED: ${row.reason}`
  return row.found === null ? `no gain: ${row.reason}` : speedupText(row.found)
}

const MAIN_RULES = 5

function mainRules({ rules }: GainRow): string {
  const shown = rules.slice(0, MAIN_RULES).map(({ name, count }) => `${name} x${count}`)
  return [...shown, ...(rules.length > MAIN_RULES ? [`${rules.length - MAIN_RULES} more`] : [])].join(', ')
}

const errorCell = ({ verified }: GainRow): string =>
  verified === null ? '' : `${numberText(verified.maxAbs)}, ${numberText(verified.maxRel)}`

/** JSON has no infinity: it comes as null. */
const numberText = (x: number | null): string => x?.toExponential(1) ?? 'infinite'

const verifiedCell = ({ verified }: GainRow): string =>
  verified === null ? 'nothing to verify' : `${verified.passed ? 'yes' : 'NO'}, ${verified.inputs} sets`

const measured = (rows: readonly GainRow[]) =>
  rows.flatMap(({ name, group, speedup }) => (speedup ? [{ name, group, speedup: speedup.median }] : []))

/** Geometric mean of the geometric means of the groups; of those rows that were measured, of which there must be one. */
export function meanOfGroups(rows: readonly GainRow[]): { readonly groups: number; readonly mean: number } {
  const done = measured(rows)
  const groups = [...new Set(done.map((r) => r.group))]
  const meanOf = (group: string) => geometricMean(done.filter((r) => r.group === group).map((r) => r.speedup))
  return { groups: groups.length, mean: geometricMean(groups.map(meanOf)) }
}

function printSummary(rows: readonly GainRow[]): void {
  const done = measured(rows)
  const count = (verdict: GainRow['verdict']) => rows.filter((r) => r.verdict === verdict).length
  console.log(`\n${count('gain')} gains, ${count('no-gain')} no gain, ${count('failed')} failed.`)
  if (done.length === 0) return
  const { groups, mean } = meanOfGroups(rows)
  const [worst, best] = [Math.min, Math.max].map((f) => f(...done.map((r) => r.speedup)))
  const named = (x: number) => `${x.toFixed(3)} (${done.find((r) => r.speedup === x)!.name})`
  console.log(`Geometric mean over ${groups}: ${mean.toFixed(3)}; worst ${named(worst!)}, best ${named(best!)}.`)
  const slower = done.filter((r) => r.speedup < SLOWER).map((r) => r.name)
  if (slower.length > 0) console.log(`SLOWER THAN THE ORIGINAL: ${slower.join(', ')}.`)
}
