// How the e-graph grew, iteration by iteration, and why it stopped.
import type { TopLevelSpec } from 'vega-lite'
import { CHART_PIXELS, type ChartWidth, COLORS, figure } from '../../chart.ts'
import { formatCount } from '../../format.ts'
import type { Html } from '../../html.ts'
import { section } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

export async function saturation(r: RunRecord): Promise<Html | null> {
  const { growth, eNodes, eClasses, iterations, seconds, stopReason } = r.saturation
  const size = `${formatCount(eNodes)} e-nodes in ${formatCount(eClasses)} e-classes after ${iterations} ${iterations === 1 ? 'iteration' : 'iterations'}`
  const about = `${size}, ${seconds.toFixed(1)} s; stopped: ${stopReason}. ${formatCount(r.variants)} variants were extracted, ${formatCount(r.distinctAfterLowering)} distinct once lowered.`
  if (growth.length < 2) return section('saturation', 'Search', about, [])
  const label = `Line chart of e-nodes and e-classes over ${growth.length} iterations, ending at ${eNodes} and ${eClasses}`
  const chart = await figure(label, 'Size of the e-graph after each iteration.', (width) => spec(growth, width))
  return section('saturation', 'Search', about, chart)
}

function spec(growth: RunRecord['saturation']['growth'], width: ChartWidth): TopLevelSpec {
  const last = growth.at(-1)!
  // Labels at the ends of two lines that end close to each other move apart.
  const near = last.eNodes - last.eClasses < 0.1 * last.eNodes
  const series = (['eNodes', 'eClasses'] as const).map((field) => ({
    field,
    dy: near ? (field === 'eNodes' ? -6 : 8) : 0,
    name: field === 'eNodes' ? 'e-nodes' : 'e-classes',
    color: field === 'eNodes' ? COLORS.accent : COLORS.quiet,
  }))
  const x = {
    field: 'iteration',
    type: 'quantitative',
    axis: { title: 'iteration', tickMinStep: 1, grid: false, format: 'd' },
  } as const
  return {
    width: CHART_PIXELS[width] - (width === 'wide' ? 130 : 120),
    height: width === 'wide' ? 180 : 150,
    data: { values: growth },
    encoding: { x: { ...x, scale: { domain: [growth[0]!.iteration, last.iteration], nice: false } } },
    layer: series.flatMap((s) => {
      const y = { field: s.field, type: 'quantitative', axis: { title: null, tickCount: 4, format: ',d' } } as const
      return [
        { mark: { type: 'line', stroke: s.color, strokeWidth: 1.75, interpolate: 'linear' } as const, encoding: { y } },
        {
          data: { values: [{ ...last, name: s.name }] },
          mark: { type: 'text', align: 'left', dx: 8, dy: s.dy, fill: s.color } as const,
          encoding: { y, text: { field: 'name', type: 'nominal' } as const },
        },
      ]
    }),
  }
}
