// Rows of a dataset for one root: its variants, lowered, checked, timed in interleaved blocks and profiled. Labels flush
// subnormals to zero, since no feature sees them.
import { join } from 'node:path'
import { shortHash } from '../base/hash.ts'
import { createRandom, type Random } from '../base/random.ts'
import { interquartileRange, trimmedMean } from '../base/statistics.ts'
import {
  type InputSet,
  inputSpecs,
  makeInputs,
  measure,
  prepareReference,
  type VariantTiming,
  verifyCandidate,
} from '../bench/index.ts'
import { type CostModel, type Kernel, type KernelTable, kernelSignature } from '../cost/index.ts'
import {
  formatCounts,
  type GraphRow,
  type KernelRow,
  type KernelTimingRow,
  type TimingRow,
  type VariantRow,
} from '../dataset/index.ts'
import { type Model, readModelFile, writeModelFile } from '../onnx/index.ts'
import { explore } from '../rewrite/explore.ts'
import { type Backend, type DeviceName, loweredHash, type Outcome, type ProfiledKernel } from '../runtime/index.ts'
import { drawCandidates, type PlannedCandidate } from './draw.ts'
import type { LoadedRoot } from './roots.ts'

/** Where and how timings are taken. */
export interface Setting {
  readonly backend: Backend
  readonly folder: string
  readonly device: DeviceName
  readonly provider: string
  readonly threads: number
  readonly seed: number
  readonly repeats: number
  readonly variants: number
  /** Steers which variants are drawn. */
  readonly cost: CostModel
}

export interface RootRows {
  readonly tables: {
    readonly graphs: GraphRow[]
    readonly kernels: KernelRow[]
    readonly variants: VariantRow[]
    readonly 'kernel-timings': KernelTimingRow[]
    readonly timings: TimingRow[]
  }
  /** Executed kernels, each once. */
  readonly kernels: readonly Kernel[]
  readonly skipped: number
  readonly note: string
}

interface Drawn {
  readonly id: string
  readonly plan: string
  readonly rules: ReadonlyMap<string, number>
  readonly model: Model
  readonly nodes: number
  readonly path: string
  readonly kernels: KernelTable
}

const SEARCH_LIMITS = { iterationLimit: 20, nodeLimit: 20_000, timeLimitMs: 15_000 }
const BLOCKS = 15
const PROFILED_RUNS = 15

/** Everything that is measured of one root. */
export async function rowsOfRoot(loaded: LoadedRoot, setting: Setting): Promise<RootRows> {
  const { root, prepared } = loaded
  const explored = explore(prepared.graph, SEARCH_LIMITS)
  const candidates = drawCandidates(
    explored,
    prepared.graph,
    setting.cost,
    prepared.bindings,
    setting.variants * 2,
    setting.seed,
  )
  const drawn = await lowerDistinct(loaded, candidates, setting)
  const inputs = inputsOf(loaded, setting)
  const [original, ...others] = drawn
  const equal = await equalVariants(original!, others, inputs, setting)
  const variants = [original!, ...equal]
  const timings: TimingRow[] = []
  for (let repeat = 0; repeat < setting.repeats; repeat++)
    timings.push(...(await timeVariants(root.id, variants, inputs, setting, repeat)))
  const profiles = await profileVariants(root.id, variants, inputs, setting)
  return {
    tables: {
      graphs: [graphRow(loaded)],
      kernels: distinctKernels([...variants.flatMap((v) => [...v.kernels]), ...profiles.kernels]).map(kernelRow),
      variants: variants.map((v) => variantRow(root.id, v)),
      'kernel-timings': profiles.timings,
      timings: timings.map((t) => ({
        ...t,
        profiledUs: t.repeat === 0 ? (profiles.totals.get(t.variant) ?? null) : null,
      })),
    },
    kernels: distinctKernels(variants.flatMap((v) => [...v.kernels])),
    skipped: candidates.length + 1 - variants.length,
    note: explored.search.stopReason.kind === 'saturated' ? '' : `search stopped: ${explored.search.stopReason.kind}`,
  }
}

