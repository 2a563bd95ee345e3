// Distinct candidate programs out of an e-graph: extraction at predicted cost from several starts, the original among them, then
// decoded to graphs. A rewrite is not worth its risk for a gain below the noise: every e-node that the model did not have
// costs a little more than predicted.
import { createRandom, type Random } from '../base/random.ts'
import type { CostModel } from '../cost/cost-model.ts'
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { extractGreedyDag } from '../egraph/extract/greedy-dag.ts'
import { improveLocally } from '../egraph/extract/local-search.ts'
import { Perturbation } from '../egraph/extract/perturb.ts'
import { createProblem, namedChoices, type Problem } from '../egraph/extract/problem.ts'
import { neededPart, selectionCost, selectionOf } from '../egraph/extract/selection.ts'
import { extractTree } from '../egraph/extract/tree.ts'
import type { Bindings } from '../ir/dim.ts'
import type { Graph } from '../ir/graph.ts'
import { chosenInOrder, decode } from '../rewrite/decode.ts'
import { type Explored, ruleOfNode } from '../rewrite/explore.ts'
import { priceNodes } from './price-nodes.ts'

export interface Candidate {
  readonly graph: Graph
  /** What extraction expects of it, in milliseconds: the sum over its e-nodes. */
  readonly extractedMs: number
  /** Rules whose e-nodes it uses, with counts. */
  readonly rules: ReadonlyMap<string, number>
}

export interface VariantOptions {
  readonly count: number
  readonly seed: number
  readonly timeLimitMs: number
}

/** Microseconds that an e-node made by a rule must save to be worth it. */
const REWRITE_MARGIN_MICROS = 0.3
/** Spreads of the perturbations that supply starts and variety. */
const SIGMAS = [0.05, 0.15, 0.3, 0.6]

/** Up to `count` distinct candidates, cheapest first as extraction sees it; the original's own program is one of the starts. */
export function makeCandidates(e: Explored, original: Graph, cost: CostModel, bindings: Bindings, options: VariantOptions): Candidate[] {
  const costs = priceNodes(e, cost, bindings)
  const problem = createProblem(e.t.egraph, withMargin(e, costs), e.roots)
  const selections = distinctSelections(problem, originalSelection(e, costs, problem), options)
  return selections.map((chosen) => toCandidate(e, original, costs, namedChoices(problem, chosen)))
}

function withMargin(e: Explored, costs: Float64Array): Float64Array {
  return costs.map((c, n) => (n >= e.phases.recognised && n < e.phases.searched && c > 0 ? c + REWRITE_MARGIN_MICROS : c))
}

/** The original program, recognised and lowered, as a selection of `problem`. */
function originalSelection(e: Explored, costs: Float64Array, problem: Problem): Int32Array {
  const own = createProblem(e.t.egraph, originalCosts(e, costs), e.roots)
  return selectionOf(problem, namedChoices(own, extractTree(own).chosen))
}

/** Prices under which only what the model had, recognised and lowered, can be extracted. Constants cost nothing and stay. */
function originalCosts(e: Explored, costs: Float64Array): Float64Array {
  return costs.map((c, n) => (n >= e.phases.recognised && n < e.phases.searched && c > 0 ? Number.POSITIVE_INFINITY : c))
}

/** Local optima from several starts, then the starts themselves; each program once. */
function distinctSelections(problem: Problem, original: Int32Array, options: VariantOptions): Int32Array[] {
  const random = createRandom(options.seed)
  const perturbation = new Perturbation(problem)
  const drawn = Array.from({ length: options.count * 2 }, (_, i) => perturbation.next(random, SIGMAS[i % SIGMAS.length]!))
  const starts = [original, extractTree(problem).chosen, extractGreedyDag(problem).chosen, ...drawn]
  const improved = improveAll(problem, starts, random, options)
  const kept = new Map<string, Int32Array>()
  for (const chosen of [...improved, ...starts].map((s) => neededPart(problem, s))) if (kept.size < options.count) kept.set(chosen.join(), chosen)
  return [...kept.values()].sort((a, b) => selectionCost(problem, a) - selectionCost(problem, b))
}

/** Starts improved in turn until half of the candidates or the time is used up; the first gets the longest look. */
function improveAll(problem: Problem, starts: readonly Int32Array[], random: Random, options: VariantOptions): Int32Array[] {
  const end = performance.now() + options.timeLimitMs
  const improved: Int32Array[] = []
  for (const [i, start] of starts.slice(0, Math.ceil(options.count / 2)).entries()) {
    const left = end - performance.now()
    if (left <= 0) break
    const timeLimitMs = Math.min(left, options.timeLimitMs / (i === 0 ? 4 : 8))
    improved.push(improveLocally(problem, start, { random: random.fork(i), timeLimitMs }).chosen)
  }
  return improved
}

function toCandidate(e: Explored, original: Graph, costs: Float64Array, choices: ReadonlyMap<ClassId, NodeId>): Candidate {
  const choice = (c: ClassId): NodeId => choices.get(e.t.egraph.find(c))!
  const order = chosenInOrder(e.t, e.roots, choice)
  const rules = new Map<string, number>()
  let micros = 0
  for (const c of order) {
    const n = choice(c)
    micros += costs[n]!
    const rule = costs[n]! > 0 ? ruleOfNode(e, n) : null
    if (rule) rules.set(rule.name, (rules.get(rule.name) ?? 0) + 1)
  }
  return { graph: decode(e.t, original, e.roots, choice), extractedMs: micros / 1000, rules }
}
