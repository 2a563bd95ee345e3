// The model beside every baseline.
import type { CompareRecord, MetricsRecord } from '../../compare-record.ts'
import { formatPercent } from '../../format.ts'
import type { Html } from '../../html.ts'
import { section, table } from '../../page.ts'

const NAMES: Readonly<Record<string, string>> = {
  flops: 'FLOPs',
  bytes: 'bytes moved',
  kernelCount: 'number of kernels',
  roofline: 'roofline',
  rooflineCalibrated: 'calibrated roofline',
  opTable: 'table per operator',
  bestFixedPlan: 'best fixed plan',
  random: 'random choice',
  oracle: 'oracle',
  original: 'the original',
}

/** A percentage, or a dash. */
export const percent = (x: number | null | undefined, digits = 1): string =>
  x === null || x === undefined ? '\u2013' : formatPercent(x, digits)
export const plain = (x: number | null): string => (x === null ? '\u2013' : x.toFixed(2))

export const METRIC_COLUMNS = [
  { heading: 'error', kind: 'number' },
  { heading: 'within 10 %', kind: 'spare' },
  { heading: 'tau', kind: 'number' },
  { heading: 'pairs', kind: 'spare' },
  { heading: 'regret', kind: 'number' },
  { heading: 'after 5', kind: 'spare' },
  { heading: 'gain had', kind: 'spare' },
] as const

export function metricCells(m: MetricsRecord): string[] {
  return [
    percent(m.mape),
    percent(m.within10, 0),
    plain(m.kendallTau),
    percent(m.pairwise, 0),
    percent(m.top1Regret?.mean),
    percent(m.top5Regret),
    percent(m.gainCapture, 0),
  ]
}

export function metrics(r: CompareRecord): Html {
  const ceiling =
    r.model.tauCeiling === null
      ? ''
      : ` A perfect predictor would reach a tau of ${plain(r.model.tauCeiling)} against labels this noisy.`
  const about = `Error: mean absolute, of the measured time. Tau and pairs: how variants of one graph are ordered. Regret: how much slower the predicted best is than the true best; after 5: with the five predicted fastest measured. Gain had: by measuring one variant in twenty.${ceiling}`
  const regret = (m: MetricsRecord) => m.top1Regret?.mean ?? Number.POSITIVE_INFINITY
  const others = Object.entries(r.baselines).toSorted(([, a], [, b]) => regret(a) - regret(b))
  const rows = [
    { cells: [r.modelName, ...metricCells(r.model)], own: true },
    ...others.map(([name, m]) => ({ cells: [NAMES[name] ?? name, ...metricCells(m)] })),
  ]
  return section(
    'metrics',
    'Against every baseline',
    about,
    table([{ heading: '', kind: 'name' }, ...METRIC_COLUMNS], rows),
  )
}
