// The figures that judge a cost model, as a table for people: `train` and `compare` show it.
import type { Metrics } from '../cost/metrics.ts'
import { table } from './table.ts'

const percent = (x: number | null): string => (x === null ? '-' : `${(100 * x).toFixed(1)} %`)

/** The figures that judge a cost model, for people. */
export function metricsTable(rows: readonly (readonly [name: string, m: Metrics])[]): string {
  return table(
    ['', 'error', 'within 10 %', 'tau', 'pairs', 'regret at 1', 'regret at 5', 'gain had'],
    rows.map(([name, m]) => [
      name,
      percent(m.mape),
      percent(m.within10),
      m.kendallTau === null ? '-' : m.kendallTau.toFixed(2),
      percent(m.pairwise),
      percent(m.top1Regret?.mean ?? null),
      percent(m.top5Regret),
      percent(m.gainCapture),
    ]),
  )
}
