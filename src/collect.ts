// The other flow: many variants of many graphs, timed on a device, into a dataset. Resumable: a root or a synthetic graph that
// is in the dataset is not measured again. Variants come from the same search as in `optimize`, drawn wider, so that good and
// bad programs are both seen; those that lower to the same kernels are one.
import { basename, join } from 'node:path'
import { UserError } from './base/errors.ts'
import { requireWritableFolder } from './base/output.ts'
import { createRandom } from './base/random.ts'
import type { Talk } from './base/talk.ts'
import { describeMachine, firstRunnable, type InputSet, inputSpecs, makeInputs } from './bench/index.ts'
import {
  distinctKernels,
  equalVariants,
  kernelId,
  kernelRow,
  profileRows,
  profileVariants,
  type Setting,
  timeVariants,
} from './bench/record.ts'
import { type Kernel, untrainedModel } from './cost/index.ts'
import { syntheticGraph } from './cost/synthetic/index.ts'
import {
  type DatasetWriter,
  formatCounts,
  type GraphRow,
  openDataset,
  readDataset,
  type TimingRow,
  type VariantRow,
} from './dataset/index.ts'
import { modelOf, writeModelFile } from './onnx/index.ts'
import {
  type Backend,
  createBackend,
  type DeviceName,
  onnxruntimeVersion,
  requireAvailable,
  ScratchFolder,
} from './runtime/index.ts'
import { drawPrograms, type Program } from './search/programs.ts'
import { type LoadedRoot, loadSource, type Root, rootsOf } from './search/roots.ts'

export interface CollectOptions {
  /** Workloads (`name`, `name:size`, patterns) and model files; empty with `kernels`: no variants at all. */
  readonly sources: readonly string[]
  readonly dataset: string
  /** Variants per root, the original among them. */
  readonly variants: number
  /** Synthetic kernels to time in context; 0: none. */
  readonly kernels: number
  readonly device: DeviceName
  readonly threads: number
  readonly seed: number
  /** Seconds, about; null: none. What is measured by then is kept. */
  readonly timeLimit: number | null
  /** Independent measurements of each root, in processes of their own. */
  readonly repeats: number
}

export interface CollectResult {
  readonly dataset: string
  readonly device: DeviceName
  readonly graphs: number
  readonly variants: number
  readonly timings: number
  /** Rows that record an error. */
  readonly failed: number
  /** Variants that were dropped because they lower to the kernels of another, or compute something else. */
  readonly skipped: number
  /** Roots and synthetic graphs that were there already. */
  readonly resumed: number
  readonly seconds: number
  readonly warnings: readonly string[]
}

type Totals = { -readonly [K in 'graphs' | 'variants' | 'timings' | 'failed' | 'skipped' | 'resumed']: number }

/** What every step of a collection works with. */
interface Job {
  readonly options: CollectOptions
  readonly backend: Backend
  readonly setting: Setting
  readonly writer: DatasetWriter
  /** For model files on their way. */
  readonly folder: string
  readonly totals: Totals
  readonly talk: Talk
  /** True once the time is used up or the user has had enough. */
  late(): boolean
}

/** Measures what is missing in the dataset and appends it. */
export async function collect(options: CollectOptions, listener: Talk): Promise<CollectResult> {
  const { talk, warnings } = remembering(listener)
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  requireWritableFolder(options.dataset)
  const roots = rootsOf(options.sources, options.seed)
  const backend = createBackend(options.device)
  const scratch = new ScratchFolder()
  const totals: Totals = { graphs: 0, variants: 0, timings: 0, failed: 0, skipped: 0, resumed: 0 }
  try {
    const setting = await settingOf(backend, options)
    const machine = { ...describeMachine() }
    const writer = await openDataset(options.dataset, { about: aboutOf(options), machine })
    for (const note of writer.notes) talk.warn(note)
    const late = () => talk.signal.aborted || elapsed() > (options.timeLimit ?? Number.POSITIVE_INFINITY)
    const job: Job = { options, backend, setting, writer, folder: scratch.folder, totals, talk, late }
    try {
      await collectRoots(job, roots)
      await collectKernels(job)
    } finally {
      await writer.close()
    }
  } finally {
    await backend.close()
    scratch.remove()
  }
  talk.signal.throwIfAborted()
  return { dataset: options.dataset, device: options.device, ...totals, seconds: elapsed(), warnings }
}

/** Keeps what is warned of. */
function remembering(listener: Talk): { readonly talk: Talk; readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const warn = (text: string) => {
    warnings.push(text)
    listener.warn(text)
  }
  return { talk: { ...listener, warn }, warnings }
}

const aboutOf = (options: CollectOptions) => ({
  name: basename(options.dataset),
  description: `Variants of tensor graphs and single kernels, timed on ${options.device} with ${options.threads} thread(s).`,
  licence: 'MIT',
  seed: options.seed,
})

/** How rows name the device. Throws UserError with exit code 6 where it is missing. */
async function settingOf(backend: Backend, { device, threads, seed }: CollectOptions): Promise<Setting> {
  const reason = await requireAvailable(backend)
  const version = `onnxruntime ${onnxruntimeVersion() ?? 'unknown'}`
  const provider = device === 'cpu' ? `CPUExecutionProvider ${version}` : `${reason}, ${version}`
  return { backend, device, provider, threads, seed }
}

/** Times the variants of every root that is not in the dataset. One that fails is reported, and the others go on. */
async function collectRoots(job: Job, roots: readonly Root[]): Promise<void> {
  const { totals, talk, writer } = job
  for (const [i, root] of roots.entries()) {
    if (job.late()) return
    const place = `${i + 1}/${roots.length} ${root.name}`
    if (writer.has('graphs', { root: root.id })) {
      totals.resumed++
      continue
    }
    try {
      talk.note('root', `${place}: ${await collectRoot(job, await atSizesThatRun(job, loadSource(root)))}`)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      totals.failed++
      talk.warn(`${place}: ${error.message}`)
    }
  }
}

