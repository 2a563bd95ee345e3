// Measurements as rows of a dataset: variants that are equal, timed in interleaved blocks and profiled; kernels in context.
// Labels flush subnormals to zero, since no feature sees them.
import { UserError } from '../base/errors.ts'
import { shortHash } from '../base/hash.ts'
import type { Random } from '../base/random.ts'
import { interquartileRange, trimmedMean } from '../base/statistics.ts'
import { type Kernel, kernelSignature } from '../cost/index.ts'
import type { KernelRow, KernelTimingRow, TimingRow } from '../dataset/index.ts'
import { readModelFile } from '../onnx/index.ts'
import type { Backend, DeviceName, Outcome, ProfiledKernel } from '../runtime/index.ts'
import { type InputSet, inputSpecs, makeInputs } from './inputs.ts'
import { measure, type VariantTiming } from './measure.ts'
import { prepareReference, verifyCandidate } from './verify.ts'

/** Where and how timings are taken. */
export interface Setting {
  readonly backend: Backend
  readonly device: DeviceName
  /** Execution provider and version, as it stands in the rows. */
  readonly provider: string
  readonly threads: number
  readonly seed: number
}

/** A model file under the name that its rows carry. */
export interface NamedModel {
  readonly id: string
  readonly path: string
}

const BLOCKS = 15
const PROFILED_RUNS = 15

/** Variants that compute what the original does; the others are never timed. */
export async function equalVariants<V extends NamedModel>(
  original: NamedModel,
  others: readonly V[],
  inputs: InputSet,
  setting: Setting,
): Promise<V[]> {
  const target = { oracle: setting.backend, device: setting.backend, threads: setting.threads }
  const reference = await prepareReference(target, original.path, [inputs])
  if (!reference.ok) throw cannotRun(original.id, reference.reason)
  const equal: V[] = []
  for (const v of others) if ((await verifyCandidate(reference.value, v.path)).passed) equal.push(v)
  return equal
}

/** One row per variant, the original first; a failed one is a row with its error. */
export async function timeVariants(
  variants: readonly NamedModel[],
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
  if (!outcome.ok) throw cannotRun(variants[0]!.id, outcome.reason)
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
export async function profileVariants(
  root: string,
  variants: readonly NamedModel[],
  inputs: InputSet,
  setting: Setting,
) {
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
export async function profileRows(path: string, context: string, setting: Setting, random: Random) {
  const { graph } = readModelFile(path)
  const inputs = makeInputs(inputSpecs(graph, new Map()), 'noise', random)
  const outcome = await profile(path, inputs, setting)
  if (!outcome.ok) return outcome
  const kernels = distinctKernels(outcome.value.flatMap((k) => k.kernel ?? [])).map(kernelRow)
  return { ok: true as const, value: { kernels, timings: kernelTimings(outcome.value, context, 'synthetic', setting) } }
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

/** Name of a kernel in a dataset. */
export const kernelId = (k: Kernel): string => shortHash(kernelSignature(k))

export function distinctKernels(kernels: readonly Kernel[]): Kernel[] {
  return [...new Map(kernels.map((k) => [kernelSignature(k), k])).values()]
}

export const kernelRow = (k: Kernel): KernelRow => ({ kernel: kernelId(k), op: k.op, definition: JSON.stringify(k) })

const cannotRun = (where: string, got: string): UserError =>
  new UserError({
    code: 'bad-model',
    where,
    expected: 'a model that the runtime can run',
    got,
    fix: 'check it with `allotrope inspect`',
  })
