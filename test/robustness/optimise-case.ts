// A damaged model that still reads goes through the optimiser: searched with small limits, lowered and verified in the runtime.
// The runtime refuses many; what it runs, every program of ours must equal.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inputSets, prepareReference, type Verification, verifyCandidate } from '../../src/bench/index.ts'
import { DTYPES } from '../../src/ir/dtype.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { elementCount, isConcrete, type Shape } from '../../src/ir/shape.ts'
import { toNdArray } from '../../src/ir/tensor.ts'
import { type Model, writeModelFile } from '../../src/onnx/index.ts'
import type { Backend } from '../../src/runtime/index.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { rankCandidates } from '../../src/search/rank.ts'
import { drawPrograms, roofline } from '../conformance/programs.ts'
import { isRefusal } from './read-case.ts'

/** What became of it: programs that equal it, or not closely enough to be offered; none that differs from it once lowered;
 * refused by us, by the runtime; not tried, since it takes seconds to draw or compute tensors so large. */
export type Optimised = 'equal' | 'inexact' | 'unchanged' | 'refused' | 'not runnable' | 'large'

const LIMITS = { iterationLimit: 4, nodeLimit: 500, timeLimitMs: 1000 }
const LARGE_ELEMENTS = 2 ** 20
/** More than float32 loses by another order of sums. */
const WRONG_ABOVE = 1e-3
/** Constants beyond are damaged weights: sums with them cancel or overflow in one order and not in another. */
const EXTREME = 1e6

export interface Workshop {
  readonly backend: Backend
  /** Where models are written, and external data lie. */
  readonly folder: string
}

/** Throws where there is a bug of ours: another error, a program that differs or that the runtime refuses. */
export async function optimiseCase({ backend, folder }: Workshop, model: Model, bytes: Uint8Array): Promise<Optimised> {
  const path = join(folder, 'original.onnx')
  writeFileSync(path, bytes)
  try {
    const prepared = prepareGraph(model, path)
    const { graph } = prepareGraph(model, path, { shapes: prepared.shapes, samples: () => new Map() })
    if (graph.values.some((v) => v.type && isLarge(v.type.shape))) return 'large'
    const sets = inputSets(prepared.graph, prepared.shapes, { seed: 1, kinds: ['structured', 'noise'] })
    const reference = await prepareReference({ oracle: backend, device: backend }, path, sets)
    const programs = drawPrograms(prepared.graph, prepared.bindings, 1, LIMITS)
    const candidates = programs.map((p) => ({ id: p.plan, candidate: p, model: prepared.wrap(p.graph) }))
    const { shapes } = prepared
    const ranking = await rankCandidates(backend, roofline, model, candidates, { shapes })
    if (!reference.ok) return 'not runnable'
    for (const { id, model: program } of ranking.variants) {
      const written = join(folder, 'program.onnx')
      writeModelFile(written, program, { force: true, isDurable: false })
      const verification = await verifyCandidate(reference.value, written)
      if (isWrong(verification, graph)) throw new Error(`${id}: ${verification.reason}`)
      if (!verification.passed) return 'inexact'
    }
    return ranking.variants.length > 0 ? 'equal' : 'unchanged'
  } catch (error) {
    if (isRefusal(error)) return 'refused'
    throw error
  }
}

/** Differs, and not by the rounding of extreme numbers. */
function isWrong({ passed, witness, outputs }: Verification, graph: Graph): boolean {
  if (passed) return false
  if (!witness?.got) return true
  return !holdsExtremes(graph) && outputs.some((o) => o.maxRel > Math.max(WRONG_ABOVE, o.tolerance))
}

const holdsExtremes = ({ initializers }: Graph): boolean =>
  [...initializers.values()].some(
    (t) => DTYPES[t.dtype].kind === 'float' && !toNdArray(t).data.every((x) => Math.abs(x) < EXTREME),
  )

const isLarge = (shape: Shape): boolean => isConcrete(shape) && elementCount(shape) > LARGE_ELEMENTS
