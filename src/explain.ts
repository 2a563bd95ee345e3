// The flow behind `explain`: the search of a run is made again, which gives the same e-graph, e-node for e-node, and each step
// between the original and the written model is computed before and after.
import { UserError } from './base/errors.ts'
import { createRandom } from './base/random.ts'
import { checkpoint, type Talk } from './base/talk.ts'
import { inputSpecs, makeInputs } from './bench/inputs.ts'
import type { NodeId } from './egraph/egraph.ts'
import { toNdArray } from './ir/tensor.ts'
import type { RunRecord } from './report/index.ts'
import { type CheckOptions, checkStep } from './rewrite/check-step.ts'
import type { Explored } from './rewrite/explore.ts'
import { exploreModel, readOwnRules } from './search/explore-model.ts'
import { type Prepared, prepareModel } from './search/prepare.ts'

export type RecordedStep = RunRecord['steps'][number]

export interface CheckedStep extends RecordedStep {
  /** Both sides were computed. */
  readonly checked: boolean
  /** Largest difference over the largest magnitude; null where it was not computed. */
  readonly maxRel: number | null
  /** False: both sides were computed, and differ. */
  readonly holds: boolean
  /** Why it was not checked, or does not hold; else empty. */
  readonly reason: string
}

/** Seconds that the repeated search may take: more than it had, so that it ends where it ended. */
const SEARCH_SECONDS = 300

export interface ExplainOptions {
  readonly seed: number
  /** Seconds after which no further step is checked; null: none. */
  readonly timeLimit: number | null
}

/** The steps of a run, each checked on seeded numbers where that is possible. */
export async function explain(
  record: RunRecord,
  { seed, timeLimit }: ExplainOptions,
  talk: Talk,
): Promise<readonly CheckedStep[]> {
  const end = performance.now() + 1000 * (timeLimit ?? Number.POSITIVE_INFINITY)
  const unchecked = (reason: string) => record.steps.map((s): CheckedStep => ({ ...s, ...notChecked(reason) }))
  if (record.steps.length === 0) return []
  const again = await searchAgain(record, talk)
  if (typeof again === 'string') return unchecked(again)
  const options = { bindings: again.prepared.bindings, input: inputsOf(again.prepared, seed), seed }
  const steps: CheckedStep[] = []
  for (const step of record.steps) {
    await checkpoint(talk)
    talk.progress('check', steps.length, record.steps.length, 'steps')
    const isLate = performance.now() > end
    steps.push({ ...step, ...(isLate ? notChecked('the time was over') : check(again.explored, step, options)) })
  }
  return steps
}

const notChecked = (reason: string) => ({ checked: false, maxRel: null, holds: true, reason })

function check(explored: Explored, { nodes }: RecordedStep, options: CheckOptions) {
  if (!nodes) return notChecked('the record does not name its e-nodes')
  return checkStep(explored, nodes[0] as NodeId, nodes[1] as NodeId, options)
}

/** The model and its e-graph as they were, or why that cannot be. */
async function searchAgain(
  { recipe, input, shapes, seed, device, saturation }: RunRecord,
  talk: Talk,
): Promise<{ readonly prepared: Prepared; readonly explored: Explored } | string> {
  if (recipe === null) return 'the record is of a version that did not keep what this takes'
  if (saturation.stopReason === 'time-limit') return 'a time limit ended the search, which cannot be repeated'
  try {
    const samples = new Map(Object.entries(shapes))
    const prepared = prepareModel(input, { shapes: new Map(Object.entries(recipe.shapes)), samples: () => samples })
    const own = readOwnRules(recipe.ruleFiles, seed, talk)
    const { rules, keepsRounded, blockSize } = recipe
    const options = { rules, seconds: SEARCH_SECONDS, blockSize: device === 'cpu' ? blockSize : null, keepsRounded }
    const explored = await exploreModel(prepared, own, options, talk)
    const isSame = explored.phases.searched === recipe.eNodes
    return isSame ? { prepared, explored } : 'the search went another way: the model or the rules have changed'
  } catch (error) {
    if (error instanceof UserError) return `the search cannot be repeated: ${error.message}`
    throw error
  }
}

/** Seeded values of the inputs, made when they are asked for. */
function inputsOf({ graph, shapes }: Prepared, seed: number): CheckOptions['input'] {
  const names = graph.inputs.map((v) => graph.values[v]!.name)
  let feeds: ReturnType<typeof makeInputs>['feeds'] | null = null
  return (index) => {
    feeds ??= makeInputs(inputSpecs(graph, shapes), 'noise', createRandom(seed)).feeds
    const fed = feeds[names[index]!] ?? graph.initializers.get(graph.inputs[index]!)
    return toNdArray(fed!)
  }
}
