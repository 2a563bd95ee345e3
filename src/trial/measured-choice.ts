// The choice among variants that compute the same: a few are timed against the original, and the one that is chosen is timed again.
import { type Measurement, measure, type Timed } from '../bench/index.ts'
import { chooseVariant, predictedVerdict } from '../search/choose.ts'
import type { Ranked, Ranking } from '../search/rank.ts'
import { equalOf, type Trial, unrunnable, type Verdict, type Verified } from './trial.ts'

/** What measuring may take: of some variants, again of the one that is chosen, and of one that noise may hide. */
const CHOICE = { blocks: 20, seconds: 14 }
const CONFIRMATION = { blocks: 30, seconds: 10 }
const DOUBT = { blocks: 60, seconds: 20 }

/** Times those that passed; null where nothing is to be measured. */
export async function measureBest(passed: readonly Verified[], trial: Trial): Promise<Measurement | null> {
  if (trial.options.measure === 0 || passed.length === 0) return null
  const measurement = await timeAgainstOriginal(passed, trial, CHOICE)
  if (measurement === null) trial.talk.signal.throwIfAborted()
  return measurement
}

/** Null: interrupted before it could tell anything. */
async function timeAgainstOriginal(
  variants: readonly Verified[],
  { prepared, input, device, options, talk }: Trial,
  most: { readonly blocks: number; readonly seconds: number },
): Promise<Measurement | null> {
  const models = variants.map((v) => ({ name: v.ranked.id, modelPath: v.path }))
  const outcome = await measure(device, { name: 'original', modelPath: prepared.originalPath }, models, input.feeds, {
    threads: options.threads,
    seed: options.seed,
    blocks: most.blocks,
    timeLimitMs: Math.min(most.seconds, (options.timeLimit ?? 120) / 4) * 1000,
    signal: talk.signal,
    onBlock: (done, total) => talk.progress('measure', done, total, 'blocks'),
  })
  if (!outcome.ok && talk.signal.aborted) return null
  if (!outcome.ok) throw unrunnable(options.input, outcome.reason)
  return outcome.value
}

/** Where nothing shows a difference, what keeps them from being compared is the reason. */
function noneEqual(verified: readonly Verified[]): string {
  const shown = verified.some((v) => v.verification.witness !== undefined)
  const reason = shown ? undefined : verified[0]?.verification.reason
  return `no variant computes the same as the original${reason === undefined ? '' : `, as far as can be told: ${reason}`}`
}

/** What the measurement says, or where there is none, the prediction. */
export function decide(
  verified: readonly Verified[],
  ranking: Ranking,
  measurement: Measurement | null,
  { options }: Trial,
): Verdict {
  const passed = equalOf(verified)
  if (ranking.variants.length === 0)
    return { kind: 'no-gain', reason: 'every variant lowers to what the runtime makes of the original already' }
  const predicted = predictedOf(passed[0]?.ranked ?? ranking.variants[0]!, ranking)
  if (options.measure === 0 && predicted.kind === 'no-gain') return predicted
  if (passed.length === 0) return { kind: 'no-gain', reason: noneEqual(verified) }
  if (measurement === null) return predicted
  const errors = new Map(passed.map((v) => [v.ranked.id, Math.max(0, ...v.verification.outputs.map((o) => o.maxRel))]))
  const sizes = new Map(passed.map((v, i) => [v.ranked.id, i]))
  const preferred = options.objective === 'size' ? sizes : errors
  const ranked = new Map(passed.map((v) => [v.ranked.id, v.ranked]))
  return chooseVariant<Timed>(measurement.variants, {
    preferred: (name) => preferred.get(name)!,
    predicted: (name) => ranked.get(name)!.predictedMs,
    promises: (name) => predictedOf(ranked.get(name)!, ranking).kind !== 'no-gain',
  })
}

const predictedOf = (v: Ranked, { original }: Ranking) => predictedVerdict(v, original.predictedMs)

const NOTHING_BESIDE = { preferred: () => 0, predicted: () => 1, promises: () => false }

export interface Confirmed {
  readonly verdict: Verdict
  /** The chosen variant timed again, apart from the choice. */
  readonly confirmation: Measurement | null
  readonly chosen: Verified | null
}

/** The chosen variant against the original once more, so that luck in the choice does not count; or longer one that noise may hide. */
export async function confirm(verdict: Verdict, passed: readonly Verified[], trial: Trial): Promise<Confirmed> {
  const name = verdict.kind === 'no-gain' ? verdict.inDoubt : verdict.name
  const candidate = passed.find((v) => v.ranked.id === name) ?? null
  const unconfirmed = { verdict, confirmation: null, chosen: verdict.kind === 'no-gain' ? null : candidate }
  if (verdict.kind === 'predicted-gain' || candidate === null || trial.talk.signal.aborted) return unconfirmed
  const most = verdict.kind === 'gain' ? CONFIRMATION : DOUBT
  const confirmation = await timeAgainstOriginal([candidate], trial, most)
  if (confirmation === null) return unconfirmed
  const again = chooseVariant<Timed>(confirmation.variants, NOTHING_BESIDE)
  return { verdict: again, confirmation, chosen: again.kind === 'gain' ? candidate : null }
}
