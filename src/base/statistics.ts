// Statistics of timings and of predictions. The basics come from simple-statistics; here are names with units of measure in
// mind, seeded resampling, and rank correlation with ties. Samples are plain lists; an empty one is a bug of the caller.
import * as simple from 'simple-statistics'
import { invariant } from './errors.ts'
import type { Random } from './random.ts'

export type Sample = readonly number[]

/** A two-sided interval. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** What is reported of a list of timings, in the unit of the timings. */
export interface Summary {
  readonly median: number
  /** 75 % quantile minus 25 % quantile. */
  readonly iqr: number
  readonly min: number
  readonly n: number
}

const filled = (xs: Sample): number[] => {
  invariant(xs.length > 0, 'statistics of an empty sample')
  return xs as number[] // simple-statistics reads only
}

export const mean = (xs: Sample): number => simple.mean(filled(xs))
export const median = (xs: Sample): number => simple.median(filled(xs))
export const minimum = (xs: Sample): number => simple.min(filled(xs))
export const maximum = (xs: Sample): number => simple.max(filled(xs))
/** Exponential of the mean logarithm; positive samples only. */
/** Mean of what is left when the share `trim` at each end is left out. */
export function trimmedMean(xs: Sample, trim: number): number {
  const sorted = [...filled(xs)].sort((a, b) => a - b)
  const cut = Math.floor(sorted.length * trim)
  return simple.mean(sorted.slice(cut, sorted.length - cut))
}

export const geometricMean = (xs: Sample): number => Math.exp(simple.mean(filled(xs).map(Math.log)))
/** Root of the mean squared deviation (divisor n - 1); 0 for a single value. */
export const standardDeviation = (xs: Sample): number =>
  xs.length < 2 ? 0 : simple.sampleStandardDeviation(filled(xs))
/** Value below which the share `p` of the sample lies. */
export const quantile = (xs: Sample, p: number): number => simple.quantile(filled(xs), p)
/** 75 % quantile minus 25 % quantile. */
export const interquartileRange = (xs: Sample): number => simple.interquartileRange(filled(xs))
/** Median distance from the median. */
export const medianAbsoluteDeviation = (xs: Sample): number => simple.medianAbsoluteDeviation(filled(xs))

export function summarize(xs: Sample): Summary {
  return { median: median(xs), iqr: interquartileRange(xs), min: minimum(xs), n: xs.length }
}

/** Standard deviation of a normal sample with this interquartile range; insensitive to outliers. */
export const sigmaFromIqr = (iqr: number): number => iqr / 1.349

export interface BootstrapOptions {
  /** Default 1000. */
  readonly resamples?: number
  /** Default 0.95. */
  readonly level?: number
}

/** Percentile bootstrap of any statistic (Efron 1979). Items may be numbers, pairs, or whole groups of rows. */
export function bootstrapInterval<T>(
  items: readonly T[],
  statistic: (resampled: readonly T[]) => number,
  random: Random,
  options: BootstrapOptions = {},
): Interval {
  invariant(items.length > 0, 'bootstrap of an empty sample')
  const resamples = options.resamples ?? 1000
  const tail = (1 - (options.level ?? 0.95)) / 2
  const drawn = Array.from({ length: resamples }, () => statistic(items.map(() => random.pick(items))))
  return { low: quantile(drawn, tail), high: quantile(drawn, 1 - tail) }
}

/** Kendall's tau-b: rank correlation in [-1, 1] with ties; NaN where either side is all ties or has fewer than two values. */
export function kendallTau(xs: Sample, ys: Sample): number {
  invariant(xs.length === ys.length, 'rank correlation of samples of different lengths')
  let [agreement, xPairs, yPairs] = [0, 0, 0]
  for (let i = 0; i < xs.length; i++)
    for (let j = 0; j < i; j++) {
      const dx = Math.sign(xs[i]! - xs[j]!)
      const dy = Math.sign(ys[i]! - ys[j]!)
      agreement += dx * dy
      xPairs += dx * dx
      yPairs += dy * dy
    }
  return agreement / Math.sqrt(xPairs * yPairs)
}

/** Expected tau of a perfect predictor against noisy labels: both standard deviations of logarithms, between the items and
 * of one label (bivariate normal, Greiner's relation). */
export function kendallCeiling(spread: number, noise: number): number {
  if (spread === 0) return 0
  return (2 / Math.PI) * Math.asin(spread / Math.hypot(spread, noise))
}

/** Spearman's rank correlation, ties at their mean rank; NaN where either side is all ties. */
export function spearmanRho(xs: Sample, ys: Sample): number {
  invariant(xs.length === ys.length, 'rank correlation of samples of different lengths')
  return pearson(ranks(xs), ranks(ys))
}

/** Pearson's correlation; NaN where either side does not vary. */
export function pearson(xs: Sample, ys: Sample): number {
  const [mx, my] = [mean(xs), mean(ys)]
  let [xy, xx, yy] = [0, 0, 0]
  xs.forEach((x, i) => {
    const [dx, dy] = [x - mx, ys[i]! - my]
    xy += dx * dy
    xx += dx * dx
    yy += dy * dy
  })
  return xy / Math.sqrt(xx * yy)
}

/** Rank of each value, from 1; ties share their mean rank. */
export function ranks(xs: Sample): number[] {
  const order = xs.map((_, i) => i).sort((a, b) => xs[a]! - xs[b]!)
  const out = new Array<number>(xs.length)
  for (let from = 0; from < order.length; ) {
    let to = from
    while (to + 1 < order.length && xs[order[to + 1]!] === xs[order[from]!]) to++
    for (let k = from; k <= to; k++) out[order[k]!] = (from + to) / 2 + 1
    from = to + 1
  }
  return out
}
