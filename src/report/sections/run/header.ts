// The verdict, in one sentence, and what it rests on, in one more.
import { baseName, formatBytes, formatDate, formatError, formatMs, formatRatio } from '../../format.ts'
import { type Html, html } from '../../html.ts'
import type { RunRecord } from '../../record.ts'

export function header(r: RunRecord): Html {
  return html`<p class="eyebrow">${baseName(r.input)} \u00b7 ${r.device}, ${r.threads} ${r.threads === 1 ? 'thread' : 'threads'} \u00b7 ${formatDate(r.madeAt)}</p>
<h1>${verdict(r)}</h1>
<p class="lead">${basis(r)}</p>`
}

function verdict(r: RunRecord): Html {
  if (r.gain && r.speedup !== null && r.verdict.kind === 'gain')
    return html`The model runs <em>${formatRatio(r.speedup)}</em> as fast.`
  if (r.gain && r.predictedSpeedup !== null)
    return html`The model should run <em>${formatRatio(r.predictedSpeedup)}</em> as fast.`
  return html`No gain: the model stays as it is.`
}

function basis(r: RunRecord): Html {
  const parts = r.gain ? [timesText(r), equalityText(r), sizeText(r)] : [html`${sentence(r.verdict.reason)}`]
  return html`${parts.filter((p) => p !== null).map((p, i) => [i === 0 ? null : ' ', p])}`
}

function timesText(r: RunRecord): Html {
  if (r.originalMs === null || r.chosenMs === null) return html`Predicted, not measured: nothing was timed on this run.`
  const interval = r.speedupInterval
    ? html` (95 % interval ${formatRatio(r.speedupInterval[0])} to ${formatRatio(r.speedupInterval[1])})`
    : null
  return html`<strong>${formatMs(r.chosenMs.median)}</strong> instead of <strong>${formatMs(r.originalMs.median)}</strong> a run${interval}.`
}

function equalityText(r: RunRecord): Html | null {
  if (r.verified === null) return null
  const same = r.verified.passed ? 'Outputs agree' : 'Outputs do not agree'
  return html`${same}: largest relative difference ${formatError(r.verified.maxRel)} over ${r.verified.inputs} sets of inputs.`
}

function sizeText(r: RunRecord): Html | null {
  const { original, chosen } = r.bytes
  if (chosen === null || original === 0 || Math.abs(chosen / original - 1) < 0.01) return null
  return html`The file ${chosen > original ? 'grew' : 'shrank'} from ${formatBytes(original)} to ${formatBytes(chosen)}.`
}

/** A reason as a sentence of its own. */
function sentence(text: string): string {
  const trimmed = text.trim().replace(/\.$/, '')
  return trimmed === ''
    ? 'Nothing was faster beyond the noise of this machine.'
    : `${trimmed[0]!.toUpperCase()}${trimmed.slice(1)}.`
}
