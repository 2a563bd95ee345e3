// Predicted against measured time of every variant that has both: how far the cost model could be trusted in this run.
import type { TopLevelSpec } from 'vega-lite'
import { CHART_PIXELS, type ChartWidth, COLORS, figure } from '../../chart.ts'
import { formatPercent, formatRatio } from '../../format.ts'
import type { Html } from '../../html.ts'
import { section } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

type Pair = { readonly predicted: number; readonly measured: number; readonly role: string }

export async function prediction(r: RunRecord): Promise<Html | null> {
  const pairs = r.candidates.flatMap((c): Pair[] =>
    c.measuredMs === null ? [] : [{ predicted: c.predictedMs, measured: c.measuredMs, role: c.role }],
  )
  if (pairs.length < 2) return null
  const label = `Scatter plot of measured over predicted milliseconds of ${pairs.length} programs`
  const chosen = pairs.some((p) => p.role === 'chosen') ? ' Green: the chosen variant.' : ''
  const caption = `Milliseconds a run. On the diagonal the prediction was right. Hollow: the original.${chosen}`
  const chart = await figure(label, caption, (width) => spec(pairs, width))
  return section('prediction', 'Predicted and measured', about(r, pairs), chart)
}

function about(r: RunRecord, pairs: readonly Pair[]): string {
  const error = pairs.reduce((s, p) => s + Math.abs(p.predicted / p.measured - 1), 0) / pairs.length
  const mean = `Cost model ${r.costModel} was off by ${formatPercent(error, 0)} on average over ${pairs.length} programs.`
  if (r.predictedSpeedup === null || r.speedup === null) return mean
  return `${mean} It expected ${formatRatio(r.predictedSpeedup)}; ${formatRatio(r.speedup)} was measured.`
}

/** Both axes alike, so that the diagonal is one. */
function domainOf(pairs: readonly Pair[]): [number, number] {
  const all = pairs.flatMap((p) => [p.predicted, p.measured])
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const room = Math.max((high - low) * 0.12, high * 0.02)
  return [Math.max(0, low - room), high + room]
}

function spec(pairs: readonly Pair[], width: ChartWidth): TopLevelSpec {
  const domain = domainOf(pairs)
  const side = width === 'wide' ? 380 : CHART_PIXELS.narrow - 70
  const axis = (title: string) => ({ title, tickCount: 5 })
  const encoding = (field: 'predicted' | 'measured', title: string) =>
    ({ field, type: 'quantitative', scale: { domain, nice: false, zero: false }, axis: axis(title) }) as const
  const ends = domain.map((d) => ({ predicted: d, measured: d }))
  const points = (role: string, fill: string, stroke: string, size: number) => ({
    data: { values: pairs.filter((p) => p.role === role) as Pair[] },
    mark: { type: 'point', shape: 'circle', filled: false, fill, stroke, size, strokeWidth: 1.5, opacity: 1 } as const,
  })
  return {
    width: side,
    height: width === 'wide' ? 300 : side,
    encoding: { x: encoding('predicted', 'predicted, ms'), y: encoding('measured', 'measured, ms') },
    layer: [
      { data: { values: ends }, mark: { type: 'line', stroke: COLORS.plain, strokeWidth: 1, strokeDash: [3, 3] } },
      points('other', COLORS.plain, COLORS.paper, 70),
      points('original', COLORS.paper, COLORS.ink, 80),
      points('chosen', COLORS.accent, COLORS.paper, 110),
    ],
  }
}
