// The cheapest tree of one class over what is there already: needed classes are free, classes that depend on the one in
// question are closed, and only the classes in between are looked at. The rebuilding half of ruin and recreate.
import { Heap } from './heap.ts'
import type { Problem } from './problem.ts'

/** Most classes looked at for one rebuilding. */
const MAX_REGION = 2000

export class Region {
  /** After `rebuild`: classes with a new choice in the order they were settled, the rebuilt class last. */
  readonly settled: number[] = []
  /** After `rebuild`: the chosen node of each class in `settled`. */
  readonly choice: Int32Array
  private readonly problem: Problem
  private readonly references: Int32Array
  private readonly heap = new Heap()
  private readonly members: number[] = []
  /** Stamps: class is in the region; class depends on the one in question; class is settled. */
  private readonly inside: Int32Array
  private readonly above: Int32Array
  private readonly done: Int32Array
  private readonly waiting: Int32Array
  private readonly sum: Float64Array
  private stamp = 0

  /** `references` (0: not needed) is read at each `rebuild`. */
  constructor(problem: Problem, references: Int32Array) {
    this.problem = problem
    this.references = references
    this.choice = new Int32Array(problem.classCount)
    this.inside = new Int32Array(problem.classCount)
    this.above = new Int32Array(problem.classCount)
    this.done = new Int32Array(problem.classCount)
    this.waiting = new Int32Array(problem.nodeCount)
    this.sum = new Float64Array(problem.nodeCount)
  }

  /** Settles `target` and what it takes, at these costs (of a node), among the nearest `size` classes. Returns false if it cannot. */
  rebuild(target: number, current: Int32Array, costOf: (n: number) => number, size: number): boolean {
    this.stamp++
    this.settled.length = 0
    this.closeAbove(target, current)
    this.collect(target, Math.min(size, MAX_REGION))
    this.heap.clear()
    for (const c of this.members) this.prepare(c, costOf)
    while (this.heap.size > 0) {
      const n = this.heap.pop()
      const c = this.problem.classOfNode[n]!
      if (this.done[c] === this.stamp) continue
      this.done[c] = this.stamp
      this.choice[c] = n
      this.settled.push(c)
      if (c === target) return true
      this.spread(c, this.sum[n]!)
    }
    return false
  }

  /** Marks the target and every needed class whose present choice leads to it. */
  private closeAbove(target: number, current: Int32Array): void {
    const { problem, above, stamp } = this
    const stack = [target]
    above[target] = stamp
    for (let c = stack.pop(); c !== undefined; c = stack.pop())
      for (let k = problem.firstUse[c]!; k < problem.firstUse[c + 1]!; k++) {
        const n = problem.uses[k]!
        const up = problem.classOfNode[n]!
        if (above[up] === stamp || this.references[up] === 0 || current[up] !== n) continue
        above[up] = stamp
        stack.push(up)
      }
  }

  /** The target and the classes below it that are not needed now, the nearest first, about `size` of them. */
  private collect(target: number, size: number): void {
    const { problem, members, inside, stamp } = this
    members.length = 0
    members.push(target)
    inside[target] = stamp
    for (let at = 0; at < members.length && members.length < size; at++) {
      const c = members[at]!
      const last = problem.firstChild[problem.firstNode[c + 1]!]!
      for (let k = problem.firstChild[problem.firstNode[c]!]!; k < last; k++) {
        const child = problem.children[k]!
        if (this.references[child]! > 0 || inside[child] === stamp) continue
        inside[child] = stamp
        members.push(child)
      }
    }
  }

  /** Counts, for each node of the class, the children that must be settled first. */
  private prepare(c: number, costOf: (n: number) => number): void {
    const { problem, above, stamp } = this
    for (let n = problem.firstNode[c]!; n < problem.firstNode[c + 1]!; n++) {
      let waiting = 0
      for (let k = problem.firstChild[n]!; k < problem.firstChild[n + 1]! && waiting >= 0; k++) {
        const child = problem.children[k]!
        if (above[child] === stamp) waiting = -1
        else if (this.references[child] === 0) waiting++
      }
      this.waiting[n] = waiting
      this.sum[n] = costOf(n)
      if (waiting === 0) this.heap.push(this.sum[n]!, n)
    }
  }

  private spread(c: number, value: number): void {
    const { problem, inside, stamp } = this
    for (let k = problem.firstUse[c]!; k < problem.firstUse[c + 1]!; k++) {
      const n = problem.uses[k]!
      if (inside[problem.classOfNode[n]!] !== stamp || this.waiting[n]! <= 0) continue
      this.sum[n]! += value
      if (--this.waiting[n]! === 0) this.heap.push(this.sum[n]!, n)
    }
  }
}
