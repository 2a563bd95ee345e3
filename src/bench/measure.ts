// The timing protocol. All variants are loaded in one process; each is warmed up until it settles; then come blocks. In a block
// every variant and the reference are timed once, in random order, each for at least `minSampleMs` by batching
// runs; a variant's ratio to the reference is taken within the block, so that drift of the machine cancels. Intervals
// come from resampling whole blocks. A variant that fails, or is clearly slower, is dropped and says so; the others go on.
import { createRandom, type Random } from '../base/random.ts'
import {
  bootstrapInterval,
  type Interval,
  interquartileRange,
  median,
  quantile,
  type Summary,
  sigmaFromIqr,
  summarize,
} from '../base/statistics.ts'
import { type Backend, type Feeds, failure, type Outcome, type Session } from '../runtime/index.ts'
import { warmUp } from './warm-up.ts'

export interface MeasureOptions {
  /** Default 1. */
  readonly threads?: number
  /** Flush subnormals to zero, for labels. Default false: as the user's program would run. */
  readonly denormalAsZero?: boolean
  /** Least duration of one sample; faster variants are run several times per sample. Default 2. */
  readonly minSampleMs?: number
  /** Default 30. */
  readonly blocks?: number
  /** After this many milliseconds no new block begins, once there are three. Default: no limit. */
  readonly timeLimitMs?: number
  /** Drop a variant that is surely slower than the best by this factor. Default 1.1; Infinity: never. */
  readonly dropAbove?: number
  /** Variants that are loaded at once, beside the reference. Default 16. */
  readonly together?: number
  readonly seed: number
  /** Looked at between blocks: aborting it ends the measurement with the blocks that there are, and fails if they are too few. */
  readonly signal?: AbortSignal
  /** How far the blocks of a group are. */
  readonly onBlock?: (done: number, total: number) => void
}

export interface TimedModel {
  readonly name: string
  readonly modelPath: string
}

/** Time of a variant divided by that of the reference, below 1 when faster: median over blocks and its interval (95 %). */
export interface Ratio extends Interval {
  readonly median: number
}

export type VariantTiming =
  | { readonly kind: 'failed'; readonly name: string; readonly reason: string }
  | {
      readonly kind: 'timed'
      readonly name: string
      /** Milliseconds per run, one per block. */
      readonly samplesMs: readonly number[]
      /** Time divided by the reference's in the same block (the reference: by its own median). */
      readonly ratios: readonly number[]
      /** In milliseconds. */
      readonly time: Summary
      readonly ratio: Ratio
      /** Dropped early because it was clearly slower. */
      readonly dropped: boolean
    }
export type Timed = Extract<VariantTiming, { kind: 'timed' }>

export interface Measurement {
  readonly reference: Timed
  /** In the order they were given. */
  readonly variants: readonly VariantTiming[]
  /** Relative standard deviation of one sample of the reference; Infinity if there is only one. */
  readonly noise: number
  readonly warnings: readonly string[]
}

export type Settings = Required<Omit<MeasureOptions, 'signal' | 'onBlock'>> & Pick<MeasureOptions, 'signal' | 'onBlock'>

const MIN_BLOCKS = 3
/** Blocks before a variant may be dropped, and before an interrupted measurement tells anything. */
const BLOCKS_TO_JUDGE = 5

function withDefaults(options: MeasureOptions): Settings {
  return {
    threads: 1,
    denormalAsZero: false,
    minSampleMs: 2,
    blocks: 30,
    timeLimitMs: Number.POSITIVE_INFINITY,
    dropAbove: 1.1,
    together: 16,
    ...options,
  }
}

/** Times variants against a reference on one set of inputs. Fails only if the reference does. */
export async function measure(
  backend: Backend,
  reference: TimedModel,
  variants: readonly TimedModel[],
  feeds: Feeds,
  options: MeasureOptions,
): Promise<Outcome<Measurement>> {
  const settings = withDefaults(options)
  const random = createRandom(settings.seed)
  const groups = groupsOf(variants, settings.together)
  const parts: Measurement[] = []
  for (const [i, group] of groups.entries()) {
    const share = { ...settings, timeLimitMs: settings.timeLimitMs / groups.length }
    const part = await measureGroup(backend, reference, group, feeds, share, random.fork(i))
    if (!part.ok) return part
    parts.push(part.value)
  }
  return { ok: true, value: joinParts(parts, random) }
}

