import { expect } from 'chai'
import fc from 'fast-check'
import { createRandom, type Random } from '../../src/base/random.ts'
import type { MatcherKind } from '../../src/egraph/match.ts'
import type { NodeRewrite } from '../../src/egraph/rewrite.ts'
import { type SaturationLimits, saturate } from '../../src/egraph/saturate.ts'
import { backoffScheduler } from '../../src/egraph/scheduler.ts'
import { checkInvariants, fingerprint } from './support/check.ts'
import {
  AC_RULES,
  createToy,
  MICRO_COUNTS,
  MICRO_RULES,
  MICRO_TERMS,
  rightNestedSum,
  type Toy,
} from './support/terms.ts'

const NO_LIMITS: SaturationLimits = { iterationLimit: 100, nodeLimit: 1e9, timeLimitMs: 1e9 }

function run(toy: Toy, rules: readonly string[], limits: Partial<SaturationLimits> = {}) {
  return saturate(
    toy.egraph,
    rules.map((r) => toy.rule(r)),
    { ...NO_LIMITS, ...limits },
  )
}

function sumToy(n: number): Toy {
  const toy = createToy()
  toy.add(rightNestedSum(n))
  return toy
}

function microToy(): Toy {
  const toy = createToy()
  for (const term of MICRO_TERMS) toy.add(term)
  return toy
}

/** Commutativity and associativity of + as functions of a node. */
function nodeRules(toy: Toy, depth?: number): NodeRewrite<null>[] {
  const plus = toy.table.intern('+', '', null)
  const extra = depth === undefined ? {} : { depth }
  return [
    {
      kind: 'node',
      name: 'comm',
      families: ['+'],
      ...extra,
      apply: (g, n) => [g.add(plus, [g.childOf(n, 1), g.childOf(n, 0)])],
    },
    {
      kind: 'node',
      name: 'assoc',
      families: ['+'],
      ...extra,
      apply: (g, n) =>
        g
          .nodesOf(g.childOf(n, 1))
          .map((m) =>
            g.opOf(m) === plus
              ? g.add(plus, [g.add(plus, [g.childOf(n, 0), g.childOf(m, 0)]), g.childOf(m, 1)])
              : { refused: 'not a sum' },
          ),
    },
  ]
}

