// Random extraction problems that surely have an answer, and their optimum by trying everything.
import type { Random } from '../../../src/base/random.ts'
import { compact, type Problem, type RawProblem } from '../../../src/egraph/extract/problem.ts'

export interface RandomProblemOptions {
  readonly classes: number
  readonly nodes: number
  readonly maxArity: number
  readonly roots: number
}

/** Every class has a node over earlier classes only; the other nodes have children anywhere, so cycles are common. */
export function randomRawProblem(random: Random, options: RandomProblemOptions): RawProblem {
  const { classes, nodes, maxArity } = options
  const classOfNode: number[] = []
  const children: number[][] = []
  const cost: number[] = []
  const add = (c: number, below: number) => {
    classOfNode.push(c)
    children.push(below === 0 ? [] : Array.from({ length: random.below(maxArity + 1) }, () => random.below(below)))
    cost.push(random.next() < 0.2 ? 0 : random.below(20) + 1)
  }
  for (let c = 0; c < classes; c++) add(c, c)
  while (classOfNode.length < nodes) add(random.below(classes), classes)
  const roots = Array.from({ length: options.roots }, (_, i) => classes - 1 - i)
  return { classCount: classes, classOfNode, cost, children, roots }
}

export function randomProblem(random: Random, options: RandomProblemOptions): Problem {
  return compact(randomRawProblem(random, options))
}

/** The least DAG cost of any acyclic choice, by trying one node or none in every class. */
export function bruteForceOptimum(raw: RawProblem): number {
  const nodesOf = Array.from({ length: raw.classCount }, (_, c) =>
    Array.from(raw.classOfNode, (_, n) => n).filter((n) => raw.classOfNode[n] === c),
  )
  const choice: number[] = []
  let best = Number.POSITIVE_INFINITY
  const costOf = (): number => {
    const state = new Map<number, 'open' | 'done'>()
    let sum = 0
    const visit = (c: number): boolean => {
      if (state.get(c) === 'done') return true
      if (state.get(c) === 'open') return false
      state.set(c, 'open')
      const n = choice[c]!
      sum += raw.cost[n]!
      if (!Array.from(raw.children[n]!).every(visit)) return false
      state.set(c, 'done')
      return true
    }
    return Array.from(raw.roots).every(visit) ? sum : Number.POSITIVE_INFINITY
  }
  const tryAll = (c: number): void => {
    if (c === raw.classCount) {
      best = Math.min(best, costOf())
      return
    }
    for (const n of nodesOf[c]!) {
      choice[c] = n
      tryAll(c + 1)
    }
  }
  tryAll(0)
  return best
}
