// Each family that was left out, the hardest first.
import type { CompareRecord } from '../../compare-record.ts'
import type { Html } from '../../html.ts'
import { section, table } from '../../page.ts'
import { METRIC_COLUMNS, metricCells } from './metrics.ts'

export function families(r: CompareRecord): Html | null {
  if (r.families.length === 0) return null
  const regret = (f: CompareRecord['families'][number]) => f.metrics.top1Regret?.mean ?? -1
  const rows = r.families
    .toSorted((a, b) => regret(b) - regret(a))
    .map((f) => ({ cells: [f.family, `${f.rows} / ${f.groups}`, ...metricCells(f.metrics)] }))
  const columns = [
    { heading: 'Family', kind: 'name' },
    { heading: 'programs / graphs', kind: 'spare' },
    ...METRIC_COLUMNS,
  ] as const
  const heading = r.split === 'family' ? 'Leaving one family out' : 'By family'
  const about =
    r.split === 'family'
      ? 'Each row is predicted by a model that never saw the family. The hardest first.'
      : 'The hardest first.'
  return section('families', heading, about, table(columns, rows))
}
