import { expect } from 'chai'
import fc from 'fast-check'
import { ConflictError, EGraph } from '../../src/egraph/egraph.ts'
import type { ClassId, NodeId, OpId, RuleId } from '../../src/egraph/ids.ts'
import { OperatorTable } from '../../src/egraph/operators.ts'
import { checkInvariants, fingerprint } from './support/check.ts'
import { NaiveCongruence } from './support/naive.ts'
import { createToy } from './support/terms.ts'

type Step =
  | { readonly kind: 'add'; readonly op: number; readonly children: readonly number[] }
  | { readonly kind: 'union'; readonly a: number; readonly b: number }
  | { readonly kind: 'rebuild' }

/** Operators 0-3 are leaves, then arity 1, 2, 3, 5 (the last beyond what lies beside the operator). */
const ARITIES = [0, 0, 0, 0, 1, 1, 2, 2, 3, 5]
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        op: fc.nat(9),
        children: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('union' as const), a: fc.nat(), b: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebuild' as const) }) },
  ),
  { maxLength: 60 },
)

function play(script: readonly Step[]): {
  g: EGraph<null>
  naive: NaiveCongruence
  classes: ClassId[]
  terms: number[]
} {
  const table = new OperatorTable<null>()
  const ops = ARITIES.map((_, i) => table.intern(`f${i}`, '', null))
  const g = new EGraph(table)
  const naive = new NaiveCongruence()
  const classes: ClassId[] = [g.add(ops[0]!, [])]
  const terms: number[] = [naive.add(0, [])]
  for (const step of script) {
    if (step.kind === 'add') {
      const picks = step.children.slice(0, ARITIES[step.op]).map((x) => x % classes.length)
      classes.push(
        g.add(
          ops[step.op]!,
          picks.map((i) => classes[i]!),
        ),
      )
      terms.push(
        naive.add(
          step.op,
          picks.map((i) => terms[i]!),
        ),
      )
    } else if (step.kind === 'union') {
      const [a, b] = [step.a % classes.length, step.b % classes.length]
      g.union(classes[a]!, classes[b]!)
      naive.union(terms[a]!, terms[b]!)
    } else {
      g.rebuild()
      checkInvariants(g)
    }
  }
  g.rebuild()
  naive.close()
  return { g, naive, classes, terms }
}

