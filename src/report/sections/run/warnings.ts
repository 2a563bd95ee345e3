// What the reader should know before trusting the rest.
import type { Html } from '../../html.ts'
import { notes, section } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

export function warnings(r: RunRecord): Html | null {
  return r.warnings.length === 0
    ? null
    : section(
        'warnings',
        r.warnings.length === 1 ? 'One warning' : `${r.warnings.length} warnings`,
        null,
        notes(r.warnings),
      )
}
