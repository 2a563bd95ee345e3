// What the comparison found, in one sentence: the share of the possible gain that the model finds, or how it ranks.

import type { CompareRecord } from '../../compare-record.ts'
import { baseName, formatCount, formatDate, formatPercent } from '../../format.ts'
import { type Html, html } from '../../html.ts'

const SPLITS: Readonly<Record<CompareRecord['split'], string>> = {
  family: 'Whole families of graphs were left out of training and then predicted.',
  root: 'Graphs were left out of training and then predicted; their families were seen.',
  'as-is': 'The model is judged as it is, whatever it was trained on.',
}

export function header(r: CompareRecord): Html {
  return html`<p class="eyebrow">${baseName(r.dataset)} \u00b7 ${r.modelName} \u00b7 ${r.device} \u00b7 ${formatDate(r.madeAt)}</p>
<h1>${headline(r)}</h1>
<p class="lead">${SPLITS[r.split]} ${formatCount(r.rows)} programs of ${formatCount(r.groups)} graphs.</p>`
}

function headline(r: CompareRecord): Html {
  const { mape, pairwise, top1Regret } = r.model
  if (top1Regret !== null)
    return html`The predicted best is <em>${formatPercent(top1Regret.mean)}</em> slower than the true best.`
  if (pairwise !== null) return html`<em>${formatPercent(pairwise)}</em> of telling pairs are ordered rightly.`
  if (mape !== null) return html`Predictions are off by <em>${formatPercent(mape)}</em> on average.`
  return html`Nothing could be judged.`
}