describe('the e-graph', () => {
  it('equals a naive congruence closure under random adds, unions and rebuilds', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { g, naive, classes, terms } = play(script)
        checkInvariants(g)
        expect(g.classCount).to.equal(naive.classCount)
        expect(g.nodeCount).to.equal(naive.nodeCount)
        for (let i = 0; i < classes.length; i++)
          for (let j = 0; j < i; j++)
            expect(g.find(classes[i]!) === g.find(classes[j]!)).to.equal(naive.same(terms[i]!, terms[j]!))
      }),
      { numRuns: 200, seed: 7 },
    )
  })

  it('does not depend on the order of unions or on when it is rebuilt', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (script, eager) => {
        const adds = script.filter((s) => s.kind === 'add')
        const unions = script.filter((s) => s.kind === 'union')
        const between: Step[] = eager ? unions.flatMap((u) => [u, { kind: 'rebuild' as const }]) : unions
        const one = play([...adds, ...between])
        const other = play([...adds, ...[...unions].reverse()])
        expect(fingerprint(one.g)).to.deep.equal(fingerprint(other.g))
      }),
      { numRuns: 100, seed: 8 },
    )
  })

  it('of e-nodes that become equal, keeps the earliest, whichever of them is repaired', () => {
    for (const first of ['left', 'right'] as const) {
      const toy = createToy()
      const [old, young] = [toy.add('(f a)'), toy.add('(f b)')] as unknown as [NodeId, NodeId]
      // The class with more parents keeps its number, so that the child of the other node is the stale one.
      for (const parent of ['g', 'h', 'i']) toy.add(first === 'left' ? `(${parent} a)` : `(${parent} b)`)
      toy.egraph.union(toy.add('a'), toy.add('b'))
      toy.egraph.rebuild()
      expect([toy.egraph.isLive(old), toy.egraph.isLive(young)]).to.deep.equal([true, false])
      checkInvariants(toy.egraph)
    }
  })

  it('gives an equal e-node the same class, at any arity', () => {
    const toy = createToy()
    const wide = `(concat ${Array.from({ length: 25 }, (_, i) => i).join(' ')})`
    const [a, b] = [toy.add(wide), toy.add(wide)]
    expect(a).to.equal(b)
    expect(toy.egraph.arityOf(a as number as NodeId)).to.equal(25)
    toy.egraph.union(toy.add('3'), toy.add('4'))
    const c = toy.add(wide.replace(' 3 ', ' 4 '))
    expect(toy.egraph.find(c)).to.not.equal(toy.egraph.find(a))
    toy.egraph.rebuild()
    expect(toy.egraph.find(c)).to.equal(toy.egraph.find(a))
    checkInvariants(toy.egraph)
  })

  it('tells f with two children from f with three', () => {
    const toy = createToy()
    expect(toy.add('(f a b)')).to.not.equal(toy.add('(f a b b)'))
  })

  it('stays right beyond its first capacity', () => {
    const toy = createToy()
    const f = toy.table.intern('f', '', null)
    let chain: ClassId = toy.add('a')
    for (let i = 0; i < 5000; i++) chain = toy.egraph.add(f, [chain])
    expect(toy.egraph.nodeCount).to.equal(5001)
    toy.egraph.union(toy.add('a'), toy.egraph.lookup(f, [toy.add('a')]))
    toy.egraph.rebuild()
    expect(toy.egraph.nodeCount).to.equal(2)
    expect(toy.egraph.classCount).to.equal(1)
    expect(toy.egraph.find(chain)).to.equal(toy.egraph.find(toy.add('a')))
    checkInvariants(toy.egraph)
  })

  it('lists the nodes of a family once, oldest first, without those that merged', () => {
    const toy = createToy()
    const { egraph } = toy
    toy.add('(g a)')
    toy.add('(g b)')
    toy.add('(h a)')
    const family = toy.table.family('g')
    expect(egraph.nodesInFamily(family)).to.have.length(2)
    egraph.union(toy.add('a'), toy.add('b'))
    egraph.rebuild()
    expect(egraph.nodesInFamily(family)).to.have.length(1)
    toy.add('(g c)')
    const listed = egraph.nodesInFamily(family)
    expect(listed)
      .to.deep.equal([...listed].sort((x, y) => x - y))
      .and.have.length(2)
    expect(egraph.nodesInFamily(toy.table.family('nobody'))).to.deep.equal([])
  })

  it('remembers the rule and the node that first made a node', () => {
    const toy = createToy()
    const { egraph } = toy
    const a = toy.add('a')
    const source = a as number as NodeId
    const made = egraph.withOrigin(4 as RuleId, source, () => toy.add('(f a)')) as number as NodeId
    egraph.withOrigin(5 as RuleId, source, () => toy.add('(f a)'))
    expect(egraph.originRule(made)).to.equal(4)
    expect(egraph.originSource(made)).to.equal(source)
    expect(egraph.originRule(source)).to.equal(-1)
  })

  it('refuses an operator or a child that is not its own, by number', () => {
    const toy = createToy()
    toy.add('a')
    expect(() => toy.egraph.add(99 as OpId, [])).to.throw('no operator 99')
    expect(() => toy.egraph.add(0 as OpId, [17])).to.throw('no e-class 17')
  })

  it('stamps a class when it gains nodes, and when a child of its nodes merges away', () => {
    const toy = createToy()
    const { egraph } = toy
    const fa = toy.add('(f a)')
    const other = toy.add('(h b)')
    toy.add('(k a)')
    egraph.nextGeneration()
    expect(egraph.classGeneration(fa)).to.equal(0)
    egraph.union(toy.add('a'), toy.add('c'))
    egraph.rebuild()
    expect(egraph.generationOf(fa as number as NodeId)).to.equal(1)
    expect(egraph.classGeneration(other)).to.equal(0)
  })
})

