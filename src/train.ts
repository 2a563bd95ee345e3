// Training: a dataset in, a learned cost model out. The glue between rows on disk (dataset/) and fitting (cost/), which do
// not know each other; `compare.ts` uses the same glue.
import { basename } from 'node:path'
import { EXIT, UserError } from './base/errors.ts'
import { requireWritableFolder } from './base/output.ts'
import { silentTalk, type Talk } from './base/talk.ts'
import { groupByRoot } from './cost/evaluate.ts'
import { factsOf } from './cost/features.ts'
import type { Kernel } from './cost/kernel.ts'
import { fitCorrection } from './cost/labels.ts'
import { modelCard } from './cost/learned/card.ts'
import { DEFAULT_FIT, type FitOptions, fitNetwork, type Progress } from './cost/learned/fit.ts'
import { type Provenance, saveModel } from './cost/learned/model-file.ts'
import { type Metrics, metricsOf } from './cost/metrics.ts'
import type { GraphSample, KernelSample, Samples } from './cost/samples.ts'
import { loadTrainer, type Trainer, type TrainerName } from './cost/tensorflow.ts'
import {
  type Dataset,
  datasetName,
  type KernelTimingRow,
  labelOf,
  loweredKey,
  originalMicros,
  parseCounts,
  readDataset,
  type TimingRow,
  type VariantRow,
} from './dataset/index.ts'

export interface TrainOptions {
  /** Folder of the dataset. */
  readonly dataset: string
  /** Folder of the model to write. */
  readonly output: string
  /** Default 0. */
  readonly seed?: number
  /** Default 'auto': the fastest that loads. */
  readonly trainer?: TrainerName | 'auto'
  /** Size of the ensemble; default 5. */
  readonly members?: number
  /** Most steps per member; default 2000. */
  readonly steps?: number
  /** Anything else of how to fit; for experiments. */
  readonly fit?: Partial<FitOptions>
  /** Which measurements, where the dataset has several kinds; default: the kind with most rows. */
  readonly device?: string
  readonly threads?: number
  /** Seconds for fitting, about; null: none. What is learned by then is kept. */
  readonly timeLimit?: number | null
  readonly talk?: Talk
}

export interface TrainResult {
  readonly model: string
  /** Trainer that was used, e.g. `wasm`. */
  readonly backend: string
  readonly asked: string
  /** Times that were learned from: of kernels and of graphs. */
  readonly rows: number
  readonly kernelRows: number
  readonly graphRows: number
  /** Root graphs. */
  readonly graphs: number
  readonly families: number
  /** Passes over the kernel times, all members together. */
  readonly epochs: number
  readonly steps: readonly number[]
  readonly members: number
  readonly seconds: number
  /** On roots that the predicting member had not seen. */
  readonly validation: Metrics
  readonly notes: readonly string[]
}

/** One kind of measurement in a dataset. */
export interface Setting {
  readonly device: string
  readonly provider: string
  readonly threads: number
}

/** Trains and writes a model. Throws UserError: exit code 7 for damaged or useless data, 6 where the trainer does not load. */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const started = performance.now()
  const talk = options.talk ?? silentTalk
  requireWritableFolder(options.output)
  const dataset = readDataset(options.dataset)
  const setting = chooseSetting(dataset, options)
  const samples = samplesOf(dataset, setting)
  const trainer = await loadTrainer(options.trainer ?? 'auto')
  const notes = [...dataset.notes, ...trainer.notes]
  for (const note of notes) talk.warn(note)
  talk.note(
    'data',
    `${samples.kernelSamples.length} kernel times, ${samples.graphs.length} graph times of ${countRoots(samples)} roots`,
  )
  talk.note('trainer', `${trainer.label} (asked for: ${trainer.asked})`)
  const facts = factsOf(samples.kernels)
  const correction = fitCorrection(samples.graphs)
  const seed = options.seed ?? 0
  const limitMs = 1000 * (options.timeLimit ?? Number.POSITIVE_INFINITY)
  const fit = {
    ...DEFAULT_FIT,
    seed,
    ...fitOverrides(options),
    onProgress: (p: Progress) => report(talk, p),
    isLate: (share: number) => performance.now() - started > share * limitMs,
  }
  const { parameters, steps, unseen } = await fitNetwork(trainer.tf, samples, facts, correction, fit)
  const validation = metricsOf(groupByRoot(samples.graphs, unseen, true))
  const name = basename(options.output)
  const provenance = provenanceOf({
    dataset,
    setting,
    samples,
    trainer,
    seed,
    steps,
    options: `--trainer ${trainer.used} --members ${fit.members} --steps ${fit.steps} --seed ${seed}`,
    notes: [...notes, correction.note],
  })
  await saveModel(
    options.output,
    { parameters, provenance },
    modelCard(name, provenance, parameters.members.length, validation),
  )
  return {
    model: options.output,
    backend: trainer.label,
    asked: trainer.asked,
    rows: samples.graphs.length + samples.kernelSamples.length,
    kernelRows: samples.kernelSamples.length,
    graphRows: samples.graphs.length,
    graphs: countRoots(samples),
    families: provenance.families.length,
    epochs: Math.round((steps.reduce((a, b) => a + b, 0) * fit.batch.kernels) / samples.kernelSamples.length),
    steps,
    members: parameters.members.length,
    seconds: (performance.now() - started) / 1000,
    validation,
    notes: provenance.notes,
  }
}

