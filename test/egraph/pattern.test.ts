import { expect } from 'chai'
import fc from 'fast-check'
import { createRandom, type Random } from '../../src/base/random.ts'
import type { EGraph } from '../../src/egraph/egraph.ts'
import type { ClassId } from '../../src/egraph/ids.ts'
import { createMatcher, MatchBuffer, type MatcherKind } from '../../src/egraph/match.ts'
import { OperatorIndex } from '../../src/egraph/operator-index.ts'
import { OperatorTable } from '../../src/egraph/operators.ts'
import { type Pattern, parsePattern, printPattern, resolveIn, variablesOf } from '../../src/egraph/pattern.ts'
import { findMatches } from '../../src/egraph/pattern-runner.ts'
import { compileQuery, type RootedPattern } from '../../src/egraph/query.ts'
import { saturate } from '../../src/egraph/saturate.ts'
import { createToy, type Toy } from './support/terms.ts'

describe('patterns', () => {
  it('print as they are read', () => {
    const toy = createToy()
    for (const text of ['?x', 'a', '(+ ?a (* ?b 2))', '(f (g ?x ?x) h[1,2])'])
      expect(printPattern(toy.parse(text), toy.table)).to.equal(text)
  })

  it('list their variables in order of first occurrence', () => {
    expect(variablesOf(createToy().parse('(f ?b (g ?a ?b) ?c)'))).to.deep.equal(['?b', '?a', '?c'])
  })

  it('name operators with a key as the table prints them', () => {
    const table = new OperatorTable<number>()
    const op = table.intern('slice', '0:3', 1)
    expect(parsePattern('(slice[0:3] ?x)', resolveIn(table))).to.deep.include({ kind: 'term', op })
    expect(() => parsePattern('(slice[0:4] ?x)', resolveIn(table))).to.throw('an operator that is in the table')
  })

  for (const [text, expected] of [
    ['(+ ?a', 'a pattern'],
    [')', 'a pattern'],
    ['(+ ?a ?b) c', 'the end'],
    ['(?f ?a)', 'an operator'],
    ['', 'a pattern'],
  ] as const)
    it(`"${text}" is refused: expected ${expected}`, () => {
      expect(() => createToy().parse(text)).to.throw(`expected ${expected}`)
    })

  it('make rules that are refused by name where the right side has an unbound variable', () => {
    expect(() => createToy().rule('bad: (+ ?a 0) => (+ ?a ?b)'))
      .to.throw('rule bad')
      .with.property('message')
      .that.includes('unbound ?b')
    expect(() => createToy().rule('worse: ?p = (+ ?a 0), ?q = (+ ?a 1) => (+ ?a ?a)')).to.throw('rule worse')
  })
})

/** A random e-graph over leaves a-d, unary g, binary f, ternary t. */
function randomToy(random: Random): Toy {
  const toy = createToy()
  const op = (name: string) => toy.table.intern(name, '', null)
  const classes: ClassId[] = ['a', 'b', 'c', 'd'].map((leaf) => toy.add(leaf))
  for (let i = 0; i < 14; i++) {
    const arity = 1 + random.below(3)
    const children = Array.from({ length: arity }, () => random.pick(classes))
    classes.push(toy.egraph.add(op(['g', 'f', 't'][arity - 1]!), children))
  }
  for (let i = 0; i < 4; i++) toy.egraph.union(random.pick(classes), random.pick(classes))
  toy.egraph.rebuild()
  return toy
}

function randomPattern(random: Random, depth: number): string {
  if (depth === 0 || random.next() < 0.4)
    return random.next() < 0.75 ? random.pick(['?x', '?y', '?z']) : random.pick(['a', 'b'])
  const arity = 1 + random.below(3)
  return `(${['g', 'f', 't'][arity - 1]} ${Array.from({ length: arity }, () => randomPattern(random, depth - 1)).join(' ')})`
}

