// The best-ranked variants compared with the original, until as many as will be measured compute the same.
import { type Reference, verifyUntil } from '../bench/index.ts'
import type { Outcome } from '../runtime/index.ts'
import { predictedVerdict } from '../search/choose.ts'
import { fitsGrowth } from '../search/growth.ts'
import type { Ranked, Ranking } from '../search/rank.ts'
import { equalOf, type Trial, unrunnable, type Verified } from './trial.ts'

/** How many are compared with the original before giving up on finding enough that pass. */
const mostCompared = (wanted: number): number => Math.max(10, 3 * wanted)

/** Those compared; throws UserError where the original itself does not run. `folder`: for their files. */
export async function verifyRanked(
  ranking: Ranking,
  answers: Promise<Outcome<Reference>>,
  folder: string,
  trial: Trial,
): Promise<readonly Verified[]> {
  const { options, talk } = trial
  const wanted = Math.max(1, options.measure)
  const queue = inOrder(ranking, trial)
  const reference = async () => {
    const outcome = await answers
    if (outcome.ok) return outcome.value
    throw unrunnable(options.input, outcome.reason)
  }
  if (queue.length === 0 && ranking.asWritten) await reference()
  if (queue.length === 0) return []
  const next = (compared: readonly Verified[]) =>
    compared.length < mostCompared(wanted) ? nextOf(queue, compared) : undefined
  const verified = await verifyUntil(reference, next, { folder, wanted }, (passed) => {
    talk.signal.throwIfAborted()
    talk.progress('verify', passed, wanted, 'variants')
  })
  talk.note('verify', verifyText(verified))
  return verified
}

/** Variants that differ, after which what they have in common is suspected. */
const SUSPICIOUS = 3

/** After so many that differ, what changes least is tried. */
const HOPELESS = 6

/** The best that was not compared. While all differ from the original, the best without some rule that all of them use, and in the end the
 * one that the fewest rules changed. */
export function nextOf(queue: readonly Ranked[], compared: readonly Verified[]): Ranked | undefined {
  const left = queue.filter((v) => !compared.some(({ ranked }) => ranked === v))
  if (compared.length < SUSPICIOUS || equalOf(compared).length > 0) return left[0]
  if (compared.length >= HOPELESS) return [...left].sort((a, b) => rulesOf(a).size - rulesOf(b).size)[0]
  const [first, ...others] = compared.map(({ ranked }) => rulesOf(ranked))
  const suspects = [...first!].filter((rule) => others.every((rules) => rules.has(rule)))
  return left.find((v) => suspects.some((rule) => !rulesOf(v).has(rule))) ?? left[0]
}

const rulesOf = ({ candidate }: Ranked): ReadonlySet<string> => new Set(candidate?.rules.keys() ?? [])

/** Fastest first, or smallest first; models that grew too much are left out, and where nothing will be measured those without a promise. */
function inOrder({ variants, original }: Ranking, { prepared, options }: Trial): readonly Ranked[] {
  const promising = (v: Ranked) => options.measure > 0 || predictedVerdict(v, original.predictedMs).kind !== 'no-gain'
  const fitting = variants.filter(fitsGrowth(prepared, options.maxGrowth)).filter(promising)
  if (options.objective === 'latency') return fitting
  return [...fitting].sort(
    (a, b) =>
      prepared.weightBytes(a.model.graph) - prepared.weightBytes(b.model.graph) || a.predictedMs - b.predictedMs,
  )
}

function verifyText(verified: readonly Verified[]): string {
  const passed = equalOf(verified)
  const worst = passed.flatMap((v) => v.verification.outputs)
  const abs = Math.max(0, ...worst.map((o) => o.maxAbs)).toExponential(1)
  const rel = Math.max(0, ...worst.map((o) => o.maxRel)).toExponential(1)
  const sets = verified[0]?.verification.inputs ?? 0
  return `${passed.length} of ${verified.length} variants pass on ${sets} input sets, max abs ${abs}, max rel ${rel}`
}