/** The options of fitting that the user, or an experiment, may set. */
export function fitOverrides({
  members,
  steps,
  fit,
}: Pick<TrainOptions, 'members' | 'steps' | 'fit'>): Partial<FitOptions> {
  return { ...fit, ...(members !== undefined && { members }), ...(steps !== undefined && { steps }) }
}

/** Progress as the user sees it; stops where the user interrupts. */
export function report(talk: Talk, p: Progress): void {
  talk.signal.throwIfAborted()
  talk.progress('train', p.member * p.steps + p.step, p.members * p.steps, 'steps')
}

const countRoots = (s: Samples): number => new Set(s.graphs.map((g) => g.root)).size

function provenanceOf(from: {
  readonly dataset: Dataset
  readonly setting: Setting
  readonly samples: Samples
  readonly trainer: Trainer
  readonly seed: number
  readonly steps: readonly number[]
  readonly options: string
  readonly notes: readonly string[]
}): Provenance {
  return {
    ...from.setting,
    dataset: datasetName(from.dataset),
    datasetHash: from.dataset.contentHash,
    kernels: from.samples.kernelSamples.length,
    graphs: from.samples.graphs.length,
    families: [...new Set(from.samples.graphs.map((g) => g.family))].sort(),
    backend: from.trainer.label,
    seed: from.seed,
    steps: Math.max(0, ...from.steps),
    options: from.options,
    notes: [...from.notes],
  }
}

/** The kind of measurement with most rows, among those that were asked for. */
export function chooseSetting(
  dataset: Dataset,
  wanted: { readonly device?: string; readonly threads?: number },
): Setting {
  const counts = new Map<string, { readonly setting: Setting; rows: number }>()
  for (const { device, provider, threads } of [...dataset.tables['kernel-timings'], ...dataset.tables.timings]) {
    if (wanted.device !== undefined && device !== wanted.device) continue
    if (wanted.threads !== undefined && threads !== wanted.threads) continue
    const key = JSON.stringify([device, provider, threads])
    const entry = counts.get(key) ?? { setting: { device, provider, threads }, rows: 0 }
    entry.rows++
    counts.set(key, entry)
  }
  const best = [...counts.values()].sort((a, b) => b.rows - a.rows)[0]
  if (best) return best.setting
  const expected = `measurements on ${wanted.device ?? 'any device'}, ${wanted.threads ?? 'any number of'} threads`
  throw useless(dataset, expected, 'none', 'collect some, or ask for another device or number of threads')
}

function useless(dataset: Dataset, expected: string, got: string, fix: string): UserError {
  return new UserError({
    code: 'useless-dataset',
    where: dataset.folder,
    expected,
    got,
    fix,
    exitCode: EXIT.dataDamaged,
  })
}

