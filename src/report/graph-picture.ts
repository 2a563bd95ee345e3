// A graph as inline SVG, laid out by Graphviz (compiled to WebAssembly; no browser). Colours are the page's custom properties.
import { instance } from '@viz-js/viz'
import { escapeText, type Html, html, printable, trusted } from './html.ts'

export interface PictureNode {
  /** Its lines of text. */
  readonly lines: readonly string[]
  /** Drawn in the accent colour. */
  readonly isMarked: boolean
  /** Nodes that feed it, by index. */
  readonly sources: readonly number[]
}

/** Points; the page scales the whole. */
const FONT_SIZE = 11

/** Graphviz reads backslashes as commands. */
const plain = (line: string): string => printable(line).replaceAll('\\', '\\\\')

/** Draws top to bottom. `label` says what a reader would see. */
export async function drawGraph(label: string, nodes: readonly PictureNode[]): Promise<Html> {
  const viz = await instance()
  const graph = {
    directed: true,
    graphAttributes: { rankdir: 'TB', bgcolor: 'transparent', nodesep: 0.15, ranksep: 0.22, margin: 0 },
    nodeAttributes: {
      shape: 'box',
      style: 'rounded',
      fontname: 'Helvetica',
      fontsize: FONT_SIZE,
      margin: '0.2,0.06',
      height: 0.2,
    },
    edgeAttributes: { arrowsize: 0.5 },
    nodes: nodes.map((n, i) => ({
      name: `n${i}`,
      attributes: { label: n.lines.map(plain).join('\n'), class: n.isMarked ? 'marked' : 'plain' },
    })),
    edges: nodes.flatMap((n, i) => n.sources.map((s) => ({ tail: `n${s}`, head: `n${i}` }))),
  }
  const svg = viz.renderString(graph, { format: 'svg' })
  const from = svg.indexOf('<svg')
  return html`${trusted(svg.slice(from).replace('<svg', `<svg role="img" aria-label="${escapeText(label)}"`))}`
}
