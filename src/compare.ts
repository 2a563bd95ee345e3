// Comparison: predicted against measured on graphs that were left out, the learned model beside every baseline. Each fold
// leaves whole families (or roots) out, trains everyone afresh on the rest, and predicts what was left out; nothing is judged
// on what it has seen, unless the split says so.
import writeFileAtomic from 'write-file-atomic'
import { UserError } from './base/errors.ts'
import { createRandom } from './base/random.ts'
import { silentTalk, type Talk } from './base/talk.ts'
import { comparisonTable } from './cost/comparison-text.ts'
import { groupByRoot } from './cost/evaluate.ts'
import { factsOf, type KernelFacts } from './cost/features.ts'
import { type FitModel, type FoldVerdicts, judgeFold, medianKernelError } from './cost/judge.ts'
import { DEFAULT_FIT, type FitOptions, fitNetwork } from './cost/learned/fit.ts'
import { loadModel, type StoredModel } from './cost/learned/model-file.ts'
import { networkModel } from './cost/learned/network.ts'
import { type Group, intervalsOf, type MetricIntervals, type Metrics, metricsOf } from './cost/metrics.ts'
import { loadTrainer, type Trainer, type TrainerName } from './cost/tensorflow.ts'
import { type Dataset, type Fold, leaveFamiliesOut, leaveRootsOut, readDataset } from './dataset/index.ts'
import { chooseSetting, fitOverrides, report, samplesOf } from './train.ts'

/** 'family': leave whole families out; 'root': leave roots out, families seen; 'as-is': the given weights, whatever they saw. */
export type Split = 'family' | 'root' | 'as-is'

export interface CompareOptions {
  /** Folder of the dataset. */
  readonly dataset: string
  /** Folder of a model; needed for 'as-is'. With the other splits its ensemble size is taken over. */
  readonly model?: string
  /** Default: 'as-is' for a model of another dataset; else 'family' where there are two, else 'root'. */
  readonly split?: Split
  readonly seed?: number
  readonly trainer?: TrainerName | 'auto'
  /** Ensemble size in each fold; default the model's, else 5. */
  readonly members?: number
  readonly steps?: number
  /** Anything else of how to fit; for experiments. */
  readonly fit?: Partial<FitOptions>
  readonly device?: string
  readonly threads?: number
  /** Seconds for fitting all folds, about; null: none. What is learned by then is judged. */
  readonly timeLimit?: number | null
  /** File for the table in Markdown; default none. */
  readonly report?: string
  readonly talk?: Talk
}

export interface CompareResult {
  readonly split: Split
  /** Roots that were judged. */
  readonly groups: number
  /** Graph times that were judged. */
  readonly rows: number
  readonly folds: readonly string[]
  readonly backend: string | null
  readonly model: Metrics
  readonly baselines: Readonly<Record<string, Metrics>>
  /** 95 % bootstrap intervals over roots. */
  readonly intervals: Readonly<Record<string, MetricIntervals>>
  /** Median relative error of left-out profiled kernels, by contender. */
  readonly kernelErrors: Readonly<Record<string, number | null>>
  /** The model's figures on each family, while it was left out. */
  readonly families: readonly {
    readonly family: string
    readonly groups: number
    readonly rows: number
    readonly metrics: Metrics
  }[]
  /** The model's prediction of every graph, while it was left out. */
  readonly points: readonly {
    readonly family: string
    readonly root: string
    readonly predictedMs: number
    readonly measuredMs: number
  }[]
  /** Path of the written table, or null. */
  readonly report: string | null
  readonly table: string
  readonly seconds: number
  readonly notes: readonly string[]
}

/** Compares. Throws UserError: exit code 7 for damaged or useless data or weights, 6 where the trainer does not load. */
export async function compare(options: CompareOptions): Promise<CompareResult> {
  const started = performance.now()
  const talk = options.talk ?? silentTalk
  const dataset = readDataset(options.dataset)
  const stored = options.model === undefined ? null : loadModel(options.model)
  const split = options.split ?? defaultSplit(dataset, stored)
  const samples = samplesOf(dataset, chooseSetting(dataset, stored ? { ...stored.provenance, ...options } : options))
  const facts = factsOf(samples.kernels)
  const trainer = split === 'as-is' ? null : await loadTrainer(options.trainer ?? 'auto')
  const judged = new Set(samples.graphs.map((g) => g.root))
  const folds = foldsOf(dataset, split, options.seed ?? 0).filter((f) => [...f.roots].some((r) => judged.has(r)))
  const random = createRandom(options.seed ?? 0)
  const results: FoldVerdicts[] = []
  for (const fold of folds) {
    talk.note('fold', `${fold.name}: ${results.length + 1} of ${folds.length}`)
    const limitMs = 1000 * (options.timeLimit ?? Number.POSITIVE_INFINITY)
    const isLate = (share: number) => performance.now() - started > ((results.length + share) / folds.length) * limitMs
    const fitModel = split === 'as-is' ? asIs(stored, options) : refit(trainer!, facts, stored, options, talk, isLate)
    results.push(await judgeFold(samples, facts, fold.roots, fitModel, random.fork(results.length)))
  }
  const outcome = summarize(results, options.seed ?? 0)
  const notes = [
    ...dataset.notes,
    ...(trainer?.notes ?? []),
    ...splitNotes(split, dataset, stored),
    ...labelNotes(results),
  ]
  if (options.report !== undefined)
    await writeFileAtomic(options.report, `${outcome.table}\n\n${notes.map((n) => `- ${n}\n`).join('')}`)
  return {
    split,
    groups: judged.size,
    rows: samples.graphs.length,
    folds: folds.map((f) => f.name),
    backend: trainer?.label ?? null,
    ...outcome,
    report: options.report ?? null,
    seconds: (performance.now() - started) / 1000,
    notes,
  }
}

