// One graph, one rule or all of them: every e-node must have the value of its class, every class of a value of the graph that
// value, and a random program of the e-graph, written as a graph again, must give the same outputs.
import { createRandom, type Random } from '../../../src/base/random.ts'
import { Perturbation } from '../../../src/egraph/extract/perturb.ts'
import { createProblem, namedChoices } from '../../../src/egraph/extract/problem.ts'
import { saturate } from '../../../src/egraph/saturate.ts'
import { getInt } from '../../../src/ir/attribute.ts'
import { evaluateGraph } from '../../../src/ir/evaluate.ts'
import type { Graph, ValueId } from '../../../src/ir/graph.ts'
import { type ConcreteShape, elementCount } from '../../../src/ir/shape.ts'
import type { NdArray } from '../../../src/ir/tensor.ts'
import { findProblems } from '../../../src/ir/validate.ts'
import { decode } from '../../../src/rewrite/decode.ts'
import { encode } from '../../../src/rewrite/encode.ts'
import { type Explored, explore } from '../../../src/rewrite/explore.ts'
import { loweringStages } from '../../../src/rewrite/lower.ts'
import { executionOf } from '../../../src/rewrite/price.ts'
import { bindRule, type Rule } from '../../../src/rewrite/rule.ts'
import { checkEveryNode, close, noiseOf } from '../support/check-egraph.ts'

const LIMITS = { iterationLimit: 4, nodeLimit: 500, timeLimitMs: 3000 }
const LOWERING_LIMITS = { iterationLimit: 4, nodeLimit: 2000, timeLimitMs: 3000 }
const TOLERANCE = 1e-6

/** The constants of a written program are rounded to float32: noise of 1e-7 where the e-graph's is 1e-12. */
const ROUNDED = 1e5
/** Operators that make a step of a rounding: on the e-nodes they are checked in float64, in written programs not. */
const JUMPS = new Set(
  'Greater GreaterOrEqual Less LessOrEqual Equal Floor Ceil Round Sign Mod Cast ArgMax ArgMin TopK'.split(' '),
)

/** What the inputs hold. */
export type Numbers = 'normal' | 'whole' | 'special'

export interface CaseResult {
  /** E-nodes that were compared; null where the case says nothing: its values are not finite. */
  readonly checked: number | null
  readonly fired: boolean
  readonly wrong: readonly string[]
  /** A random program, where one was drawn. */
  readonly program: Graph | null
}

export interface CheckOptions {
  /** Alone; null: all rules together. */
  readonly rule: Rule | null
  readonly numbers: Numbers
  /** Decides the inputs and the program. */
  readonly seed: number
}

export function checkCase(graph: Graph, { rule, numbers, seed }: CheckOptions): CaseResult {
  const random = createRandom(seed)
  const feeds = drawFeeds(graph, numbers, random)
  const names = graph.outputs.map((v) => graph.values[v]!.name)
  const expected = evaluateOrNull(graph, feeds)
  if (!expected) return { checked: null, fired: false, wrong: [], program: null }
  const explored = rule ? exploreAlone(graph, rule) : explore(graph, LIMITS)
  const fired =
    explored.search.rules.some((r) => r.applied > 0) || explored.recognition.rules.some((r) => r.applied > 0)
  const inputs = graph.inputs.map((v) => feeds[graph.values[v]!.name]!)
  const tolerance = numbers === 'special' ? 0 : TOLERANCE
  const check = checkEveryNode(explored, inputs, tolerance)
  const allFinite = (a: NdArray) => a.data.every((x) => Number.isFinite(x))
  const finite = [...explored.classes.values()].every((c) => {
    const value = check.values.get(explored.t.egraph.find(c))
    return !value || allFinite(value)
  })
  if (numbers !== 'special' && !(finite && Object.values(expected).every(allFinite)))
    return { checked: null, fired, wrong: [], program: null }
  const noise = noiseOf(check.values.values())
  const wrong = [...check.wrong]
  for (const [i, root] of explored.roots.entries()) {
    const value = check.values.get(explored.t.egraph.find(root))
    if (value && !close(expected[names[i]!]!, value, tolerance, noise))
      wrong.push(`the class of output ${names[i]} has another value than the graph`)
  }
  const program = drawProgram(explored, graph, random)
  for (const problem of findProblems(program)) wrong.push(`the program is not valid: ${problem}`)
  const got = evaluateGraph(program, feeds)
  const comparable = graph.nodes.some((n) => JUMPS.has(n.op)) ? [] : names
  for (const name of comparable)
    if (!close(expected[name]!, got[name]!, 100 * TOLERANCE, ROUNDED * noise))
      wrong.push(`output ${name} of the written program is another`)
  return { checked: check.checked, fired, wrong, program }
}