/** A model file with open dimensions, at the first usual sizes at which it runs. */
async function atSizesThatRun({ backend, options }: Job, loaded: LoadedRoot): Promise<LoadedRoot> {
  const { root, prepared } = loaded
  if (root.kind !== 'file' || !prepared.isGuessed) return loaded
  const found = await firstRunnable(backend, root.path, prepared.guesses(), options)
  if (found.ok) return { ...loaded, prepared: found.value }
  const expected = 'a model that the runtime can run'
  const fix = 'check it with `allotrope inspect`; if it runs at few sizes, fix the dimensions that it leaves open'
  throw new UserError({ code: 'bad-model', where: root.path, expected, got: found.reason, fix })
}

/** Draws, checks, times and profiles the variants of one root; its rows are appended together. */
async function collectRoot(job: Job, loaded: LoadedRoot): Promise<string> {
  const { options, setting, totals } = job
  const { root } = loaded
  const { variants: count, seed } = options
  const drawn = await drawPrograms(loaded, job.backend, { count, seed, folder: job.folder, cost: untrainedModel() })
  const inputs = inputsOf(loaded, seed)
  const [original, ...others] = drawn.programs as [Program, ...Program[]]
  const variants = [original, ...(await equalVariants(original, others, inputs, setting))]
  const timings: TimingRow[] = []
  for (let repeat = 0; repeat < options.repeats; repeat++)
    timings.push(...(await timeVariants(variants, inputs, setting, repeat)))
  const profiles = await profileVariants(root.id, variants, inputs, setting)
  const kernels = distinctKernels([...variants.flatMap((v) => [...v.kernels]), ...profiles.kernels])
  job.writer.append({
    graphs: [graphRow(loaded)],
    kernels: kernels.map(kernelRow),
    variants: variants.map((v) => variantRow(root.id, v)),
    'kernel-timings': profiles.timings,
    timings: timings.map((t) => ({
      ...t,
      profiledUs: t.repeat === 0 ? (profiles.totals.get(t.variant) ?? null) : null,
    })),
  })
  const wrong = drawn.programs.length - variants.length
  totals.graphs++
  totals.variants += variants.length
  totals.timings += timings.length
  totals.failed += timings.filter((t) => t.error !== null).length
  totals.skipped += drawn.skipped + wrong
  const stop = drawn.explored.search.stopReason.kind
  return `${variants.length} variants, ${drawn.skipped} lower to the same, ${wrong} differ from the original, search ${stop}`
}

function inputsOf({ prepared, feeds }: LoadedRoot, seed: number): InputSet {
  if (feeds) return { label: 'workload', feeds }
  return makeInputs(inputSpecs(prepared.original.graph, prepared.shapes), 'structured', createRandom(seed))
}

function variantRow(root: string, v: Program): VariantRow {
  const counts = new Map<string, number>()
  for (const k of v.kernels) counts.set(kernelId(k), (counts.get(kernelId(k)) ?? 0) + 1)
  const { id, plan, hash, model } = v
  const nodes = model.graph.nodes.length
  return { variant: id, root, plan, rules: formatCounts(v.rules), lowered: hash, nodes, kernels: formatCounts(counts) }
}

function graphRow({ root, prepared }: LoadedRoot): GraphRow {
  const inputs = [...prepared.shapes].map(([name, shape]) => `${name}=${shape.join('x')}`).join(';')
  const { id, family, name, seed } = root
  return { root: id, family, name, seed, nodes: prepared.original.graph.nodes.length, inputs }
}

const KERNELS_PER_GRAPH = 20

/** Times synthetic kernels in context: graphs of about 20, drawn like what the dataset holds, each profiled. */
async function collectKernels({ options, writer, setting, folder, totals, talk, late }: Job): Promise<void> {
  if (options.kernels === 0) return
  const { seen, contexts } = known(writer.folder)
  const graphs = Math.ceil(options.kernels / KERNELS_PER_GRAPH)
  for (let i = 0; i < graphs && !late(); i++) {
    const context = `synthetic-${options.seed}-${i}`
    if (contexts.has(context)) {
      totals.resumed++
      continue
    }
    const random = createRandom(options.seed).fork(i)
    const path = join(folder, 'synthetic.onnx')
    writeModelFile(path, modelOf(syntheticGraph(random, KERNELS_PER_GRAPH, seen)), { force: true })
    const rows = await profileRows(path, context, setting, random)
    if (rows.ok) totals.timings += writer.append({ kernels: rows.value.kernels, 'kernel-timings': rows.value.timings })
    else {
      totals.failed++
      talk.warn(`${context}: ${rows.reason}`)
    }
    talk.progress('kernels', i + 1, graphs, 'graphs')
  }
}

/** Kernels of real graphs in the dataset, as models for synthetic ones, and the synthetic graphs that are done. */
function known(folder: string): { readonly seen: readonly Kernel[]; readonly contexts: ReadonlySet<string> } {
  const { tables } = readDataset(folder)
  const timings = tables['kernel-timings']
  const contexts = new Set(timings.filter((t) => t.source === 'synthetic').map((t) => t.context))
  const profiled = new Set(timings.filter((t) => t.source === 'profile').map((t) => t.kernel))
  const seen = tables.kernels.filter((k) => profiled.has(k.kernel)).map((k) => JSON.parse(k.definition) as Kernel)
  return { seen, contexts }
}
