// The rule applications between the original and the chosen variant, oldest first; folded, since there may be hundreds.
import { type Html, html } from '../../html.ts'
import { section } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

/** `allotrope explain` lists them all. */
const SHOWN = 200

export function steps(r: RunRecord): Html | null {
  if (r.steps.length === 0) return null
  const items = r.steps
    .slice(0, SHOWN)
    .map((s) => html`<li><code>${s.rule}</code> at ${s.where}<br><del>${s.before}</del><br><ins>${s.after}</ins></li>`)
  const more = r.steps.length > SHOWN ? ` The first ${SHOWN} are here, all of them in allotrope explain.` : ''
  const about = `Each application of a rule between the original and the written model, oldest first.${more}`
  const summary = html`<summary>${r.steps.length === 1 ? 'one step' : `${r.steps.length} steps`}</summary>`
  return section('steps', 'Steps', about, html`<details class="steps">${summary}<ol>${items}</ol></details>`)
}