/** A class's data: the smallest and largest leaf below it, as an interval packed in one integer. */
function intervals(): {
  egraph: EGraph<null>
  leaf: (i: number) => ClassId
  pair: (a: ClassId, b: ClassId) => ClassId
} {
  const table = new OperatorTable<null>()
  const egraph: EGraph<null> = new EGraph(table, {
    analysis: {
      make: (g, op, children) => {
        if (children.length === 0) return 1 << Number(table.key(op))
        return Array.from(children).reduce((set, c) => set | g.data(c), 0)
      },
      merge: (a, b) => a | b,
    },
  })
  return {
    egraph,
    leaf: (i) => egraph.add(table.intern('leaf', String(i), null), []),
    pair: (a, b) => egraph.add(table.intern('pair', '', null), [a, b]),
  }
}

describe('an analysis', () => {
  it('reaches the ancestors when classes below merge', () => {
    const { egraph, leaf, pair } = intervals()
    const top = pair(pair(leaf(0), leaf(1)), leaf(2))
    expect(egraph.data(top)).to.equal(0b111)
    egraph.union(leaf(0), leaf(5))
    egraph.rebuild()
    expect(egraph.data(top)).to.equal(0b100111)
    checkInvariants(egraph)
  })

  it('equals what the nodes say, under random unions', () => {
    const script = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { maxLength: 40 })
    fc.assert(
      fc.property(script, (ops) => {
        const { egraph, leaf, pair } = intervals()
        const classes = [0, 1, 2, 3, 4].map(leaf)
        for (const [x, y, unite] of ops) {
          const [a, b] = [classes[x % classes.length]!, classes[y % classes.length]!]
          if (unite) egraph.union(a, b)
          else classes.push(pair(a, b))
        }
        egraph.rebuild()
        checkInvariants(egraph)
      }),
      { numRuns: 200, seed: 9 },
    )
  })

  it('makes a contradiction an error that says both terms and on whose behalf', () => {
    const table = new OperatorTable<number>()
    const egraph: EGraph<number> = new EGraph(table, {
      analysis: {
        make: (_, op) => table.payload(op),
        merge: (a, b) => {
          if (a !== b) throw new ConflictError(String(a), String(b))
          return a
        },
      },
    })
    const zero = egraph.add(table.intern('num', '0', 0), [])
    const minus = egraph.add(table.intern('num', '-1', -1), [])
    const attempt = () => egraph.withOrigin(3 as RuleId, 1 as NodeId, () => egraph.union(zero, minus))
    expect(attempt).to.throw(ConflictError, 'cannot be both')
    try {
      attempt()
    } catch (error) {
      const { place } = error as ConflictError
      expect(place).to.include({ cause: 'union', rule: 3, source: 1 })
      expect([place!.left, place!.right]).to.have.members([zero, minus])
    }
    expect(egraph.classCount).to.equal(2)
    checkInvariants(egraph)
  })

  it('may prune a class to its leaf, which congruence and add still see through', () => {
    const table = new OperatorTable<null>()
    const egraph = new EGraph(table)
    const [one, f] = [table.intern('1', '', null), table.intern('f', '', null)]
    const a = egraph.add(table.intern('a', '', null), [])
    const fa = egraph.add(f, [a])
    egraph.union(fa, egraph.add(one, []))
    egraph.rebuild()
    egraph.prune(fa, (n) => egraph.arityOf(n) === 0)
    expect(egraph.nodesOf(fa)).to.have.length(1)
    expect(egraph.nodeCount).to.equal(2)
    expect(egraph.find(egraph.add(f, [a]))).to.equal(egraph.find(fa))
    const b = egraph.add(table.intern('b', '', null), [])
    const fb = egraph.add(f, [b])
    egraph.union(a, b)
    egraph.rebuild()
    expect(egraph.find(fb)).to.equal(egraph.find(fa))
    checkInvariants(egraph)
  })
})
