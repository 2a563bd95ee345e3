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
  /** A program is written and compared too. */
  readonly program: boolean
  readonly seed: number
}

export interface FuzzFailure extends FuzzCase {
  readonly rule: string
  readonly wrong: readonly string[]
}

export interface FuzzTally {
  readonly rule: string
  /** The seed after the last one that was drawn: where to go on. */
  next: number
  /** Graphs drawn, among them those that are none, on which the rule does not fire, or whose values are not finite. */
  drawn: number
  /** Graphs on which the rule fired alone and everything was compared. */
  cases: number
  /** Graphs on which some rule fired with all rules together; beside the cases. */
  together: number
  /** Programs written and compared, of both. */
  programs: number
  /** E-nodes computed and compared with the value of their class. */
  compared: number
  readonly failures: FuzzFailure[]
}

export interface FuzzOptions {
  /** The first seed. */
  readonly from: number
  /** How many more cases. */
  readonly cases: number
  /** Asked after each drawn graph: stop here. */
  readonly isOver?: () => boolean
  /** Stops at this many failures. Default 3. */
  readonly failures?: number
  /** A written program that held, and which of the programs it is. */
  readonly onProgram?: (one: FuzzCase, program: Graph, at: number) => Promise<readonly string[]> | null
}

const DRAWS_PER_CASE = 100
/** One drawn graph in so many is for all rules together. */
const TOGETHER_EVERY = 128
/** One case in so many also writes a program. */
const PROGRAM_EVERY = 10

/** Draws graphs around the samples of the rule, a seed each, until so many cases have been checked. */
export async function fuzzRule(rule: Rule, options: FuzzOptions): Promise<FuzzTally> {
  const { from, cases, isOver = () => false, failures = 3 } = options
  const tally: FuzzTally = {
    rule: rule.name,
    next: from,
    drawn: 0,
    cases: 0,
    together: 0,
    programs: 0,
    compared: 0,
    failures: [],
  }
  while (tally.cases < cases && tally.drawn < cases * DRAWS_PER_CASE && tally.failures.length < failures && !isOver()) {
    const seed = tally.next++
    tally.drawn++
    const failure = await fuzzSeed(rule, seed, tally, options.onProgram)
    if (failure) tally.failures.push(failure)
  }
  return tally
}

async function fuzzSeed(
  rule: Rule,
  seed: number,
  tally: FuzzTally,
  onProgram: FuzzOptions['onProgram'],
): Promise<FuzzFailure | null> {
  const choices = new Choices(createRandom(seed))
  const [one, result] = withoutStacks(() => {
    const drawn = buildCase(rule, choices, seed)
    return [drawn, drawn && judge(rule, drawn)]
  })
  if (!one || !result || (result.checked === null && result.wrong.length === 0)) return null
  if (one.together) tally.together++
  else tally.cases++
  tally.compared += result.checked ?? 0
  if (result.wrong.length > 0) return shrunk(rule, one, choices.taken, result.wrong)
  if (!result.program) return null
  const wrong = (await onProgram?.(one, result.program, ++tally.programs)) ?? []
  return wrong.length > 0 ? { ...one, rule: rule.name, wrong } : null
}

/** Most of what is thrown says that choices make no graph, or that a type cannot be inferred: nobody reads its stack. */
function withoutStacks<T>(run: () => T): T {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** The case that these choices make; null if they make none. */
export function buildCase(rule: Rule, choices: Choices, seed: number): FuzzCase | null {
  const samples = ruleSamples[rule.name]!
  const together = choices.rarely(TOGETHER_EVERY)
  const program = choices.rarely(PROGRAM_EVERY)
  const kinds: Numbers[] = [
    'normal',
    'whole',
    ...(rule.exactness === 'exact' && !together ? (['special'] as const) : []),
  ]
  const numbers = choices.pick(kinds)
  const build = choices.pick(samples)
  try {
    return { graph: new WildSample(choices, seed).finish(build), together, numbers, program, seed }
  } catch {
    return null
  }
}

/** The result; what is thrown is a failure too. */
export function judge(rule: Rule, { graph, together, numbers, program, seed }: FuzzCase): CaseResult {
  try {
    return checkCase(graph, { rule: together ? null : rule, numbers, seed, program })
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
