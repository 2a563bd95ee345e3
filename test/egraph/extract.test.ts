import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { kDistinct } from '../../src/egraph/extract/distinct.ts'
import { extractExact } from '../../src/egraph/extract/exact.ts'
import { EXTRACTORS } from '../../src/egraph/extract/index.ts'
import { improveLocally } from '../../src/egraph/extract/local-search.ts'
import { Perturbation } from '../../src/egraph/extract/perturb.ts'
import { compact, createProblem, type Problem } from '../../src/egraph/extract/problem.ts'
import { choicesOfProgram, liveNode } from '../../src/egraph/extract/program.ts'
import { prune } from '../../src/egraph/extract/prune.ts'
import { type Extraction, faultOf, selectionCost, selectionOf } from '../../src/egraph/extract/selection.ts'
import { extractTree, treeCost } from '../../src/egraph/extract/tree.ts'
import type { ClassId, NodeId } from '../../src/egraph/ids.ts'
import { saturate } from '../../src/egraph/saturate.ts'
import { bruteForceOptimum, randomProblem, randomRawProblem } from './support/random-problem.ts'
import { AC_RULES, createToy, rightNestedSum } from './support/terms.ts'

const SMALL = { classes: 6, nodes: 14, maxArity: 3, roots: 2 }
const LARGE = { classes: 90, nodes: 300, maxArity: 3, roots: 3 }

/** Independent of the algorithms: complete, acyclic, nodes in their classes, nothing superfluous, cost adds up. */
function expectSound(problem: Problem, e: Extraction): void {
  expect(faultOf(problem, e.chosen)).to.equal(null)
  expect(e.cost).to.be.closeTo(selectionCost(problem, e.chosen), 1e-9)
  expect(e.choices.size).to.equal(e.chosen.filter((n) => n >= 0).length)
  expect(e.bound).to.be.at.most(e.cost)
  const needed = new Set<number>(problem.roots)
  for (let c = 0; c < problem.classCount; c++) {
    const n = e.chosen[c]!
    if (n >= 0)
      for (let k = problem.firstChild[n]!; k < problem.firstChild[n + 1]!; k++) needed.add(problem.children[k]!)
  }
  e.chosen.forEach((n, c) => {
    expect(n >= 0, `class ${c} is chosen exactly if it is needed`).to.equal(needed.has(c))
  })
}

describe('the checker of selections', () => {
  const problem = compact({
    classCount: 3,
    classOfNode: [0, 1, 1, 2],
    cost: [1, 1, 1, 1],
    children: [[1], [], [2], [1]],
    roots: [0],
  })
  const node = (name: number) => problem.nodeNames.indexOf(name)
  const cls = (name: number) => problem.classNames.indexOf(name)
  const selection = (choices: Record<number, number>) => {
    const chosen = new Int32Array(3).fill(-1)
    for (const [c, n] of Object.entries(choices)) chosen[cls(Number(c))] = node(n)
    return chosen
  }

  it('accepts a sound one', () => expect(faultOf(problem, selection({ 0: 0, 1: 1 }))).to.equal(null))
  it('sees a missing choice', () => expect(faultOf(problem, selection({ 0: 0 }))).to.include('no chosen node'))
  it('sees a cycle', () => expect(faultOf(problem, selection({ 0: 0, 1: 2, 2: 3 }))).to.include('depends on itself'))
  it('sees a node of another class', () => {
    const wrong = selection({ 0: 0, 1: 1 })
    wrong[cls(1)] = node(3)
    expect(faultOf(problem, wrong)).to.include('does not belong')
  })
})

describe('an extraction problem', () => {
  it('leaves out forbidden nodes, nodes over their own class and what only they reach', () => {
    const problem = compact({
      classCount: 4,
      classOfNode: [0, 0, 0, 1, 2, 3],
      cost: [1, Number.POSITIVE_INFINITY, 1, 1, 1, 1],
      children: [[1], [2], [0], [], [], []],
      roots: [0],
    })
    expect(Array.from(problem.nodeNames)).to.deep.equal([0, 3])
    expect(Array.from(problem.classNames)).to.deep.equal([0, 1])
  })

  it('without an acyclic choice of finite cost is refused by the name of the class', () => {
    const cyclic = { classCount: 2, classOfNode: [0, 1], cost: [1, 1], children: [[1], [0]], roots: [0] }
    expect(() => compact({ ...cyclic, classNames: [40, 41] })).to.throw(
      'no acyclic choice of finite cost for e-class 40',
    )
  })

  it('refuses negative and missing costs', () => {
    const raw = { classCount: 1, classOfNode: [0], children: [[]], roots: [0] }
    expect(() => compact({ ...raw, cost: [-1] })).to.throw('at least 0')
    expect(() => compact({ ...raw, cost: [Number.NaN] })).to.throw('at least 0')
  })
})

