// What every answer must contain. The required classes of class c are those that no acyclic choice of c can do without:
// c itself, and what all of its nodes require. Greatest fixpoint over bit sets. From them come a lower bound on the cost,
// and the nodes that no answer below a known cost can use.
import type { Problem } from './problem.ts'

/** Above this many classes the bit sets would take too much memory (n * n / 8 bytes), and nothing is required. */
const MAX_CLASSES = 30_000

export class Required {
  private readonly problem: Problem
  private readonly words: number
  private readonly sets: Int32Array
  private readonly cheapest: Float64Array
  /** Of all roots together. */
  private readonly always: Int32Array
  /** No answer costs less: the required classes at their cheapest nodes. */
  readonly bound: number

  /** Nodes marked 0 in `alive` are taken as absent. */
  constructor(problem: Problem, alive: Uint8Array) {
    this.problem = problem
    this.words = problem.classCount > MAX_CLASSES ? 0 : (problem.classCount + 31) >> 5
    this.sets = new Int32Array(problem.classCount * this.words).fill(-1)
    this.cheapest = cheapestNodes(problem, alive)
    if (this.words > 0) this.shrink(alive)
    this.always = new Int32Array(this.words)
    for (const root of problem.roots) this.unite(this.always, root)
    this.bound = this.sum(this.always)
  }

  /** True if every answer contains the class. */
  isAlwaysNeeded(c: number): boolean {
    return this.words > 0 && (this.always[c >> 5]! & (1 << (c & 31))) !== 0
  }

  /** No answer that contains node `n` costs less. */
  boundWith(n: number): number {
    const c = this.problem.classOfNode[n]!
    const set = this.always.slice()
    if (this.words > 0) {
      this.unite(set, c)
      this.eachChild(n, (child) => this.unite(set, child))
    }
    const whole = this.words > 0 ? this.sum(set) : this.cheapest[c]!
    return whole - this.cheapest[c]! + this.problem.cost[n]!
  }

  private shrink(alive: Uint8Array): void {
    const { problem } = this
    const waiting = new Uint8Array(problem.classCount).fill(1)
    const queue = Array.from({ length: problem.classCount }, (_, i) => problem.classCount - 1 - i)
    for (let at = 0; at < queue.length; at++) {
      const c = queue[at]!
      waiting[c] = 0
      if (!this.shrinkClass(c, alive)) continue
      for (let k = problem.firstUse[c]!; k < problem.firstUse[c + 1]!; k++) {
        const user = problem.classOfNode[problem.uses[k]!]!
        if (waiting[user] === 1) continue
        waiting[user] = 1
        queue.push(user)
      }
    }
  }

  /** Returns true if the class's set lost members. */
  private shrinkClass(c: number, alive: Uint8Array): boolean {
    const { problem, words } = this
    const all = new Int32Array(words).fill(-1)
    const one = new Int32Array(words)
    for (let n = problem.firstNode[c]!; n < problem.firstNode[c + 1]!; n++) {
      if (alive[n] === 0) continue
      one.fill(0)
      this.eachChild(n, (child) => this.unite(one, child))
      for (let w = 0; w < words; w++) all[w]! &= one[w]!
    }
    all[c >> 5]! |= 1 << (c & 31)
    let changed = false
    for (let w = 0; w < words; w++) {
      const at = c * words + w
      const smaller = this.sets[at]! & all[w]!
      if (smaller === this.sets[at]) continue
      this.sets[at] = smaller
      changed = true
    }
    return changed
  }

  private eachChild(n: number, visit: (child: number) => void): void {
    const { firstChild, children } = this.problem
    for (let k = firstChild[n]!; k < firstChild[n + 1]!; k++) visit(children[k]!)
  }

  private unite(set: Int32Array, c: number): void {
    const from = c * this.words
    for (let w = 0; w < this.words; w++) set[w]! |= this.sets[from + w]!
  }

  private sum(set: Int32Array): number {
    let sum = 0
    for (let c = 0; c < this.problem.classCount; c++)
      if ((set[c >> 5]! & (1 << (c & 31))) !== 0) sum += this.cheapest[c]!
    return sum
  }
}

function cheapestNodes(problem: Problem, alive: Uint8Array): Float64Array {
  const out = new Float64Array(problem.classCount).fill(Number.POSITIVE_INFINITY)
  for (let n = 0; n < problem.nodeCount; n++) {
    const c = problem.classOfNode[n]!
    if (alive[n] === 1 && problem.cost[n]! < out[c]!) out[c] = problem.cost[n]!
  }
  return out
}