function defaultSplit(dataset: Dataset, stored: StoredModel | null): Split {
  if (stored && stored.provenance.datasetHash !== dataset.contentHash) return 'as-is'
  return new Set(dataset.tables.graphs.map((g) => g.family)).size > 1 ? 'family' : 'root'
}

const ROOT_FOLDS = 5
/** Beyond this many families several are left out together, so that a comparison takes minutes; that is the harder test. */
const FAMILY_FOLDS = 10

function foldsOf(dataset: Dataset, split: Split, seed: number): readonly Fold[] {
  const { graphs } = dataset.tables
  return split === 'root' ? leaveRootsOut(graphs, ROOT_FOLDS, seed) : leaveFamiliesOut(graphs, FAMILY_FOLDS, seed)
}

/** The weights of the stored model. */
function asIs(stored: StoredModel | null, { dataset }: CompareOptions): FitModel {
  if (stored) return async () => networkModel(stored.name, stored.parameters)
  const fix = 'name one with --model, or choose the split family or root'
  throw new UserError({
    code: 'missing-model',
    where: `compare ${dataset}`,
    expected: 'a model to judge as it is',
    got: 'none',
    fix,
  })
}

/** Trains afresh with the model's settings. */
function refit(
  trainer: Trainer,
  facts: readonly KernelFacts[],
  stored: StoredModel | null,
  options: CompareOptions,
  talk: Talk,
  isLate: (share: number) => boolean,
): FitModel {
  const own = stored ? { members: stored.parameters.members.length } : {}
  const fit = { ...DEFAULT_FIT, ...own, ...fitOverrides(options), seed: options.seed ?? 0 }
  return async (rest, correction) => {
    const { parameters } = await fitNetwork(trainer.tf, rest, facts, correction, {
      ...fit,
      isLate,
      onProgress: (p) => report(talk, p),
    })
    return networkModel('model', parameters)
  }
}

type Outcome = Pick<
  CompareResult,
  'model' | 'baselines' | 'intervals' | 'kernelErrors' | 'families' | 'points' | 'table'
>

/** Draws whose mean stands for choosing at random. */
const RANDOM_DRAWS = 20

function summarize(results: readonly FoldVerdicts[], seed: number): Outcome {
  const random = createRandom(seed)
  const names = [...(results[0]?.verdicts.keys() ?? [])]
  const groups = new Map<string, Group[]>(names.map((name) => [name, results.flatMap((r) => groupsOf(r, name))]))
  const graphs = results.flatMap((r) => r.graphs)
  const draw = () =>
    groupByRoot(
      graphs,
      graphs.map(() => random.next()),
      false,
    )
  groups.set('random', Array.from({ length: RANDOM_DRAWS }, draw).flat())
  const metrics = new Map([...groups].map(([name, g]) => [name, metricsOf(g)]))
  const errors = new Map(names.map((name) => [name, medianKernelError(results.map((r) => r.verdicts.get(name)!))]))
  const contenders = [...metrics].map(([name, m]) => ({ name, metrics: m, kernelError: errors.get(name) ?? null }))
  const { model, ...others } = Object.fromEntries(metrics) as Record<string, Metrics>
  return {
    model: model ?? metricsOf([]),
    baselines: others,
    intervals: Object.fromEntries([...groups].map(([name, g]) => [name, intervalsOf(g, random)])),
    kernelErrors: Object.fromEntries(errors),
    families: byFamily(results),
    points: results.flatMap(pointsOf),
    table: comparisonTable(contenders),
  }
}

function pointsOf({ graphs, verdicts }: FoldVerdicts): CompareResult['points'] {
  const { predicted } = verdicts.get('model')!
  return graphs.flatMap(({ family, root, micros }, i) => {
    const value = predicted[i]
    return value == null ? [] : [{ family, root, predictedMs: value / 1000, measuredMs: micros / 1000 }]
  })
}

function byFamily(results: readonly FoldVerdicts[]): CompareResult['families'] {
  const graphs = results.flatMap((r) => r.graphs)
  const predicted = results.flatMap((r) => r.verdicts.get('model')!.predicted)
  return [...new Set(graphs.map((g) => g.family))].sort().map((family) => {
    const own = graphs.flatMap((g, i) => (g.family === family ? [i] : []))
    const groups = groupByRoot(
      own.map((i) => graphs[i]!),
      own.map((i) => predicted[i]!),
      true,
    )
    return { family, groups: groups.length, rows: own.length, metrics: metricsOf(groups) }
  })
}

function groupsOf({ graphs, verdicts }: FoldVerdicts, name: string): Group[] {
  const { predicted, absolute } = verdicts.get(name)!
  return groupByRoot(graphs, predicted, absolute)
}

function splitNotes(split: Split, dataset: Dataset, stored: StoredModel | null): string[] {
  if (split !== 'as-is' || stored?.provenance.datasetHash !== dataset.contentHash) return []
  return ['the model is judged on the data it was trained on: these figures say nothing about new graphs']
}

/** What the labels allow: repeats that judge apart from selecting, and profiles for the ceiling. */
function labelNotes(results: readonly FoldVerdicts[]): string[] {
  const graphs = results.flatMap((r) => r.graphs)
  const repeated = graphs.filter((g) => g.repeats.length > 1).length
  const profiled = graphs.filter((g) => g.profiledMicros !== null).length
  return [
    ...(repeated < graphs.length
      ? [
          `${graphs.length - repeated} of ${graphs.length} graph times have no second repeat: there the same measurement selects and judges, and the oracle is lucky`,
        ]
      : []),
    ...(profiled < graphs.length
      ? [`profiled: ${profiled} of ${graphs.length} graph times have a profile; the ceiling is over those`]
      : []),
  ]
}