/** The original and the candidates, each lowered; one per lowered program, at most as many as are wanted. */
async function lowerDistinct(
  loaded: LoadedRoot,
  candidates: readonly PlannedCandidate[],
  setting: Setting,
): Promise<Drawn[]> {
  const { prepared, root } = loaded
  const all = [
    { plan: 'original', rules: new Map<string, number>(), model: prepared.original },
    ...candidates.map((c) => ({ plan: c.plan, rules: c.rules, model: prepared.wrap(c.graph) })),
  ]
  const drawn: Drawn[] = []
  const seen = new Set<string>()
  for (const [i, c] of all.entries()) {
    const outcome = await setting.backend.lower(c.model, prepared.shapes)
    if (!outcome.ok) {
      if (i === 0) throw new Error(`${root.name}: the runtime cannot load the original: ${outcome.reason}`)
      continue
    }
    const hash = loweredHash(outcome.value)
    if (seen.has(hash) || drawn.length === setting.variants) continue
    seen.add(hash)
    const path = join(setting.folder, `${drawn.length}.onnx`)
    writeModelFile(path, c.model, { force: true })
    drawn.push({ ...c, id: `${root.id}#${i}`, nodes: c.model.graph.nodes.length, path, kernels: outcome.value })
  }
  return drawn
}

function inputsOf({ prepared, feeds }: LoadedRoot, setting: Setting): InputSet {
  if (feeds) return { label: 'workload', feeds }
  return makeInputs(inputSpecs(prepared.original.graph, prepared.shapes), 'structured', createRandom(setting.seed))
}

/** Variants that compute what the original does; the others are never timed. */
async function equalVariants(
  original: Drawn,
  others: readonly Drawn[],
  inputs: InputSet,
  setting: Setting,
): Promise<Drawn[]> {
  const target = { oracle: setting.backend, device: setting.backend, threads: setting.threads }
  const reference = await prepareReference(target, original.path, [inputs])
  if (!reference.ok) throw new Error(`${original.id}: ${reference.reason}`)
  const equal: Drawn[] = []
  for (const v of others) if ((await verifyCandidate(reference.value, v.path)).passed) equal.push(v)
  return equal
}

async function timeVariants(
  root: string,
  variants: readonly Drawn[],
  inputs: InputSet,
  setting: Setting,
  repeat: number,
): Promise<TimingRow[]> {
  const [original, ...others] = variants.map((v) => ({ name: v.id, modelPath: v.path }))
  const outcome = await measure(setting.backend, original!, others, inputs.feeds, {
    threads: setting.threads,
    denormalAsZero: true,
    blocks: BLOCKS,
    dropAbove: Number.POSITIVE_INFINITY,
    seed: setting.seed + repeat,
    timeLimitMs: 60_000,
  })
  if (!outcome.ok) throw new Error(`${root}: ${outcome.reason}`)
  const base = {
    device: setting.device,
    provider: setting.provider,
    threads: setting.threads,
    repeat,
    profiledUs: null,
  }
  return [outcome.value.reference, ...outcome.value.variants].map((v) => ({
    ...base,
    variant: v.name,
    ...timingColumns(v),
  }))
}

function timingColumns(v: VariantTiming) {
  if (v.kind === 'failed')
    return {
      medianMs: null,
      iqrMs: null,
      minMs: null,
      n: 0,
      ratio: null,
      ratioLow: null,
      ratioHigh: null,
      error: v.reason,
    }
  const { time, ratio } = v
  return {
    medianMs: time.median,
    iqrMs: time.iqr,
    minMs: time.min,
    n: time.n,
    ratio: ratio.median,
    ratioLow: ratio.low,
    ratioHigh: ratio.high,
    error: null,
  }
}

