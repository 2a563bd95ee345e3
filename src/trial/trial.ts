// What is on trial: candidates for one model, best ranked first, on one device.

import { UserError } from '../base/errors.ts'
import type { Talk } from '../base/talk.ts'
import type { Compared, InputSet, Timed } from '../bench/index.ts'
import type { Backend } from '../runtime/index.ts'
import type { Verdict as AnyVerdict } from '../search/choose.ts'
import type { Prepared } from '../search/prepare.ts'
import type { Ranked } from '../search/rank.ts'

/** A variant on disk, compared with the original. */
export type Verified = Compared<Ranked>

export type Verdict = AnyVerdict<Timed>

export interface TrialOptions {
  /** The file of the original, as the user named it. */
  readonly input: string
  readonly threads: number
  readonly seed: number
  /** Seconds for the whole run, about; null: none. */
  readonly timeLimit: number | null
  /** How many variants to measure; 0: none, the prediction decides. */
  readonly measure: number
  readonly objective: 'latency' | 'size'
  /** Largest size of the constants relative to the input's; null: search/growth.ts. */
  readonly maxGrowth: number | null
}

export interface Trial {
  readonly options: TrialOptions
  readonly prepared: Prepared
  readonly device: Backend
  /** What is timed runs on it. */
  readonly input: InputSet
  readonly talk: Talk
}

export const equalOf = (verified: readonly Verified[]): readonly Verified[] =>
  verified.filter((v) => v.verification.passed)

/** The runtime takes the model, but cannot run it. */
export const unrunnable = (where: string, got: string): UserError =>
  new UserError({
    code: 'bad-model',
    where,
    expected: 'a model that the runtime can run',
    got,
    fix: 'check it with `allotrope inspect`, or give sizes with --sample or inputs with --inputs',
  })
