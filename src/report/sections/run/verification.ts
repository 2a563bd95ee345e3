// How closely the outputs agree, output by output.
import { formatError } from '../../format.ts'
import { type Html, html } from '../../html.ts'
import { section, table } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

export function verification(r: RunRecord): Html | null {
  if (r.verified === null) return null
  const about = `The original without any optimisation by the runtime is the reference. Largest differences over ${r.verified.inputs} sets of inputs.`
  const columns = [
    { heading: 'Output', kind: 'name' },
    { heading: 'absolute', kind: 'spare' },
    { heading: 'relative', kind: 'number' },
    { heading: 'tolerated', kind: 'number' },
    { heading: '' },
  ] as const
  const rows = r.outputs.map((o) => ({
    cells: [
      o.name,
      formatError(o.maxAbs),
      formatError(o.maxRel),
      formatError(o.tolerance),
      mark(o.maxRel <= o.tolerance),
    ],
  }))
  return section('verification', 'Same outputs', about, table(columns, rows))
}

function mark(passed: boolean): Html {
  return passed ? html`<span class="pass">within</span>` : html`<span class="fail">beyond</span>`
}
