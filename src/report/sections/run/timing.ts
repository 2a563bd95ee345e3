// Measured times of the original and of the variants that were measured, with their intervals.
import type { TopLevelSpec } from 'vega-lite'
import { CHART_PIXELS, type ChartWidth, COLORS, figure, shortName } from '../../chart.ts'
import { formatMs, formatPercent, significant } from '../../format.ts'
import { type Html, html } from '../../html.ts'
import { section, table } from '../../page.ts'
import type { RunRecord, RunTiming } from '../../record.ts'

/** Rows that a chart shows; the fastest are kept. */
const CHART_ROWS = 12

interface Bar {
  readonly name: string
  readonly ms: number
  readonly low: number
  readonly high: number
  readonly text: string
  readonly color: string
}

export async function timing(r: RunRecord): Promise<Html | null> {
  const timed = r.timings.filter((t) => t.medianMs !== null)
  if (timed.length === 0) return null
  const about = `${r.measured} of ${r.distinctAfterLowering} distinct variants were measured, in turns with the original${noiseText(r)}.`
  const chart = await figure(labelOf(timed), caption(r), (width) => spec(barsOf(timed, width), width))
  return section('timing', 'Time per run', about, [chart, failures(r)])
}

function noiseText(r: RunRecord): string {
  return r.noise === null ? '' : `; one timing is worth \u00b1${formatPercent(r.noise)} on this machine`
}

function labelOf(timed: readonly RunTiming[]): string {
  return `Bar chart of milliseconds per run: ${timed.map((t) => `${t.name} ${significant(t.medianMs!)}`).join(', ')}`
}

function caption(r: RunRecord): string {
  const left = r.timings.filter((t) => t.medianMs !== null).length - CHART_ROWS
  const dropped = r.timings.filter((t) => t.role === 'dropped').length
  const notes = [
    'Median over interleaved blocks; the whisker is its 95 % interval.',
    ...(dropped > 0
      ? [`${dropped} ${dropped === 1 ? 'variant was' : 'variants were'} dropped early as clearly slower.`]
      : []),
    ...(confirmed(r) ? ['The times above come from a second measurement, apart from the choice among these.'] : []),
    ...(left > 0 ? [`${left} slower ones are left out.`] : []),
  ]
  return notes.join(' ')
}

/** The verdict rests on times other than the chosen variant's here. */
function confirmed(r: RunRecord): boolean {
  const chosen = r.timings.find((t) => t.role === 'chosen')
  return chosen !== undefined && r.chosenMs !== null && chosen.medianMs !== r.chosenMs.median
}

/** The original first, then fastest first. */
function barsOf(timed: readonly RunTiming[], width: ChartWidth): Bar[] {
  const rank = (t: RunTiming) => (t.role === 'original' ? -1 : t.medianMs!)
  const rows = timed.toSorted((a, b) => rank(a) - rank(b)).slice(0, CHART_ROWS)
  return rows.map((t) => ({
    name: shortName(t.name, width === 'wide' ? 28 : 14),
    ms: t.medianMs!,
    low: t.lowMs ?? t.medianMs!,
    high: t.highMs ?? t.medianMs!,
    text: `${formatMs(t.medianMs!)}`,
    color: t.role === 'chosen' ? COLORS.accent : COLORS.plain,
  }))
}

function spec(bars: readonly Bar[], width: ChartWidth): TopLevelSpec {
  const y = { field: 'row', type: 'ordinal', axis: null, scale: { paddingInner: 0.55, paddingOuter: 0.2 } } as const
  const values = bars.map((b, row) => ({ ...b, row }))
  const most = Math.max(...bars.map((b) => b.high))
  const x = { type: 'quantitative', axis: null, scale: { domain: [0, most * 1.22] as number[], nice: false } } as const
  const names = width === 'wide' ? 190 : 96
  return {
    width: CHART_PIXELS[width] - names,
    height: { step: 30 },
    padding: { left: names, right: 0, top: 0, bottom: 0 },
    autosize: { type: 'none' },
    data: { values },
    encoding: { y },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: { x: { ...x, field: 'ms' }, fill: { field: 'color', type: 'nominal', scale: null } },
      },
      {
        mark: { type: 'rule', stroke: COLORS.ink, strokeWidth: 1.25 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 8 },
        encoding: { x: { ...x, field: 'high' }, text: { field: 'text' } },
      },
      {
        mark: { type: 'text', align: 'left', fill: COLORS.ink },
        encoding: { x: { value: -names }, text: { field: 'name' } },
      },
    ],
  }
}

function failures(r: RunRecord): Html {
  const failed = r.timings.filter((t) => t.role === 'failed')
  if (failed.length === 0) return html``
  return table(
    [{ heading: 'Could not be timed', kind: 'name' }, { heading: 'Why' }],
    failed.map((t) => ({ cells: [t.name, t.reason ?? 'no reason was given'] })),
  )
}