describe('every extractor', () => {
  it('gives sound selections on random cyclic e-graphs, and nobody beats a proved optimum or a bound', async function () {
    this.timeout(60_000)
    for (let seed = 1; seed <= 3; seed++) {
      const problem = randomProblem(createRandom(seed), LARGE)
      const results: (Extraction & { name: string })[] = []
      for (const { name, extract } of EXTRACTORS) {
        const e = await extract(problem, seed, name === 'exact' ? 800 : 60)
        expectSound(problem, e)
        results.push({ ...e, name })
      }
      const cheapest = Math.min(...results.map((e) => e.cost))
      for (const e of results) {
        expect(e.bound, `bound of ${e.name}, seed ${seed}`).to.be.at.most(cheapest + 1e-6)
        if (e.provedOptimal) expect(e.cost, `${e.name}, seed ${seed}`).to.be.closeTo(cheapest, 1e-6)
      }
    }
  })

  it('is never below the optimum found by brute force, and exact meets it', async function () {
    this.timeout(60_000)
    for (let seed = 1; seed <= 25; seed++) {
      const raw = randomRawProblem(createRandom(seed), SMALL)
      const problem = compact(raw)
      const optimum = bruteForceOptimum(raw)
      for (const { name, extract } of EXTRACTORS) {
        if (name === 'exact' && seed > 5) continue
        const e = await extract(problem, seed, 1000)
        expectSound(problem, e)
        expect(e.cost, `${name}, seed ${seed}`).to.be.at.least(optimum - 1e-9)
        if (name === 'exact') {
          expect(e.provedOptimal, `seed ${seed}`).to.equal(true)
          expect(e.cost).to.be.closeTo(optimum, 1e-9)
        }
        if (name === 'best') expect(e.cost, `${name}, seed ${seed}`).to.be.closeTo(optimum, 1e-9)
      }
    }
  })

  it('is deterministic in its seed where time does not cut it short', async () => {
    const problem = randomProblem(createRandom(5), SMALL)
    for (const { name, extract } of EXTRACTORS.filter((x) => x.name !== 'exact')) {
      const [a, b] = [await extract(problem, 3, 1e6), await extract(problem, 3, 1e6)]
      expect(Array.from(a.chosen), name).to.deep.equal(Array.from(b.chosen))
    }
  })
})

describe('pruning for the exact solver', () => {
  it('keeps an optimal selection and never bounds above it', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const raw = randomRawProblem(createRandom(seed), SMALL)
      const problem = compact(raw)
      const optimum = bruteForceOptimum(raw)
      const { alive, required } = prune(problem, optimum)
      expect(required.bound, `seed ${seed}`).to.be.at.most(optimum + 1e-9)
      const kept = {
        ...raw,
        cost: Array.from(raw.cost, (cost, n) => {
          const at = problem.nodeNames.indexOf(n)
          return at >= 0 && alive[at] === 1 ? cost : Number.POSITIVE_INFINITY
        }),
      }
      expect(bruteForceOptimum(kept), `seed ${seed}`).to.equal(optimum)
    }
  })
})

describe('tree extraction', () => {
  it('finds the least number of operators of a sum, every use counted', () => {
    const toy = createToy()
    const root = toy.add(rightNestedSum(6))
    saturate(
      toy.egraph,
      AC_RULES.map((r) => toy.rule(r)),
      { iterationLimit: 9, nodeLimit: 1e6, timeLimitMs: 1e6 },
    )
    const problem = createProblem(toy.egraph, new Float64Array(toy.egraph.idLimit).fill(1), [root])
    expect(treeCost(problem)).to.equal(11)
    expect(extractTree(problem).cost).to.equal(11)
  })
})

describe('local search', () => {
  it('never returns more than its start costs', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = createRandom(seed)
      const problem = randomProblem(random, LARGE)
      const start = new Perturbation(problem).next(random, 2)
      const e = improveLocally(problem, start, { random, timeLimitMs: 1e6, moveLimit: 300 })
      expectSound(problem, e)
      expect(e.cost).to.be.at.most(selectionCost(problem, start) + 1e-9)
    }
  })

  it('ends where no swap of a single node gives a cheaper sound selection', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = createRandom(seed)
      const problem = randomProblem(random, { classes: 40, nodes: 120, maxArity: 3, roots: 2 })
      const e = improveLocally(problem, extractTree(problem).chosen, { random, timeLimitMs: 1e6 })
      for (let n = 0; n < problem.nodeCount; n++) {
        const swapped = e.chosen.slice()
        swapped[problem.classOfNode[n]!] = n
        if (e.chosen[problem.classOfNode[n]!]! < 0 || faultOf(problem, swapped) !== null) continue
        const needed = new Int32Array(problem.classCount).fill(-1)
        const visit = (c: number): void => {
          if (needed[c]! >= 0) return
          needed[c] = swapped[c]!
          for (let k = problem.firstChild[swapped[c]!]!; k < problem.firstChild[swapped[c]! + 1]!; k++)
            visit(problem.children[k]!)
        }
        problem.roots.forEach(visit)
        expect(selectionCost(problem, needed)).to.be.at.least(e.cost - 1e-9)
      }
    }
  })

  it('adopts a class that is dear for one user and cheap for two', () => {
    // Roots 0 and 1: each costs 10 alone, or 1 over the shared class 2, which costs 15.
    const problem = compact({
      classCount: 3,
      classOfNode: [0, 0, 1, 1, 2],
      cost: [10, 1, 10, 1, 15],
      children: [[], [2], [], [2], []],
      roots: [0, 1],
    })
    const e = improveLocally(problem, extractTree(problem).chosen, { random: createRandom(1) })
    expect(extractTree(problem).cost).to.equal(20)
    expect(e.cost).to.equal(17)
  })
})