/** At least one group, so that a reference alone is timed too. */
function groupsOf(variants: readonly TimedModel[], size: number): readonly (readonly TimedModel[])[] {
  const groups: TimedModel[][] = []
  for (let i = 0; i < Math.max(1, variants.length); i += size) groups.push(variants.slice(i, i + size))
  return groups
}

/** The reference of all groups together; variants one after the other. */
function joinParts(parts: readonly Measurement[], random: Random): Measurement {
  if (parts.length === 1) return parts[0]!
  return {
    reference: joinTimings(
      parts.map((p) => p.reference),
      random,
    ),
    variants: parts.flatMap((p) => p.variants),
    noise: median(parts.map((p) => p.noise)),
    warnings: [...new Set(parts.flatMap((p) => p.warnings))],
  }
}

/** Timings of one model from several measurements as one. The interval comes from resampling measurements and, within them,
 * blocks, so that what differs between processes counts. */
export function joinTimings(timings: readonly Timed[], random: Random): Timed {
  const samplesMs = timings.flatMap((t) => t.samplesMs)
  const resampled = (some: readonly Timed[]) => median(some.flatMap((t) => t.ratios.map(() => random.pick(t.ratios))))
  return {
    ...timings[0]!,
    samplesMs,
    ratios: timings.flatMap((t) => t.ratios),
    time: summarize(samplesMs),
    ratio: { median: median(timings.map((t) => t.ratio.median)), ...bootstrapInterval(timings, resampled, random) },
    dropped: timings.some((t) => t.dropped),
  }
}

/** A variant under measurement. `ratios` and `samplesMs` grow block by block. */
interface Lane {
  readonly name: string
  readonly session: Session
  batch: number
  readonly samplesMs: number[]
  readonly ratios: number[]
  dropped: boolean
  failure: string | null
}

async function measureGroup(
  backend: Backend,
  reference: TimedModel,
  variants: readonly TimedModel[],
  feeds: Feeds,
  settings: Settings,
  random: Random,
): Promise<Outcome<Measurement>> {
  const first = await openLane(backend, reference, settings)
  if (!first.ok) return first
  const opened: (Lane | VariantTiming)[] = []
  for (const v of variants) {
    const lane = await openLane(backend, v, settings)
    opened.push(lane.ok ? lane.value : { kind: 'failed', name: v.name, reason: lane.reason })
  }
  const lanes = opened.filter((l) => 'session' in l)
  const done = await runBlocks(first.value, lanes, feeds, settings, random)
  for (const lane of [first.value, ...lanes]) await lane.session.close()
  if (!done.ok) return done
  return { ok: true, value: summarizeGroup(first.value, opened, random) }
}

async function openLane(backend: Backend, model: TimedModel, settings: Settings): Promise<Outcome<Lane>> {
  const { threads, denormalAsZero } = settings
  const session = await backend.open(model.modelPath, { threads, denormalAsZero, optimization: 'all' })
  if (!session.ok) return session
  const lane = {
    name: model.name,
    session: session.value,
    batch: 1,
    samplesMs: [],
    ratios: [],
    dropped: false,
    failure: null,
  }
  return { ok: true, value: lane }
}

const isRunning = (lane: Lane): boolean => lane.failure === null && !lane.dropped

