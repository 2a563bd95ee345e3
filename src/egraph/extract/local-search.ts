// Local search on a selection, by true DAG cost. Three moves: choose another node in one class; drop a class together with
// everything only it needs, then rebuild it along the cheapest tree over what remains (ruin and recreate); pay for a class
// in advance and let its possible users adopt it. Reference counts make a move cost what it changes, not what is there.
//
// Invariant: the choices of all classes, needed or not, are acyclic. Changing one class's choice can only close a cycle
// through that class, so one search from its new children decides.
import type { Random } from '../../base/random.ts'
import type { Problem } from './problem.ts'
import { Region } from './region.ts'
import { type Extraction, toExtraction } from './selection.ts'
import { TreeSearch } from './tree.ts'

export interface LocalSearchOptions {
  readonly random: Random
  /** Moves tried, of either kind; default 200,000. */
  readonly moveLimit?: number
  /** Default 1000. */
  readonly timeLimitMs?: number
  /** Ruin-and-recreate rounds without improvement after which it gives up; default 100, and 1 per class that could change. */
  readonly patience?: number
  /** Default `performance.now`. */
  readonly clock?: () => number
}

/** Improves a selection until no single swap helps and patience, time or moves run out. Never returns a worse one. */
export function improveLocally(problem: Problem, start: Int32Array, options: LocalSearchOptions): Extraction {
  return toExtraction(problem, new LocalSearch(problem, start, options).run())
}

/** Smaller relative gains are rounding. */
const EPSILON = 1e-12
/** Most classes that one ruin drops beside the one in question, drawn anew each time: near the outputs of a deep graph a class alone needs
 * most of the graph, and small moves improve the rest of it as well. */
const RUIN_SIZES = [8, 16, 32, 64, 128, Number.POSITIVE_INFINITY]
/** Classes that rebuilding looks at, for each that may be dropped. */
const REGION_FACTOR = 4
/** Moves between two looks at the clock. */
const CLOCK_STRIDE = 32

class LocalSearch {
  private readonly problem: Problem
  private readonly options: LocalSearchOptions
  /** Of all classes; the needed ones are those with references. */
  private readonly choice: Int32Array
  private readonly references: Int32Array
  private readonly tree: TreeSearch
  private readonly region: Region
  private readonly free: Uint8Array
  private readonly seen: Int32Array
  private stamp = 0
  private cost = 0
  private moves = 0
  private readonly deadline: number
  private readonly clock: () => number
  private readonly stack: number[] = []

  constructor(problem: Problem, start: Int32Array, options: LocalSearchOptions) {
    this.problem = problem
    this.options = options
    this.clock = options.clock ?? (() => performance.now())
    this.deadline = this.clock() + (options.timeLimitMs ?? 1000)
    this.choice = start.slice()
    this.references = new Int32Array(problem.classCount)
    this.tree = new TreeSearch(problem)
    this.region = new Region(problem, this.references)
    this.free = new Uint8Array(problem.classCount)
    this.seen = new Int32Array(problem.classCount)
    for (const root of problem.roots) this.retain(root)
  }

  run(): Int32Array {
    this.refreshDefaults()
    this.swapUntilStuck()
    while (!this.exhausted() && this.recreateWhileItHelps()) {
      this.refreshDefaults()
      this.swapUntilStuck()
    }
    return this.choice
  }

  /** Ruins and recreates until `patience` rounds in a row gained nothing. Returns true if any gained. */
  private recreateWhileItHelps(): boolean {
    const { random } = this.options
    const needed = this.neededClasses()
    const shareable = this.shareableClasses()
    const patience = this.options.patience ?? 100 + needed.length + shareable.length
    const before = this.cost
    let best = before
    for (let idle = 0; idle < patience && !this.exhausted(); idle++) {
      if (random.below(needed.length + shareable.length) < needed.length) this.recreate(random.pick(needed))
      else this.include(random.pick(shareable))
      if (!this.isLess(this.cost, best)) continue
      best = this.cost
      idle = 0
    }
    return this.isLess(this.cost, before)
  }