describe('saturation', () => {
  for (const n of [3, 5, 7, 8])
    it(`of the sum of ${n} terms under commutativity and associativity meets the closed forms`, () => {
      const toy = sumToy(n)
      const report = run(toy, AC_RULES)
      expect(report.stopReason.kind).to.equal('saturated')
      expect(report.eNodes).to.equal(3 ** n - 2 ** (n + 1) + 1 + n)
      expect(report.eClasses).to.equal(2 ** n - 1)
      if (n <= 7) checkInvariants(toy.egraph)
    })

  it('of the sum of 7 terms represents 7! * Catalan(6) = 665,280 terms, none through a cycle', () => {
    const toy = sumToy(7)
    const root = toy.add(rightNestedSum(7))
    run(toy, AC_RULES)
    const memo = new Map<number, number>()
    const terms = (c: number): number => {
      if (!memo.has(c)) {
        memo.set(c, Number.NaN)
        const product = (n: number[]) => n.reduce((p, child) => p * terms(child), 1)
        memo.set(
          c,
          toy.egraph.nodesOf(c).reduce((sum, n) => sum + product(toy.egraph.childrenOf(n)), 0),
        )
      }
      return memo.get(c)!
    }
    expect(terms(toy.egraph.find(root))).to.equal(665_280)
  })

  for (const matcher of ['generated', 'interpreted'] as MatcherKind[])
    it(`of micro has egg's e-nodes, e-classes and matches after every iteration, patterns ${matcher}`, () => {
      const iterations = matcher === 'generated' ? 10 : 9
      const report = run(microToy(), MICRO_RULES, { iterationLimit: iterations, matcher })
      let matches = 0
      const counts = report.perIteration.map((it) => {
        matches += it.matches.reduce((a, b) => a + b, 0)
        return [it.eNodes, it.eClasses, matches]
      })
      expect(counts).to.deep.equal(MICRO_COUNTS.slice(0, iterations).map((row) => [...row]))
      expect(report.stopReason).to.deep.equal({ kind: 'iteration-limit', iterationLimit: iterations })
    })

  it('does not depend on the order of the rules, nor on how patterns are matched', () => {
    const expected = microToy()
    run(expected, MICRO_RULES, { iterationLimit: 6 })
    checkInvariants(expected.egraph)
    for (const seed of [1, 2, 3]) {
      const toy = microToy()
      const rules = createRandom(seed).shuffle(MICRO_RULES)
      run(toy, rules, { iterationLimit: 6, matcher: seed === 3 ? 'interpreted' : 'generated' })
      expect(fingerprint(toy.egraph)).to.deep.equal(fingerprint(expected.egraph))
    }
  })

  it('goes on where an earlier call stopped', () => {
    const [once, twice] = [microToy(), microToy()]
    run(once, MICRO_RULES, { iterationLimit: 6 })
    run(twice, MICRO_RULES, { iterationLimit: 3 })
    run(twice, MICRO_RULES, { iterationLimit: 3 })
    expect(fingerprint(twice.egraph)).to.deep.equal(fingerprint(once.egraph))
  })

  it('skips old matches only: random rules give what searching everything afresh gives', () => {
    const term = (random: Random, depth: number, variables: readonly string[]): string => {
      if (depth === 0 || random.next() < 0.3) return random.pick([...variables, ...variables, 'a', 'b', 'c'])
      const arity = 1 + random.below(2)
      return `(${['g', 'f'][arity - 1]} ${Array.from({ length: arity }, () => term(random, depth - 1, variables)).join(' ')})`
    }
    const rule = (random: Random, i: number): string => {
      const left = `(f ${term(random, 2, ['?x', '?y'])} ${term(random, 1, ['?x', '?y'])})`
      return `r${i}: ${left} => ${term(random, 2, [...new Set(left.match(/\?\w/g) ?? ['a'])])}`
    }
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const random = createRandom(seed)
        const rules = Array.from({ length: 4 }, (_, i) => rule(random, i))
        const terms = Array.from({ length: 4 }, () => term(random, 3, ['a']))
        const limits = { iterationLimit: 6, nodeLimit: 400 }
        const [quick, fresh] = [createToy(), createToy()]
        for (const t of terms) {
          quick.add(t)
          fresh.add(t)
        }
        const report = run(quick, rules, limits)
        if (report.stopReason.kind === 'node-limit') return
        for (let i = 0; i < report.iterations; i++) run(fresh, rules, { ...limits, iterationLimit: 1 })
        expect(fingerprint(quick.egraph)).to.deep.equal(fingerprint(fresh.egraph))
      }),
      { numRuns: 150, seed: 13 },
    )
  })

  it('matches an old node anew when a ground term of the pattern joins the class of its child', () => {
    const toy = createToy()
    const start = toy.add('(if (= q q) yes no)')
    run(toy, ['if-true: (if true ?then ?else) => ?then', 'same: (= ?a ?a) => true'])
    expect(toy.egraph.find(start)).to.equal(toy.egraph.find(toy.add('yes')))
  })

  it('sees what the client adds and unites between two calls', () => {
    const toy = createToy()
    toy.add('(* x y)')
    const rules = ['square: (* ?a ?a) => (sq ?a)', 'unsquare: (sq ?a) => (* ?a ?a)']
    run(toy, rules)
    toy.egraph.union(toy.add('x'), toy.add('y'))
    run(toy, rules)
    expect(toy.egraph.find(toy.add('(sq x)'))).to.equal(toy.egraph.find(toy.add('(* x y)')))
  })
})

describe('node rewrites', () => {
  for (const depth of [undefined, 3, Number.POSITIVE_INFINITY])
    it(`reach the same e-graph as patterns, looking again after changes to depth ${depth ?? 'default'}`, () => {
      const [byPattern, byNode] = [sumToy(6), sumToy(6)]
      run(byPattern, AC_RULES)
      const report = saturate(byNode.egraph, nodeRules(byNode, depth), NO_LIMITS)
      expect(report.stopReason.kind).to.equal('saturated')
      expect(fingerprint(byNode.egraph)).to.deep.equal(fingerprint(byPattern.egraph))
      checkInvariants(byNode.egraph)
    })

  it('are not shown a node again while nothing within their depth changes', () => {
    const toy = createToy()
    for (const term of ['(f a)', '(f b)', '(f (h c))', '(go x)']) toy.add(term)
    const seen: string[] = []
    const watch: NodeRewrite<null> = {
      kind: 'node',
      name: 'watch',
      families: ['f'],
      apply: (g, n) => {
        seen.push(`${g.operators.name(g.opOf(g.nodesOf(g.childOf(n, 0))[0]!))}@${g.generation}`)
        return []
      },
    }
    saturate(toy.egraph, [watch, toy.rule('go: (go ?x) => (went ?x)'), toy.rule('c: (h c) => (k c)')], NO_LIMITS)
    expect(seen).to.deep.equal(['a@1', 'b@1', 'h@1', 'h@2'])
  })

  it('report refusals by reason, applications and the nodes they made', () => {
    const toy = sumToy(3)
    const report = saturate(toy.egraph, nodeRules(toy), NO_LIMITS)
    const [comm, assoc] = report.rules
    expect(assoc!.refused['not a sum']).to.be.greaterThan(0)
    expect(comm!.refused).to.deep.equal({})
    expect(comm!.applied).to.be.greaterThan(0)
    expect(comm!.made + assoc!.made).to.be.at.least(report.eNodes - 5)
    const made = toy.egraph.nodesInFamily(toy.table.family('+')).filter((n) => toy.egraph.originRule(n) === 0)
    expect(made.length).to.be.greaterThan(0)
    for (const n of made) expect(toy.egraph.originSource(n)).to.be.at.least(0)
  })
})

