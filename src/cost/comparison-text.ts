// The Markdown table of a comparison: the learned model first, then what it has to beat, then the ceilings.
import type { Metrics } from './metrics.ts'

export interface Contender {
  readonly name: string
  readonly metrics: Metrics
  readonly kernelError: number | null
}

const percent = (x: number | null | undefined): string => (x === null || x === undefined ? '-' : (100 * x).toFixed(1))
const figure = (x: number | null): string => (x === null ? '-' : x.toFixed(3))

const HEADS = [
  ['', (c: Contender) => c.name],
  ['MAPE %', (c: Contender) => percent(c.metrics.mape)],
  ['within 10 % %', (c: Contender) => percent(c.metrics.within10)],
  ['kernel median APE %', (c: Contender) => percent(c.kernelError)],
  ['tau', (c: Contender) => figure(c.metrics.kendallTau)],
  ['tau ceiling', (c: Contender) => figure(c.metrics.tauCeiling)],
  ['pairs %', (c: Contender) => percent(c.metrics.pairwise)],
  ['regret@1 mean %', (c: Contender) => percent(c.metrics.top1Regret?.mean)],
  ['P90 %', (c: Contender) => percent(c.metrics.top1Regret?.p90)],
  ['max %', (c: Contender) => percent(c.metrics.top1Regret?.max)],
  ['regret@5 %', (c: Contender) => percent(c.metrics.top5Regret)],
  ['gain captured %', (c: Contender) => percent(c.metrics.gainCapture)],
] as const

/** Rows of Markdown. */
export function comparisonTable(contenders: readonly Contender[]): string {
  const head = `| ${HEADS.map(([h]) => h).join(' | ')} |`
  const rule = `|---|${'--:|'.repeat(HEADS.length - 1)}`
  return [head, rule, ...contenders.map((c) => `| ${HEADS.map(([, cell]) => cell(c)).join(' | ')} |`)].join('\n')
}
