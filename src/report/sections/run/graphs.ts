// The graphs that the runtime executes, before and after, side by side; what differs is marked. What both have in a row is one box.
import { formatMs } from '../../format.ts'
import { drawGraph, type PictureNode } from '../../graph-picture.ts'
import { type Html, html } from '../../html.ts'
import { section } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

type Node = NonNullable<RunRecord['graphs']>['original'][number]

/** More boxes than these make no picture; what is left out is said. */
const MAX_BOXES = 90

export async function graphs(r: RunRecord): Promise<Html | null> {
  if (r.graphs === null) return null
  const { original, chosen } = r.graphs
  const before = await side('Before', original)
  const after = await side('After', chosen)
  const about =
    'Marked: kernels that the other graph does not have. Kernels in a row that both have are one box. Times are predicted, per run.'
  return section('graphs', 'What changed', about, html`<div class="pair">${before}${after}</div>`)
}

async function side(name: string, nodes: readonly Node[]): Promise<Html> {
  const boxes = boxesOf(nodes)
  const drawn = boxes.slice(0, MAX_BOXES)
  const left = boxes.length - drawn.length
  const changed = nodes.filter((n) => n.changed).length
  const label = `Graph of ${drawn.length} boxes, ${changed} of ${nodes.length} kernels marked`
  const cut = left === 0 ? '' : ` Drawn are the first ${drawn.length} of ${boxes.length} boxes.`
  const caption = `${name}: ${nodes.length} kernels, ${changed} of them marked, ${formatMs(sum(nodes))}.${cut}`
  return html`<figure><figcaption>${caption}</figcaption><div class="graph">${await drawGraph(label, drawn)}</div></figure>`
}

const sum = (nodes: readonly Node[]): number => nodes.reduce((s, n) => s + n.ms, 0)

/** Nodes as boxes: each marked one by itself, unmarked ones that follow each other together. */
function boxesOf(nodes: readonly Node[]): PictureNode[] {
  const groups: number[][] = []
  nodes.forEach((n, i) => {
    const last = groups.at(-1)
    if (last && !n.changed && !nodes[last[0]!]!.changed) last.push(i)
    else groups.push([i])
  })
  const boxOf = new Map(groups.flatMap((group, box) => group.map((i) => [i, box] as const)))
  return groups.map((group, box) => {
    const sources = new Set(group.flatMap((i) => nodes[i]!.sources.map((s) => boxOf.get(s)!)))
    sources.delete(box)
    return { lines: linesOf(group.map((i) => nodes[i]!)), isMarked: nodes[group[0]!]!.changed, sources: [...sources] }
  })
}

function linesOf(group: readonly Node[]): readonly string[] {
  const [only, ...more] = group as [Node, ...Node[]]
  if (more.length > 0) return [`${group.length} kernels, unchanged`, formatMs(sum(group))]
  return [only.op.replace(/^com\.microsoft(\.nchwc)?:/, ''), `${only.shape}, ${formatMs(only.ms)}`]
}
