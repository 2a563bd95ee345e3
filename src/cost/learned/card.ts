// card.md of a model: what it is, what it was trained on, how good it was on roots that it had not seen.
import { FEATURE_VERSION, FEATURES } from '../features.ts'
import type { Metrics } from '../metrics.ts'
import type { Provenance } from './model-file.ts'
import { BOUND, LAYER_SIZES } from './network.ts'

const percent = (x: number | null): string => (x === null ? '-' : `${(100 * x).toFixed(1)} %`)
const figure = (x: number | null): string => (x === null ? '-' : x.toFixed(3))

/** Rows of a table of metrics: name and value. */
export function metricRows(m: Metrics): readonly (readonly [string, string])[] {
  const r = m.top1Regret
  return [
    ['mean absolute error of graph times', percent(m.mape)],
    ['within 10 %', percent(m.within10)],
    ["Kendall's tau (ceiling by label noise)", `${figure(m.kendallTau)} (${figure(m.tauCeiling)})`],
    ['pairs ordered rightly, of those beyond their noise', percent(m.pairwise)],
    [
      'regret of the first choice: mean, P90, max',
      r ? `${percent(r.mean)}, ${percent(r.p90)}, ${percent(r.max)}` : '-',
    ],
    ['regret after measuring five', percent(m.top5Regret)],
    ['share of the possible gain, 5 % of the variants measured', percent(m.gainCapture)],
  ]
}

export function modelCard(name: string, p: Provenance, members: number, validation: Metrics): string {
  const sizes = LAYER_SIZES.join('-')
  return [
    `# ${name}`,
    '',
    `Predicts microseconds of executed kernels on ${p.device} (${p.provider}, ${p.threads} threads): a roofline calibrated per operator,`,
    `times exp(${BOUND} tanh(MLP)), MLP ${sizes}, mean logarithm of ${members} members; the time of a graph is the sum over its kernels plus an`,
    'overhead. Only for choosing among graphs on a device like this one: what is chosen is measured before it is used.',
    '',
    `Trained with TensorFlow.js (${p.backend}), seed ${p.seed}, ${p.steps} steps, on dataset ${p.dataset} (${p.datasetHash}): ${p.kernels} kernel times,`,
    `${p.graphs} graph times, families ${p.families.join(', ') || 'none'}. Features: version ${FEATURE_VERSION}, ${FEATURES.length} columns (features.json).`,
    ...(p.options ? ['', `To make it again: \`allotrope train datasets/${p.dataset} -o FOLDER ${p.options}\`.`] : []),
    '',
    '## Roots that the predicting member had not seen',
    '',
    'Each root is predicted by members that did not train on it, but stopped by it; families were seen. `allotrope compare` leaves whole',
    'families out and shows every baseline beside.',
    '',
    '| | |',
    '|---|--:|',
    ...metricRows(validation).map(([k, v]) => `| ${k} | ${v} |`),
    '',
    ...p.notes.map((n) => `- ${n}`),
    '',
  ].join('\n')
}