/** Profiles each variant; a kernel that several variants run is one row, of the first. */
async function profileVariants(root: string, variants: readonly Drawn[], inputs: InputSet, setting: Setting) {
  const kernels: Kernel[] = []
  const timings = new Map<string, KernelTimingRow>()
  const totals = new Map<string, number>()
  for (const v of variants) {
    const outcome = await profile(v.path, inputs, setting)
    if (!outcome.ok) continue
    totals.set(
      v.id,
      outcome.value.reduce((sum, k) => sum + k.micros, 0),
    )
    const rows = kernelTimings(outcome.value, root, 'profile', setting)
    kernels.push(...outcome.value.flatMap((k) => k.kernel ?? []))
    for (const row of rows) if (!timings.has(row.kernel)) timings.set(row.kernel, row)
  }
  return { kernels, timings: [...timings.values()], totals }
}

async function profile(path: string, inputs: InputSet, setting: Setting): Promise<Outcome<readonly ProfiledKernel[]>> {
  const session = await setting.backend.open(path, {
    threads: setting.threads,
    optimization: 'all',
    denormalAsZero: true,
    profile: true,
  })
  if (!session.ok) return session
  const outcome = await session.value.profile(inputs.feeds, PROFILED_RUNS)
  await session.value.close()
  return outcome
}

/** Kernels of a model file on noise, as rows: what `collect --kernels` records of a synthetic graph. */
export async function profileRows(
  path: string,
  context: string,
  source: 'synthetic',
  setting: Setting,
  random: Random,
) {
  const { graph } = readModelFile(path)
  const inputs = makeInputs(inputSpecs(graph, new Map()), 'noise', random)
  const outcome = await profile(path, inputs, setting)
  if (!outcome.ok) return outcome
  const kernels = distinctKernels(outcome.value.flatMap((k) => k.kernel ?? [])).map(kernelRow)
  return { ok: true as const, value: { kernels, timings: kernelTimings(outcome.value, context, source, setting) } }
}

/** One row per distinct kernel of a profile: durations of all its calls, the fast and slow quarter left out. */
function kernelTimings(
  profiled: readonly ProfiledKernel[],
  context: string,
  source: 'profile' | 'synthetic',
  setting: Setting,
): KernelTimingRow[] {
  const byKernel = new Map<string, number[]>()
  for (const { kernel, durations } of profiled) {
    if (!kernel) continue
    const id = kernelId(kernel)
    byKernel.set(id, [...(byKernel.get(id) ?? []), ...durations])
  }
  const { device, provider, threads } = setting
  return [...byKernel].map(([kernel, durations]) => ({
    kernel,
    source,
    context,
    device,
    provider,
    threads,
    micros: trimmedMean(durations, 0.25),
    iqrUs: interquartileRange(durations),
    n: durations.length,
  }))
}

const kernelId = (k: Kernel): string => shortHash(kernelSignature(k))

function distinctKernels(kernels: readonly Kernel[]): Kernel[] {
  return [...new Map(kernels.map((k) => [kernelSignature(k), k])).values()]
}

const kernelRow = (k: Kernel): KernelRow => ({ kernel: kernelId(k), op: k.op, definition: JSON.stringify(k) })

function variantRow(root: string, v: Drawn): VariantRow {
  const counts = new Map<string, number>()
  for (const k of v.kernels) counts.set(kernelId(k), (counts.get(kernelId(k)) ?? 0) + 1)
  return {
    variant: v.id,
    root,
    plan: v.plan,
    rules: formatCounts(v.rules),
    lowered: loweredHash(v.kernels),
    nodes: v.nodes,
    kernels: formatCounts(counts),
  }
}

function graphRow({ root, prepared }: LoadedRoot): GraphRow {
  const inputs = [...prepared.shapes].map(([name, shape]) => `${name}=${shape.join('x')}`).join(';')
  return {
    root: root.id,
    family: root.family,
    name: root.name,
    seed: root.seed,
    nodes: prepared.original.graph.nodes.length,
    inputs,
  }
}