/** Null where the reference interpreter cannot run the graph at all: an index is out of its range, .. */
function evaluateOrNull(graph: Graph, feeds: Record<string, NdArray>) {
  try {
    return evaluateGraph(graph, feeds)
  } catch {
    return null
  }
}

function exploreAlone(graph: Graph, rule: Rule): Explored {
  const encoded = encode(graph)
  const { t } = encoded
  const encodedLimit = t.egraph.idLimit
  const search = saturate(t.egraph, [bindRule(t, rule)], LIMITS)
  const phases = { encoded: encodedLimit, recognised: encodedLimit, searched: t.egraph.idLimit }
  for (const stage of loweringStages)
    saturate(
      t.egraph,
      stage.map((r) => bindRule(t, r)),
      LOWERING_LIMITS,
    )
  return { ...encoded, initialNodes: 0, phases, recognition: { ...search, rules: [] }, search, rules: [rule] }
}

/** Any program of the e-graph. */
function drawProgram(e: Explored, original: Graph, random: Random): Graph {
  const { egraph } = e.t
  const costs = new Float64Array(egraph.idLimit).fill(Number.POSITIVE_INFINITY)
  for (const c of egraph.classes())
    for (const n of egraph.nodesOf(c)) {
      const execution = executionOf(e.t, n, new Map())
      if (execution !== 'never') costs[n] = execution === 'free' ? 0 : n < e.phases.encoded ? 5 : 1
    }
  const problem = createProblem(egraph, costs, e.roots)
  const choices = namedChoices(problem, new Perturbation(problem).next(random, 1.5))
  return decode(e.t, original, e.roots, (c) => choices.get(egraph.find(c))!)
}

/** NaN last: how MaxPool and Relu take it is the runtime's own choice. */
const SPECIAL = [0, -0, 1, -1, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]

export function drawFeeds(graph: Graph, numbers: Numbers, random: Random): Record<string, NdArray> {
  const pools = graph.nodes.some((n) => n.op === 'MaxPool')
  const draw = () => {
    if (numbers === 'normal') return random.normal()
    return numbers === 'whole' ? random.below(7) - 3 || 2 : random.pick(SPECIAL.slice(0, pools ? -1 : undefined))
  }
  return Object.fromEntries(
    graph.inputs.map((v) => {
      const { name, type } = graph.values[v]!
      const { dtype, shape } = type!
      const limit = dtype === 'int64' ? indexLimit(graph, v) : 0
      const one = () => (dtype === 'int64' ? random.below(2 * limit) - limit : draw())
      const data = Float64Array.from({ length: elementCount(shape as ConcreteShape) }, one)
      return [name, { dtype, shape: shape as ConcreteShape, data }]
    }),
  )
}

/** How many rows the smallest table has that an input picks from. */
function indexLimit(graph: Graph, v: ValueId): number {
  const limits = graph.nodes.flatMap((n) => {
    if (['Unsqueeze', 'Expand', 'Identity'].includes(n.op) && n.inputs[0] === v)
      return [indexLimit(graph, n.outputs[0]!)]
    if (!INDEXED.test(n.op) || n.inputs[1] !== v) return []
    const table = graph.values[n.inputs[0]!]!.type!.shape as ConcreteShape
    return [table.at(getInt(n.attributes, 'axis', 0)) ?? 1]
  })
  return Math.min(...(limits.length > 0 ? limits : [1]))
}

const INDEXED = /^(Gather|Scatter)/
