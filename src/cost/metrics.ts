// How good predictions are at what they are for: choosing among variants of one graph. Every figure is computed per group (the
// variants of one root) and averaged over groups, so that a root with many variants does not outvote the others.
// Where a variant was measured several times independently, the first repeat selects (what a search would see) and the others
// judge, so that luck in the measurement does not count as skill.
import { geometricMean, kendallCeiling, kendallTau, mean, quantile, standardDeviation } from '../base/statistics.ts'

export interface JudgedVariant {
  /** Predicted time; any unit if `absolute` is false, else microseconds. */
  readonly predicted: number
  /** Measured microseconds: geometric mean over repeats. */
  readonly measured: number
  /** Independent measurements of it, microseconds; at least one. */
  readonly repeats: readonly number[]
  /** Standard deviation of the logarithm of `measured`. */
  readonly noise: number
  readonly isOriginal: boolean
}

export interface Group {
  readonly root: string
  /** True if predictions are microseconds; false if they only rank. */
  readonly absolute: boolean
  readonly variants: readonly JudgedVariant[]
}

export interface Metrics {
  /** Mean absolute error of the predicted time, share of the measured one. */
  readonly mape: number | null
  /** Share of variants predicted within 10 %. */
  readonly within10: number | null
  /** Kendall's tau-b between predicted and measured. */
  readonly kendallTau: number | null
  /** Tau that a perfect predictor would reach against labels this noisy. */
  readonly tauCeiling: number | null
  /** Share of pairs ordered rightly, of pairs that differ by more than twice their noise. */
  readonly pairwise: number | null
  /** Measured time of the variant predicted fastest, over the fastest one's, less 1. */
  readonly top1Regret: { readonly mean: number; readonly p90: number; readonly max: number } | null
  /** The same after measuring the five predicted fastest; mean over groups. */
  readonly top5Regret: number | null
  /** Share of the possible gain over the original that is had by measuring 5 % of the variants. */
  readonly gainCapture: number | null
  /** Why a figure is null. */
  readonly notes: readonly string[]
}

/** Share of the variants that `gainCapture` measures. */
const MEASURED_SHARE = 0.05

const meanOrNull = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((v) => v !== null)
  return known.length === 0 ? null : mean(known)
}

/** Time that a search would see. */
const seen = (v: JudgedVariant): number => v.repeats[0]!
/** Time that judges the choice: the other repeats, where there are any. */
const judged = (v: JudgedVariant): number => {
  const others = v.repeats.length > 1 ? v.repeats.slice(1) : v.repeats
  return geometricMean(others)
}

/** Tau-b; null where it is not defined: all predictions, or all times, are equal. */
function tauOf(variants: readonly JudgedVariant[]): number | null {
  const tau = kendallTau(
    variants.map((v) => v.predicted),
    variants.map((v) => v.measured),
  )
  return Number.isNaN(tau) ? null : tau
}

/** Tau that the true order would reach against these labels; what noise adds to the observed spread is taken off first. */
function ceilingOf(variants: readonly JudgedVariant[]): number {
  const noise = mean(variants.map((v) => v.noise))
  const observed = standardDeviation(variants.map((v) => Math.log(v.measured)))
  return kendallCeiling(Math.sqrt(Math.max(0, observed * observed - noise * noise)), noise)
}

/** Share of the telling pairs that are ordered rightly; a tie of predictions counts half. */
export function pairwiseAccuracy(variants: readonly JudgedVariant[]): number | null {
  let right = 0
  let telling = 0
  variants.forEach((a, i) => {
    for (const b of variants.slice(0, i)) {
      if (Math.abs(Math.log(a.measured / b.measured)) <= 2 * Math.hypot(a.noise, b.noise)) continue
      telling++
      const order = Math.sign(a.predicted - b.predicted) * Math.sign(a.measured - b.measured)
      right += order > 0 ? 1 : order === 0 ? 0.5 : 0
    }
  })
  return telling === 0 ? null : right / telling
}

/** The variant with the smallest value; the first of equals. */
function leastBy(variants: readonly JudgedVariant[], value: (v: JudgedVariant) => number): JudgedVariant {
  return variants.reduce((best, v) => (value(v) < value(best) ? v : best))
}

const topPredicted = (variants: readonly JudgedVariant[], k: number): readonly JudgedVariant[] =>
  [...variants].sort((a, b) => a.predicted - b.predicted).slice(0, k)

/** Regret after measuring the k variants predicted fastest: at least 0. */
export function regretAt(variants: readonly JudgedVariant[], k: number): number {
  const chosen = leastBy(topPredicted(variants, k), seen)
  return Math.max(0, judged(chosen) / judged(leastBy(variants, seen)) - 1)
}

interface Gain {
  readonly had: number
  readonly possible: number
}

/** Gain over the original, had and possible, as shares of its time; null where there is no original or nothing to gain. */
function gainOf(variants: readonly JudgedVariant[]): Gain | null {
  const original = variants.find((v) => v.isOriginal)
  if (!original) return null
  const best = leastBy(variants, seen)
  const possible = 1 - judged(best) / judged(original)
  if (possible <= 2 * Math.hypot(original.noise, best.noise)) return null
  const k = Math.max(1, Math.ceil(MEASURED_SHARE * variants.length))
  const chosen = leastBy([original, ...topPredicted(variants, k)], seen)
  return { had: 1 - judged(chosen) / judged(original), possible }
}

const errorsOf = (g: Group): number[] => g.variants.map((v) => Math.abs(v.predicted / v.measured - 1))

/** All metrics over groups of variants. Groups of one variant count for the errors only. */
export function metricsOf(groups: readonly Group[]): Metrics {
  const notes: string[] = []
  const noted = <T>(value: T | null, name: string, why: string): T | null => {
    if (value === null) notes.push(`${name}: ${why}`)
    return value
  }
  const absolute = groups.filter((g) => g.absolute && g.variants.length > 0)
  const choices = groups.filter((g) => g.variants.length > 1)
  const regrets = choices.map((g) => regretAt(g.variants, 1))
  const gains = choices.flatMap((g) => gainOf(g.variants) ?? [])
  const possible = gains.reduce((s, g) => s + g.possible, 0)
  const single = 'no root has two variants'
  return {
    mape: noted(meanOrNull(absolute.map((g) => mean(errorsOf(g)))), 'mape', 'it ranks; it does not predict times'),
    within10: noted(
      meanOrNull(absolute.map((g) => mean(errorsOf(g).map((e) => (e <= 0.1 ? 1 : 0))))),
      'within10',
      'as mape',
    ),
    kendallTau: noted(
      meanOrNull(choices.map((g) => tauOf(g.variants))),
      'kendallTau',
      choices.length ? 'all predictions or all times are equal' : single,
    ),
    tauCeiling: noted(meanOrNull(choices.map((g) => ceilingOf(g.variants))), 'tauCeiling', single),
    pairwise: noted(
      meanOrNull(choices.map((g) => pairwiseAccuracy(g.variants))),
      'pairwise',
      'no pair differs by more than its noise',
    ),
    top1Regret: noted(
      regrets.length ? { mean: mean(regrets), p90: quantile(regrets, 0.9), max: Math.max(...regrets) } : null,
      'top1Regret',
      single,
    ),
    top5Regret: noted(meanOrNull(choices.map((g) => regretAt(g.variants, 5))), 'top5Regret', single),
    gainCapture: noted(
      possible > 0 ? gains.reduce((s, g) => s + g.had, 0) / possible : null,
      'gainCapture',
      'no root has a gain beyond its noise',
    ),
    notes,
  }
}
