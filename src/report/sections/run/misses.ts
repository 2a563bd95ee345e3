// Where the rules that the user asked about matched, and why they did not fire.
import { type Html, html } from '../../html.ts'
import { section, table } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

const COLUMNS = [
  { heading: 'Rule', kind: 'name' },
  { heading: 'Why it did not fire' },
  { heading: 'One place' },
  { heading: 'e-nodes', kind: 'number' },
] as const

export function misses(r: RunRecord): Html | null {
  if (r.misses.length === 0) return null
  const rows = r.misses.flatMap(({ rule, looked, fires, refused }) => [
    { cells: [html`<code>${rule}</code>`, `looked at ${looked}, fires at`, '', String(fires)] },
    ...refused.map((x) => ({
      cells: ['', x.reason, html`${x.where}: <code>${x.eNode}</code>`, String(x.count)],
    })),
  ])
  const about = 'The rules that were asked about, at every e-node of their operators in the finished e-graph.'
  return section('misses', 'Rules that did not fire', about, table(COLUMNS, rows))
}
