// The other flow: many variants of many graphs, timed on a device, into a dataset. Resumable: a root or a synthetic graph that
// is in the dataset is not measured again. Variants come from the same search as in `optimize`, drawn wider, so that good and
// bad programs are both seen; those that lower to the same kernels are one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from './base/errors.ts'
import { createRandom } from './base/random.ts'
import type { Talk } from './base/talk.ts'
import { describeMachine } from './bench/index.ts'
import { type CostModel, type Kernel, untrainedModel } from './cost/index.ts'
import { syntheticGraph } from './cost/synthetic/index.ts'
import { type DatasetWriter, openDataset, readDataset } from './dataset/index.ts'
import { modelOf, writeModelFile } from './onnx/index.ts'
import { type Backend, createBackend, type DeviceName, onnxruntimeVersion } from './runtime/index.ts'
import { profileRows, rowsOfRoot, type Setting } from './search/label.ts'
import { loadSource, type Root, rootsOf } from './search/roots.ts'

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
}

type Totals = { -readonly [K in 'graphs' | 'variants' | 'timings' | 'failed' | 'skipped' | 'resumed']: number }

/** Measures what is missing in the dataset and appends it. */
export async function collect(options: CollectOptions, talk: Talk): Promise<CollectResult> {
  const started = performance.now()
  const roots = rootsOf(options.sources, options.seed)
  const backend = createBackend(options.device)
  await requireDevice(backend)
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-'))
  const writer = await openDataset(options.dataset, { about: aboutOf(options), machine: { ...describeMachine() } })
  const totals: Totals = { graphs: 0, variants: 0, timings: 0, failed: 0, skipped: 0, resumed: 0 }
  for (const note of writer.notes) talk.warn(note)
  try {
    const setting = await settingOf(backend, options, folder)
    const late = () =>
      talk.signal.aborted || (options.timeLimit !== null && performance.now() - started > options.timeLimit * 1000)
    const seen = await collectRoots(roots, writer, setting, totals, talk, late)
    await collectKernels(writer, setting, options, seen, totals, talk, late)
  } finally {
    await writer.close()
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  }
  talk.signal.throwIfAborted()
  return { dataset: options.dataset, device: options.device, ...totals, seconds: (performance.now() - started) / 1000 }
}

async function requireDevice(backend: Backend): Promise<void> {
  const { available, reason, fix } = await backend.probe()
  if (!available)
    throw new UserError({
      code: 'provider-missing',
      where: `--device ${backend.name}`,
      expected: 'a device that this machine has',
      got: reason,
      fix,
      exitCode: 6,
    })
}

const aboutOf = (options: CollectOptions) => ({
  name: options.dataset.split(/[\\/]/).filter(Boolean).at(-1) ?? 'dataset',
  description: `Variants of tensor graphs and single kernels, timed on ${options.device} with ${options.threads} thread(s).`,
  licence: 'MIT',
  seed: options.seed,
})

async function settingOf(backend: Backend, options: CollectOptions, folder: string): Promise<Setting> {
  const { reason } = await backend.probe()
  const provider =
    options.device === 'cpu' ? `CPUExecutionProvider onnxruntime ${onnxruntimeVersion() ?? 'unknown'}` : reason
  const { device, threads, seed, repeats, variants } = options
  return { backend, folder, device, provider, threads, seed, repeats, variants, cost: untrainedModel() as CostModel }
}

/** Times the variants of every root that is not in the dataset. Returns the kernels that were seen. */
async function collectRoots(
  roots: readonly Root[],
  writer: DatasetWriter,
  setting: Setting,
  totals: Totals,
  talk: Talk,
  late: () => boolean,
): Promise<Kernel[]> {
  const seen: Kernel[] = []
  for (const [i, root] of roots.entries()) {
    if (late()) break
    if (writer.has('graphs', { root: root.id })) {
      totals.resumed++
      continue
    }
    const rows = await rowsOfRoot(loadSource(root), setting)
    writer.append(rows.tables)
    seen.push(...rows.kernels)
    totals.graphs++
    totals.variants += rows.tables.variants.length
    totals.timings += rows.tables.timings.length
    totals.failed += rows.tables.timings.filter((t) => t.error !== null).length
    totals.skipped += rows.skipped
    talk.note(
      'root',
      `${i + 1}/${roots.length} ${root.name}: ${rows.tables.variants.length} variants, ${rows.skipped} skipped${rows.note ? `, ${rows.note}` : ''}`,
    )
  }
  return seen
}

const KERNELS_PER_GRAPH = 20

/** Times synthetic kernels in context: graphs of about 20, drawn like what was seen, each profiled. */
async function collectKernels(
  writer: DatasetWriter,
  setting: Setting,
  options: CollectOptions,
  fresh: readonly Kernel[],
  totals: Totals,
  talk: Talk,
  late: () => boolean,
): Promise<void> {
  if (options.kernels === 0) return
  const { seen, contexts } = known(writer.folder, fresh)
  const graphs = Math.ceil(options.kernels / KERNELS_PER_GRAPH)
  for (let i = 0; i < graphs && !late(); i++) {
    const context = `synthetic-${options.seed}-${i}`
    if (contexts.has(context)) {
      totals.resumed++
      continue
    }
    const random = createRandom(options.seed).fork(i)
    const path = join(setting.folder, 'synthetic.onnx')
    writeModelFile(path, modelOf(syntheticGraph(random, KERNELS_PER_GRAPH, seen)), { force: true })
    const rows = await profileRows(path, context, 'synthetic', setting, random)
    if (!rows.ok) {
      totals.failed++
      talk.warn(`${context}: ${rows.reason}`)
      continue
    }
    totals.timings += writer.append({ kernels: rows.value.kernels, 'kernel-timings': rows.value.timings })
    talk.progress('kernels', i + 1, graphs)
  }
}

/** Kernels that the dataset holds already, as models for synthetic ones, and the synthetic graphs that are done. */
function known(
  folder: string,
  fresh: readonly Kernel[],
): { readonly seen: readonly Kernel[]; readonly contexts: ReadonlySet<string> } {
  const { tables } = readDataset(folder)
  const contexts = new Set(tables['kernel-timings'].filter((t) => t.source === 'synthetic').map((t) => t.context))
  const profiled = new Set(tables['kernel-timings'].filter((t) => t.source === 'profile').map((t) => t.kernel))
  const stored = tables.kernels.filter((k) => profiled.has(k.kernel)).map((k) => JSON.parse(k.definition) as Kernel)
  return { seen: stored.length > 0 ? stored : fresh, contexts }
}
