// The programs of a root for a dataset: the original and what was drawn, each lowered by the runtime without being run; one per
// lowered program, written to disk.
import { join } from 'node:path'
import { UserError } from '../base/errors.ts'
import type { CostModel, KernelTable } from '../cost/index.ts'
import { type Model, writeModelFile } from '../onnx/index.ts'
import { type Explored, explore } from '../rewrite/explore.ts'
import { type Backend, blockSizeOf, loweredHash } from '../runtime/index.ts'
import { drawCandidates, type PlannedCandidate } from './draw.ts'
import type { LoadedRoot } from './roots.ts'

export interface Program {
  readonly id: string
  /** 'original', a fixed plan, or empty. */
  readonly plan: string
  readonly rules: ReadonlyMap<string, number>
  readonly model: Model
  readonly path: string
  readonly kernels: KernelTable
  /** What programs share that lower to the same kernels. */
  readonly hash: string
}

export interface DrawOptions {
  /** Programs wanted, the original among them. */
  readonly count: number
  readonly seed: number
  /** Steers which are drawn. */
  readonly cost: CostModel
  /** Where the model files go. */
  readonly folder: string
}

export interface DrawnPrograms {
  /** The original first. */
  readonly programs: readonly Program[]
  readonly explored: Explored
  /** Candidates that lower to the kernels of another, or that the runtime refuses. */
  readonly skipped: number
}

const SEARCH_LIMITS = { iterationLimit: 20, nodeLimit: 20_000, timeLimitMs: 15_000 }

export async function drawPrograms(loaded: LoadedRoot, backend: Backend, options: DrawOptions): Promise<DrawnPrograms> {
  const { prepared } = loaded
  const explored = explore(prepared.graph, { ...SEARCH_LIMITS, blockSize: await blockSizeOf(backend) })
  const { cost, count, seed } = options
  const candidates = drawCandidates(explored, prepared.graph, cost, prepared.bindings, count * 2, seed)
  const programs = await lowerDistinct(loaded, candidates, backend, options)
  return { programs, explored, skipped: candidates.length + 1 - programs.length }
}

async function lowerDistinct(
  { prepared, root }: LoadedRoot,
  candidates: readonly PlannedCandidate[],
  backend: Backend,
  options: DrawOptions,
): Promise<Program[]> {
  const all = [
    { plan: 'original', rules: new Map<string, number>(), model: prepared.original },
    ...candidates.map((c) => ({ plan: c.plan, rules: c.rules, model: prepared.wrap(c.graph) })),
  ]
  const programs = new Map<string, Program>()
  for (const [i, c] of all.entries()) {
    if (programs.size === options.count) break
    const outcome = await backend.lower(c.model, prepared.shapes)
    if (!outcome.ok && i === 0) throw cannotLoad(root.name, outcome.reason)
    const hash = outcome.ok ? loweredHash(outcome.value) : ''
    if (!outcome.ok || programs.has(hash)) continue
    const path = join(options.folder, `${programs.size}.onnx`)
    writeModelFile(path, c.model, { force: true })
    programs.set(hash, { ...c, id: `${root.id}#${i}`, path, kernels: outcome.value, hash })
  }
  return [...programs.values()]
}

const cannotLoad = (where: string, got: string): UserError =>
  new UserError({
    code: 'bad-model',
    where,
    expected: 'a model that the runtime can load',
    got,
    fix: 'check it with `allotrope inspect`',
  })
