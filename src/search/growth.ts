// How much larger a model may become: products of constants that are computed ahead can be larger than their factors.
import type { Prepared } from './prepare.ts'
import type { Ranked, Ranking } from './rank.ts'

/** Unless the user says otherwise, constants may grow to twice their size, and small ones by four megabytes. */
const DEFAULT_GROWTH = { ratio: 2, bytes: 4 * 2 ** 20 } as const

type Sizes = Pick<Prepared, 'original' | 'weightBytes'>

/** True of variants whose constants grew no more than `maxGrowth` times; null: the default. */
export function fitsGrowth({ original, weightBytes }: Sizes, maxGrowth: number | null): (v: Ranked) => boolean {
  const bytes = weightBytes(original.graph)
  const { ratio, bytes: extra } = DEFAULT_GROWTH
  const limit = maxGrowth === null ? Math.max(bytes * ratio, bytes + extra) : bytes * maxGrowth
  return (v) => weightBytes(v.model.graph) <= limit
}

/** A promise worth telling: this part faster than all that fit. */
const WORTH = 0.95

/** What the limit costs, if it keeps a variant from the user that is predicted to be clearly faster than all that fit. */
export function growthWarnings(ranking: Ranking, sizes: Sizes, maxGrowth: number | null): string[] {
  const fits = fitsGrowth(sizes, maxGrowth)
  const { original, variants } = ranking
  const best = Math.min(original.predictedMs, ...variants.filter(fits).map((v) => v.predictedMs))
  const lost = variants.find((v) => !fits(v) && v.predictedMs < WORTH * best)
  if (!lost) return []
  const growth = sizes.weightBytes(lost.model.graph) / sizes.weightBytes(sizes.original.graph)
  const promise = (original.predictedMs / lost.predictedMs).toFixed(2)
  const allowed = (Math.ceil(growth * 10) / 10).toFixed(1)
  return [
    `a variant predicted ${promise}x as fast was left out, since its constants are ${growth.toFixed(1)} times as large; ` +
      `allow it with --max-growth ${allowed}`,
  ]
}
