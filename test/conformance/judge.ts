// What becomes of one case: read, written, read again, raised, saturated; several programs extracted, written, run, compared.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { UnsupportedError, UserError } from '../../src/base/errors.ts'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { toNdArray } from '../../src/ir/tensor.ts'
import { findProblems } from '../../src/ir/validate.ts'
import { type Model, modelOf, readModel, readModelFile, writeModel, writeModelFile } from '../../src/onnx/index.ts'
import type { Backend, Feeds, Outcome } from '../../src/runtime/index.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { type DataSet, readDataSets, type SuiteCase } from './cases.ts'
import { differenceOf, differenceOfNumbers } from './compare.ts'
import { type DrawnProgram, drawPrograms } from './programs.ts'

export interface Verdict {
  readonly kind: 'equal' | 'wrong' | 'crashed' | 'notRunnable'
  /** The file was read and written back unharmed. */
  readonly parsed: boolean
  /** Some program holds what a rule made. */
  readonly rewritten: boolean
  readonly programs: number
  /** Rules whose e-nodes were in a program. */
  readonly rules: readonly string[]
  /** What is wrong, or why the runtime cannot run the case. */
  readonly reason: string
}

export interface Judge {
  readonly backend: Backend
  /** Where the programs are written. */
  readonly folder: string
}

type Draft = { parsed: boolean; programs: readonly DrawnProgram[] }

export async function judgeCase(judge: Judge, one: SuiteCase, seed: number): Promise<Verdict> {
  const draft: Draft = { parsed: false, programs: [] }
  const verdict = (kind: Verdict['kind'], reason = ''): Verdict => {
    const rules = [...new Set(draft.programs.flatMap((p) => [...p.rules.keys()]))]
    return { kind, parsed: draft.parsed, rewritten: rules.length > 0, programs: draft.programs.length, rules, reason }
  }
  try {
    const fault = roundTripFault(one.modelPath)
    if (fault !== null) return verdict('wrong', fault)
    draft.parsed = true
    const model = readModelFile(one.modelPath)
    const prepared = prepareGraph(model, one.modelPath)
    draft.programs = drawPrograms(prepared.graph, prepared.bindings, seed)
    const rewritten = draft.programs.map((p) => ({ plan: p.plan, model: prepared.wrap(p.graph) }))
    return await compareAll(judge, one, model, rewritten, verdict)
  } catch (error) {
    return verdict('crashed', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
}

/** Reads and writes as it is, and through the graph; what comes back otherwise, or null. */
function roundTripFault(path: string): string | null {
  const model = readModelFile(path)
  if (model.envelope.origin && Buffer.compare(writeModel(model), readFileSync(path)) !== 0)
    return 'written back with other bytes'
  const rebuilt = writeModel(modelOf({ ...model.graph }, model))
  const again = readModel(rebuilt)
  if (!isDeepStrictEqual(again.graph, model.graph)) return 'read again as another graph'
  return Buffer.compare(writeModel(modelOf({ ...again.graph }, again)), rebuilt) === 0
    ? null
    : 'written the second time with other bytes'
}

type Planned = { readonly plan: string; readonly model: Model }
type Conclude = (kind: Verdict['kind'], reason?: string) => Verdict

async function compareAll(
  judge: Judge,
  one: SuiteCase,
  original: Model,
  programs: readonly Planned[],
  verdict: Conclude,
): Promise<Verdict> {
  for (const p of programs) {
    const problems = findProblems(p.model.graph)
    if (problems.length > 0) return verdict('wrong', `${p.plan}: not valid: ${problems.slice(0, 2).join('; ')}`)
  }
  const sets = readDataSets(one, original.graph)
  let unrunnable = sets.length === 0 ? 'no test data' : null
  for (const set of sets) {
    const own = await runSet(judge, one.modelPath, set)
    const oracle = own.ok ? outputsToExpect(original.graph, set, own.value) : null
    if (!own.ok) unrunnable ??= own.reason
    const wrong = oracle
      ? await firstWrong(judge, programs, set, oracle)
      : interpretedWrong(original.graph, programs, set)
    if (wrong !== null) return verdict('wrong', wrong)
  }
  return unrunnable === null ? verdict('equal') : verdict('notRunnable', unrunnable)
}

async function runSet({ backend }: Judge, path: string, set: DataSet): Promise<Outcome<Feeds>> {
  if (set.foreign.length > 0) return { ok: false, kind: 'error', reason: 'an input is no tensor' }
  const session = await backend.open(path, { threads: 1, optimization: 'disabled' })
  if (!session.ok) return session
  const answer = await session.value.run(set.inputs)
  await session.value.close()
  return answer
}

/** What the suite expects; where the unoptimised runtime itself gives something else, that. */
function outputsToExpect(graph: Graph, set: DataSet, own: Feeds): Feeds {
  return Object.fromEntries(
    graph.outputs.map((v, i) => {
      const { name } = graph.values[v]!
      const expected = set.outputs[i]
      return [name, expected && differenceOf(own[name], expected) === null ? expected : own[name]!]
    }),
  )
}

async function firstWrong(judge: Judge, programs: readonly Planned[], set: DataSet, expected: Feeds) {
  for (const p of programs) {
    const path = join(judge.folder, 'program.onnx')
    writeModelFile(path, p.model, { force: true })
    const got = await runSet(judge, path, set)
    if (!got.ok) return `${p.plan}: ${got.kind}: ${got.reason}`
    for (const [name, t] of Object.entries(expected)) {
      const difference = differenceOf(got.value[name], t)
      if (difference !== null) return `${p.plan}: output ${name} ${difference}`
    }
  }
  return null
}

/** Where the runtime cannot: programs in the reference interpreter, if the original gives what is expected there. */
function interpretedWrong(original: Graph, programs: readonly Planned[], set: DataSet): string | null {
  if (set.foreign.length > 0 || set.outputs.includes(null)) return null
  if (interpret(original, original, set) !== '') return null
  for (const p of programs) {
    const difference = interpret(p.model.graph, original, set)
    if (difference !== '' && difference !== null) return `${p.plan}, interpreted: ${difference}`
  }
  return null
}

/** How the interpreter's outputs differ from the expected ones; '' if they do not, null if it cannot run the graph. */
function interpret(graph: Graph, original: Graph, set: DataSet): string | null {
  try {
    const feeds = Object.fromEntries(Object.entries(set.inputs).map(([name, t]) => [name, toNdArray(t)]))
    const got = evaluateGraph(graph, feeds)
    const differences = original.outputs.flatMap((v, i) => {
      const { name } = original.values[v]!
      const difference = differenceOfNumbers(got[name], toNdArray(set.outputs[i]!))
      return difference === null ? [] : [`output ${name} ${difference}`]
    })
    return differences[0] ?? ''
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof UserError) return null
    throw error
  }
}
