// k different selections of one e-graph, the given one always first: perturbed extractions and local search from several
// starts. Different means: the sets of chosen nodes differ.
import type { Random } from '../../base/random.ts'
import { drain } from '../../base/steps.ts'
import { improveLocally } from './local-search.ts'
import { Perturbation } from './perturb.ts'
import type { Problem } from './problem.ts'
import { type Extraction, neededPart, selectionCost, toExtraction } from './selection.ts'

export interface DistinctOptions {
  readonly random: Random
  /** How many, the given one included. Fewer come back if the e-graph has no more or time runs out. */
  readonly count: number
  /** The original program; always part of the answer, and one of the starts. */
  readonly start: Int32Array
  /** Starts of local search besides the given one; default 12. */
  readonly starts?: number
  /** Searches more, from the best found, each at costs that are a little off: programs as good as it for whoever prices differently.
   * Default 0. */
  readonly neighbours?: number
  /** For everything together; default 2000. */
  readonly timeLimitMs?: number
  /** Spreads of perturbation to cycle through; small ones stay near the best, large ones give extreme variants. */
  readonly sigmas?: readonly number[]
  /** Default `performance.now`. */
  readonly clock?: () => number
}

const DEFAULT_SIGMAS = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]
/** Part of the time for local search; the rest fills up with perturbations. */
const SEARCH_SHARE = 0.8
/** Starts in a row without such a relative gain, after which the others are left out where there are programs enough: of 50 networks
 * one gained more later, and it 0.07 %. */
const IDLE_STARTS = 5
const START_GAIN = 0.001
/** Perturbations in a row that brought nothing new, after which the e-graph counts as exhausted. */
const MAX_IDLE_TRIES = 200

/**
 * Up to `count` different selections: the given one first, the others by cost. Cheap ones come from local search, the
 * rest from perturbation at growing spread, so bad ones are among them on purpose (a ranking model needs to see some).
 */
export function kDistinct(problem: Problem, options: DistinctOptions): Extraction[] {
  return drain(kDistinctInSteps(problem, options))
}

/** The same, pausing after each search. */
export function* kDistinctInSteps(problem: Problem, options: DistinctOptions): Generator<void, Extraction[]> {
  const pool = new Pool(problem)
  const original = neededPart(problem, options.start)
  pool.add(original)
  const { timeLimitMs = 2000, clock = () => performance.now() } = options
  const deadline = clock() + timeLimitMs
  yield* searchFromStarts(problem, original, { ...options, clock, timeLimitMs: timeLimitMs * SEARCH_SHARE }, pool)
  perturbUntilFull(problem, options, pool, () => clock() < deadline)
  const [first, ...others] = pool.selections
  return [first!, ...cheapest(others, options.count - 1, problem)].map((chosen) => toExtraction(problem, chosen))
}

/** The best of `kDistinct`: local search from the original and from perturbed starts. */
export function extractBest(problem: Problem, options: Omit<DistinctOptions, 'count'>): Extraction {
  const pool = new Pool(problem)
  const original = neededPart(problem, options.start)
  pool.add(original)
  drain(searchFromStarts(problem, original, options, pool))
  return toExtraction(problem, cheapest(pool.selections, 1, problem)[0]!)
}

function* searchFromStarts(
  problem: Problem,
  original: Int32Array,
  options: Omit<DistinctOptions, 'count'> & { readonly count?: number },
  pool: Pool,
): Generator<void, void> {
  const { random, starts = 12, timeLimitMs = 2000, clock = () => performance.now(), count = 1 } = options
  const deadline = clock() + timeLimitMs
  const source = new Perturbation(problem)
  const startOf = (i: number) => (i === 0 ? original : source.next(random, i === 1 ? 0 : startSigma(i)))
  let [lowest, idle] = [Number.POSITIVE_INFINITY, 0]
  for (let i = 0; i <= starts && (idle < IDLE_STARTS || pool.selections.length < count); i++) {
    const left = deadline - clock()
    if (left <= 0) return
    const start = startOf(i)
    pool.add(start)
    const share = Math.max(left / 3, left / (starts + 1 - i))
    const { chosen, cost } = improveLocally(problem, start, { random, timeLimitMs: share, clock })
    pool.add(chosen)
    idle = cost < lowest * (1 - START_GAIN) ? 0 : idle + 1
    lowest = Math.min(lowest, cost)
    yield
  }
  const [best] = cheapest(pool.selections, 1, problem)
  for (let i = 0; i < (options.neighbours ?? 0) && clock() < deadline; i++) {
    const search = { random, timeLimitMs: deadline - clock(), clock }
    pool.add(improveLocally(nearly(problem, random), best!, search).chosen)
    yield
  }
}

/** By how much the costs of neighbours are off. */
const NEIGHBOUR_SIGMA = 0.1

const nearly = (problem: Problem, random: Random): Problem => ({
  ...problem,
  cost: problem.cost.map((c) => c * Math.exp(NEIGHBOUR_SIGMA * random.normal())),
})

function startSigma(i: number): number {
  return DEFAULT_SIGMAS[(i - 2) % DEFAULT_SIGMAS.length]!
}

function perturbUntilFull(problem: Problem, options: DistinctOptions, pool: Pool, hasTime: () => boolean): void {
  const { random, count, sigmas = DEFAULT_SIGMAS } = options
  const source = new Perturbation(problem)
  for (let i = 0, idle = 0; pool.selections.length < count && idle < MAX_IDLE_TRIES && hasTime(); i++)
    idle = pool.add(source.next(random, sigmas[i % sigmas.length]!)) ? 0 : idle + 1
}

/** Selections without repetition. */
class Pool {
  readonly selections: Int32Array[] = []
  private readonly problem: Problem
  private readonly known = new Set<string>()

  constructor(problem: Problem) {
    this.problem = problem
  }

  /** Returns false if an equal selection is there already. */
  add(chosen: Int32Array): boolean {
    const key = this.keyOf(chosen)
    if (this.known.has(key)) return false
    this.known.add(key)
    this.selections.push(chosen)
    return true
  }

  /** Two independent 32-bit hashes and the number of chosen nodes. */
  private keyOf(chosen: Int32Array): string {
    let [a, b, used] = [0x811c9dc5, 0x9e3779b9, 0]
    for (let c = 0; c < this.problem.classCount; c++) {
      if (chosen[c]! < 0) continue
      used++
      a = Math.imul(a ^ chosen[c]!, 0x01000193)
      a ^= a >>> 15
      b = Math.imul(b + chosen[c]!, 0x85ebca6b)
      b ^= b >>> 13
    }
    return `${used}:${a >>> 0}:${b >>> 0}`
  }
}

function cheapest(selections: readonly Int32Array[], count: number, problem: Problem): Int32Array[] {
  return selections
    .map((chosen) => ({ chosen, cost: selectionCost(problem, chosen) }))
    .sort((x, y) => x.cost - y.cost)
    .slice(0, Math.max(count, 0))
    .map(({ chosen }) => chosen)
}
