// The identities that the chosen variant owes its form to.
import { type Html, html } from '../../html.ts'
import { section, table } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

export function rules(r: RunRecord): Html | null {
  if (r.rules.length === 0) return null
  const withLaws = r.rules.some((rule) => rule.law)
  const columns = [
    { heading: 'Rule', kind: 'name' },
    ...(withLaws ? [{ heading: 'Law' }] : []),
    { heading: 'nodes', kind: 'number' },
  ] as const
  const rows = r.rules
    .toSorted((a, b) => b.count - a.count)
    .map((rule) => ({
      cells: [html`<code>${rule.name}</code>`, ...(withLaws ? [rule.law ?? ''] : []), String(rule.count)],
    }))
  const inBodies = r.bodies?.used ? ' Those in bodies of If, Loop and Scan count once, however often they run.' : ''
  const about = `Nodes of the ${r.gain ? 'written model' : 'best variant'} that a rule made.${inBodies}`
  return section('rules', 'Rules applied', about, table(columns, rows))
}
