// The cheapest tree of every class: Knuth, A Generalization of Dijkstra's Algorithm (1977). Settles each class once, in
// order of its cost, so the result is acyclic even with costs of zero. Tree cost counts a shared class once per use, so
// the DAG cost of the result is not the least; but it is fast and always a sound start.
import { Heap } from './heap.ts'
import type { Problem } from './problem.ts'
import { type Extraction, toExtraction } from './selection.ts'

/** Working memory for many runs on one problem. */
export class TreeSearch {
  /** After `run`: the chosen node of each class that can be had, -1 elsewhere and for free classes. */
  readonly choice: Int32Array
  /** After `run`: tree cost of each class, 0 for free classes. */
  readonly value: Float64Array
  private readonly problem: Problem
  private readonly waiting: Int32Array
  private readonly sum: Float64Array
  private readonly settled: Uint8Array
  private readonly arity: Int32Array
  private readonly heap = new Heap()

  constructor(problem: Problem) {
    this.problem = problem
    this.choice = new Int32Array(problem.classCount)
    this.value = new Float64Array(problem.classCount)
    this.waiting = new Int32Array(problem.nodeCount)
    this.sum = new Float64Array(problem.nodeCount)
    this.settled = new Uint8Array(problem.classCount)
    this.arity = new Int32Array(problem.nodeCount)
    for (let n = 0; n < problem.nodeCount; n++) this.arity[n] = problem.firstChild[n + 1]! - problem.firstChild[n]!
  }

  /** Cheapest trees at these node costs. Classes marked in `free` cost nothing and are not entered. */
  run(cost: Float64Array, free: Uint8Array | null = null): void {
    const { problem, heap, settled, choice } = this
    heap.clear()
    settled.fill(0)
    choice.fill(-1)
    this.value.fill(0)
    this.waiting.set(this.arity)
    this.sum.set(cost)
    for (let n = 0; n < problem.nodeCount; n++) if (this.arity[n] === 0) heap.push(cost[n]!, n)
    if (free !== null) for (let c = 0; c < problem.classCount; c++) if (free[c] === 1) this.settle(c, 0)
    while (heap.size > 0) {
      const n = heap.pop()
      const c = problem.classOfNode[n]!
      if (settled[c] === 1) continue
      choice[c] = n
      this.settle(c, this.sum[n]!)
    }
  }

  private settle(c: number, value: number): void {
    const { firstUse, uses, classOfNode } = this.problem
    this.settled[c] = 1
    this.value[c] = value
    for (let k = firstUse[c]!; k < firstUse[c + 1]!; k++) {
      const user = uses[k]!
      this.sum[user]! += value
      if (--this.waiting[user]! === 0 && this.settled[classOfNode[user]!] === 0) this.heap.push(this.sum[user]!, user)
    }
  }
}

/** The cheapest trees; optimal for tree cost, not for DAG cost. */
export function extractTree(problem: Problem): Extraction {
  const search = new TreeSearch(problem)
  search.run(problem.cost)
  return toExtraction(problem, search.choice)
}

/** Cost of the roots' cheapest trees, every use counted. */
export function treeCost(problem: Problem): number {
  const search = new TreeSearch(problem)
  search.run(problem.cost)
  return problem.roots.reduce((sum, root) => sum + search.value[root]!, 0)
}
