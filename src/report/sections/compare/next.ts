// How to make these figures again, and what to type next.
import type { CompareRecord } from '../../compare-record.ts'
import type { Html } from '../../html.ts'
import { commands, section } from '../../page.ts'

export function next(r: CompareRecord): Html {
  return section('next', 'Next', null, commands([{ command: r.command, purpose: 'makes this page again' }, ...r.next]))
}