  private neededClasses(): number[] {
    const { firstNode, classCount } = this.problem
    const all = Array.from({ length: classCount }, (_, c) => c).filter((c) => this.references[c]! > 0)
    const open = all.filter((c) => firstNode[c + 1]! - firstNode[c]! > 1)
    return open.length > 0 ? open : all
  }

  private exhausted(): boolean {
    const { moveLimit = 200_000 } = this.options
    return this.moves >= moveLimit || (this.moves % CLOCK_STRIDE === 0 && this.clock() > this.deadline)
  }

  private isLess(a: number, b: number): boolean {
    return a < b - EPSILON * Math.abs(b)
  }

  /** Gives the classes that are not needed the cheapest trees over those that are; sums the cost afresh. */
  private refreshDefaults(): void {
    const { problem, references, choice, free, tree } = this
    this.cost = 0
    for (let c = 0; c < problem.classCount; c++) {
      free[c] = references[c]! > 0 ? 1 : 0
      if (free[c] === 1) this.cost += problem.cost[choice[c]!]!
    }
    tree.run(problem.cost, free)
    for (let c = 0; c < problem.classCount; c++) if (free[c] === 0) choice[c] = tree.choice[c]!
  }

  // --- ruin and recreate ---

  /** Drops what only `c` needs, or the nearest of it, and rebuilds `c`; keeps the result unless it costs more. */
  private recreate(c: number): void {
    this.moves++
    if (this.references[c] === 0) return
    const { choice, problem } = this
    const before = this.cost
    const old = choice[c]!
    const size = this.options.random.pick(RUIN_SIZES)
    const kept = this.releaseNear(old, size)
    this.cost -= problem.cost[old]!
    const found = this.region.rebuild(c, choice, this.noisyCost(), REGION_FACTOR * size)
    const settled = found ? this.region.settled : []
    const previous = settled.map((x) => choice[x]!)
    for (const x of settled) choice[x] = this.region.choice[x]!
    this.cost += problem.cost[choice[c]!]!
    this.retainChildren(choice[c]!)
    for (const x of kept) this.release(x)
    if (this.cost <= before) return
    this.releaseChildren(choice[c]!)
    settled.forEach((x, i) => {
      choice[x] = previous[i]!
    })
    this.retainChildren(old)
    this.cost = before
  }

  /** Half the time the true costs, half the time costs with noise of a random strength. */
  private noisyCost(): (n: number) => number {
    const { random } = this.options
    const { cost } = this.problem
    if (random.next() < 0.5) return (n) => cost[n]!
    const sigma = random.next()
    return (n) => cost[n]! * Math.exp(sigma * random.normal())
  }

  // --- inclusion ---

  /** Classes not needed that at least two needed classes could use: dear for one of them alone, cheap once shared. */
  private shareableClasses(): number[] {
    const { classCount } = this.problem
    return Array.from({ length: classCount }, (_, d) => d).filter(
      (d) => this.references[d] === 0 && this.neededUsers(d).length > 1,
    )
  }

  private neededUsers(d: number): number[] {
    const { firstUse, uses, classOfNode } = this.problem
    const stamp = ++this.stamp
    const users: number[] = []
    for (let k = firstUse[d]!; k < firstUse[d + 1]!; k++) {
      const c = classOfNode[uses[k]!]!
      if (this.references[c] === 0 || this.seen[c] === stamp) continue
      this.seen[c] = stamp
      users.push(c)
    }
    return users
  }

  /** Pays for class `d` in advance, lets its possible users swap, and keeps the result unless it costs more. */
  private include(d: number): void {
    this.moves++
    if (this.references[d]! > 0) return
    const before = this.cost
    const users = this.neededUsers(d)
    const previous = users.map((c) => this.choice[c]!)
    this.retain(d)
    for (const c of users) this.swapBest(c)
    this.release(d)
    if (this.cost <= before) return
    this.retain(d)
    for (let i = users.length - 1; i >= 0; i--)
      if (this.choice[users[i]!] !== previous[i]) this.replace(users[i]!, previous[i]!)
    this.release(d)
    this.cost = before
  }

  // --- swaps ---

