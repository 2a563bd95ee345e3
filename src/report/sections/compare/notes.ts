// What qualifies the figures.
import type { CompareRecord } from '../../compare-record.ts'
import type { Html } from '../../html.ts'
import { notes as list, section } from '../../page.ts'

export function notes(r: CompareRecord): Html | null {
  const all = [...r.notes, ...(r.model.notes ?? [])]
  return all.length === 0 ? null : section('notes', 'Notes', null, list([...new Set(all)]))
}
