// Perturb and extract: node costs times exp(sigma * normal), cheapest trees at those costs, judged by true DAG cost. Each
// try is a sound selection that no sharing-blind algorithm would find; the main source of different variants.
import type { Random } from '../../base/random.ts'
import type { Problem } from './problem.ts'
import { type Extraction, neededPart, selectionCost, toExtraction } from './selection.ts'
import { TreeSearch } from './tree.ts'

export interface PerturbOptions {
  readonly random: Random
  /** Spread of the logarithm of the factors; default 0.5. */
  readonly sigma?: number
  /** Default 40. */
  readonly tries?: number
}

/** A source of perturbed selections of one problem. `next` returns a fresh array: the part the roots need, -1 elsewhere. */
export class Perturbation {
  private readonly problem: Problem
  private readonly search: TreeSearch
  private readonly cost: Float64Array

  constructor(problem: Problem) {
    this.problem = problem
    this.search = new TreeSearch(problem)
    this.cost = new Float64Array(problem.nodeCount)
  }

  next(random: Random, sigma: number): Int32Array {
    for (let n = 0; n < this.cost.length; n++) this.cost[n] = this.problem.cost[n]! * Math.exp(sigma * random.normal())
    this.search.run(this.cost)
    return neededPart(this.problem, this.search.choice)
  }
}

/** The best of several perturbed extractions; the unperturbed one is among them. */
export function extractPerturbed(problem: Problem, options: PerturbOptions): Extraction {
  const { random, sigma = 0.5, tries = 40 } = options
  const source = new Perturbation(problem)
  let best = source.next(random, 0)
  let bestCost = selectionCost(problem, best)
  for (let i = 0; i < tries; i++) {
    const chosen = source.next(random, sigma)
    const cost = selectionCost(problem, chosen)
    if (cost < bestCost) {
      best = chosen
      bestCost = cost
    }
  }
  return toExtraction(problem, best)
}