function randomTerm(random: Random): string {
  const text = randomPattern(random, 2)
  return text.startsWith('(') ? text : randomTerm(random)
}

/** All bindings of the variables under which every pattern is in its root's class, by trying every class for each. */
function bruteForce(g: EGraph<null>, patterns: readonly RootedPattern[]): string[] {
  const names = [
    ...new Set(patterns.flatMap(({ root, pattern }) => [...(root ? [root] : []), ...variablesOf(pattern)])),
  ]
  const classes = [...g.classes()]
  const found: string[] = []
  const holds = (p: Pattern, c: number, binding: ReadonlyMap<string, number>): boolean =>
    p.kind === 'variable'
      ? binding.get(p.name) === c
      : g.nodesOf(c).some((n) => {
          const children = g.childrenOf(n)
          return (
            g.opOf(n) === p.op &&
            children.length === p.children.length &&
            p.children.every((q, i) => holds(q, children[i]!, binding))
          )
        })
  const rootsOf = ({ root, pattern }: RootedPattern, binding: ReadonlyMap<string, number>) =>
    (root ? [binding.get(root)!] : classes).filter((c) => holds(pattern, c, binding))
  const isBound = ({ root, pattern }: RootedPattern, binding: ReadonlyMap<string, number>) =>
    [...(root ? [root] : []), ...variablesOf(pattern)].every((name) => binding.has(name))
  const tryAll = (i: number, binding: Map<string, number>): void => {
    if (patterns.some((p) => isBound(p, binding) && rootsOf(p, binding).length === 0)) return
    if (i < names.length) {
      for (const c of classes) tryAll(i + 1, new Map(binding).set(names[i]!, c))
      return
    }
    const roots = patterns[0]!.root ? [-1] : rootsOf(patterns[0]!, binding)
    for (const r of roots) found.push([r, ...names.map((name) => binding.get(name))].join())
  }
  tryAll(0, new Map())
  return found.sort()
}

function byMatcher(g: EGraph<null>, patterns: readonly RootedPattern[], kind: MatcherKind): string[] {
  const query = compileQuery(patterns)
  const index = new OperatorIndex()
  const slots = index.demand(query)
  const buffer = new MatchBuffer(query)
  const count = findMatches(g, query, createMatcher(query, kind), index, slots, buffer, Number.POSITIVE_INFINITY)
  expect(buffer.length).to.equal(count)
  const names = [
    ...new Set(patterns.flatMap(({ root, pattern }) => [...(root ? [root] : []), ...variablesOf(pattern)])),
  ]
  return Array.from({ length: count }, (_, m) => {
    const at = m * buffer.width
    const root = patterns[0]!.root ? -1 : g.find(buffer.data[at]!)
    return [root, ...names.map((name) => buffer.data[at + 1 + query.slotOf.get(name)!])].join()
  }).sort()
}