describe('stop reasons', () => {
  it('name the iteration limit', () => {
    const report = run(sumToy(8), AC_RULES, { iterationLimit: 2 })
    expect(report.stopReason).to.deep.equal({ kind: 'iteration-limit', iterationLimit: 2 })
    expect(report.iterations).to.equal(2)
  })

  it('name the node limit, met inside an iteration, and leave a consistent e-graph', () => {
    const toy = sumToy(9)
    const report = run(toy, AC_RULES, { nodeLimit: 300 })
    expect(report.stopReason.kind).to.equal('node-limit')
    expect(report.eNodes).to.be.at.most(310)
    checkInvariants(toy.egraph)
  })

  it('name the time limit by the given clock, and leave a consistent e-graph', () => {
    let now = 0
    const toy = sumToy(9)
    const report = run(toy, AC_RULES, { timeLimitMs: 40, clock: () => now++ })
    expect(report.stopReason.kind).to.equal('time-limit')
    expect(report.stopReason).to.include({ timeLimitMs: 40 })
    checkInvariants(toy.egraph)
  })

  it('name the goal', () => {
    const toy = sumToy(4)
    const start = toy.add(rightNestedSum(4))
    const report = run(toy, AC_RULES, {
      until: () => (toy.egraph.find(toy.add('(+ 4 (+ 3 (+ 2 1)))')) === toy.egraph.find(start) ? 'reversed' : null),
    })
    expect(report.stopReason).to.deep.equal({ kind: 'goal', goal: 'reversed' })
  })

  it('are "saturated" at once where no rule applies', () => {
    expect(run(createToy(), []).stopReason).to.deep.equal({ kind: 'saturated', iterations: 1 })
  })
})

describe('the backoff scheduler', () => {
  it('bans a rule with too many matches, doubles the next ban, and still saturates', () => {
    const toy = sumToy(6)
    const report = run(toy, AC_RULES, { scheduler: backoffScheduler({ matchLimit: 100, banLength: 2 }) })
    expect(report.stopReason.kind).to.equal('saturated')
    expect(report.eNodes).to.equal(3 ** 6 - 2 ** 7 + 1 + 6)
    expect(report.rules.reduce((sum, r) => sum + r.bans, 0)).to.be.greaterThan(1)
  })

  it('bans node rewrites too', () => {
    const toy = sumToy(6)
    const scheduler = backoffScheduler({ matchLimit: 50, banLength: 2 })
    const report = saturate(toy.egraph, nodeRules(toy), { ...NO_LIMITS, scheduler })
    expect(report.stopReason.kind).to.equal('saturated')
    expect(report.eNodes).to.equal(3 ** 6 - 2 ** 7 + 1 + 6)
    expect(report.rules.reduce((sum, r) => sum + r.bans, 0)).to.be.greaterThan(0)
  })

  it('lets a rule have exactly its threshold', () => {
    const scheduler = backoffScheduler({ matchLimit: 3, banLength: 5 })
    expect(scheduler.allowance(0, 0)).to.equal(3)
    scheduler.ban(0, 0)
    expect(scheduler.allowance(0, 4)).to.equal(0)
    expect(scheduler.allowance(0, 5)).to.equal(6)
    scheduler.ban(0, 5)
    expect(scheduler.canStop(6)).to.equal(false)
    expect(scheduler.allowance(0, 7)).to.equal(12)
  })
})
