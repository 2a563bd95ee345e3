// Many random cases of one rule, and the smallest form of those that fail.
import fc from 'fast-check'
import { createRandom } from '../../../src/base/random.ts'
import type { Graph } from '../../../src/ir/graph.ts'
import type { Rule } from '../../../src/rewrite/rule.ts'
import { ruleSamples } from '../rule-samples.ts'
import { type CaseResult, checkCase, type Numbers } from './check-case.ts'
import { Choices } from './choices.ts'
import { WildSample } from './wild-sample.ts'

export interface FuzzCase {
  readonly graph: Graph
  /** All rules, not this one alone. */
  readonly together: boolean
  readonly numbers: Numbers
  readonly seed: number
}

export interface FuzzFailure extends FuzzCase {
  readonly rule: string
  readonly wrong: readonly string[]
}

export interface FuzzTally {
  readonly rule: string
  cases: number
  /** Of these with all rules together. */
  together: number
  /** In which some rule fired. */
  fired: number
  /** E-nodes compared with the value of their class. */
  compared: number
  /** Not counted as cases: drawn, but no graph, or one with values that are not finite. */
  discarded: number
  readonly failures: FuzzFailure[]
}

export interface FuzzOptions {
  readonly cases: number
  readonly seed: number
  /** Stops at this many failures. Default 3. */
  readonly failures?: number
  /** Cases that held. */
  readonly onCase?: (one: FuzzCase, result: CaseResult, at: number) => Promise<readonly string[]> | null
}

const DRAWS_PER_CASE = 20

/** Draws graphs around the samples of the rule until so many have been checked. */
export async function fuzzRule(rule: Rule, options: FuzzOptions): Promise<FuzzTally> {
  const tally: FuzzTally = { rule: rule.name, cases: 0, together: 0, fired: 0, compared: 0, discarded: 0, failures: [] }
  const first = Math.imul(options.seed, 1_000_003)
  for (let at = 0; tally.cases < options.cases && at < options.cases * DRAWS_PER_CASE; at++) {
    const choices = new Choices(createRandom(first + at))
    const one = buildCase(rule, choices, first + at)
    const result = one && judge(rule, one)
    if (!one || !result || (result.checked === null && result.wrong.length === 0)) {
      tally.discarded++
      continue
    }
    count(tally, one, result)
    const more = result.wrong.length === 0 ? ((await options.onCase?.(one, result, tally.cases)) ?? []) : []
    if (more.length > 0) tally.failures.push({ ...one, rule: rule.name, wrong: more })
    if (result.wrong.length > 0) tally.failures.push(shrunk(rule, one, choices.taken, result.wrong))
    if (tally.failures.length >= (options.failures ?? 3)) break
  }
  return tally
}

function count(tally: FuzzTally, one: FuzzCase, result: CaseResult): void {
  tally.cases++
  if (one.together) tally.together++
  if (result.fired) tally.fired++
  tally.compared += result.checked ?? 0
}

/** The case that these choices make; null if they make none. */
export function buildCase(rule: Rule, choices: Choices, seed: number): FuzzCase | null {
  const samples = ruleSamples[rule.name]!
  const together = choices.rarely(4)
  const kinds: Numbers[] = [
    'normal',
    'whole',
    ...(rule.exactness === 'exact' && !together ? (['special'] as const) : []),
  ]
  const numbers = choices.pick(kinds)
  const build = choices.pick(samples)
  try {
    return { graph: new WildSample(choices, seed).finish(build), together, numbers, seed }
  } catch {
    return null
  }
}

/** The result; what is thrown is a failure too. */
export function judge(rule: Rule, { graph, together, numbers, seed }: FuzzCase): CaseResult {
  try {
    return checkCase(graph, { rule: together ? null : rule, numbers, seed })
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { checked: null, fired: true, wrong: [stack], program: null }
  }
}

const SHRINK_MS = 15_000

/** A case of fewer and smaller choices that fails as well. */
function shrunk(rule: Rule, one: FuzzCase, taken: readonly number[], wrong: readonly string[]): FuzzFailure {
  const failing = (list: readonly number[]) => {
    const smaller = buildCase(rule, new Choices(list), one.seed)
    const result = smaller && judge(rule, smaller)
    return smaller && result && result.wrong.length > 0 ? { ...smaller, wrong: result.wrong } : null
  }
  const lists = fc.array(fc.nat(), { maxLength: Math.max(1, taken.length) })
  const found = fc.check(
    fc.property(lists, (list) => failing(list) === null),
    { examples: [[[...taken]]], numRuns: 1, interruptAfterTimeLimit: SHRINK_MS, markInterruptAsFailure: false },
  )
  const smallest = found.counterexample ? failing(found.counterexample[0] ?? []) : null
  return { rule: rule.name, ...one, wrong, ...smallest }
}
