// The table of extraction algorithms: what each claims, and one way to call them all. A claim is checked against every
// other row by the tests: nobody beats a claimed optimum.
import { createRandom } from '../../base/random.ts'
import { extractBest } from './distinct.ts'
import { extractExact } from './exact.ts'
import { extractGreedyDag } from './greedy-dag.ts'
import { improveLocally } from './local-search.ts'
import { extractPerturbed } from './perturb.ts'
import type { Problem } from './problem.ts'
import type { Extraction } from './selection.ts'
import { extractTree } from './tree.ts'

export { type DistinctOptions, extractBest, kDistinct } from './distinct.ts'
export { type ExactOptions, extractExact } from './exact.ts'
export { extractGreedyDag } from './greedy-dag.ts'
export { improveLocally, type LocalSearchOptions } from './local-search.ts'
export { extractPerturbed, type PerturbOptions } from './perturb.ts'
export { createProblem, type Problem } from './problem.ts'
export { type Extraction, selectionOf } from './selection.ts'
export { extractTree, treeCost } from './tree.ts'

/** What an algorithm promises of its result; every result is a sound selection besides. */
export type Claim =
  | { readonly optimum: 'tree'; readonly note: string }
  | { readonly optimum: 'dag-if-proved'; readonly note: string }
  | { readonly optimum: 'none'; readonly note: string }

export interface Extractor {
  readonly name: string
  readonly claim: Claim
  extract(problem: Problem, seed: number, timeLimitMs: number): Extraction | Promise<Extraction>
}

export const EXTRACTORS: readonly Extractor[] = [
  {
    name: 'tree',
    claim: { optimum: 'tree', note: 'least tree cost of every class (Knuth); DAG cost not optimal' },
    extract: (problem) => extractTree(problem),
  },
  {
    name: 'greedy-dag',
    claim: { optimum: 'none', note: 'sees sharing inside a class only' },
    extract: (problem) => extractGreedyDag(problem),
  },
  {
    name: 'perturb',
    claim: { optimum: 'none', note: 'at most the DAG cost of tree' },
    extract: (problem, seed) => extractPerturbed(problem, { random: createRandom(seed) }),
  },
  {
    name: 'local-search',
    claim: { optimum: 'none', note: 'at most the DAG cost of its start, here tree; no swap of one node improves it' },
    extract: (problem, seed, timeLimitMs) =>
      improveLocally(problem, extractTree(problem).chosen, { random: createRandom(seed), timeLimitMs }),
  },
  {
    name: 'best',
    claim: { optimum: 'none', note: 'local search from several starts; the workhorse' },
    extract: (problem, seed, timeLimitMs) =>
      extractBest(problem, { random: createRandom(seed), start: extractTree(problem).chosen, timeLimitMs }),
  },
  {
    name: 'exact',
    claim: { optimum: 'dag-if-proved', note: 'least DAG cost where provedOptimal, else a bound' },
    extract: (problem, seed, timeLimitMs) => extractExact(problem, { seed, timeLimitMs }),
  },
]
