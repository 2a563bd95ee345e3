// Numerical equality of two models. The oracle is the original with the runtime's own optimisation disabled. The optimised
// original is as wrong as the runtime makes it, so a candidate may be at most TIMES that wrong, and a little more:
//   error(candidate) <= 20 * error(optimised original) + 1e-5     per output and input set, relative to the output's scale.
// Where it is more wrong on extreme inputs, the original's error near them counts (nearby.ts), and where there is `exact`, both are
// compared once more with the original in float64 (appeal.ts).
// Integers, booleans and strings must be equal. Where the optimised original itself disagrees with the oracle in kind (another
// index, NaN elsewhere), or by so much that the tolerance would allow anything, nothing can be said about that output on that
// input, and the result says so. An output of which nothing can be said on any input fails.
import { median } from '../base/statistics.ts'
import type { Backend, Feeds, Outcome, Session, SessionOptions } from '../runtime/index.ts'
import { Appeal } from './appeal.ts'
import { type OutputError, outputErrors, scaleOf } from './compare-outputs.ts'
import type { InputSet } from './inputs.ts'
import { Nearby } from './nearby.ts'

const TIMES_ORIGINAL_ERROR = 20
const SLACK = 1e-5
/** Beyond this error of the optimised original its output is another one: boxes in another order, say. */
const UNSTABLE = 0.05
/** On inputs that make an output vanish, it is judged by this part of its usual scale. */
const SCALE_FLOOR = 0.01

export interface VerifiedOutput {
  readonly name: string
  /** Largest over all inputs; Infinity where it differs in kind. */
  readonly maxAbs: number
  /** Largest over all inputs, relative to the output's scale. */
  readonly maxRel: number
  /** The tolerance that belongs to maxRel. */
  readonly tolerance: number
}

/** Inputs on which a candidate failed. */
export interface Witness {
  readonly set: InputSet
  /** What is right. */
  readonly expected: Feeds
  /** What the candidate gave; null: nothing, since it did not come to an end. */
  readonly got: Feeds | null
}

export interface Verification {
  readonly passed: boolean
  /** Input sets that were compared. */
  readonly inputs: number
  readonly outputs: readonly VerifiedOutput[]
  /** Why not; absent when passed. */
  readonly reason?: string
  /** The first inputs that show it; absent when passed, and when the runtime refused to load it. */
  readonly witness?: Witness
  /** What could not be judged. */
  readonly notes: readonly string[]
}

export interface VerifyTarget {
  /** Runs the oracle: the CPU. */
  readonly oracle: Backend
  /** Runs the original and the candidate, optimised. */
  readonly device: Backend
  /** Runs the original in float64, where a candidate differs too much. */
  readonly exact?: Backend
  readonly threads?: number
}

/** What is right, for one input set. */
interface Expectation {
  readonly set: InputSet
  readonly outputs: Feeds
  /** Tolerated error of each output; null: cannot be judged. */
  readonly tolerances: ReadonlyMap<string, number | null>
  readonly scales: ReadonlyMap<string, number>
}

/** The original's answers, ready to judge any number of candidates. */
export interface Reference {
  readonly target: VerifyTarget
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly expectations: readonly Expectation[]
  readonly appeal: Appeal | null
  readonly nearby: Nearby
  readonly notes: readonly string[]
}

/** Runs the original on all input sets, unoptimised and optimised. Sets that it refuses are noted and left out; if none is
 * left, or it cannot be loaded, that is the outcome. */
export async function prepareReference(
  target: VerifyTarget,
  originalPath: string,
  sets: readonly InputSet[],
): Promise<Outcome<Reference>> {
  const [oracle, device] = await openBoth(target, originalPath)
  if (!oracle.ok) return oracle
  if (!device.ok) return device
  const answers = await answerAll(oracle.value, device.value, sets)
  await Promise.all([oracle.value.close(), device.value.close()])
  if (answers.good.length === 0) return { ok: false, kind: 'error', reason: answers.notes.join('; ') || 'no inputs' }
  const expectations = expect(answers.good)
  const unjudged = expectations.flatMap((e) => unjudgedNotes(e))
  const { inputNames, outputNames } = oracle.value
  const appeal = target.exact ? new Appeal(target.exact, originalPath) : null
  const nearby = new Nearby(() => openOriginal(target, originalPath))
  const notes = [...answers.notes, ...unjudged]
  return { ok: true, value: { target, inputNames, outputNames, expectations, appeal, nearby, notes } }
}

