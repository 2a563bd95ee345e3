// Judges the learned model and everything it has to beat on graphs that none of them saw: one fold at a time. Everyone is
// trained on the same rest and predicts the same graphs.
import type { Random } from '../base/random.ts'
import { geometricMean, median } from '../base/statistics.ts'
import type { KernelLabel } from './baselines/baseline.ts'
import { baselines } from './baselines/index.ts'
import { predictGraphs } from './evaluate.ts'
import type { FactsModel } from './facts-model.ts'
import type { KernelFacts } from './features.ts'
import { type Correction, correctedTotal, correctMicros, fitCorrection } from './labels.ts'
import type { GraphSample, Samples } from './samples.ts'

/** What a contender says of the left-out graphs, in their order; null where it has nothing to say. */
export interface Verdict {
  readonly predicted: readonly (number | null)[]
  /** False: the numbers only rank. */
  readonly absolute: boolean
  /** Absolute relative errors of the left-out profiled kernels; empty where it does not price kernels. */
  readonly kernelErrors: readonly number[]
}

/** Trains the learned model on samples, or hands out one that is trained. */
export type FitModel = (rest: Samples, correction: Correction) => Promise<FactsModel>

export interface FoldVerdicts {
  readonly graphs: readonly GraphSample[]
  /** By contender; 'model' is the learned one. */
  readonly verdicts: ReadonlyMap<string, Verdict>
}

/** The samples without the graphs of these roots, without what was profiled in them, and without synthetic kernels that only
 * they contain: those may have been drawn from them. */
export function leaveOut(
  samples: Samples,
  roots: ReadonlySet<string>,
): { readonly rest: Samples; readonly left: Samples } {
  const isLeft = (root: string | null) => root !== null && roots.has(root)
  const kernelsOf = (graphs: readonly GraphSample[]) => new Set(graphs.flatMap((g) => g.counts.map(([k]) => k)))
  const left = samples.graphs.filter((g) => isLeft(g.root))
  const graphs = samples.graphs.filter((g) => !isLeft(g.root))
  const [inLeft, inRest] = [kernelsOf(left), kernelsOf(graphs)]
  const isGivenAway = (kernel: number) => inLeft.has(kernel) && !inRest.has(kernel)
  return {
    rest: {
      ...samples,
      graphs,
      kernelSamples: samples.kernelSamples.filter(
        (s) => !isLeft(s.root) && (s.root !== null || !isGivenAway(s.kernel)),
      ),
    },
    left: { ...samples, graphs: left, kernelSamples: samples.kernelSamples.filter((s) => isLeft(s.root)) },
  }
}

/** Everyone's predictions of the graphs of these roots. `facts` are those of `samples.kernels`. */
export async function judgeFold(
  samples: Samples,
  facts: readonly KernelFacts[],
  roots: ReadonlySet<string>,
  fitModel: FitModel,
  random: Random,
): Promise<FoldVerdicts> {
  const { rest, left } = leaveOut(samples, roots)
  const correction = fitCorrection(rest.graphs)
  const labels = labelsOf(rest, facts, correction)
  const leftLabels = labelsOf(left, facts, correction)
  const verdicts = new Map<string, Verdict>()
  const judgeModel = (name: string, model: FactsModel) => {
    const prices = model.priceFacts(leftLabels.map((l) => l.facts))
    const kernelErrors = leftLabels.map((l, i) => Math.abs(prices[i]! / l.micros - 1))
    verdicts.set(name, { predicted: [...predictGraphs(model, facts, left.graphs)], absolute: true, kernelErrors })
  }
  judgeModel('model', await fitModel(rest, correction))
  for (const b of baselines)
    judgeModel(b.name, b.fit({ labels, facts, graphs: rest.graphs, seed: random.below(1 << 30) }))
  const ranks = (predicted: readonly (number | null)[]): Verdict => ({ predicted, absolute: false, kernelErrors: [] })
  verdicts.set('original', ranks(left.graphs.map((g) => (g.plans.includes('original') ? 0 : 1))))
  verdicts.set('bestFixedPlan', ranks(byBestPlan(rest.graphs, left.graphs)))
  verdicts.set('oracle', { predicted: left.graphs.map((g) => g.repeats[0]!), absolute: true, kernelErrors: [] })
  verdicts.set('profiled', {
    predicted: left.graphs.map((g) => correctedTotal(correction, g)),
    absolute: true,
    kernelErrors: [],
  })
  return { graphs: left.graphs, verdicts }
}

function labelsOf(samples: Samples, facts: readonly KernelFacts[], correction: Correction): KernelLabel[] {
  return samples.kernelSamples.map((s) => ({ facts: facts[s.kernel]!, micros: correctMicros(correction, s.micros) }))
}

/** A plan counts as fixed if at least this share of the other roots has it. */
const COMMON = 0.5

/** Each graph by its best plan's mean time over the original's on the other roots; drawn ones come last. */
function byBestPlan(rest: readonly GraphSample[], left: readonly GraphSample[]): (number | null)[] {
  const originals = new Map(rest.filter((g) => g.plans.includes('original')).map((g) => [g.root, g.micros]))
  const ratios = new Map<string, number[]>()
  for (const g of rest) {
    const original = originals.get(g.root)
    if (original === undefined) continue
    for (const plan of new Set(g.plans)) ratios.set(plan, [...(ratios.get(plan) ?? []), g.micros / original])
  }
  const common = [...ratios].filter(([, list]) => list.length >= COMMON * originals.size)
  const scores = new Map(common.map(([plan, list]) => [plan, geometricMean(list)]))
  if (scores.size < 2) return left.map(() => null) // only the original itself: there is no plan to speak of
  const last = 10 * Math.max(...scores.values())
  return left.map((g) => Math.min(last, ...g.plans.flatMap((p) => scores.get(p) ?? [])))
}

/** Median error over kernels, or null. */
export const medianKernelError = (verdicts: readonly Verdict[]): number | null => {
  const errors = verdicts.flatMap((v) => v.kernelErrors)
  return errors.length === 0 ? null : median(errors)
}