/** Rows of one setting as samples, without roots whose collection was interrupted. Throws UserError where rows refer to kernels or variants that are not there. */
export function samplesOf(dataset: Dataset, setting: Setting): Samples {
  const { kernels, graphs } = dataset.tables
  const index = new Map(kernels.map((k, i) => [k.kernel, i]))
  const familyOf = new Map(graphs.map((g) => [g.root, g.family]))
  const kernelSamples = dataset.tables['kernel-timings']
    .filter((r) => isOf(r, setting) && (r.source !== 'profile' || familyOf.has(r.context)))
    .map((r) => kernelSample(r, present(dataset, index, 'kernel', r.kernel), familyOf))
  if (kernelSamples.length === 0) throw useless(dataset, 'times of kernels', 'none', 'collect with kernel timings')
  return {
    kernels: kernels.map((k) => kernelOf(dataset, k.kernel, k.definition)),
    kernelSamples,
    graphs: graphSamplesOf(dataset, setting, index, familyOf),
  }
}

const isOf = (r: Setting, s: Setting): boolean =>
  r.device === s.device && r.provider === s.provider && r.threads === s.threads

/** What a row refers to; throws where it is not there. */
function present<T>(dataset: Dataset, table: ReadonlyMap<string, T>, what: string, id: string): T {
  const found = table.get(id)
  if (found !== undefined) return found
  throw useless(
    dataset,
    'rows that refer to each other',
    `a row that refers to ${what} ${id}, which is not there`,
    'collect again',
  )
}

function kernelSample(r: KernelTimingRow, kernel: number, familyOf: ReadonlyMap<string, string>): KernelSample {
  const isReal = r.source === 'profile'
  const family = isReal ? (familyOf.get(r.context) ?? null) : null
  return { kernel, micros: r.micros, source: isReal ? 'profile' : 'synthetic', root: isReal ? r.context : null, family }
}

/** One sample per root and executed graph. */
function graphSamplesOf(
  dataset: Dataset,
  setting: Setting,
  index: ReadonlyMap<string, number>,
  familyOf: ReadonlyMap<string, string>,
): GraphSample[] {
  const variants = new Map(dataset.tables.variants.map((v) => [v.variant, v]))
  const timings = new Map<string, TimingRow[]>()
  for (const t of dataset.tables.timings) {
    if (!isOf(t, setting) || t.medianMs === null || t.error !== null) continue
    const variant = present(dataset, variants, 'variant', t.variant)
    if (!familyOf.has(variant.root)) continue
    const key = loweredKey(variant)
    const same = timings.get(key)
    if (same) same.push(t)
    else timings.set(key, [t])
  }
  const originals = originalMicros(dataset.tables.variants, timings)
  return [...timings.values()].map((rows) => {
    const same = [...new Set(rows.map((r) => r.variant))].map((id) => variants.get(id)!)
    const { root } = same[0]!
    const family = present(dataset, familyOf, 'graph', root)
    return {
      ...labelOf(rows, originals.get(root)),
      ...describe(same, family),
      counts: countsOf(dataset, same[0]!, index),
    }
  })
}

function kernelOf(dataset: Dataset, id: string, definition: string): Kernel {
  try {
    const k = JSON.parse(definition) as Kernel
    if (
      typeof k.op === 'string' &&
      Array.isArray(k.inputs) &&
      Array.isArray(k.outputs) &&
      typeof k.attributes === 'object'
    )
      return k
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw useless(dataset, `a kernel as JSON in the definition of ${id}`, definition.slice(0, 80), 'restore kernels.csv')
}

/** Variants that lower to the same executed graph are one sample, made by all their plans. */
function describe(
  same: readonly VariantRow[],
  family: string,
): Pick<GraphSample, 'variant' | 'root' | 'family' | 'plans'> {
  const plans = same.flatMap((v) => v.plan ?? [])
  return { variant: same[0]!.variant, root: same[0]!.root, family, plans }
}

function countsOf(dataset: Dataset, variant: VariantRow, index: ReadonlyMap<string, number>): GraphSample['counts'] {
  const counts = parseCounts(variant.kernels)
  const indexed = counts?.map(([id, n]) => [index.get(id), n] as const)
  if (!indexed || indexed.some(([k]) => k === undefined)) {
    throw useless(
      dataset,
      `kernels of kernels.csv in variant ${variant.variant}`,
      variant.kernels.slice(0, 80),
      'collect again',
    )
  }
  return indexed as [number, number][]
}
