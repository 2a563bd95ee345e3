// Predicted against measured, one small plot per family, on logarithmic axes that all plots share.
import type { TopLevelSpec } from 'vega-lite'
import { type ChartWidth, COLORS, figure, shortName } from '../../chart.ts'
import type { CompareRecord } from '../../compare-record.ts'
import { formatCount } from '../../format.ts'
import type { Html } from '../../html.ts'
import { section } from '../../page.ts'

type Point = CompareRecord['points'][number]

/** More families than this are not drawn apart; points beyond the other limit are thinned evenly. */
const PLOTS = 24
const POINTS = 4000

export async function scatter(r: CompareRecord): Promise<Html | null> {
  if (r.points.length === 0) return null
  const shown = thin(r.points)
  const families = largest(shown)
  const label = `Scatter plots of measured over predicted milliseconds of ${shown.length} programs in ${families.length} families`
  const left = new Set(r.points.map((p) => p.family)).size - families.length
  const caption = `Milliseconds a run, both axes logarithmic; on the diagonal the prediction was right.${left > 0 ? ` ${left} smaller families are not drawn.` : ''}${shown.length < r.points.length ? ` ${formatCount(shown.length)} of ${formatCount(r.points.length)} programs are drawn.` : ''}`
  const chart = await figure(label, caption, (width) => spec(shown, families, width))
  return section('scatter', 'Predicted and measured', 'Only predictions of graphs that the model had not seen.', chart)
}

function thin(points: readonly Point[]): readonly Point[] {
  const step = Math.max(1, points.length / POINTS)
  return step === 1 ? points : Array.from({ length: POINTS }, (_, i) => points[Math.floor(i * step)]!)
}

/** Families with the most points, by name. */
function largest(points: readonly Point[]): string[] {
  const counts = new Map<string, number>()
  for (const p of points) counts.set(p.family, (counts.get(p.family) ?? 0) + 1)
  const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, PLOTS)
  return most.map(([family]) => family).toSorted()
}

function spec(points: readonly Point[], families: readonly string[], width: ChartWidth): TopLevelSpec {
  const all = points.flatMap((p) => [p.predictedMs, p.measuredMs])
  const domain = [Math.min(...all) / 1.3, Math.max(...all) * 1.3]
  const side = width === 'wide' ? 136 : 116
  const scale = { type: 'log', domain, nice: false } as const
  const axis = { title: null, tickCount: 3, format: '~g' } as const
  const named = new Map(families.map((f) => [f, shortName(f, width === 'wide' ? 22 : 17)]))
  const values = points
    .filter((p) => named.has(p.family))
    .map((p) => ({ family: named.get(p.family)!, x: p.predictedMs, y: p.measuredMs, line: false }))
  const ends = [...named.values()].flatMap((family) => domain.map((d) => ({ family, x: d, y: d, line: true })))
  return {
    data: { values: [...values, ...ends] },
    facet: {
      field: 'family',
      type: 'nominal',
      header: { title: null, labelColor: COLORS.ink, labelFontSize: 12, labelAnchor: 'start', labelPadding: 6 },
    },
    columns: width === 'wide' ? 4 : 2,
    spacing: { row: 26, column: width === 'wide' ? 24 : 20 },
    spec: {
      width: side,
      height: side,
      encoding: {
        x: { field: 'x', type: 'quantitative', scale, axis },
        y: { field: 'y', type: 'quantitative', scale, axis },
      },
      layer: [
        {
          transform: [{ filter: 'datum.line' }],
          mark: { type: 'line', stroke: COLORS.plain, strokeWidth: 1, strokeDash: [3, 3] },
        },
        {
          transform: [{ filter: '!datum.line' }],
          mark: {
            type: 'point',
            shape: 'circle',
            filled: true,
            fill: COLORS.accent,
            stroke: null,
            size: 14,
            opacity: 0.55,
          },
        },
      ],
    },
  }
}
