// One graph, one rule or all of them: every e-node must have the value of its class. On demand also: the class of every output
// must have the value that the graph gives it, and a random program of the e-graph, written as a graph again, that value too.
import { createRandom, type Random } from '../../../src/base/random.ts'
import { Perturbation } from '../../../src/egraph/extract/perturb.ts'
import { createProblem, namedChoices } from '../../../src/egraph/extract/problem.ts'
import { type RuleReport, saturate } from '../../../src/egraph/saturate.ts'
import { getInt } from '../../../src/ir/attribute.ts'
import { type Arrays, evaluateGraph } from '../../../src/ir/evaluate.ts'
import type { Graph, ValueId } from '../../../src/ir/graph.ts'
import type { BlockSize } from '../../../src/ir/nchwc.ts'
import { type ConcreteShape, elementCount } from '../../../src/ir/shape.ts'
import type { NdArray } from '../../../src/ir/tensor.ts'
import { findProblems } from '../../../src/ir/validate.ts'
import { decode } from '../../../src/rewrite/decode.ts'
import { encode } from '../../../src/rewrite/encode.ts'
import { type Explored, explore } from '../../../src/rewrite/explore.ts'
import { loweringStages } from '../../../src/rewrite/lower.ts'
import { executionOf } from '../../../src/rewrite/price.ts'
import { bindRule, type Rule } from '../../../src/rewrite/rule.ts'
import type { TensorEGraph } from '../../../src/rewrite/tensor-egraph.ts'
import { type Check, checkEveryNode, close, noiseOf } from '../support/check-egraph.ts'

const LIMITS = { iterationLimit: 4, nodeLimit: 500, timeLimitMs: 3000 }
const LOWERING_LIMITS = { iterationLimit: 4, nodeLimit: 2000, timeLimitMs: 3000 }
const TOLERANCE = 1e-6
/** For rules that change no bit: constants nearer than this are one to the e-graph (twin-index.ts). */
const TWINS = 1e-13

/** The constants of a written program are rounded to float32: noise of 1e-7 where the e-graph's is 1e-12. */
const ROUNDED = 1e5
/** Operators that make a step of a rounding: on the e-nodes they are checked in float64, in written programs not. */
export const JUMPS: ReadonlySet<string> = new Set(
  'Greater GreaterOrEqual Less LessOrEqual Equal Floor Ceil Round Sign Mod Cast ArgMax ArgMin TopK'.split(' '),
)

/** What the inputs hold. */
export type Numbers = 'normal' | 'whole' | 'special'

export interface CaseResult {
  /** E-nodes that were computed; null where the case says nothing: the rule did not fire, or values are not finite. */
  readonly checked: number | null
  /** The rule, or with all rules together any of them. */
  readonly fired: boolean
  readonly wrong: readonly string[]
  /** A random program, where one was asked for. */
  readonly program: Graph | null
}

export interface CheckOptions {
  /** Alone; null: all rules together. */
  readonly rule: Rule | null
  readonly numbers: Numbers
  /** Decides the inputs, the program, and how large the blocks of the runtime's layout are. */
  readonly seed: number
  /** Also writes a program of the e-graph, and compares it and the classes of the outputs with the graph. */
  readonly program: boolean
}

/** A rule that did not fire made nothing that could be wrong: the case ends there. */
export function checkCase(graph: Graph, options: CheckOptions): CaseResult {
  const random = createRandom(options.seed)
  const feeds = drawFeeds(graph, options.numbers, random)
  try {
    const blockSize = options.seed % 2 === 0 ? 8 : 16
    const explored = options.rule
      ? exploreAlone(graph, options.rule, options.program, blockSize)
      : explore(graph, { ...LIMITS, blockSize })
    const fired = explored.search.rules.some(hasFired) || explored.recognition.rules.some(hasFired)
    if (!fired && options.rule) return { checked: null, fired, wrong: [], program: null }
    return { ...checkExplored(graph, explored, feeds, random, options), fired }
  } catch (error) {
    if (evaluateOrNull(graph, feeds)) throw error
    return { checked: null, fired: false, wrong: [], program: null }
  }
}

const hasFired = (r: RuleReport): boolean => r.applied > 0

function checkExplored(
  graph: Graph,
  explored: Explored,
  feeds: Record<string, NdArray>,
  random: Random,
  { numbers, program }: CheckOptions,
): Omit<CaseResult, 'fired'> {
  const inputs = graph.inputs.map((v) => feeds[graph.values[v]!.name]!)
  const tolerance = numbers === 'special' ? TWINS : TOLERANCE
  const check = checkEveryNode(explored, inputs, tolerance)
  if (numbers !== 'special' && !allFinite(explored, check)) return { checked: null, wrong: [], program: null }
  const wrong = [...check.wrong]
  if (!program) return { checked: check.checked, wrong, program: null }
  const expected = evaluateGraph(graph, feeds)
  const noise = noiseOf(check.values.values())
  for (const [i, root] of explored.roots.entries()) {
    const { name } = graph.values[graph.outputs[i]!]!
    const value = check.values.get(explored.t.egraph.find(root))
    if (value && !close(expected[name]!, value, tolerance, noise))
      wrong.push(`the class of output ${name} has another value than the graph`)
  }
  const written = drawProgram(explored, graph, random)
  wrong.push(...differencesOf(graph, written, expected, feeds, noise))
  return { checked: check.checked, wrong, program: written }
}

/** Whether all values of the graph are. */
function allFinite(explored: Explored, { values }: Check): boolean {
  for (const c of explored.classes.values()) {
    const value = values.get(explored.t.egraph.find(c))
    if (value && !value.data.every((x) => Number.isFinite(x))) return false
  }
  return true
}

function differencesOf(graph: Graph, program: Graph, expected: Arrays, feeds: Arrays, noise: number): string[] {
  const wrong = findProblems(program).map((problem) => `the program is not valid: ${problem}`)
  const got = evaluateGraph(program, feeds)
  if (graph.nodes.some((n) => JUMPS.has(n.op))) return wrong
  for (const [name, value] of Object.entries(expected))
    if (!close(value, got[name]!, 100 * TOLERANCE, ROUNDED * noise))
      wrong.push(`output ${name} of the written program is another`)
  return wrong
}

/** Null where the reference interpreter cannot run the graph at all: an index is out of its range, .. */
function evaluateOrNull(graph: Graph, feeds: Record<string, NdArray>) {
  try {
    return evaluateGraph(graph, feeds)
  } catch {
    return null
  }
}

/** Lowered only on demand: the lowering rules are checked by the cases that write a program. */
function exploreAlone(graph: Graph, rule: Rule, lowered: boolean, blockSize: BlockSize): Explored {
  const encoded = encode(graph, { blockSize })
  const { t } = encoded
  const encodedLimit = t.egraph.idLimit
  const search = saturate(t.egraph, [bindRule(t, rule)], LIMITS)
  const phases = { encoded: encodedLimit, recognised: encodedLimit, searched: t.egraph.idLimit }
  if (lowered && hasFired(search.rules[0]!)) lower(t)
  return { ...encoded, initialNodes: 0, phases, recognition: { ...search, rules: [] }, search, rules: [rule] }
}

function lower(t: TensorEGraph): void {
  for (const stage of loweringStages)
    saturate(
      t.egraph,
      stage.map((r) => bindRule(t, r)),
      LOWERING_LIMITS,
    )
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

/** From a stream of their own: the weights are drawn from the same seed. */
export function drawFeeds(graph: Graph, numbers: Numbers, { fork }: Random): Record<string, NdArray> {
  const random = fork(1)
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
