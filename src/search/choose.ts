// The decision, from measurements alone: a variant is chosen if it is faster than the original beyond doubt, and among those
// the fastest; what is within the noise of the original is no gain.

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
  | { readonly kind: 'no-gain'; readonly reason: string }

/** Chooses among timed variants; `preferred` breaks what timing cannot tell apart (smaller is better). */
export function chooseVariant<V extends TimedVariant>(
  timings: readonly (V | FailedVariant)[],
  preferred: (name: string) => number,
): Verdict<V> {
  const timed = timings.filter((v): v is V => v.kind === 'timed')
  if (timed.length === 0) return { kind: 'no-gain', reason: 'no variant could be timed' }
  const faster = timed.filter((v) => v.ratio.high < 1 && v.ratio.median < 1 / LEAST_GAIN)
  if (faster.length === 0)
    return { kind: 'no-gain', reason: 'no variant is faster than the original beyond the noise of this machine' }
  const best = faster.reduce((a, b) => (b.ratio.median < a.ratio.median ? b : a))
  const tied = faster.filter((v) => v.ratio.median <= best.ratio.high && v.ratio.median <= best.ratio.median * 1.005)
  const chosen = tied.reduce((a, b) => (preferred(b.name) < preferred(a.name) ? b : a), best)
  return { kind: 'gain', name: chosen.name, timing: chosen }
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
