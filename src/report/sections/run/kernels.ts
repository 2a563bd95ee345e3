// What the runtime executes, before and after, by operator and share of time.
import { formatMs, formatPercent } from '../../format.ts'
import { type Html, html } from '../../html.ts'
import { type Column, section, table } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

/** Operators that are named; the rest is one row. */
const NAMED = 14

type Kernel = NonNullable<RunRecord['kernels']>['original'][number]

interface Pair {
  readonly op: string
  readonly before: Kernel | null
  readonly after: Kernel | null
}

export function kernels(r: RunRecord): Html | null {
  if (r.kernels === null || r.kernels.original.length === 0) return null
  const { original, chosen, source } = r.kernels
  const both = chosen.length > 0
  const total = sum(original)
  const pairs = fold(pairUp(original, chosen))
  const most = Math.max(...pairs.flatMap((p) => [p.before?.ms ?? 0, p.after?.ms ?? 0]), Number.MIN_VALUE)
  const columns: readonly Column[] = [
    { heading: 'Operator', kind: 'name' },
    { heading: 'before', kind: 'number' },
    ...(both ? [{ heading: 'after', kind: 'number' as const }] : []),
    { heading: `time, ${source}`, kind: 'bar' },
    { heading: 'before', kind: 'spare' },
    ...(both ? [{ heading: 'after', kind: 'spare' as const }] : []),
  ]
  const rows = pairs.map((p) => ({
    cells: [
      breakable(p.op),
      countOf(p.before),
      ...(both ? [countOf(p.after)] : []),
      bars(p, most, both),
      shareOf(p.before, total),
      ...(both ? [shareOf(p.after, total)] : []),
    ],
  }))
  return section('kernels', 'What the runtime executes', aboutText(original, chosen, source), table(columns, rows))
}

const sum = (list: readonly Kernel[]): number => list.reduce((s, k) => s + k.ms, 0)
const calls = (list: readonly Kernel[]): number => list.reduce((s, k) => s + k.count, 0)

function aboutText(original: readonly Kernel[], chosen: readonly Kernel[], source: string): string {
  const share = `Shares are of the original\u2019s ${source} ${formatMs(sum(original))}.`
  if (chosen.length === 0) return `${calls(original)} kernels. ${share}`
  return `${calls(original)} kernels before, ${calls(chosen)} after, fusions by the runtime included. ${share}`
}

/** A qualified name may break after its dots and colon. */
function breakable(op: string): Html {
  return html`${op.split(/(?<=[.:])/).map((part, i) => [i === 0 ? null : html`<wbr>`, part])}`
}

/** By operator, the most time on either side first. */
function pairUp(original: readonly Kernel[], chosen: readonly Kernel[]): Pair[] {
  const ops = new Set([...original, ...chosen].map((k) => k.op))
  const pairs = [...ops].map((op) => ({
    op,
    before: original.find((k) => k.op === op) ?? null,
    after: chosen.find((k) => k.op === op) ?? null,
  }))
  const weight = (p: Pair) => Math.max(p.before?.ms ?? 0, p.after?.ms ?? 0)
  return pairs.toSorted((a, b) => weight(b) - weight(a))
}

/** The small ones as one row. */
function fold(pairs: readonly Pair[]): readonly Pair[] {
  if (pairs.length <= NAMED + 1) return pairs
  const rest = pairs.slice(NAMED)
  const total = (side: 'before' | 'after'): Kernel => {
    const list = rest.flatMap((p) => (p[side] ? [p[side]] : []))
    return { op: '', count: calls(list), ms: sum(list) }
  }
  return [...pairs.slice(0, NAMED), { op: `${rest.length} others`, before: total('before'), after: total('after') }]
}

const countOf = (k: Kernel | null): string => (k === null || k.count === 0 ? '\u2013' : String(k.count))
const shareOf = (k: Kernel | null, total: number): string =>
  k === null || k.count === 0 ? '\u2013' : formatPercent(total > 0 ? k.ms / total : 0)

function bars(p: Pair, most: number, both: boolean): Html {
  const width = (k: Kernel | null) => ((100 * (k?.ms ?? 0)) / most).toFixed(1)
  return html`<i style="width:${width(p.before)}%"></i>${both ? html`<i class="after" style="width:${width(p.after)}%"></i>` : null}`
}
