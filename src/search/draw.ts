// Variants for a dataset: not the best programs but a wide sample of all, losers included, since a model that ranks must have
// seen them. Each fixed plan extracts by one simple measure, so that "the best fixed plan" can be compared with learning; the
// rest are perturbed and random selections.
import { createRandom } from '../base/random.ts'
import { baselines } from '../cost/baselines/index.ts'
import type { CostModel } from '../cost/index.ts'
import { asCostModel } from '../cost/index.ts'
import { Perturbation } from '../egraph/extract/perturb.ts'
import { createProblem, namedChoices, type Problem } from '../egraph/extract/problem.ts'
import { neededPart, selectionOf } from '../egraph/extract/selection.ts'
import { extractTree } from '../egraph/extract/tree.ts'
import type { Bindings } from '../ir/dim.ts'
import type { Graph } from '../ir/graph.ts'
import type { Explored } from '../rewrite/explore.ts'
import { priceNodes } from './price-nodes.ts'
import { type Candidate, originalCosts, toCandidate } from './variants.ts'

export interface PlannedCandidate extends Candidate {
  /** The fixed plan that it follows, or empty: drawn at random. */
  readonly plan: string
}

/** Spreads of the logarithm of node costs, from nearly the best program to nearly any. */
const SIGMAS = [0.1, 0.3, 0.7, 1.5, 3]

/** About `count` candidates: one per fixed plan, the rest drawn around `cost`. Equal programs are one. */
export function drawCandidates(
  e: Explored,
  original: Graph,
  cost: CostModel,
  bindings: Bindings,
  count: number,
  seed: number,
): PlannedCandidate[] {
  const costs = priceNodes(e, cost, bindings)
  const problem = createProblem(e.t.egraph, costs, e.roots)
  const planned = new Map<string, { readonly plan: string; readonly chosen: Int32Array }>()
  const keep = (plan: string, chosen: Int32Array) => {
    if (!planned.has(chosen.join())) planned.set(chosen.join(), { plan, chosen })
  }
  for (const [plan, chosen] of fixedPlans(e, costs, problem, bindings)) keep(plan, chosen)
  const random = createRandom(seed)
  const source = new Perturbation(problem)
  for (let i = 0; i < count * 4 && planned.size < count; i++) keep('', source.next(random, SIGMAS[i % SIGMAS.length]!))
  return [...planned.values()].map(({ plan, chosen }) => ({
    plan,
    ...toCandidate(e, original, costs, namedChoices(problem, chosen)),
  }))
}

/** Selections by one simple measure each; `rewritten-by-none` is the model's own program in canonical form. */
function fixedPlans(e: Explored, costs: Float64Array, problem: Problem, bindings: Bindings): [string, Int32Array][] {
  const own = createProblem(e.t.egraph, originalCosts(e, costs), e.roots)
  const canonical = selectionOf(problem, namedChoices(own, extractTree(own).chosen))
  const byMeasure = simpleMeasures().map((model): [string, Int32Array] => {
    const other = createProblem(e.t.egraph, priceNodes(e, model, bindings), e.roots)
    return [`least-${model.name}`, selectionOf(problem, namedChoices(other, extractTree(other).chosen))]
  })
  return [
    ['rewritten-by-none', canonical],
    ['least-price', neededPart(problem, extractTree(problem).chosen)],
    ...byMeasure,
  ]
}

const SIMPLE_MEASURES = ['flops', 'bytes', 'kernelCount', 'roofline']

/** Cost models that need no measurements. */
function simpleMeasures(): CostModel[] {
  const nothing = { labels: [], facts: [], graphs: [], seed: 0 }
  return baselines.filter((b) => SIMPLE_MEASURES.includes(b.name)).map((b) => asCostModel(b.fit(nothing)))
}
