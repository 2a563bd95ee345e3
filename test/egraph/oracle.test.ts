// egg 0.11's own test suites, against its counts after every iteration. The counts are skipped where the shared file is
// absent; that the goals are proved is tested everywhere.
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { createProblem } from '../../src/egraph/extract/problem.ts'
import { treeCost } from '../../src/egraph/extract/tree.ts'
import type { ClassId } from '../../src/egraph/ids.ts'
import type { PatternRewrite } from '../../src/egraph/pattern-rewrite.ts'
import { type SaturationReport, saturate } from '../../src/egraph/saturate.ts'
import { backoffScheduler, simpleScheduler } from '../../src/egraph/scheduler.ts'
import { checkInvariants } from './support/check.ts'
import { contains, type Proof } from './support/goal.ts'
import { createLambdaToy, LAMBDA_PROOFS } from './support/lambda.ts'
import { createMathToy, MATH_PROOFS } from './support/math.ts'
import { createPropToy, PROP_PROOFS } from './support/prop.ts'
import { sharedFile } from './support/shared.ts'
import { AC_RULES, createToy, MICRO_RULES, MICRO_TERMS, rightNestedSum, type Toy } from './support/terms.ts'

interface OracleEntry {
  readonly group: string
  readonly name: string
  readonly iterLimit: number
  readonly nodeLimit: number
  readonly scheduler: 'simple' | 'backoff'
  readonly stop: string
  readonly matches: number
  readonly bestAstSize: number
  readonly perIterationNodesClasses: readonly (readonly [number, number])[]
  /** After each iteration; of micro alone. */
  readonly cumulativeMatches?: readonly number[]
}

const FILE = sharedFile('egg-oracle.json')
const ORACLE = FILE === null ? [] : (JSON.parse(readFileSync(FILE, 'utf8')) as OracleEntry[])
const ABSENT = FILE === null ? ' (shared data absent)' : ''

const PROVED = 'Other(Proved all goals)'

function run(
  toy: Toy,
  root: ClassId,
  rules: readonly PatternRewrite<null>[],
  entry: OracleEntry,
  goals: readonly string[],
) {
  const patterns = goals.map((goal) => toy.parse(goal))
  return saturate(toy.egraph, rules, {
    iterationLimit: entry.iterLimit,
    nodeLimit: entry.nodeLimit,
    timeLimitMs: 1e9,
    scheduler: entry.scheduler === 'backoff' ? backoffScheduler() : simpleScheduler(),
    until: (g) => (patterns.length > 0 && patterns.every((p) => contains(g, root, p)) ? PROVED : null),
  })
}

/** egg's last row after a proved goal is the look that found it: a repetition. */
function expectedRows(entry: OracleEntry): readonly (readonly [number, number])[] {
  return entry.stop === PROVED ? entry.perIterationNodesClasses.slice(0, -1) : entry.perIterationNodesClasses
}

function rowsOf(report: SaturationReport): [number, number][] {
  return report.perIteration.map((it) => [it.eNodes, it.eClasses])
}

function matchesOf(report: SaturationReport): number {
  return report.rules.reduce((sum, rule) => sum + rule.matches, 0)
}

function astSize(toy: Toy, root: ClassId): number {
  return treeCost(createProblem(toy.egraph, new Float64Array(toy.egraph.idLimit).fill(1), [root]))
}

function startProof(toy: Toy, { first, start }: Proof): ClassId {
  if (first !== undefined) toy.add(first)
  return toy.add(start)
}

describe(`egg's sums under commutativity and associativity${ABSENT}`, () => {
  const entries = ORACLE.filter((e) => e.group === 'ac')
  if (entries.length === 0) it.skip('counts per iteration')
  for (const entry of entries)
    it(`${entry.name} has egg's counts after every iteration, its matches and its smallest term`, function () {
      this.timeout(120_000) // up to 12 million matches
      const toy = createToy()
      const root = toy.add(rightNestedSum(Number(entry.name.split('_').at(-1))))
      const report = run(
        toy,
        root,
        AC_RULES.map((r) => toy.rule(r)),
        entry,
        [],
      )
      expect(rowsOf(report)).to.deep.equal(expectedRows(entry))
      expect(matchesOf(report)).to.equal(entry.matches)
      expect(astSize(toy, root)).to.equal(entry.bestAstSize)
    })
})

