// What to type next.
import type { Html } from '../../html.ts'
import { commands, section } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

export function next(r: RunRecord): Html | null {
  return r.next.length === 0 ? null : section('next', 'Next', null, commands(r.next))
}
