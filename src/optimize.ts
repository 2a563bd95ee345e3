// The main flow: a model in, a faster model that computes the same out, or an honest "no gain". Read `optimize` as a table of
// contents; each step is the work of one room.
import { UserError } from './base/errors.ts'
import { nameFilter } from './base/glob.ts'
import { requireNewFile, requireWritableFile } from './base/output.ts'
import { Stopwatch } from './base/stopwatch.ts'
import type { Talk } from './base/talk.ts'
import {
  type Compared,
  compareModels,
  firstRunnable,
  type InputSet,
  inputSets,
  type Measurement,
  measure,
  prepareMeanwhile,
  type Reference,
  readInputShapes,
  type Timed,
  verifyUntil,
} from './bench/index.ts'
import { writeModelFile } from './onnx/index.ts'
import type { Explored } from './rewrite/explore.ts'
import { findMisses, type Miss } from './rewrite/misses.ts'
import { beforeRounding } from './rewrite/rounding.ts'
import type { Rule } from './rewrite/rule.ts'
import { requireRules } from './rewrite/rule-names.ts'
import {
  type Backend,
  type Crew,
  closeCrew,
  type DeviceName,
  type Outcome,
  openCrew,
  requireAvailable,
  ScratchFolder,
} from './runtime/index.ts'
import { type Bodies, type ComparePrograms, optimizeBodies } from './search/bodies.ts'
import { type Verdict as AnyVerdict, chooseVariant, predictedVerdict } from './search/choose.ts'
import { exploreModel, readOwnRules, searchSeconds } from './search/explore-model.ts'
import { fitsGrowth, growthWarnings } from './search/growth.ts'
import { predict } from './search/predict.ts'
import { type Prepared, prepareModel } from './search/prepare.ts'
import type { Ranked, Ranking } from './search/rank.ts'
import { type ChosenModel, chooseCostModel } from './search/shipped-model.ts'

export interface OptimizeOptions {
  readonly input: string
  /** Where the faster model goes; null: beside the input, as `<name>.fast.onnx`. */
  readonly output: string | null
  /** Input shapes fixed for good. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Input shapes to measure at; they stay open in the written model. */
  readonly samples: ReadonlyMap<string, readonly number[]>
  /** Folder of the user's own inputs, or null. */
  readonly inputs: string | null
  readonly device: DeviceName
  readonly threads: number
  readonly seed: number
  /** Seconds for the whole, about; null: none. */
  readonly timeLimit: number | null
  /** How many variants to measure; 0: none, the prediction decides. */
  readonly measure: number
  /** Patterns of rule names, or null for all. */
  readonly rules: string | null
  /** Files of rules of the user's own. Default: none. */
  readonly ruleFiles?: readonly string[]
  /** Patterns of names of rules of which to say where and why they did not fire, or null. Default: null. */
  readonly explainMisses?: string | null
  readonly objective: 'latency' | 'size'
  /** Largest size of the constants relative to the input's; null: search/growth.ts. */
  readonly maxGrowth: number | null
  /** Folder of a cost model, or null for the shipped one. */
  readonly costModel: string | null
  readonly force: boolean
}

type Verdict = AnyVerdict<Timed>

/** Everything that a run found out; what is printed and reported is a function of it. */
export interface Run extends Found {
  readonly options: OptimizeOptions
  readonly outputPath: string
  readonly prepared: Prepared
  readonly cost: ChosenModel
  readonly measurement: Measurement | null
  readonly verdict: Verdict
  /** The chosen variant timed again, apart from the choice. */
  readonly confirmation: Measurement | null
  readonly chosen: Verified | null
  /** Of the rules that the user asked about. */
  readonly misses: readonly Miss[]
  /** The user stopped it while it measured; what was chosen is the best so far. */
  readonly interrupted: boolean
  readonly stopwatch: Stopwatch
  readonly warnings: readonly string[]
}