async function runBlocks(
  reference: Lane,
  lanes: readonly Lane[],
  feeds: Feeds,
  settings: Settings,
  random: Random,
): Promise<Outcome<null>> {
  const deadline = performance.now() + settings.timeLimitMs
  const all = [reference, ...lanes]
  await warmAll(all, feeds, settings)
  for (let block = 0; block < settings.blocks && reference.failure === null; block++) {
    if (settings.signal?.aborted || (block >= MIN_BLOCKS && performance.now() > deadline)) break
    settings.onBlock?.(block, settings.blocks)
    const lost = await runBlock(reference, lanes.filter(isRunning), feeds, random)
    if (lost) await warmAll(all, feeds, settings) // the worker was replaced: the others were loaded again
    if (block + 1 >= BLOCKS_TO_JUDGE) dropSlow(lanes.filter(isRunning), settings.dropAbove)
  }
  if (reference.failure !== null) return failure('error', `the reference, ${reference.name}: ${reference.failure}`)
  const wanted = settings.signal?.aborted ? BLOCKS_TO_JUDGE : 1
  return reference.samplesMs.length >= wanted
    ? { ok: true, value: null }
    : failure('error', 'interrupted before it could tell anything')
}

async function warmAll(lanes: readonly Lane[], feeds: Feeds, settings: Settings): Promise<void> {
  for (const lane of lanes.filter(isRunning)) {
    if (settings.signal?.aborted) return
    const runMs = await warmUp(lane.session, feeds)
    if (runMs.ok) lane.batch = Math.max(1, Math.ceil(settings.minSampleMs / runMs.value))
    else lane.failure = runMs.reason
  }
}

/** One sample of each lane. The reference counts once like the others: a second sample of it would often follow the first, with
 * warm caches, and make it look faster (by 7 % on a model of 0.6 MB). True if a worker was lost on the way. */
async function runBlock(reference: Lane, lanes: readonly Lane[], feeds: Feeds, random: Random): Promise<boolean> {
  const samples = new Map<Lane, number>()
  for (const lane of random.shuffle([reference, ...lanes])) {
    const millis = await lane.session.time(feeds, { repeats: 1, batch: lane.batch })
    if (millis.ok) samples.set(lane, millis.value[0]!)
    else {
      lane.failure = millis.reason
      if (millis.kind !== 'error') return true // an unfinished block counts for nobody
    }
  }
  const baseMs = samples.get(reference)
  if (baseMs === undefined) return false
  for (const [lane, ms] of samples) {
    lane.samplesMs.push(ms)
    lane.ratios.push(ms / baseMs)
  }
  return false
}

/** Slower than the best even in its luckiest blocks. */
function dropSlow(lanes: readonly Lane[], factor: number): void {
  const best = Math.min(1, ...lanes.map((l) => median(l.ratios)))
  for (const lane of lanes) if (quantile(lane.ratios, 0.1) > best * factor) lane.dropped = true
}

function summarizeGroup(reference: Lane, opened: readonly (Lane | VariantTiming)[], random: Random): Measurement {
  const lanes = [reference, ...opened.filter((l) => 'session' in l)]
  const usual = median(reference.samplesMs)
  return {
    reference: timed({ ...reference, ratios: reference.samplesMs.map((ms) => ms / usual) }, random),
    variants: opened.map((l) => ('session' in l ? timingOf(l, random) : l)),
    noise: noiseOf(reference.samplesMs),
    warnings: [...new Set(lanes.flatMap((l) => l.session.warnings))],
  }
}

function timingOf(lane: Lane, random: Random): VariantTiming {
  if (lane.failure !== null) return { kind: 'failed', name: lane.name, reason: lane.failure }
  if (lane.samplesMs.length === 0) return { kind: 'failed', name: lane.name, reason: 'no block was finished' }
  return timed(lane, random)
}

function timed({ name, samplesMs, ratios, dropped }: Lane, random: Random): Timed {
  const ratio = { median: median(ratios), ...bootstrapInterval(ratios, median, random) }
  return { kind: 'timed', name, samplesMs, ratios, time: summarize(samplesMs), ratio, dropped }
}

/** From one block to the next, so that slow drift does not count. A ratio of two samples spreads by the square root of two more
 * than one sample does. */
function noiseOf(samplesMs: readonly number[]): number {
  if (samplesMs.length < 2) return Number.POSITIVE_INFINITY
  const steps = samplesMs.slice(1).map((ms, i) => ms / samplesMs[i]!)
  return sigmaFromIqr(interquartileRange(steps)) / Math.SQRT2
}
