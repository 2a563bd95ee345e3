// Sizes of open dimensions at which a model runs. Shape inference cannot tell: a table of positions may be too short for a guess, a
// stack of strided convolutions may need more samples. So the model is asked, before any time is spent on it.
import type { InputShapes } from '../ir/bind.ts'
import type { Graph } from '../ir/graph.ts'
import type { Backend, Outcome } from '../runtime/index.ts'
import { timingInputs } from './input-sets.ts'

interface Sized {
  readonly graph: Graph
  readonly shapes: InputShapes
}

/** The first of these at which the model in the file runs; the reason why the first does not, if none does. */
export async function firstRunnable<S extends Sized>(
  backend: Backend,
  path: string,
  candidates: Iterable<S>,
  options: { readonly seed: number; readonly threads: number },
): Promise<Outcome<S>> {
  const session = await backend.open(path, { threads: options.threads, optimization: 'disabled' })
  if (!session.ok) return session
  let failed: Extract<Outcome<S>, { ok: false }> | null = null
  for (const candidate of candidates) {
    const answer = await session.value.run(timingInputs(candidate.graph, candidate.shapes, options).feeds)
    if (answer.ok) {
      await session.value.close()
      return { ok: true, value: candidate }
    }
    failed ??= answer
    if (answer.kind !== 'error') break // a larger size would not do better
  }
  await session.value.close()
  return failed ?? { ok: false, kind: 'error', reason: 'no sizes to try' }
}
