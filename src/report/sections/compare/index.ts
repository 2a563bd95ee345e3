// The sections of a comparison's page, in order. To add one, write a file and a row.
import type { CompareRecord } from '../../compare-record.ts'
import type { Html } from '../../html.ts'
import { families } from './families.ts'
import { metrics } from './metrics.ts'
import { next } from './next.ts'
import { notes } from './notes.ts'
import { scatter } from './scatter.ts'

export type CompareSection = (r: CompareRecord) => Html | null | Promise<Html | null>

export const compareSections: readonly CompareSection[] = [metrics, scatter, families, notes, next]
