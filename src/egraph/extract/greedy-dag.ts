// Greedy extraction with reachable sets: each class keeps the set of classes its best known choice needs; a node costs the
// union of its children's sets, so sharing inside one node's operands is seen. No optimum is claimed: sets may be out of
// date, and what other classes need is not seen. Idea: extraction-gym's greedy-dag. A choice that would close a cycle over
// the present choices is refused, so the result is acyclic.
import type { Problem } from './problem.ts'
import { type Extraction, toExtraction } from './selection.ts'

export function extractGreedyDag(problem: Problem): Extraction {
  return toExtraction(problem, new GreedyDag(problem).run())
}

class GreedyDag {
  private readonly problem: Problem
  private readonly choice: Int32Array
  private readonly total: Float64Array
  private readonly sets: (Int32Array | null)[]
  /** Classes in the union being built: stamp of the node. */
  private readonly seen: Int32Array
  private readonly members: number[] = []
  private stamp = 0

  constructor(problem: Problem) {
    this.problem = problem
    this.choice = new Int32Array(problem.classCount).fill(-1)
    this.total = new Float64Array(problem.classCount).fill(Number.POSITIVE_INFINITY)
    this.sets = new Array<Int32Array | null>(problem.classCount).fill(null)
    this.seen = new Int32Array(problem.classCount)
  }

  run(): Int32Array {
    const { problem } = this
    const waiting = new Uint8Array(problem.nodeCount).fill(1)
    const queue: number[] = []
    for (let n = 0; n < problem.nodeCount; n++) queue.push(n)
    for (let at = 0; at < queue.length; at++) {
      const n = queue[at]!
      waiting[n] = 0
      if (!this.improve(n)) continue
      const c = problem.classOfNode[n]!
      for (let k = problem.firstUse[c]!; k < problem.firstUse[c + 1]!; k++) {
        const user = problem.uses[k]!
        if (waiting[user] === 1) continue
        waiting[user] = 1
        queue.push(user)
      }
    }
    return this.choice
  }

  /** Makes `n` its class's choice if that lowers the class's cost. */
  private improve(n: number): boolean {
    const c = this.problem.classOfNode[n]!
    const total = this.totalOf(n)
    if (!(total < this.total[c]!) || this.closesCycle(n)) return false
    this.total[c] = total
    this.choice[c] = n
    this.members.push(c)
    this.sets[c] = Int32Array.from(this.members)
    return true
  }

  /** Cost of the node and all its children need, each class once; leaves those classes in `members`. */
  private totalOf(n: number): number {
    const { problem, seen, members } = this
    const c = problem.classOfNode[n]!
    const stamp = ++this.stamp
    members.length = 0
    let total = problem.cost[n]!
    for (let k = problem.firstChild[n]!; k < problem.firstChild[n + 1]!; k++) {
      const set = this.sets[problem.children[k]!]
      if (set === null || set === undefined) return Number.POSITIVE_INFINITY
      for (let i = 0; i < set.length; i++) {
        const member = set[i]!
        if (member === c) return Number.POSITIVE_INFINITY
        if (seen[member] === stamp) continue
        seen[member] = stamp
        members.push(member)
        total += problem.cost[this.choice[member]!]!
        if (!(total < this.total[c]!)) return Number.POSITIVE_INFINITY
      }
    }
    return total
  }

  /** True if the present choices lead from the node's children to its own class. */
  private closesCycle(n: number): boolean {
    const { problem, seen } = this
    const c = problem.classOfNode[n]!
    const stamp = ++this.stamp
    const stack: number[] = []
    const visit = (m: number): boolean => {
      for (let k = problem.firstChild[m]!; k < problem.firstChild[m + 1]!; k++) {
        const child = problem.children[k]!
        if (child === c) return true
        if (seen[child] === stamp) continue
        seen[child] = stamp
        stack.push(child)
      }
      return false
    }
    if (visit(n)) return true
    for (let child = stack.pop(); child !== undefined; child = stack.pop()) if (visit(this.choice[child]!)) return true
    return false
  }
}