describe('matching', () => {
  it('finds what brute force finds, generated and interpreted alike', () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const random = createRandom(seed)
        const toy = randomToy(random)
        for (let i = 0; i < 4; i++) {
          const patterns = [{ root: null, pattern: toy.parse(randomTerm(random)) }]
          const expected = bruteForce(toy.egraph, patterns)
          const interpreted = byMatcher(toy.egraph, patterns, 'interpreted')
          expect(byMatcher(toy.egraph, patterns, 'generated')).to.deep.equal(interpreted)
          expect([...new Set(interpreted)]).to.deep.equal(expected)
        }
      }),
      { numRuns: 30, seed: 11 },
    )
  })

  it('joins several patterns as brute force does', () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const random = createRandom(seed)
        const toy = randomToy(random)
        const patterns = [
          { root: '?p', pattern: toy.parse(random.pick(['(f ?x ?y)', '(g ?x)', '(f ?x (g ?y))'])) },
          { root: '?q', pattern: toy.parse(random.pick(['(f ?x ?z)', '(t ?z ?x ?x)', '(f ?p ?x)', '(g ?y)'])) },
        ]
        const expected = bruteForce(toy.egraph, patterns)
        const interpreted = byMatcher(toy.egraph, patterns, 'interpreted')
        expect(byMatcher(toy.egraph, patterns, 'generated')).to.deep.equal(interpreted)
        expect([...new Set(interpreted)]).to.deep.equal(expected)
      }),
      { numRuns: 60, seed: 12 },
    )
  })

  it('stops at one match more than the limit', () => {
    const toy = createToy()
    for (const leaf of 'abcdefgh') toy.add(`(g ${leaf})`)
    for (const kind of ['generated', 'interpreted'] as const) {
      const query = compileQuery([{ root: null, pattern: toy.parse('(g ?x)') }])
      const index = new OperatorIndex()
      const slots = index.demand(query)
      const buffer = new MatchBuffer(query)
      const find = (limit: number) =>
        findMatches(toy.egraph, query, createMatcher(query, kind), index, slots, buffer, limit)
      expect(find(3), kind).to.equal(4)
      expect(find(8), kind).to.equal(8)
    }
  })

  it('finds nothing for a ground term that is not there, and adds nothing', () => {
    const toy = createToy()
    toy.add('(f a b)')
    const before = toy.egraph.nodeCount
    const report = saturate(toy.egraph, [toy.rule('zero: (f ?x 0) => ?x')], {
      iterationLimit: 3,
      nodeLimit: 99,
      timeLimitMs: 1e6,
    })
    expect(report.rules[0]!.matches).to.equal(0)
    expect(toy.egraph.nodeCount).to.equal(before)
  })
})

describe('pattern rewrites', () => {
  it('with several patterns unite each root with its own right side', () => {
    const toy = createToy()
    const [p, q] = [toy.add('(* x a)'), toy.add('(* x b)')]
    toy.add('(* y b)')
    const merge = toy.rule(
      'merge: ?p = (* ?x ?a), ?q = (* ?x ?b) => ?p = (split0 (* ?x (concat ?a ?b))), ?q = (split1 (* ?x (concat ?a ?b)))',
    )
    saturate(toy.egraph, [merge], { iterationLimit: 1, nodeLimit: 1e4, timeLimitMs: 1e6 })
    expect(toy.egraph.find(toy.add('(split0 (* x (concat a b)))'))).to.equal(toy.egraph.find(p))
    expect(toy.egraph.find(toy.add('(split1 (* x (concat a b)))'))).to.equal(toy.egraph.find(q))
  })

  it('with a condition fire where it holds, and count refusals', () => {
    const toy = createToy()
    toy.add('(/ x x)')
    toy.add('(/ 0 0)')
    const zero = toy.add('0')
    const rule = toy.rule(
      'cancel: (/ ?a ?a) => 1',
      (g, b) => g.find(b.get('?a')) !== g.find(zero) || { refused: 'zero' },
    )
    const report = saturate(toy.egraph, [rule], { iterationLimit: 1, nodeLimit: 99, timeLimitMs: 1e6 })
    expect(toy.egraph.find(toy.add('(/ x x)'))).to.equal(toy.egraph.find(toy.add('1')))
    expect(toy.egraph.find(toy.add('(/ 0 0)'))).to.not.equal(toy.egraph.find(toy.add('1')))
    expect(report.rules[0]!.refused).to.deep.equal({ zero: 1 })
  })

  it('of a lone variable match every class', () => {
    const toy = createToy()
    toy.add('(f a)')
    const report = saturate(toy.egraph, [toy.rule('wrap: ?a => (id ?a)')], {
      iterationLimit: 1,
      nodeLimit: 99,
      timeLimitMs: 1e6,
    })
    expect(report.rules[0]!.applied).to.equal(2)
    expect(toy.egraph.find(toy.add('(id a)'))).to.equal(toy.egraph.find(toy.add('a')))
  })
})
