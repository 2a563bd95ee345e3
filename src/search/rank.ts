// From candidate graphs to a ranking: each is lowered by the runtime without being run, candidates that lower to the same
// kernels are one, and the rest are ordered by what the cost model says of the kernels that would really run.
import type { CostModel } from '../cost/cost-model.ts'
import type { Kernel } from '../cost/kernel.ts'
import { kernelSignature } from '../cost/kernel.ts'
import type { Model } from '../onnx/index.ts'
import { type Backend, type InputShapes, type LoweredGraph, loweredHash, type Outcome } from '../runtime/index.ts'
import { lowerGraph } from '../runtime/kernel-table.ts'
import type { Candidate } from './variants.ts'

/** A program and what the runtime makes of it. */
export interface Ranked extends LoweredGraph {
  readonly id: string
  readonly candidate: Candidate | null
  readonly model: Model
  /** Equal: the same kernels, and both or neither with weights that slow them. */
  readonly hash: string
  readonly predictedMs: number
  /** Bodies of its nodes differ from the original's. Default: false. */
  readonly hasOptimisedBodies?: boolean
}

export interface Ranking {
  readonly original: Ranked
  /** Best first; the original and what lowers to the same kernels are left out. */
  readonly variants: readonly Ranked[]
  /** Candidates that the runtime refused, with its reason. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[]
  /** Candidates looked at, and how many different programs they are once lowered (the original counts). */
  readonly candidates: number
  readonly distinct: number
  /** Priced as written, since the runtime cannot tell what it would execute. */
  readonly asWritten: boolean
  /** Why the ranking is less sure than usual; empty otherwise. */
  readonly warning: string
}

export interface RankOptions {
  readonly shapes: InputShapes
  /** The original as the runtime lowers it, where that was begun already. */
  readonly first?: Promise<Outcome<LoweredGraph>>
  /** One more of the same device, in processes of its own, that lowers beside it from when it has time. Default: none. */
  readonly second?: Promise<Backend | null>
  /** What the original takes longer for weights below the normal range, in milliseconds. Default: 0. */
  readonly subnormalMs?: number
  /** Called as candidates are lowered. */
  onProgress?(done: number, total: number): void
}

type Named = Pick<Ranked, 'id' | 'candidate' | 'model'>
type Lowered = Named & LoweredGraph

/** Lowers and orders. Where the runtime cannot lower the original (its shapes depend on the inputs), all are priced as written. */
export async function rankCandidates(
  backend: Backend,
  cost: CostModel,
  original: Model,
  candidates: readonly { readonly id: string; readonly candidate: Candidate; readonly model: Model }[],
  options: RankOptions,
): Promise<Ranking> {
  const origin = { id: 'original', candidate: null, model: original }
  const first = named(origin, await (options.first ?? backend.lowerGraph(original, options.shapes)))
  const asWritten = 'reason' in first
  const results = await lowerInTime(candidates, backend, options, async (c, lane) =>
    asWritten ? withKernelsAsWritten(c, options.shapes) : named(c, await lane.lowerGraph(c.model, options.shapes)),
  )
  const refused = results.flatMap((r, i) => ('reason' in r ? [{ id: candidates[i]!.id, reason: r.reason }] : []))
  const lowered = [
    asWritten ? withKernelsAsWritten(origin, options.shapes) : first,
    ...results.filter((r): r is Lowered => !('reason' in r)),
  ]
  const [base, ...rest] = distinctByHash(priceTables(cost, lowered, options.subnormalMs ?? 0))
  const variants = rest.sort((a, b) => a.predictedMs - b.predictedMs)
  const warning = asWritten
    ? `priced as written, since the runtime cannot be asked what it would execute: ${first.reason}`
    : ''
  const counts = { candidates: results.length, distinct: rest.length + 1 }
  return { original: base!, variants, refused, ...counts, asWritten, warning }
}

type Refused = { readonly reason: string }

/** Where only runs tell what is executed, lowering may take seconds; then this many are enough after this long. */
const FEW = 6
const LONG_MS = 15_000

/** Two at a time, so that one is written here while the runtime lowers the other, and one more in `second` from when it has time. The
 * last of them are left out where it takes long. */
async function lowerInTime<C>(
  candidates: readonly C[],
  backend: Backend,
  { onProgress, second }: RankOptions,
  lower: (candidate: C, lane: Backend) => Promise<Lowered | Refused>,
): Promise<(Lowered | Refused)[]> {
  const results: (Lowered | Refused)[] = []
  const queue = candidates.entries()
  const started = performance.now()
  let done = 0
  const drain = async (lane: Backend) => {
    for (const [i, c] of queue) {
      if (i >= FEW && performance.now() - started > LONG_MS) return
      results[i] = await lower(c, lane)
      onProgress?.(++done, candidates.length)
    }
  }
  const own = Promise.all([drain(backend), drain(backend)])
  const helper = await Promise.race([second ?? null, own.then(() => null)])
  await Promise.all([own, helper && drain(helper)])
  return results
}

/** The kernels of the nodes as they are, those of unknown shape left out. */
function withKernelsAsWritten(c: Named, shapes: InputShapes): Lowered {
  const { kernels } = lowerGraph(c.model.graph, shapes)
  return { ...c, kernels: kernels.filter((k) => k !== null), sources: null }
}

const named = (c: Named, outcome: Outcome<LoweredGraph>): Lowered | Refused =>
  outcome.ok ? { ...c, ...outcome.value } : { reason: outcome.reason }

/** Predicted milliseconds of each table; every distinct kernel of all of them is priced once. `subnormalMs`: of the original. */
function priceTables(cost: CostModel, lowered: readonly Lowered[], subnormalMs: number): Ranked[] {
  const index = new Map<string, number>()
  const unique: Kernel[] = []
  const signatures = lowered.map(({ kernels }) =>
    kernels.map((k) => {
      const key = kernelSignature(k)
      if (!index.has(key)) {
        index.set(key, unique.length)
        unique.push(k)
      }
      return index.get(key)!
    }),
  )
  const prices = cost.price(unique)
  return lowered.map((v, i) => {
    const slowMs = v.candidate === null ? subnormalMs : (v.candidate.subnormalMs ?? 0)
    const kernelsMs = signatures[i]!.reduce((sum, k) => sum + prices[k]!, 0) / 1000
    return { ...v, hash: `${loweredHash(v.kernels)}${slowMs > 0 ? 's' : ''}`, predictedMs: kernelsMs + slowMs }
  })
}

/** One of each hash, the original before all: of candidates that take the same time, the one that the fewest rules changed. */
function distinctByHash(ranked: readonly Ranked[]): Ranked[] {
  const byHash = new Map<string, Ranked>()
  for (const r of ranked) {
    const known = byHash.get(r.hash)
    if (known === undefined || rulesIn(r) < rulesIn(known)) byHash.set(r.hash, r)
  }
  return [...byHash.values()]
}

const rulesIn = ({ candidate }: Ranked): number => candidate?.rules.size ?? 0