/** What a search came to. */
interface Found {
  readonly explored: Explored
  /** Of If, Loop and Scan. */
  readonly bodies: Bodies
  readonly ranking: Ranking
  readonly verified: readonly Verified[]
  /** What is rounded later was left as it is. */
  readonly keepsRounded: boolean
}

/** A variant on disk, compared with the original. */
export type Verified = Compared<Ranked>

/** Optimises one model file. Writes the faster model, if there is one, and nothing else. */
export async function optimize(options: OptimizeOptions, talk: Talk): Promise<Run> {
  const stopwatch = new Stopwatch()
  const outputPath = checkedOutput(options)
  const own = readOwnRules(options.ruleFiles ?? [], options.seed, talk)
  requireRules(options.rules, '--rules', own)
  requireRules(options.explainMisses ?? null, '--explain-misses', own)
  const scratch = new ScratchFolder()
  const backends = openCrew(options.device, options.timeLimit)
  try {
    const adapter = await requireAvailable(backends.device)
    const prepared = await stopwatch.time('load', () => load(options, backends.oracle, talk))
    const inputs = inputSets(prepared.graph, prepared.shapes, { seed: options.seed, ...folderOf(options) })
    const { oracle, tested, exact } = backends
    const judged = { oracle, device: tested, exact, threads: options.threads }
    const reference = prepareMeanwhile(judged, prepared.originalPath, inputs)
    const cost = chooseCostModel(options.costModel, options.device, adapter)
    const find = async (keepsRounded: boolean): Promise<Found> => {
      const explored = await stopwatch.time('saturate', () => {
        const { rules, timeLimit } = options
        return exploreModel(prepared, own, { rules, seconds: searchSeconds(timeLimit), keepsRounded }, talk)
      })
      const bodies = await stopwatch.time('saturate', () =>
        searchBodies(prepared, explored, own, cost, backends, scratch.folder, options, talk),
      )
      const ranking = await stopwatch.time('predict', () =>
        predict(prepared, explored, bodies, cost, backends, options, talk),
      )
      const verified = await stopwatch.time('verify', () =>
        verify(ranking, prepared, reference, scratch.folder, options, talk),
      )
      return { explored, bodies, ranking, verified, keepsRounded }
    }
    const first = await find(false)
    const found = isRoundedApart(first, prepared, talk) ? await find(true) : first
    const { ranking, verified } = found
    const passed = equalOf(verified)
    const measurement = await stopwatch.time('measure', () =>
      measureBest(passed, prepared, inputs[0]!, backends.device, options, talk),
    )
    const verdict = decide(passed, ranking, measurement, options)
    const confirmed = await stopwatch.time('measure', () =>
      confirm(verdict, passed, prepared, inputs[0]!, backends.device, options, talk),
    )
    const chosen = confirmed.chosen
    await stopwatch.time(
      'write',
      () => chosen && writeModelFile(outputPath, chosen.ranked.model, { force: options.force }),
    )
    const warnings = [
      ...prepared.notes,
      ...[cost.warning, ranking.warning].filter((w) => w !== ''),
      ...growthWarnings(ranking, prepared, options.maxGrowth),
      ...warningsOf(measurement, found === first ? verified : [...first.verified, ...verified]),
    ]
    return {
      options,
      outputPath,
      prepared,
      ...found,
      cost,
      measurement,
      misses: missesOf(found.explored, prepared, options),
      interrupted: talk.signal.aborted,
      stopwatch,
      warnings,
      ...confirmed,
    }
  } finally {
    await closeCrew(backends)
    scratch.remove()
  }
}

/** Where the result goes; refuses to overwrite, and what cannot be written, before any work is done. */
function checkedOutput(options: OptimizeOptions): string {
  const path = options.output ?? options.input.replace(/(\.onnx)?$/, '.fast.onnx')
  requireNewFile(path, options.force, 'name another with -o, or overwrite it with --force')
  requireWritableFile(path)
  return path
}