/** A goal proved or not as egg says, and where the oracle is there, egg's counts after every iteration. */
function testProof(
  name: string,
  proof: Proof,
  create: () => Toy & { readonly rules: readonly PatternRewrite<null>[] },
) {
  const entry = ORACLE.find((e) => e.name === name)
  const verb = proof.mustFail ? 'does not prove' : 'proves'
  it(`${name} ${verb} ${proof.goals.join(', ')}${entry ? ", with egg's counts after every iteration" : ''}`, () => {
    const toy = create()
    const root = startProof(toy, proof)
    const report = run(toy, root, toy.rules, entry ?? DEFAULTS, proof.goals)
    expect(report.stopReason.kind).to.equal(proof.mustFail ? 'saturated' : 'goal')
    if (toy.egraph.nodeCount < 2000) checkInvariants(toy.egraph)
    if (entry === undefined) return
    expect(rowsOf(report)).to.deep.equal(expectedRows(entry))
    expect(matchesOf(report)).to.equal(entry.matches)
    expect(astSize(toy, root)).to.equal(entry.bestAstSize)
  })
}

const DEFAULTS = { iterLimit: 60, nodeLimit: 500_000, scheduler: 'backoff' } as OracleEntry

describe(`egg's math suite${ABSENT}`, () => {
  for (const [name, proof] of Object.entries(MATH_PROOFS)) testProof(name, proof, createMathToy)

  const entries = ORACLE.filter((e) => e.group === 'math7')
  if (entries.length === 0) it.skip(`the seven terms${ABSENT}`)
  for (const entry of entries)
    it(`${entry.name}: the seven terms of micro have egg's counts for ${entry.iterLimit} iterations`, () => {
      const toy = createMathToy()
      const roots = MICRO_TERMS.map((term) => toy.add(term))
      const report = run(toy, roots[0]!, toy.rules, entry, [])
      expect(rowsOf(report)).to.deep.equal(expectedRows(entry))
      expect(matchesOf(report)).to.equal(entry.matches)
    })
})

describe(`egglog's micro${ABSENT}`, () => {
  const entry = ORACLE.find((e) => e.group === 'micro')
  if (entry === undefined) it.skip(`eleven iterations${ABSENT}`)
  else
    it('has the counts of egg after each of eleven iterations, to a million e-nodes', function () {
      this.timeout(120_000)
      const toy = createToy()
      const roots = MICRO_TERMS.map((term) => toy.add(term))
      const limits = { ...DEFAULTS, ...entry, iterLimit: entry.perIterationNodesClasses.length, nodeLimit: 1e9 }
      const rules = MICRO_RULES.map((r) => toy.rule(r))
      const report = run(toy, roots[0]!, rules, limits, [])
      expect(rowsOf(report)).to.deep.equal(entry.perIterationNodesClasses)
      let sum = 0
      const matches = report.perIteration.map((it) => (sum += it.matches.reduce((a, b) => a + b, 0)))
      expect(matches).to.deep.equal(entry.cumulativeMatches)
    })
})

describe(`egg's lambda suite${ABSENT}`, () => {
  for (const [name, proof] of Object.entries(LAMBDA_PROOFS)) testProof(name, proof, createLambdaToy)
})

describe(`egg's prop suite${ABSENT}`, () => {
  for (const [name, proof] of Object.entries(PROP_PROOFS))
    it(`${name} proves ${proof.goals.join(', ')}`, () => {
      const entry = ORACLE.find((e) => e.name === name)
      const toy = createPropToy(proof.rules)
      const root = toy.add(proof.start)
      toy.egraph.union(root, toy.add('true'))
      toy.egraph.rebuild()
      const report = run(toy, root, toy.rules, entry ?? { ...DEFAULTS, iterLimit: 20 }, [])
      for (const goal of proof.goals) expect(contains(toy.egraph, root, toy.parse(goal)), goal).to.equal(true)
      if (entry === undefined) return
      // egg counts what a rule with two patterns finds again as applied, and so goes on where nothing changes any more.
      const rows = rowsOf(report)
      const repeated = entry.perIterationNodesClasses.slice(rows.length).map(() => rows.at(-1))
      expect([...rows, ...repeated]).to.deep.equal(entry.perIterationNodesClasses)
      if (repeated.length === 0) expect(matchesOf(report)).to.equal(entry.matches)
    })
})
