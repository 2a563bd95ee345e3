// Several programs of one e-graph: the cheapest, and random ones, so that what rules make is executed and not only what pays.
import { createRandom } from '../../src/base/random.ts'
import { baselines } from '../../src/cost/baselines/index.ts'
import { asCostModel, type CostModel } from '../../src/cost/index.ts'
import { Perturbation } from '../../src/egraph/extract/perturb.ts'
import { createProblem, namedChoices } from '../../src/egraph/extract/problem.ts'
import { neededPart } from '../../src/egraph/extract/selection.ts'
import { extractTree } from '../../src/egraph/extract/tree.ts'
import type { Bindings } from '../../src/ir/dim.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { type Explored, type ExploreOptions, explore } from '../../src/rewrite/explore.ts'
import { priceNodes } from '../../src/search/price-nodes.ts'
import { type Candidate, toCandidate } from '../../src/search/variants.ts'

export interface DrawnProgram extends Candidate {
  /** How it was chosen. */
  readonly plan: string
}

/** Small: the cases are small, and there are many. */
const LIMITS: ExploreOptions = { iterationLimit: 6, nodeLimit: 3000, timeLimitMs: 4000 }
const SIGMA = 1.5
/** How much more the model's own e-nodes cost where what rules made is preferred. */
const OWN_PENALTY = 100

export const roofline: CostModel = asCostModel(
  baselines.find((b) => b.name === 'roofline')!.fit({ labels: [], facts: [], graphs: [], seed: 0 }),
)

/** The cheapest program, two random ones and one that prefers what rules made; those that are equal only once. */
export function drawPrograms(
  graph: Graph,
  bindings: Bindings,
  seed: number,
  limits: ExploreOptions = LIMITS,
): readonly DrawnProgram[] {
  const explored = explore(graph, limits)
  const costs = priceNodes(explored, roofline, bindings)
  const programs = new Map<string, DrawnProgram>()
  for (const [plan, chosen, problem] of selections(explored, costs, seed)) {
    if (programs.has(chosen.join())) continue
    programs.set(chosen.join(), { plan, ...toCandidate(explored, graph, costs, namedChoices(problem, chosen)) })
  }
  return [...programs.values()]
}

function* selections(e: Explored, costs: Float64Array, seed: number) {
  const random = createRandom(seed)
  const cheapest = createProblem(e.t.egraph, costs, e.roots)
  yield ['cheapest', neededPart(cheapest, extractTree(cheapest).chosen), cheapest] as const
  // Every kernel costs the same before it is perturbed; what may not be chosen stays so.
  const even = costs.map((c) => (c > 0 && Number.isFinite(c) ? 1 : c))
  const own = e.phases.recognised
  for (const [plan, tries, price] of [
    ['random', 2, even],
    ['rules first', 1, even.map((c, n) => (n < own ? c * OWN_PENALTY : c))],
  ] as const) {
    const problem = createProblem(e.t.egraph, price, e.roots)
    const source = new Perturbation(problem)
    for (let i = 0; i < tries; i++) yield [plan, source.next(random, SIGMA), problem] as const
  }
}
