// From an e-graph and the bodies of a model to a ranking of whole models: each program of the graph with the bodies as they are and
// with the optimised ones, and the graph as it is with the optimised ones.
import { checkpoint, driveSteps, type Talk } from '../base/talk.ts'
import type { Graph } from '../ir/graph.ts'
import { tensorBytes } from '../ir/tensor.ts'
import type { Explored } from '../rewrite/explore.ts'
import type { Backend, Crew, LoweredGraph, Outcome } from '../runtime/index.ts'
import type { Bodies } from './bodies.ts'
import { growthWarnings } from './growth.ts'
import type { Prepared } from './prepare.ts'
import { type Ranked, type Ranking, rankCandidates } from './rank.ts'
import type { ChosenModel } from './shipped-model.ts'
import { makeCandidatesInSteps } from './variants.ts'

export interface PredictOptions {
  readonly seed: number
  readonly maxGrowth: number | null
}

/** For the extraction. A search that ends by itself gives the same candidates again for a seed, as those of networks of 190 to 860 nodes do
 * in 1 to 6 s. */
const EXTRACTION_MS = 8000

/** Bytes of kernels of convolutions that all lowerings may reorder together: it writes them anew in each, at a few hundred MB a second. */
const KERNEL_BYTES = 1e9

/** Programs that are lowered to be priced exactly; fewer of large graphs, since lowering takes time by their size: of 330 to 860 nodes the
 * best was among the first twelve, and another of the first eight within 0.2 % of it. */
function candidatesFor({ nodes, initializers }: Graph): number {
  const kernels = [...initializers.values()].filter((t) => t.shape.length > 2)
  const bytes = kernels.reduce((sum, t) => sum + tensorBytes(t), 0)
  return Math.max(10, Math.min(48, Math.floor(8000 / nodes.length), Math.floor(KERNEL_BYTES / bytes)))
}

/** What lowers: the original is begun before the search, and `second` is one more of the device, from when it has time. */
export interface Lowering {
  readonly device: Backend
  readonly first: Promise<Outcome<LoweredGraph>>
  readonly second: Promise<Backend | null>
}

/** Begins to lower the original, while the caller does something else. On the CPU the process that answers for the original lowers as
 * well once it has. */
export function beginLowering(
  { device, tested }: Pick<Crew, 'device' | 'tested'>,
  prepared: Prepared,
  answered: Promise<unknown>,
): Lowering {
  const first = device.lowerGraph(prepared.original, prepared.shapes)
  first.catch(() => {}) // told to whoever waits for it
  const free = tested === device ? null : tested
  return {
    device,
    first,
    second: answered.then(
      () => free,
      () => null,
    ),
  }
}

/** The variants of a model, best first as the cost model sees it. */
export async function predict(
  prepared: Prepared,
  explored: Explored,
  bodies: Bodies,
  cost: ChosenModel,
  { device, first, second }: Lowering,
  options: PredictOptions,
  talk: Talk,
): Promise<Ranking> {
  if (cost.warning) talk.warn(cost.warning)
  await checkpoint(talk)
  const extraction = { count: candidatesFor(prepared.graph), seed: options.seed, timeLimitMs: EXTRACTION_MS }
  const steps = makeCandidatesInSteps(explored, prepared.graph, cost.model, prepared.bindings, extraction)
  const { candidates: made, originalSubnormalMs } = await driveSteps(steps, talk)
  await checkpoint(talk)
  const unit = `variants, best ${ms(Math.min(...made.map((c) => c.extractedMs)))} predicted`
  const candidates = made.map((candidate, i) => ({ id: `v${i + 1}`, candidate, model: prepared.wrap(candidate.graph) }))
  const outer = await rankCandidates(device, cost.model, prepared.original, candidates, {
    shapes: prepared.shapes,
    first,
    second,
    subnormalMs: originalSubnormalMs,
    onProgress: (done, total) => {
      talk.signal.throwIfAborted()
      talk.progress('predict', done, total, unit)
    },
  })
  const ranking = withBodies(outer, bodies, prepared)
  for (const warning of [ranking.warning, ...growthWarnings(ranking, prepared, options.maxGrowth)])
    if (warning) talk.warn(warning)
  talk.note('predict', rankingText(ranking, cost.model.name))
  return ranking
}

function rankingText(ranking: Ranking, model: string): string {
  const best = ranking.variants[0]
  const text = best
    ? `best ${ms(best.predictedMs)} (original ${ms(ranking.original.predictedMs)})`
    : 'all lower to the original'
  return `${ranking.candidates} variants, ${ranking.distinct} distinct once lowered, ${text}, model ${model}`
}

const ms = (x: number): string => `${x.toFixed(x < 10 ? 3 : 2)} ms`

/** Every program twice, with the bodies as they are and with the optimised ones. */
function withBodies(outer: Ranking, bodies: Bodies, prepared: Prepared): Ranking {
  const kept = (v: Ranked): Ranked => ({ ...v, predictedMs: v.predictedMs + bodies.beforeMs })
  const original = kept(outer.original)
  const variants = outer.variants.map(kept)
  if (!bodies.isAny) return { ...outer, original, variants }
  const asWritten = { graph: prepared.graph, extractedMs: 0, rules: new Map<string, number>(), steps: () => [] }
  const whole = [{ ...outer.original, id: 'v0', candidate: asWritten }, ...outer.variants]
  const changed = whole.map((v) => changedBodies(v, bodies, prepared)).sort((a, b) => a.predictedMs - b.predictedMs)
  return {
    ...outer,
    original,
    variants: interleaved(changed, variants),
    candidates: outer.candidates + changed.length,
    distinct: 2 * outer.distinct,
  }
}

/** `v3b`: v3 with the optimised bodies; `v0b`: nothing but those. */
function changedBodies(v: Ranked, bodies: Bodies, { wrap }: Prepared): Ranked {
  const { graph, rules, extractedMs, steps } = v.candidate!
  const changed = bodies.apply(graph)
  const all = new Map(rules)
  for (const [name, count] of bodies.rules) all.set(name, (all.get(name) ?? 0) + count)
  return {
    ...v,
    id: `${v.id}b`,
    candidate: { graph: changed, extractedMs: extractedMs + bodies.afterMs, rules: all, steps },
    model: wrap(changed),
    hash: `${v.hash}b`,
    predictedMs: v.predictedMs + bodies.afterMs,
    hasOptimisedBodies: true,
  }
}

/** How many of the variants with optimised bodies come before each one without. */
const TURN = 2

/** Both kinds by turns, so that neither keeps the other from being compared and measured. */
function interleaved(changed: readonly Ranked[], kept: readonly Ranked[]): Ranked[] {
  const turns = Math.max(Math.ceil(changed.length / TURN), kept.length)
  return Array.from({ length: turns }, (_, i) => [
    ...changed.slice(i * TURN, (i + 1) * TURN),
    ...kept.slice(i, i + 1),
  ]).flat()
}
