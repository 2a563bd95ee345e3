// Charts as inline SVG, drawn by vega without a browser. Colours are the page's custom properties, so that one drawing serves
// light, dark and print; every chart is drawn at two widths, and the page shows the one that fits.
import type { TopLevelSpec } from 'vega-lite'
import { escapeText, type Html, html, printable, trusted } from './html.ts'

export const COLORS = {
  ink: 'var(--ink)',
  quiet: 'var(--quiet)',
  line: 'var(--line)',
  accent: 'var(--accent)',
  plain: 'var(--plain)',
  paper: 'var(--paper)',
} as const

export type ChartWidth = 'wide' | 'narrow'

/** Pixels that a drawing may take. */
export const CHART_PIXELS: Readonly<Record<ChartWidth, number>> = { wide: 680, narrow: 330 }

const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif'

const CONFIG = {
  aria: false,
  background: 'transparent',
  font: FONT,
  view: { stroke: null },
  axis: {
    domain: false,
    ticks: false,
    grid: true,
    gridColor: COLORS.line,
    gridWidth: 1,
    labelColor: COLORS.quiet,
    labelFontSize: 12,
    labelPadding: 8,
    titleColor: COLORS.quiet,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 12,
  },
  text: { fill: COLORS.ink, fontSize: 12 },
  header: { labelColor: COLORS.ink, labelFontSize: 12, title: null },
} as const

/** A figure: the chart at both widths and a caption. `label` is what a screen reader says instead of the drawing. */
export async function figure(label: string, caption: string, spec: (width: ChartWidth) => TopLevelSpec): Promise<Html> {
  const [wide, narrow] = await Promise.all([draw(label, spec('wide')), draw(label, spec('narrow'))])
  return html`<figure>
<div class="wide">${wide}</div><div class="narrow">${narrow}</div>
<figcaption>${caption}</figcaption></figure>`
}

async function draw(label: string, spec: TopLevelSpec): Promise<Html> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const merged = { ...spec, config: { ...CONFIG, ...(spec.config ?? {}) } } as TopLevelSpec
  const compiled = vegaLite.compile(merged, { logger: vega.logger(vega.Error) }).spec
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error })
  const svg = await view.toSVG()
  view.finalize()
  return trusted(labelled(svg, label))
}

/** The drawing as one image with a name; its size follows the page. */
function labelled(svg: string, label: string): string {
  return svg.replace('<svg ', `<svg role="img" aria-label="${escapeText(label)}" `)
}

/** A name as a chart shows it: no control characters, and not longer than its room. */
export function shortName(name: string, length: number): string {
  const clean = printable(name).replaceAll(/\s+/g, ' ')
  return clean.length <= length ? clean : `${clean.slice(0, length - 1)}\u2026`
}
