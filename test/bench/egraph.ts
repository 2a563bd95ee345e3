// The engine: micro and sums under commutativity and associativity, against the times measured for egg 0.11 (Rust) on one
// core of the machine this was first built on (engine notes: 1.38 s, 2.8-3.3 s); a multi-pattern join; extraction.
import { createRandom } from '../../src/base/random.ts'
import { extractBest } from '../../src/egraph/extract/distinct.ts'
import { extractGreedyDag } from '../../src/egraph/extract/greedy-dag.ts'
import { improveLocally } from '../../src/egraph/extract/local-search.ts'
import { extractPerturbed } from '../../src/egraph/extract/perturb.ts'
import { createProblem } from '../../src/egraph/extract/problem.ts'
import { extractTree } from '../../src/egraph/extract/tree.ts'
import type { ClassId } from '../../src/egraph/ids.ts'
import { createMatcher, MatchBuffer } from '../../src/egraph/match.ts'
import { OperatorIndex } from '../../src/egraph/operator-index.ts'
import { findMatches } from '../../src/egraph/pattern-runner.ts'
import { compileQuery } from '../../src/egraph/query.ts'
import { type SaturationReport, saturate } from '../../src/egraph/saturate.ts'
import { AC_RULES, createToy, MICRO_RULES, MICRO_TERMS, rightNestedSum, type Toy } from '../egraph/support/terms.ts'
import { type Benchmark, printTable, timeRuns } from './benchmark.ts'

interface Workload {
  readonly name: string
  readonly terms: readonly string[]
  readonly rules: readonly string[]
  readonly iterations: number
  /** Seconds of egg 0.11 where the engine was designed. */
  readonly eggS: number
}

const WORKLOADS: readonly Workload[] = [
  { name: 'micro-10', terms: MICRO_TERMS, rules: MICRO_RULES, iterations: 10, eggS: Number.NaN },
  { name: 'micro-11', terms: MICRO_TERMS, rules: MICRO_RULES, iterations: 11, eggS: 1.38 },
  { name: 'ac-9', terms: [rightNestedSum(9)], rules: AC_RULES, iterations: 30, eggS: 0.063 },
  { name: 'ac-10', terms: [rightNestedSum(10)], rules: AC_RULES, iterations: 30, eggS: 0.444 },
  { name: 'ac-11', terms: [rightNestedSum(11)], rules: AC_RULES, iterations: 30, eggS: 3.05 },
]

export const egraphBenchmark: Benchmark = {
  name: 'egraph',
  about: 'saturation (micro-11, sums) against egg 0.11, a join, extraction; argument: repeats (default 3)',
  run: ([repeats = '3']) => {
    saturationTable(Number(repeats))
    joinTable(Number(repeats))
    extractionTable(Number(repeats))
  },
}

function start({ terms, rules, iterations }: Workload): { toy: Toy; roots: ClassId[]; run: () => SaturationReport } {
  const toy = createToy()
  const roots = terms.map((term) => toy.add(term))
  const rewrites = rules.map((rule) => toy.rule(rule))
  const limits = { iterationLimit: iterations, nodeLimit: 1e9, timeLimitMs: 1e9 }
  return { toy, roots, run: () => saturate(toy.egraph, rewrites, limits) }
}

function saturationTable(repeats: number): void {
  const rows = WORKLOADS.map((workload) => {
    let report: SaturationReport | null = null
    const { bestS, medianS } = timeRuns(repeats, () => {
      report = start(workload).run()
    })
    const { eNodes, eClasses, rules } = report as unknown as SaturationReport
    const matches = rules.reduce((sum, r) => sum + r.matches, 0)
    const ratio = Number.isNaN(workload.eggS) ? '' : (workload.eggS / bestS).toFixed(2)
    return [workload.name, eNodes, eClasses, matches, bestS.toFixed(3), medianS.toFixed(3), workload.eggS || '', ratio]
  })
  printTable(['saturation', 'e-nodes', 'e-classes', 'matches', 'best s', 'median s', 'egg s', 'x egg'], rows)
  console.log(`resident memory ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB\n`)
}

/** Two products with a common factor: 4.5 million results on 28,303 e-nodes (egg: 6.8 s). */
function joinTable(repeats: number): void {
  const { toy, run } = start({ ...WORKLOADS[0]!, iterations: 9 })
  run()
  const query = compileQuery([
    { root: '?p', pattern: toy.parse('(* ?x ?a)') },
    { root: '?q', pattern: toy.parse('(* ?x ?b)') },
  ])
  let matches = 0
  const { bestS, medianS } = timeRuns(repeats, () => {
    const index = new OperatorIndex()
    const slots = index.demand(query)
    const buffer = new MatchBuffer(query)
    const matcher = createMatcher(query, 'generated')
    matches = findMatches(toy.egraph, query, matcher, index, slots, buffer, Number.POSITIVE_INFINITY)
  })
  const row = ['?p=(* ?x ?a), ?q=(* ?x ?b)', toy.egraph.nodeCount, matches, bestS.toFixed(3), medianS.toFixed(3), 6.8]
  printTable(['join', 'e-nodes', 'matches', 'best s', 'median s', 'egg s'], [row])
  console.log()
}

function extractionTable(repeats: number): void {
  const { toy, roots, run } = start({ ...WORKLOADS[1]!, iterations: 10 })
  run()
  const cost = new Float64Array(toy.egraph.idLimit).fill(1)
  const problem = createProblem(toy.egraph, cost, roots)
  const tree = extractTree(problem)
  const random = () => createRandom(1)
  const algorithms = {
    problem: () => ({ cost: createProblem(toy.egraph, cost, roots).nodeCount }),
    tree: () => extractTree(problem),
    'greedy-dag': () => extractGreedyDag(problem),
    'perturb x 5': () => extractPerturbed(problem, { random: random(), tries: 5 }),
    'local search, 1 s': () => improveLocally(problem, tree.chosen, { random: random(), timeLimitMs: 1000 }),
    'best, 2 s': () => extractBest(problem, { random: random(), start: tree.chosen, timeLimitMs: 2000 }),
  }
  const rows = Object.entries(algorithms).map(([name, extract]) => {
    let cost = 0
    const { bestS } = timeRuns(name.includes('search') || name.includes('best') ? 1 : repeats, () => {
      cost = extract().cost
    })
    return [name, cost, bestS.toFixed(3)]
  })
  printTable([`extraction, ${problem.nodeCount} e-nodes`, 'DAG cost (problem: e-nodes)', 'best s'], rows)
}
