// Nodes that the exact solver need not look at: those for which another node of the class is never worse, and those in no
// answer as cheap as one already known.
import type { Problem } from './problem.ts'
import { Required } from './required.ts'

/** Keeps what costs as much as the known answer up to rounding. */
const SLACK = 1e-9
const MAX_ROUNDS = 4

export interface Pruned {
  /** 1: still to be considered. Some answer as cheap as the best one consists of these alone. */
  readonly alive: Uint8Array
  /** For a dominated node the one that is never worse; for every other node itself. */
  readonly instead: Int32Array
  readonly required: Required
}

/** Prunes below `knownCost`, the cost of an answer in hand. */
export function prune(problem: Problem, knownCost: number): Pruned {
  const alive = new Uint8Array(problem.nodeCount).fill(1)
  const instead = Int32Array.from({ length: problem.nodeCount }, (_, n) => n)
  dropDominated(problem, alive, instead)
  let required = new Required(problem, alive)
  for (let round = 0; round < MAX_ROUNDS && dropTooDear(problem, alive, required, knownCost); round++)
    required = new Required(problem, alive)
  return { alive, instead, required }
}

function dropDominated(problem: Problem, alive: Uint8Array, instead: Int32Array): void {
  for (let c = 0; c < problem.classCount; c++)
    for (let n = problem.firstNode[c]!; n < problem.firstNode[c + 1]!; n++) {
      const better = dominator(problem, c, n, alive)
      if (better < 0) continue
      alive[n] = 0
      instead[n] = better
    }
  for (let n = 0; n < problem.nodeCount; n++) while (alive[instead[n]!] === 0) instead[n] = instead[instead[n]!]!
}

function dominator(problem: Problem, c: number, n: number, alive: Uint8Array): number {
  const { firstChild, children, cost } = problem
  const own = new Set(children.subarray(firstChild[n]!, firstChild[n + 1]!))
  for (let m = problem.firstNode[c]!; m < problem.firstNode[c + 1]!; m++) {
    if (m === n || alive[m] === 0 || cost[m]! > cost[n]!) continue
    if (children.subarray(firstChild[m]!, firstChild[m + 1]!).every((child) => own.has(child))) return m
  }
  return -1
}

function dropTooDear(problem: Problem, alive: Uint8Array, required: Required, knownCost: number): boolean {
  const limit = knownCost * (1 + SLACK)
  let dropped = false
  for (let n = 0; n < problem.nodeCount; n++) {
    if (alive[n] === 0 || required.boundWith(n) <= limit) continue
    alive[n] = 0
    dropped = true
  }
  return dropped
}
