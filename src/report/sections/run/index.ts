// The sections of a run's page, in order. To add one, write a file and a row.
import type { Html } from '../../html.ts'
import type { RunRecord } from '../../record.ts'
import { graphs } from './graphs.ts'
import { kernels } from './kernels.ts'
import { machine } from './machine.ts'
import { misses } from './misses.ts'
import { next } from './next.ts'
import { prediction } from './prediction.ts'
import { rules } from './rules.ts'
import { saturation } from './saturation.ts'
import { steps } from './steps.ts'
import { timing } from './timing.ts'
import { verification } from './verification.ts'
import { warnings } from './warnings.ts'

/** A section, or null: it has nothing to say of this run. */
export type RunSection = (r: RunRecord) => Html | null | Promise<Html | null>

export const runSections: readonly RunSection[] = [
  warnings,
  timing,
  verification,
  graphs,
  rules,
  steps,
  misses,
  kernels,
  prediction,
  saturation,
  machine,
  next,
]