const folderOf = (options: OptimizeOptions) => (options.inputs === null ? {} : { folder: options.inputs })

async function load(options: OptimizeOptions, oracle: Backend, talk: Talk): Promise<Prepared> {
  const { shapes, samples, inputs } = options
  const measured = (names: readonly string[]) => (inputs === null ? samples : readInputShapes(inputs, names))
  const samplesFrom = inputs === null ? '--sample' : `${inputs}, input`
  const first = prepareModel(options.input, { shapes, samples: measured, samplesFrom })
  const prepared = first.isGuessed ? await atSizesThatRun(first, oracle, options) : first
  for (const note of prepared.notes) talk.warn(note)
  talk.note('load', `${prepared.original.graph.nodes.length} nodes, at ${shapesText(prepared.shapes)}`)
  return prepared
}

/** Where the model leaves dimensions open and nobody said how large they are: the first usual sizes at which it runs. */
async function atSizesThatRun(first: Prepared, oracle: Backend, options: OptimizeOptions): Promise<Prepared> {
  const found = await firstRunnable(oracle, first.originalPath, first.guesses(), options)
  if (found.ok) return found.value
  throw new UserError(badModel(options.input, found.reason))
}

const shapesText = (shapes: ReadonlyMap<string, readonly number[]>): string =>
  [...shapes].map(([name, s]) => `${name} ${s.join('x')}`).join(', ')

/** The bodies of control flow, each optimised by itself and compared with what it was. */
function searchBodies(
  prepared: Prepared,
  explored: Explored,
  own: readonly Rule[],
  cost: ChosenModel,
  backends: Crew,
  folder: string,
  { rules, seed, timeLimit, maxGrowth, threads }: OptimizeOptions,
  talk: Talk,
): Promise<Bodies> {
  const seconds = searchSeconds(timeLimit) / 2
  const compare = (...models: Parameters<ComparePrograms>) =>
    compareModels({ ...backends, threads }, ...models, { folder, seed })
  const search = { cost: cost.model, device: backends.device, own, rules, seconds, seed, maxGrowth, compare }
  return optimizeBodies(prepared, explored, search, talk)
}

/** How many variants are compared with the original before giving up on finding enough that pass. */
const mostCompared = (wanted: number): number => Math.max(10, 3 * wanted)

/** Compares the best-ranked variants with the original until enough have passed. */
async function verify(
  ranking: Ranking,
  prepared: Prepared,
  answers: Promise<Outcome<Reference>>,
  folder: string,
  options: OptimizeOptions,
  talk: Talk,
): Promise<readonly Verified[]> {
  const wanted = Math.max(1, options.measure)
  const queue = inOrder(ranking, prepared, options).slice(0, mostCompared(wanted))
  if (queue.length === 0 && !ranking.asWritten) return []
  const reference = await answers
  if (!reference.ok) throw new UserError(badModel(options.input, reference.reason))
  if (queue.length === 0) return []
  const verified = await verifyUntil(reference.value, queue, { folder, wanted }, (passed) => {
    talk.signal.throwIfAborted()
    talk.progress('verify', passed, wanted, 'variants')
  })
  talk.note('verify', verifyText(verified))
  return verified
}

const equalOf = (verified: readonly Verified[]): readonly Verified[] => verified.filter((v) => v.verification.passed)

/** No variant computes the same, and the model rounds: what is rounded later must stay as it is, to the last bit. */
function isRoundedApart({ verified }: Found, { graph }: Prepared, talk: Talk): boolean {
  if (verified.length === 0 || equalOf(verified).length > 0 || beforeRounding(graph).size === 0) return false
  talk.note('verify', 'the model rounds, which shows the last bits: searching again without what is rounded later')
  return true
}

const badModel = (where: string, got: string) => ({
  code: 'bad-model',
  where,
  expected: 'a model that the runtime can run',
  got,
  fix: 'check it with `allotrope inspect`, or give sizes with --sample or inputs with --inputs',
})

