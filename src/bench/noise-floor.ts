// The timer checked against itself: the same model as reference and as variant, in separate sessions. What it says about
// them is what chance and the protocol say about two equal models; no smaller difference may be claimed.
import type { Backend, Feeds, Outcome } from '../runtime/index.ts'
import { type MeasureOptions, measure, type TimedModel } from './measure.ts'

export interface NoiseFloor {
  /** Largest distance from 1 of the interval of the model's ratio to itself: gains below it are not claimed. */
  readonly ratio: number
  /** Relative standard deviation of a single block's ratio. */
  readonly perBlock: number
}

/** Times a model against itself. */
export async function noiseFloor(
  backend: Backend,
  model: TimedModel,
  feeds: Feeds,
  options: MeasureOptions,
): Promise<Outcome<NoiseFloor>> {
  const again = { ...model, name: `${model.name} again` }
  const measured = await measure(backend, model, [again], feeds, { ...options, dropAbove: Number.POSITIVE_INFINITY })
  if (!measured.ok) return measured
  const twin = measured.value.variants[0]!
  if (twin.kind === 'failed') return { ok: false, kind: 'error', reason: twin.reason }
  const { low, high } = twin.ratio
  return { ok: true, value: { ratio: Math.max(Math.abs(1 - low), Math.abs(high - 1)), perBlock: measured.value.noise } }
}