  private swapUntilStuck(): void {
    for (let improved = true; improved; ) {
      improved = false
      for (let c = 0; c < this.problem.classCount; c++) {
        if (this.references[c] === 0) continue
        if (this.exhausted()) return
        if (this.swapBest(c)) improved = true
      }
      if (improved) this.refreshDefaults()
    }
  }

  /** Gives the class the node with which the whole costs least. Returns false if that is the one it has. */
  private swapBest(c: number): boolean {
    const { firstNode } = this.problem
    let improved = false
    for (let m = firstNode[c]!; m < firstNode[c + 1]!; m++) {
      const n = this.choice[c]!
      if (m === n || this.references[c] === 0) continue
      this.moves++
      const before = this.cost
      this.replace(c, m)
      if (this.isLess(this.cost, before) && !this.reaches(m, c)) improved = true
      else {
        this.replace(c, n)
        this.cost = before
      }
    }
    return improved
  }

  /** Makes `m` the choice of the needed class `c`, whatever that closes. */
  private replace(c: number, m: number): void {
    const n = this.choice[c]!
    this.choice[c] = m
    this.cost += this.problem.cost[m]! - this.problem.cost[n]!
    this.retainChildren(m)
    this.releaseChildren(n)
  }

  /** True if the choices lead from the node's children to class `c`. */
  private reaches(n: number, c: number): boolean {
    const { problem, seen, stack, choice } = this
    const stamp = ++this.stamp
    stack.push(n)
    while (stack.length > 0) {
      const m = stack.pop()!
      for (let k = problem.firstChild[m]!; k < problem.firstChild[m + 1]!; k++) {
        const child = problem.children[k]!
        if (child === c) {
          stack.length = 0
          return true
        }
        if (seen[child] === stamp) continue
        seen[child] = stamp
        stack.push(choice[child]!)
      }
    }
    return false
  }

  // --- reference counts ---

  private retain(c: number): void {
    this.stack.push(c)
    this.drainRetains()
  }

  private retainChildren(n: number): void {
    const { firstChild, children } = this.problem
    for (let k = firstChild[n]!; k < firstChild[n + 1]!; k++) this.stack.push(children[k]!)
    this.drainRetains()
  }

  private drainRetains(): void {
    const { problem, stack, references, choice } = this
    while (stack.length > 0) {
      const c = stack.pop()!
      if (references[c]!++ > 0) continue
      const n = choice[c]!
      this.cost += problem.cost[n]!
      for (let k = problem.firstChild[n]!; k < problem.firstChild[n + 1]!; k++) stack.push(problem.children[k]!)
    }
  }

  private release(c: number): void {
    this.stack.push(c)
    this.drainReleases()
  }

  private releaseChildren(n: number): void {
    const { firstChild, children } = this.problem
    for (let k = firstChild[n]!; k < firstChild[n + 1]!; k++) this.stack.push(children[k]!)
    this.drainReleases()
  }

  /** Releases the node's children and at most `most` classes that only they need, the nearest first. Returns the classes at
   * which it stopped: they hold a reference more than they should. */
  private releaseNear(n: number, most: number): number[] {
    const { problem, references, choice } = this
    const queue = [n]
    const kept: number[] = []
    let freed = 0
    for (let at = 0; at < queue.length; at++) {
      const m = queue[at]!
      for (let k = problem.firstChild[m]!; k < problem.firstChild[m + 1]!; k++) {
        const child = problem.children[k]!
        if (--references[child]! > 0) continue
        if (freed === most) {
          references[child] = 1
          kept.push(child)
          continue
        }
        freed++
        this.cost -= problem.cost[choice[child]!]!
        queue.push(choice[child]!)
      }
    }
    return kept
  }

  private drainReleases(): void {
    const { problem, stack, references, choice } = this
    while (stack.length > 0) {
      const c = stack.pop()!
      if (--references[c]! > 0) continue
      const m = choice[c]!
      this.cost -= problem.cost[m]!
      for (let k = problem.firstChild[m]!; k < problem.firstChild[m + 1]!; k++) stack.push(problem.children[k]!)
    }
  }
}