/** Fastest first, or smallest first; models that grew too much are left out, and where nothing will be measured those without a promise. */
function inOrder(ranking: Ranking, prepared: Prepared, options: OptimizeOptions): readonly Ranked[] {
  const promising = (v: Ranked) => options.measure > 0 || predictedOf(v, ranking).kind !== 'no-gain'
  const fitting = ranking.variants.filter(fitsGrowth(prepared, options.maxGrowth)).filter(promising)
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

/** What measuring may take: of some variants, again of the one that is chosen, and of one that noise may hide. */
const CHOICE = { blocks: 20, seconds: 14 }
const CONFIRMATION = { blocks: 30, seconds: 10 }
const DOUBT = { blocks: 60, seconds: 20 }

async function measureBest(
  passed: readonly Verified[],
  prepared: Prepared,
  input: InputSet,
  device: Backend,
  options: OptimizeOptions,
  talk: Talk,
): Promise<Measurement | null> {
  if (options.measure === 0 || passed.length === 0) return null
  const measurement = await timeAgainstOriginal(passed, prepared, input, device, options, talk, CHOICE)
  if (measurement === null) talk.signal.throwIfAborted()
  return measurement
}

/** Null: interrupted before it could tell anything. */
async function timeAgainstOriginal(
  variants: readonly Verified[],
  prepared: Prepared,
  input: InputSet,
  device: Backend,
  options: OptimizeOptions,
  talk: Talk,
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
  if (!outcome.ok) throw new UserError(badModel(options.input, outcome.reason))
  return outcome.value
}

function decide(
  passed: readonly Verified[],
  ranking: Ranking,
  measurement: Measurement | null,
  options: OptimizeOptions,
): Verdict {
  if (ranking.variants.length === 0)
    return { kind: 'no-gain', reason: 'every variant lowers to what the runtime makes of the original already' }
  const predicted = predictedOf(passed[0]?.ranked ?? ranking.variants[0]!, ranking)
  if (options.measure === 0 && predicted.kind === 'no-gain') return predicted
  if (passed.length === 0) return { kind: 'no-gain', reason: 'no variant computes the same as the original' }
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

/** The chosen variant against the original once more, so that luck in the choice does not count; or longer one that noise may hide. */
async function confirm(
  verdict: Verdict,
  passed: readonly Verified[],
  prepared: Prepared,
  input: InputSet,
  device: Backend,
  options: OptimizeOptions,
  talk: Talk,
) {
  const name = verdict.kind === 'no-gain' ? verdict.inDoubt : verdict.name
  const candidate = passed.find((v) => v.ranked.id === name) ?? null
  const unconfirmed = { verdict, confirmation: null, chosen: verdict.kind === 'no-gain' ? null : candidate }
  if (verdict.kind === 'predicted-gain' || candidate === null || talk.signal.aborted) return unconfirmed
  const most = verdict.kind === 'gain' ? CONFIRMATION : DOUBT
  const confirmation = await timeAgainstOriginal([candidate], prepared, input, device, options, talk, most)
  if (confirmation === null) return unconfirmed
  const again = chooseVariant<Timed>(confirmation.variants, NOTHING_BESIDE)
  return { verdict: again, confirmation, chosen: again.kind === 'gain' ? candidate : null }
}

function missesOf(explored: Explored, { graph }: Prepared, { explainMisses }: OptimizeOptions): readonly Miss[] {
  return explainMisses == null ? [] : findMisses(explored, nameFilter(explainMisses), (v) => graph.values[v]!.name)
}

function warningsOf(measurement: Measurement | null, verified: readonly Verified[]): string[] {
  const failed = verified
    .filter((v) => !v.verification.passed)
    .map((v) => `variant ${v.ranked.id} was dropped: ${v.verification.reason ?? 'it differs from the original'}`)
  return [...(measurement?.warnings ?? []), ...failed]
}
