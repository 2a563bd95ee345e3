// How much the runtime's own optimisation errs near an input. An output of few numbers may agree by chance on the one input that
// was asked, and then says nothing of what rounding does there: a detector of speech whose one number, a probability of 0.0007,
// errs by 1e-4 on most quiet signals had no error at all on one of them.
import { createRandom, type Random } from '../base/random.ts'
import { isFloat } from '../ir/dtype.ts'
import { fromNdArray, type Tensor, toNdArray } from '../ir/tensor.ts'
import type { Feeds, Session } from '../runtime/index.ts'
import { outputErrors } from './compare-outputs.ts'
import type { InputSet } from './inputs.ts'

/** Inputs that are asked, and how far each number may be from the given one, as a part of it. */
const DRAWS = 8
const DISTANCE = 1e-3
const SEED = 1

export class Nearby {
  private readonly open: () => Promise<readonly [oracle: Session, optimised: Session] | null>
  private sessions: Promise<readonly [Session, Session] | null> | null = null
  private readonly known = new Map<InputSet, Promise<ReadonlyMap<string, number> | null>>()

  constructor(open: () => Promise<readonly [oracle: Session, optimised: Session] | null>) {
    this.open = open
  }

  /** The largest error of each output, relative to its scale; null where the original does not run. */
  errors(set: InputSet, scale: (output: string) => number): Promise<ReadonlyMap<string, number> | null> {
    const known = this.known.get(set) ?? this.measure(set, scale)
    this.known.set(set, known)
    return known
  }

  private async measure(set: InputSet, scale: (output: string) => number): Promise<ReadonlyMap<string, number> | null> {
    this.sessions ??= this.open()
    const sessions = await this.sessions
    if (sessions === null) return null
    const random = createRandom(SEED)
    const worst = new Map<string, number>()
    for (let i = 0; i < DRAWS; i++) {
      const feeds = moved(set.feeds, random)
      const [oracle, optimised] = [await sessions[0].run(feeds), await sessions[1].run(feeds)]
      if (!oracle.ok || !optimised.ok) return null
      for (const [name, { maxRel }] of outputErrors(oracle.value, optimised.value, scale))
        if (Number.isFinite(maxRel)) worst.set(name, Math.max(maxRel, worst.get(name) ?? 0))
    }
    return worst
  }
}

const moved = (feeds: Feeds, random: Random): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, isFloat(t.dtype) ? movedTensor(t, random) : t]))

function movedTensor(t: Tensor, random: Random): Tensor {
  const { dtype, shape, data } = toNdArray(t)
  return fromNdArray({ dtype, shape, data: data.map((x) => x * (1 + DISTANCE * (2 * random.next() - 1))) })
}
