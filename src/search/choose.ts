// The decision: a variant is chosen if it was measured to be faster than the original beyond doubt, and among those the fastest,
// where what was predicted counts as far as the measurements are in doubt; what is within the noise of the original is no gain.
import { mean } from '../base/statistics.ts'

/** What the decision needs of a timing: time over the original's, with its interval. */
export interface TimedVariant {
  readonly kind: 'timed'
  readonly name: string
  readonly ratio: { readonly median: number; readonly low: number; readonly high: number }
}
interface FailedVariant {
  readonly kind: 'failed'
  readonly name: string
}

/** A gain below this is not worth a new file, however sure it is. */
export const LEAST_GAIN = 1.01

export type Verdict<V extends TimedVariant = TimedVariant> =
  | { readonly kind: 'gain'; readonly name: string; readonly timing: V }
  | { readonly kind: 'predicted-gain'; readonly name: string } // not measured, because the user asked so
  /** `inDoubt`: one that promises a gain and may be faster, but that noise hides. */
  | { readonly kind: 'no-gain'; readonly reason: string; readonly inDoubt?: string }

/** What is known of the variants beside their timings. */
export interface Beside {
  /** Breaks what timing cannot tell apart: smaller is better. */
  preferred(name: string): number
  /** In any unit of time. */
  predicted(name: string): number
  /** Whether it is predicted to be faster than the original by more than predictions err. */
  promises(name: string): boolean
}

/** Chooses among timed variants. */
export function chooseVariant<V extends TimedVariant>(
  timings: readonly (V | FailedVariant)[],
  { preferred, predicted, promises }: Beside,
): Verdict<V> {
  const timed = timings.filter((v): v is V => v.kind === 'timed')
  if (timed.length === 0) return { kind: 'no-gain', reason: 'no variant could be timed' }
  const estimates = estimateAll(timed, predicted)
  const estimate = (v: V) => estimates.get(v.name)!
  const bestOf = (some: readonly V[]) => some.reduce((a, b) => (estimate(b) < estimate(a) ? b : a))
  const perhaps = timed.filter((v) => v.ratio.median < 1 / LEAST_GAIN)
  const faster = perhaps.filter((v) => v.ratio.high < 1)
  if (faster.length === 0) {
    const reason = 'no variant is faster than the original beyond the noise of this machine'
    const hidden = perhaps.filter((v) => promises(v.name))
    return { kind: 'no-gain', reason, ...(hidden.length > 0 && { inDoubt: bestOf(hidden).name }) }
  }
  const best = bestOf(faster)
  const tied = faster.filter(
    (v) => v.ratio.median <= best.ratio.high && estimate(v) <= estimate(best) + LEAST_DIFFERENCE,
  )
  const chosen = tied.reduce((a, b) => (preferred(b.name) < preferred(a.name) ? b : a), best)
  return { kind: 'gain', name: chosen.name, timing: chosen }
}

/** Logarithms of ratios nearer than this are one. */
const LEAST_DIFFERENCE = 0.005
/** Standard error of predictions between variants of one graph, in the logarithm: of the five best of held-out graphs half lie within
 * 0.015 of what was measured, a few far apart (docs/measurements.md, predicted and measured). */
const PREDICTION_ERROR = 0.05

/** Logarithms of the variants' times, up to one constant: the mean of measured and predicted, each weighted by its precision. */
function estimateAll(timed: readonly TimedVariant[], predicted: (name: string) => number): Map<string, number> {
  const measured = timed.map((v) => Math.log(v.ratio.median))
  const expected = timed.map((v) => Math.log(Math.max(predicted(v.name), Number.MIN_VALUE)))
  const bias = mean(measured.map((m, i) => m - expected[i]!))
  return new Map(
    timed.map(({ name, ratio }, i) => {
      const error = Math.log(ratio.high / ratio.low) / 4
      const weight = PREDICTION_ERROR ** 2 / (PREDICTION_ERROR ** 2 + error ** 2)
      return [name, weight * measured[i]! + (1 - weight) * (expected[i]! + bias)]
    }),
  )
}

/** The errors of the model: a gain below is not promised. */
const LEAST_PREDICTED_GAIN = 1 / 0.95

/** Without measurements the prediction decides, and must promise more than it errs. */
export function predictedVerdict(
  best: { readonly id: string; readonly predictedMs: number },
  originalMs: number,
): Verdict<never> {
  if (best.predictedMs * LEAST_PREDICTED_GAIN < originalMs) return { kind: 'predicted-gain', name: best.id }
  return { kind: 'no-gain', reason: 'no variant is predicted to be faster by more than the model errs' }
}

/** Speed-up and its interval, from a ratio of times. */
export function speedupOf(timing: TimedVariant): {
  readonly speedup: number
  readonly interval: readonly [number, number]
} {
  const { median, low, high } = timing.ratio
  return { speedup: 1 / median, interval: [1 / high, 1 / low] }
}
