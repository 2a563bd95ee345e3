// Distinct candidate programs out of an e-graph: extraction at predicted cost from several starts, the original among them, then
// decoded to graphs. A rewrite is not worth its risk for a gain below the noise: every e-node that the model did not have
// costs a little more than predicted.
import { createRandom } from '../base/random.ts'
import { drain } from '../base/steps.ts'
import type { CostModel } from '../cost/cost-model.ts'
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { kDistinctInSteps } from '../egraph/extract/distinct.ts'
import { createProblem, namedChoices } from '../egraph/extract/problem.ts'
import { selectionOf } from '../egraph/extract/selection.ts'
import { extractTree } from '../egraph/extract/tree.ts'
import type { Bindings } from '../ir/dim.ts'
import type { Graph } from '../ir/graph.ts'
import { chosenInOrder, decode } from '../rewrite/decode.ts'
import { classNames, derivationOf, type Step } from '../rewrite/derivation.ts'
import { type Explored, ruleOfNode, sourcesOf } from '../rewrite/explore.ts'
import type { Rule } from '../rewrite/rule.ts'
import { priceNodes, subnormalMicros } from './price-nodes.ts'

export interface Candidate {
  readonly graph: Graph
  /** What extraction expects of it, in milliseconds: the sum over its e-nodes. */
  readonly extractedMs: number
  /** What of that is owed to weights below the normal range, which no lowering shows. Default: 0. */
  readonly subnormalMs?: number
  /** Rules whose e-nodes it uses, with counts. */
  readonly rules: ReadonlyMap<string, number>
  /** How it came about, step by step. Computed when asked for. */
  steps(): Step[]
}

export interface VariantOptions {
  readonly count: number
  readonly seed: number
  readonly timeLimitMs: number
}

/** Microseconds that an e-node made by a rule must save to be worth it. */
const REWRITE_MARGIN_MICROS = 0.3

/** Programs near the best as extraction sees it: what the runtime makes of them is priced again. */
const NEIGHBOURS = 8

/** Candidates, and what the original takes longer for weights below the normal range, in milliseconds. */
export interface Made {
  readonly candidates: Candidate[]
  readonly originalSubnormalMs: number
}

/** Up to `count` distinct candidates: the original's own program, then the others, cheapest first as extraction sees it. */
export function makeCandidates(
  e: Explored,
  original: Graph,
  cost: CostModel,
  bindings: Bindings,
  options: VariantOptions,
): Made {
  return drain(makeCandidatesInSteps(e, original, cost, bindings, options))
}

/** The same, pausing during the extraction, which may take long. */
export function* makeCandidatesInSteps(
  e: Explored,
  original: Graph,
  cost: CostModel,
  bindings: Bindings,
  options: VariantOptions,
): Generator<void, Made> {
  const costs = priceNodes(e, cost, bindings)
  const problem = createProblem(e.t.egraph, withMargin(e, costs), e.roots)
  const own = originalChoices(e, costs)
  const { count, timeLimitMs, seed } = options
  const found = yield* kDistinctInSteps(problem, {
    count,
    timeLimitMs,
    random: createRandom(seed),
    start: selectionOf(problem, own),
    neighbours: NEIGHBOURS,
  })
  const subnormalMs = (choices: Choices) => subnormalMicros(e, cost, bindings, chosenNodes(e, choices)) / 1000
  const originalSubnormalMs = subnormalMs(own)
  const least = originalSubnormalMs > 0 ? [flushedOnly(e, costs)] : []
  const candidates = [...found.map(({ chosen }) => namedChoices(problem, chosen)), ...least].map((choices) => ({
    ...toCandidate(e, original, costs, choices),
    subnormalMs: subnormalMs(choices),
  }))
  return { candidates, originalSubnormalMs }
}

function withMargin(e: Explored, costs: Float64Array): Float64Array {
  return costs.map((c, n) =>
    n >= e.phases.recognised && n < e.phases.searched && c > 0 ? c + REWRITE_MARGIN_MICROS : c,
  )
}

type Choices = ReadonlyMap<ClassId, NodeId>

/** The original program, recognised and lowered. */
const originalChoices = (e: Explored, costs: Float64Array): Choices => cheapest(e, originalCosts(e, costs))

/** The same with zeros for weights below the normal range: for models that bear no other change. */
const flushedOnly = (e: Explored, costs: Float64Array): Choices =>
  cheapest(
    e,
    originalCosts(e, costs, (rule) => rule.exactness === 'flushes'),
  )

function cheapest(e: Explored, costs: Float64Array): Choices {
  const problem = createProblem(e.t.egraph, costs, e.roots)
  return namedChoices(problem, extractTree(problem).chosen)
}

/** Prices under which only what the model had, recognised and lowered, can be extracted, and what rules made of it that `allows` names.
 * Constants cost nothing and stay. */
export function originalCosts(
  e: Explored,
  costs: Float64Array,
  allows: (rule: Rule) => boolean = () => false,
): Float64Array {
  const rewritten = new Set<number>()
  return costs.map((c, n) => {
    if (c === 0 || !isRewritten(e, n as NodeId, rewritten, allows)) return c
    rewritten.add(n)
    return Number.POSITIVE_INFINITY
  })
}

/** Made by the search, or by the lowering of that; what is lowered with constants of the search, which anything may read, was made of it too.
 * Borders of the blocked layout are whoever's reads them. */
function isRewritten(e: Explored, n: NodeId, before: ReadonlySet<number>, allows: (rule: Rule) => boolean): boolean {
  const { recognised, searched } = e.phases
  if (n < recognised || ['reorder-in', 'reorder-out'].includes(e.t.op(n).kind)) return false
  const sources = sourcesOf(e, n)
  if (n < searched) return !allows(e.rules[e.t.egraph.originRule(n)]!) || sources.some((m) => before.has(m))
  const hasConstants = e.t.children(n).some((c) => e.t.isConstant(c))
  return sources.some((m) => before.has(m) && (hasConstants || m < searched))
}

const choiceOf = (e: Explored, choices: Choices) => (c: ClassId) => choices.get(e.t.egraph.find(c))!

function chosenNodes(e: Explored, choices: Choices): NodeId[] {
  const choice = choiceOf(e, choices)
  return chosenInOrder(e.t, e.roots, choice).map(choice)
}

/** The program that a selection is. */
export function toCandidate(
  e: Explored,
  original: Graph,
  costs: Float64Array,
  choices: ReadonlyMap<ClassId, NodeId>,
): Candidate {
  const choice = choiceOf(e, choices)
  const order = chosenInOrder(e.t, e.roots, choice)
  const rules = new Map<string, number>()
  let micros = 0
  for (const c of order) {
    const n = choice(c)
    micros += costs[n]!
    const rule = costs[n]! > 0 ? ruleOfNode(e, n) : null
    if (rule) rules.set(rule.name, (rules.get(rule.name) ?? 0) + 1)
  }
  const graph = decode(e.t, original, e.roots, choice)
  const names = () => classNames(e, (v) => original.values[v]!.name)
  return { graph, extractedMs: micros / 1000, rules, steps: () => derivationOf(e, order.map(choice), names()) }
}
