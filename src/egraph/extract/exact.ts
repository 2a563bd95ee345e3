// Exact extraction by the mixed-integer solver HiGHS (WebAssembly), in a worker thread. Starts from the best that local
// search finds, leaves out what cannot beat it, and reports a bound when time runs out.
import { Worker } from 'node:worker_threads'
import { createRandom } from '../../base/random.ts'
import { componentsOf } from './components.ts'
import { createExactModel } from './exact-model.ts'
import type { ExactAnswer, ExactRequest } from './exact-worker.ts'
import { improveLocally } from './local-search.ts'
import type { Problem } from './problem.ts'
import { prune } from './prune.ts'
import { type Extraction, faultOf, neededPart, selectionCost, toExtraction } from './selection.ts'
import { TreeSearch } from './tree.ts'

export interface ExactOptions {
  /** For the solver; default 10,000. Preparation comes on top. */
  readonly timeLimitMs?: number
  /** A selection to start from; default: the cheapest trees. It is improved by local search first. */
  readonly start?: Int32Array
  /** Default 1. */
  readonly seed?: number
}

/** Time that the worker gets beyond its own limit to load, to build the model and to answer. */
const GRACE_MS = 5000
const IMPROVE_MS = 500
const RELATIVE_GAP = 1e-9

/** The cheapest selection, or the best found in time with a bound. Never worse than local search from the same start. */
export async function extractExact(problem: Problem, options: ExactOptions = {}): Promise<Extraction> {
  const { timeLimitMs = 10_000, seed = 1 } = options
  const random = createRandom(seed)
  const start = improveLocally(problem, options.start ?? treeStart(problem), { random, timeLimitMs: IMPROVE_MS })
  const pruned = prune(problem, start.cost)
  if (isClosed(pruned.required.bound, start.cost)) return toExtraction(problem, start.chosen, start.cost, true)
  const model = createExactModel(problem, pruned, componentsOf(problem, pruned.alive))
  const known = neededPart(
    problem,
    start.chosen.map((n) => (n < 0 ? n : pruned.instead[n]!)),
  )
  const answer = await solve({ mip: model.mip, start: model.toColumns(known), timeLimitMs, seed })
  const best = better(problem, known, answer === null ? null : model.toSelection(answer.values))
  const cost = selectionCost(problem, best)
  const bound = Math.max(answer?.bound ?? 0, pruned.required.bound)
  return toExtraction(problem, best, Math.min(bound, cost), answer?.optimal === true && isClosed(bound, cost))
}

function treeStart(problem: Problem): Int32Array {
  const search = new TreeSearch(problem)
  search.run(problem.cost)
  return neededPart(problem, search.choice)
}

function isClosed(bound: number, cost: number): boolean {
  return bound >= cost - RELATIVE_GAP * Math.max(1, Math.abs(cost))
}

/** The solver's selection if it is sound and cheaper. Levels are real numbers: a cycle within tolerance is possible. */
function better(problem: Problem, known: Int32Array, found: Int32Array | null): Int32Array {
  if (found === null || faultOf(problem, found) !== null) return known
  const needed = neededPart(problem, found)
  return selectionCost(problem, needed) < selectionCost(problem, known) ? needed : known
}

/** The worker's answer; null if it did not answer in time. */
async function solve(request: ExactRequest): Promise<ExactAnswer | null> {
  const worker = startWorker(request)
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<ExactAnswer | null>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => resolve(null))
      timer = setTimeout(() => resolve(null), request.timeLimitMs + GRACE_MS)
    })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

/**
 * The worker beside this file. As TypeScript it needs tsx where Node does not strip types itself, and there `--import tsx`
 * does not reach worker threads, so a line of plain JavaScript registers it inside.
 */
function startWorker(workerData: ExactRequest): Worker {
  const isSource = import.meta.url.endsWith('.ts')
  const url = new URL(isSource ? './exact-worker.ts' : './exact-worker.js', import.meta.url)
  if (!isSource || 'typescript' in process.features) return new Worker(url, { workerData, execArgv: [] })
  const tsx = import.meta.resolve('tsx/esm/api')
  const code = `import(${JSON.stringify(tsx)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(url.href)}) })`
  return new Worker(code, { eval: true, workerData, execArgv: [] })
}