/** The same while the caller does something else and waits for it only if it comes to that. */
export function prepareMeanwhile(...args: Parameters<typeof prepareReference>): Promise<Outcome<Reference>> {
  const reference = prepareReference(...args)
  reference.catch(() => {}) // told to whoever waits for it
  return reference
}

async function openBoth({ oracle, device, threads = 1 }: VerifyTarget, path: string) {
  return Promise.all([
    open(oracle, path, { threads, optimization: 'disabled' }),
    open(device, path, { threads, optimization: 'all' }),
  ])
}

async function openOriginal(target: VerifyTarget, path: string): Promise<readonly [Session, Session] | null> {
  const [oracle, device] = await openBoth(target, path)
  return oracle.ok && device.ok ? [oracle.value, device.value] : null
}

const open = (backend: Backend, path: string, options: SessionOptions): Promise<Outcome<Session>> =>
  backend.open(path, options)

interface Answer {
  readonly set: InputSet
  readonly oracle: Feeds
  readonly device: Feeds
}

async function answerAll(oracle: Session, device: Session, sets: readonly InputSet[]) {
  const good: Answer[] = []
  const refusals = new Map<string, string[]>()
  for (const set of sets) {
    const right = await oracle.run(set.feeds)
    const optimised = right.ok ? await device.run(set.feeds) : right
    if (right.ok && optimised.ok) good.push({ set, oracle: right.value, device: optimised.value })
    else if (!optimised.ok) {
      refusals.set(optimised.reason, [...(refusals.get(optimised.reason) ?? []), set.label])
      if (optimised.kind === 'timeout') break // the others would take as long
    }
  }
  // A model refuses most inputs for one reason, which is said once.
  const notes = [...refusals].map(
    ([reason, labels]) => `the original does not run on input ${labels.join(', ')}: ${reason}`,
  )
  return { good, notes }
}

function expect(answers: readonly Answer[]): readonly Expectation[] {
  const usual = usualScales(answers)
  return answers.map(({ set, oracle, device }) => {
    const scales = new Map(
      Object.entries(oracle).map(([name, t]) => [name, Math.max(scaleOf(t), SCALE_FLOOR * usual.get(name)!)]),
    )
    const errors = outputErrors(oracle, device, (name) => scales.get(name)!)
    const tolerances = new Map([...errors].map(([name, e]) => [name, toleranceOf(e)]))
    return { set, outputs: oracle, scales, tolerances }
  })
}

function usualScales(answers: readonly Answer[]): ReadonlyMap<string, number> {
  const names = Object.keys(answers[0]!.oracle)
  return new Map(names.map((name) => [name, median(answers.map((a) => scaleOf(a.oracle[name]!)))]))
}

const tolerated = (originalError: number): number => TIMES_ORIGINAL_ERROR * originalError + SLACK

/** The same where the original is another one there itself: nothing is tolerated. */
const toleratedIfStable = (error: number): number => (error <= UNSTABLE ? tolerated(error) : 0)

const toleranceOf = (original: OutputError): number | null =>
  original.maxRel <= UNSTABLE ? tolerated(original.maxRel) : null

function unjudgedNotes({ set, tolerances }: Expectation): readonly string[] {
  const names = [...tolerances].filter(([, t]) => t === null).map(([name]) => name)
  if (names.length === 0) return []
  return [`on input ${set.label} the runtime's own optimisation changes ${names.join(', ')}; not judged there`]
}

/** Judges one candidate. A candidate that cannot be loaded or run does not pass; its reason says so. */
export async function verifyCandidate(reference: Reference, candidatePath: string): Promise<Verification> {
  const { target, notes } = reference
  const opened = await open(target.device, candidatePath, { threads: target.threads ?? 1, optimization: 'all' })
  if (!opened.ok) {
    const refusal = refused(`it cannot be loaded: ${opened.reason}`, notes)
    const { set, outputs } = reference.expectations[0]!
    return opened.kind === 'error' ? refusal : { ...refusal, witness: { set, expected: outputs, got: null } }
  }
  const fault = signatureFault(reference, opened.value) ?? null
  const verification = fault === null ? await judge(reference, opened.value) : refused(fault, notes)
  await opened.value.close()
  return verification
}

