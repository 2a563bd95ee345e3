// From rows of timings to one label: the rows of all variants of a root that lower to the same executed graph become one
// time with its noise. Ratios to the original, taken in the same interleaved blocks, are steadier than absolute times, so a
// label is the ratio times the original's own time.
import { geometricMean, median, sigmaFromIqr, standardDeviation } from '../base/statistics.ts'
import type { TimingRow, VariantRow } from './schema.ts'

export interface Label {
  /** Geometric mean over repeats, microseconds. */
  readonly micros: number
  /** Independent repeats in order, microseconds. */
  readonly repeats: readonly number[]
  /** Standard deviation of the logarithm of `micros`. */
  readonly noise: number
  /** Sum of profiled durations of one run, microseconds, uncorrected; null: not profiled. */
  readonly profiledMicros: number | null
}

/** Name of what a root's variants share when they lower to the same executed graph. */
export const loweredKey = (v: Pick<VariantRow, 'root' | 'lowered'>): string => `${v.root}\u0000${v.lowered}`

/** Microseconds of each root's original. `timings` are measured rows by `loweredKey`. */
export function originalMicros(
  variants: readonly VariantRow[],
  timings: ReadonlyMap<string, readonly TimingRow[]>,
): ReadonlyMap<string, number> {
  const out = new Map<string, number>()
  for (const v of variants) {
    if (v.plan !== 'original') continue
    const rows = timings.get(loweredKey(v))?.filter((r) => r.variant === v.variant) ?? []
    if (rows.length > 0) out.set(v.root, geometricMean(rows.map((r) => 1000 * r.medianMs!)))
  }
  return out
}

/** What varies between processes however often one measures in each: standard deviation of the logarithm. */
const PROCESS_NOISE = 0.012
/** Standard deviation of a median, over that of a mean of the same normal sample. */
const MEDIAN_EFFICIENCY = 1.253

/** One label of measured rows; `original` is the microseconds of the root's original, undefined where it was not measured. */
export function labelOf(rows: readonly TimingRow[], original: number | undefined): Label {
  const byRepeat = new Map<number, number[]>()
  for (const r of rows) {
    const micros = original !== undefined && r.ratio !== null ? r.ratio * original : 1000 * r.medianMs!
    byRepeat.set(r.repeat, [...(byRepeat.get(r.repeat) ?? []), micros])
  }
  const repeats = [...byRepeat].sort(([a], [b]) => a - b).map(([, list]) => geometricMean(list))
  const within = median(
    rows.map((r) => (MEDIAN_EFFICIENCY * sigmaFromIqr(r.iqrMs ?? 0)) / r.medianMs! / Math.sqrt(Math.max(1, r.n))),
  )
  const single = Math.hypot(PROCESS_NOISE, within)
  const profiled = rows.flatMap((r) => r.profiledUs ?? [])
  return {
    micros: geometricMean(repeats),
    repeats,
    noise: Math.max(single, standardDeviation(repeats.map(Math.log))) / Math.sqrt(repeats.length),
    profiledMicros: profiled.length > 0 ? median(profiled) : null,
  }
}