describe('k distinct extractions', () => {
  const problem = randomProblem(createRandom(21), { ...LARGE, roots: 30 })
  const start = new Perturbation(problem).next(createRandom(4), 3)
  const options = { random: createRandom(1), count: 24, start, starts: 4, timeLimitMs: 1e9 }

  it('differ, are sound, begin with the given one, and the others come by cost', () => {
    const all = kDistinct(problem, options)
    expect(all.length).to.equal(24)
    for (const e of all) expectSound(problem, e)
    expect(new Set(all.map((e) => e.chosen.join())).size).to.equal(all.length)
    expect(Array.from(all[0]!.chosen)).to.deep.equal(Array.from(start))
    const costs = all.slice(1).map((e) => e.cost)
    expect(costs).to.deep.equal([...costs].sort((a, b) => a - b))
    expect(costs[0]).to.be.at.most(extractTree(problem).cost)
  })

  it('lie nearer to the best where its neighbours are searched, and the best is as good', () => {
    const few = { ...options, count: 8 }
    const costs = (neighbours: number) =>
      kDistinct(problem, { ...few, random: createRandom(3), neighbours }).map((e) => e.cost)
    const [apart, near] = [costs(0), costs(6)]
    expect(near[1]).to.be.at.most(apart[1]!)
    expect(near.at(-1)).to.be.lessThan(apart.at(-1)!)
  })

  it('stop in time, with the given one at least', () => {
    let now = 0
    const all = kDistinct(problem, { ...options, timeLimitMs: 10, clock: () => now++ })
    expect(Array.from(all[0]!.chosen)).to.deep.equal(Array.from(start))
    expect(now).to.be.lessThan(60)
  })

  it('are one where the e-graph holds one program', () => {
    const single = compact({ classCount: 2, classOfNode: [0, 1], cost: [1, 1], children: [[1], []], roots: [0] })
    const chosen = extractTree(single).chosen
    expect(kDistinct(single, { ...options, start: chosen })).to.have.length(1)
  })
})

describe('a program in the e-graph', () => {
  it('is found again as choices after its nodes merged with others', () => {
    const toy = createToy()
    const { egraph } = toy
    const program = ['a', 'b', '(f a)', '(f b)', '(g (f a) (f b))'].map((t) => toy.add(t) as number as NodeId)
    egraph.union(toy.add('a'), toy.add('b'))
    egraph.rebuild()
    const choices = choicesOfProgram(egraph, program)
    const root = egraph.classOf(program.at(-1)!)
    const problem = createProblem(egraph, new Float64Array(egraph.idLimit).fill(1), [root])
    expect(selectionCost(problem, selectionOf(problem, choices))).to.equal(3)
    for (const n of program) expect(egraph.isLive(liveNode(egraph, n) as NodeId)).to.equal(true)
  })

  it('never depends on itself, even where a part of it became equal to the whole', () => {
    const toy = createToy()
    const { egraph } = toy
    const program = ['x', '(+ x 0)', '(f (+ x 0))'].flatMap((t) => [toy.add('0'), toy.add(t)]) as number[] as NodeId[]
    const root = toy.add('(f (+ x 0))')
    egraph.union(toy.add('(+ x 0)'), toy.add('x'))
    egraph.union(root, toy.add('x'))
    egraph.rebuild()
    const problem = createProblem(egraph, new Float64Array(egraph.idLimit).fill(1), [root])
    const chosen = selectionOf(problem, choicesOfProgram(egraph, program))
    expect(faultOf(problem, chosen)).to.equal(null)
  })

  it('with a choice that is not part of the problem is refused', () => {
    const toy = createToy()
    const root = toy.add('(f a)')
    const problem = createProblem(toy.egraph, new Float64Array(toy.egraph.idLimit).fill(1), [root])
    expect(() => selectionOf(problem, new Map([[root, 77 as NodeId]]))).to.throw('no chosen node')
    expect(() => selectionOf(problem, new Map<ClassId, NodeId>())).to.throw('no chosen node')
  })
})

describe('exact extraction', () => {
  it('finds the 4-node DAG of pow(x + (x + x), x + x), as egg does by integer programming', async () => {
    const toy = createToy()
    const root = toy.add('(pow (+ x (+ x x)) (+ x x))')
    saturate(
      toy.egraph,
      AC_RULES.map((r) => toy.rule(r)),
      { iterationLimit: 3, nodeLimit: 1e5, timeLimitMs: 1e6 },
    )
    const e = await extractExact(createProblem(toy.egraph, new Float64Array(toy.egraph.idLimit).fill(1), [root]))
    expect(e.cost).to.equal(4)
    expect(e.provedOptimal).to.equal(true)
  })
})