/** Both in one: is the candidate equal to the original on these inputs? */
export async function verifyModels(
  target: VerifyTarget,
  originalPath: string,
  candidatePath: string,
  sets: readonly InputSet[],
): Promise<Outcome<Verification>> {
  const reference = await prepareReference(target, originalPath, sets)
  return reference.ok ? { ok: true, value: await verifyCandidate(reference.value, candidatePath) } : reference
}

const refused = (reason: string, notes: readonly string[]): Verification => ({
  passed: false,
  inputs: 0,
  outputs: [],
  reason,
  notes,
})

function signatureFault(reference: Reference, candidate: Session): string | null {
  const sorted = (names: readonly string[]) => [...names].sort().join(', ')
  if (sorted(reference.inputNames) !== sorted(candidate.inputNames))
    return `its inputs are ${sorted(candidate.inputNames)}, expected ${sorted(reference.inputNames)}`
  if (reference.outputNames.join() !== candidate.outputNames.join())
    return `its outputs are ${candidate.outputNames.join(', ')}, expected ${reference.outputNames.join(', ')}`
  return null
}

async function judge(reference: Reference, candidate: Session): Promise<Verification> {
  const worst = new Map<string, VerifiedOutput>()
  let fault: { readonly reason: string; readonly witness: Witness } | null = null
  for (const e of reference.expectations) {
    const answer = await candidate.run(e.set.feeds)
    const reason = answer.ok
      ? await judgeTwice(reference, e, answer.value, worst)
      : `on input ${e.set.label}: ${answer.reason}`
    if (reason !== null)
      fault ??= { reason, witness: { set: e.set, expected: e.outputs, got: answer.ok ? answer.value : null } }
  }
  const [unknown] = reference.outputNames.filter((name) => reference.expectations.every((e) => !e.tolerances.get(name)))
  const nothing = unknown === undefined ? null : { reason: unjudgeable(unknown) }
  const verdict = { inputs: reference.expectations.length, outputs: [...worst.values()], notes: reference.notes }
  return { passed: fault === null && nothing === null, ...(fault ?? nothing), ...verdict }
}

/** As `judgeOne`; on extreme inputs, what is too far from the oracle's may be no further than the original strays nearby, or as near
 * to the true numbers. */
async function judgeTwice(
  { appeal, nearby }: Reference,
  e: Expectation,
  answer: Feeds,
  worst: Map<string, VerifiedOutput>,
): Promise<string | null> {
  let errors = new Map(worst)
  let reason = judgeOne(e, answer, errors)
  const scale = (output: string) => e.scales.get(output)!
  if (reason !== null && isExtreme(e.set)) {
    errors = new Map(worst)
    reason = judgeOne(relaxed(e, await nearby.errors(e.set, scale)), answer, errors)
  }
  if (reason !== null && isExtreme(e.set) && (await appeal?.clears(e.set, e.outputs, answer, scale, toleratedIfStable)))
    return null
  for (const [name, error] of errors) worst.set(name, error)
  return reason
}

function relaxed(e: Expectation, nearby: ReadonlyMap<string, number> | null): Expectation {
  const tolerances = [...e.tolerances].map(([name, own]) => {
    const more = nearby?.get(name)
    return [name, own === null || more === undefined ? own : Math.max(own, toleratedIfStable(more))] as const
  })
  return { ...e, tolerances: new Map(tolerances) }
}

const unjudgeable = (name: string): string =>
  `output ${name}: on every input the runtime's own optimisation of the original changes it, so that nothing tells what is right`

const isExtreme = ({ label }: InputSet): boolean => ['zeros', 'ones', 'small', 'large'].includes(label)

/** Keeps each output's worst error in `worst`; returns what is wrong, or null. */
function judgeOne(e: Expectation, answer: Feeds, worst: Map<string, VerifiedOutput>): string | null {
  let reason: string | null = null
  for (const [name, error] of outputErrors(e.outputs, answer, (output) => e.scales.get(output)!)) {
    const tolerance = e.tolerances.get(name)!
    if (tolerance === null) continue
    const known = worst.get(name)
    if (!known || error.maxRel / tolerance > known.maxRel / known.tolerance)
      worst.set(name, { name, maxAbs: error.maxAbs, maxRel: error.maxRel, tolerance })
    if (error.maxRel > tolerance) reason ??= `on input ${e.set.label}, output ${name}: ${complaint(error, tolerance)}`
  }
  return reason
}

const complaint = (error: OutputError, tolerance: number): string =>
  error.difference ?? `relative error ${error.maxRel.toExponential(2)}, tolerated ${tolerance.toExponential(2)}`
