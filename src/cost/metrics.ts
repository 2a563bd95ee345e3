// How good predictions are at what they are for: choosing among variants of one graph. Every figure is computed per group (the
// variants of one root) and averaged over groups, so that a root with many variants does not outvote the others.
// Where a variant was measured several times independently, the first repeat selects (what a search would see) and the others
// judge, so that luck in the measurement does not count as skill.
import type { Random } from '../base/random.ts'
import {
  bootstrapInterval,
  geometricMean,
  type Interval,
  kendallCeiling,
  kendallTau,
  maximum,
  mean,
  quantile,
  standardDeviation,
} from '../base/statistics.ts'

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
  const logs = variants.map((v) => Math.log(v.measured))
  let right = 0
  let telling = 0
  for (let i = 0; i < variants.length; i++) {
    const a = variants[i]!
    for (let j = 0; j < i; j++) {
      const b = variants[j]!
      const gap = logs[i]! - logs[j]!
      if (gap * gap <= 4 * (a.noise * a.noise + b.noise * b.noise)) continue
      telling++
      const order = Math.sign(a.predicted - b.predicted) * Math.sign(gap)
      right += order > 0 ? 1 : order === 0 ? 0.5 : 0
    }
  }
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

/** What one group contributes; null where it has nothing to say. */
interface Figures {
  readonly mape: number | null
  readonly within10: number | null
  readonly tau: number | null
  readonly ceiling: number | null
  readonly pairwise: number | null
  readonly regret1: number | null
  readonly regret5: number | null
  readonly gain: Gain | null
}

function figuresOf({ variants, absolute }: Group): Figures {
  const errors = variants.map((v) => Math.abs(v.predicted / v.measured - 1))
  const isKnown = absolute && errors.length > 0
  const isChoice = variants.length > 1
  return {
    mape: isKnown ? mean(errors) : null,
    within10: isKnown ? mean(errors.map((e) => (e <= 0.1 ? 1 : 0))) : null,
    tau: isChoice ? tauOf(variants) : null,
    ceiling: isChoice ? ceilingOf(variants) : null,
    pairwise: isChoice ? pairwiseAccuracy(variants) : null,
    regret1: isChoice ? regretAt(variants, 1) : null,
    regret5: isChoice ? regretAt(variants, 5) : null,
    gain: isChoice ? gainOf(variants) : null,
  }
}

type Numbers = Omit<Metrics, 'notes'>

function aggregate(figures: readonly Figures[]): Numbers {
  const over = (of: (f: Figures) => number | null) => meanOrNull(figures.map(of))
  const regrets = figures.flatMap((f) => f.regret1 ?? [])
  const gains = figures.flatMap((f) => f.gain ?? [])
  const sum = (of: (g: Gain) => number) => gains.reduce((s, g) => s + of(g), 0)
  return {
    mape: over((f) => f.mape),
    within10: over((f) => f.within10),
    kendallTau: over((f) => f.tau),
    tauCeiling: over((f) => f.ceiling),
    pairwise: over((f) => f.pairwise),
    top1Regret: regrets.length > 0 ? { mean: mean(regrets), p90: quantile(regrets, 0.9), max: maximum(regrets) } : null,
    top5Regret: over((f) => f.regret5),
    gainCapture: gains.length > 0 ? sum((g) => g.had) / sum((g) => g.possible) : null,
  }
}

const WHY_NULL: Readonly<Record<keyof Numbers, string>> = {
  mape: 'it ranks, it does not predict times',
  within10: 'it ranks, it does not predict times',
  kendallTau: 'all predictions, or all times, are equal, or no root has two variants',
  tauCeiling: 'no root has two variants',
  pairwise: 'no pair differs by more than its noise',
  top1Regret: 'no root has two variants',
  top5Regret: 'no root has two variants',
  gainCapture: 'no root has a gain beyond its noise',
}

function withNotes(numbers: Numbers): Metrics {
  const names = Object.keys(WHY_NULL) as (keyof Numbers)[]
  return { ...numbers, notes: names.filter((n) => numbers[n] === null).map((n) => `${n}: ${WHY_NULL[n]}`) }
}

/** All metrics over groups of variants. Groups of one variant count for the errors only. */
export function metricsOf(groups: readonly Group[]): Metrics {
  return withNotes(aggregate(groups.map(figuresOf)))
}

/** 95 % bootstrap intervals over groups of the figures that comparisons rest on; null where a figure is. */
export interface MetricIntervals {
  readonly mape: Interval | null
  readonly pairwise: Interval | null
  readonly top1Regret: Interval | null
}

export function intervalsOf(groups: readonly Group[], random: Random): MetricIntervals {
  const figures = groups.map(figuresOf)
  const interval = (of: (f: Figures) => number | null): Interval | null => {
    const known = figures.flatMap((f) => of(f) ?? [])
    return known.length > 1 ? bootstrapInterval(known, mean, random) : null
  }
  return {
    mape: interval((f) => f.mape),
    pairwise: interval((f) => f.pairwise),
    top1Regret: interval((f) => f.regret1),
  }
}
