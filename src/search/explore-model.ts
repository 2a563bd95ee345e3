// The search of one model, at the limits of `optimize`: what it finds and what `explain` replays are one and the same.
import { nameFilter } from '../base/glob.ts'
import { driveSteps, type Talk } from '../base/talk.ts'
import type { BlockSize } from '../ir/nchwc.ts'
import { readRuleFiles } from '../rewrite/custom/rule-file.ts'
import { type Explored, exploreInSteps } from '../rewrite/explore.ts'
import { beforeRounding } from '../rewrite/rounding.ts'
import type { Rule } from '../rewrite/rule.ts'
import type { Prepared } from './prepare.ts'

export interface SearchOptions {
  /** Patterns of rule names, or null for all. */
  readonly rules: string | null
  readonly seconds: number
  /** Channels of a block on the device that the model is for; null: it has no blocked layout. */
  readonly blockSize: BlockSize | null
  /** Leave what is rounded later as it is, to the last bit. Default: false. */
  readonly keepsRounded?: boolean
}

/** Seconds for the search of a run that has `timeLimit` seconds in all, or null. */
export const searchSeconds = (timeLimit: number | null): number => Math.min(30, (timeLimit ?? 120) / 4)

/** The rules of the user's files, each tried before it is used. Throws UserError where one does not hold. */
export function readOwnRules(files: readonly string[], seed: number, talk: Talk): readonly Rule[] {
  if (files.length === 0) return []
  const proved = readRuleFiles(files, seed)
  const cases = proved.reduce((sum, p) => sum + p.cases, 0)
  talk.note('rules', `${proved.length} of your own, which hold in ${cases} cases`)
  return proved.map((p) => p.rule)
}

const ITERATION_LIMIT = 30
const NODE_LIMIT = 40_000

/** The saturated e-graph of a model. `own`: rules of the user's, beside the catalogue. */
export async function exploreModel(
  prepared: Pick<Prepared, 'graph'>,
  own: readonly Rule[],
  { rules, seconds, blockSize, keepsRounded }: SearchOptions,
  talk: Talk,
): Promise<Explored> {
  const allows = rules === null ? () => true : nameFilter(rules)
  const steps = exploreInSteps(prepared.graph, {
    iterationLimit: ITERATION_LIMIT,
    nodeLimit: NODE_LIMIT,
    timeLimitMs: seconds * 1000,
    more: own,
    blockSize,
    ...(keepsRounded && { kept: beforeRounding(prepared.graph) }),
    allows: (rule) => allows(rule.name),
    onIteration: (eNodes) => talk.progress('saturate', eNodes, null, 'e-nodes'),
  })
  const explored = await driveSteps(steps, talk)
  const { search, initialNodes } = explored
  const size = `${initialNodes} -> ${search.eNodes} e-nodes, ${search.eClasses} e-classes`
  talk.note(
    'saturate',
    `${size}, ${search.iterations} iterations, ${search.seconds.toFixed(1)} s (stopped: ${search.stopReason.kind})`,
  )
  return explored
}
