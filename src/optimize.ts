// The main flow: a model in, a faster model that computes the same out, or an honest "no gain". Read `optimize` as a table of
// contents; each step is the work of one room.
import { nameFilter } from './base/glob.ts'
import { requireNewFile, requireWritableFile } from './base/output.ts'
import { Stopwatch } from './base/stopwatch.ts'
import type { Talk } from './base/talk.ts'
import {
  compareModels,
  firstRunnable,
  type InputSet,
  inputSets,
  type Measurement,
  prepareMeanwhile,
  readInputShapes,
} from './bench/index.ts'
import type { Explored } from './rewrite/explore.ts'
import { findMisses, type Miss } from './rewrite/misses.ts'
import { beforeRounding } from './rewrite/rounding.ts'
import type { Rule } from './rewrite/rule.ts'
import { requireRules } from './rewrite/rule-names.ts'
import {
  type Backend,
  blockSizeOf,
  type Crew,
  closeCrew,
  type DeviceName,
  openCrew,
  requireAvailable,
  ScratchFolder,
  slowsOnSubnormals,
} from './runtime/index.ts'
import { type Bodies, type ComparePrograms, optimizeBodies } from './search/bodies.ts'
import { exploreModel, readOwnRules, searchSeconds } from './search/explore-model.ts'
import { growthWarnings } from './search/growth.ts'
import { beginLowering, predict } from './search/predict.ts'
import { type Prepared, prepareModel } from './search/prepare.ts'
import type { Ranking } from './search/rank.ts'
import { type ChosenModel, chooseCostModel, pricedForSlowSubnormals } from './search/shipped-model.ts'
import { deliver } from './trial/deliver.ts'
import { type Confirmed, confirm, decide, measureBest } from './trial/measured-choice.ts'
import { equalOf, type Trial, type TrialOptions, unrunnable, type Verified } from './trial/trial.ts'
import { verifyRanked } from './trial/verify-ranked.ts'

export interface OptimizeOptions extends TrialOptions {
  /** Where the faster model goes; null: beside the input, as `<name>.fast.onnx`. */
  readonly output: string | null
  /** Input shapes fixed for good. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Input shapes to measure at; they stay open in the written model. */
  readonly samples: ReadonlyMap<string, readonly number[]>
  /** Folder of the user's own inputs, or null. */
  readonly inputs: string | null
  readonly device: DeviceName
  /** Patterns of rule names, or null for all. */
  readonly rules: string | null
  /** Files of rules of the user's own. Default: none. */
  readonly ruleFiles?: readonly string[]
  /** Patterns of names of rules of which to say where and why they did not fire, or null. Default: null. */
  readonly explainMisses?: string | null
  /** Folder of a cost model, or null for the shipped one. */
  readonly costModel: string | null
  readonly force: boolean
}

/** Everything that a run found out; what is printed and reported is a function of it. */
export interface Run extends Found, Confirmed {
  readonly options: OptimizeOptions
  readonly outputPath: string
  readonly prepared: Prepared
  readonly cost: ChosenModel
  readonly measurement: Measurement | null
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
    const loading = stopwatch.time('load', () => load(options, backends.oracle, talk))
    const { device } = backends
    const [prepared, adapter, blockSize] = await Promise.all([loading, requireAvailable(device), blockSizeOf(device)])
    const inputs = inputSets(prepared.graph, prepared.shapes, { seed: options.seed, ...folderOf(options) })
    const { oracle, tested, exact } = backends
    const judged = { oracle, device: tested, exact, threads: options.threads }
    const reference = prepareMeanwhile(judged, prepared.originalPath, inputs)
    const lowering = beginLowering(backends, prepared, reference)
    const trial: Trial = { options, prepared, device: backends.device, input: inputs[0]!, talk }
    const pricing = pricesOn(device, chooseCostModel(options.costModel, options.device, adapter))
    const find = async (keepsRounded: boolean): Promise<Found> => {
      const explored = await stopwatch.time('saturate', () => {
        const { rules, timeLimit } = options
        return exploreModel(prepared, own, { rules, seconds: searchSeconds(timeLimit), blockSize, keepsRounded }, talk)
      })
      const cost = await pricing
      const bodies = await stopwatch.time('saturate', () =>
        searchBodies(prepared, explored, own, cost, backends, scratch.folder, options, talk),
      )
      const ranking = await stopwatch.time('predict', () =>
        predict(prepared, explored, bodies, cost, lowering, options, talk),
      )
      const verified = await stopwatch.time('verify', () => verifyRanked(ranking, reference, scratch.folder, trial))
      return { explored, bodies, ranking, verified, keepsRounded }
    }
    const first = await find(false)
    const found = isRoundedApart(first, prepared, talk) ? await find(true) : first
    const { ranking, verified } = found
    const cost = await pricing
    const passed = equalOf(verified)
    const timed = passed.length === 0 ? trial : { ...trial, input: await takenInput(reference, inputs[0]!) }
    const measurement = await stopwatch.time('measure', () => measureBest(passed, timed))
    const verdict = decide(verified, ranking, measurement, timed)
    const confirmed = await stopwatch.time('measure', () => confirm(verdict, passed, timed))
    const chosen = confirmed.chosen
    await stopwatch.time('write', () => chosen && deliver(chosen, outputPath, options.force))
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
  throw unrunnable(options.input, found.reason)
}

const shapesText = (shapes: ReadonlyMap<string, readonly number[]>): string =>
  [...shapes].map(([name, s]) => `${name} ${s.join('x')}`).join(', ')

/** The bodies of control flow, each optimised by itself and compared with what it was. */
/** The prices on this very processor, which is timed while the search goes on. */
function pricesOn(device: Backend, chosen: ChosenModel): Promise<ChosenModel> {
  const pricing = slowsOnSubnormals(device).then((isSlow) => (isSlow ? pricedForSlowSubnormals(chosen) : chosen))
  pricing.catch(() => {}) // told to whoever waits for it
  return pricing
}

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

/** The first inputs that the original takes: integers that were made up may be out of its range. */
async function takenInput(reference: ReturnType<typeof prepareMeanwhile>, first: InputSet): Promise<InputSet> {
  const outcome = await reference
  return outcome.ok ? outcome.value.expectations[0]!.set : first
}

/** No variant computes the same, and the model rounds: what is rounded later must stay as it is, to the last bit. */
function isRoundedApart({ verified }: Found, { graph }: Prepared, talk: Talk): boolean {
  if (verified.length === 0 || equalOf(verified).length > 0 || beforeRounding(graph).size === 0) return false
  talk.note('verify', 'the model rounds, which shows the last bits: searching again without what is rounded later')
  return true
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
