// What becomes of one case: read, written, read again, raised, saturated; several programs extracted, written, run, compared.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { UnsupportedError, UserError } from '../../src/base/errors.ts'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { toNdArray } from '../../src/ir/tensor.ts'
import { findProblems } from '../../src/ir/validate.ts'
import { type Model, modelOf, readModel, readModelFile, writeModel } from '../../src/onnx/index.ts'
import type { Backend, Feeds, Outcome } from '../../src/runtime/index.ts'
import { prepareGraph } from '../../src/search/prepare.ts'
import { withOtherBodies } from './bodies.ts'
import { type DataSet, readDataSets, type SuiteCase } from './cases.ts'
import { differenceOf, differenceOfNumbers } from './compare.ts'
import { type DrawnProgram, drawPrograms } from './programs.ts'
import { runnableBytes, type Variant, variantsOf } from './variants.ts'

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

type Draft = { parsed: boolean; readonly programs: WrittenProgram[] }
type WrittenProgram = DrawnProgram & { readonly model: Model }

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
    const sets = readDataSets(one, model.graph)
    const oracles = await oraclesOf(judge, model, sets)
    for (const variant of variantsOf(model, sets[0])) {
      const programs = programsOf(variant, one.modelPath, seed)
      draft.programs.push(...programs)
      const wrong = await firstWrong(
        judge,
        variant,
        programs,
        variant.name === 'as it is' ? oracles : oracles.slice(0, 1),
      )
      if (wrong !== null) return verdict('wrong', `${variant.name}: ${wrong}`)
    }
    const refused = oracles.find((o) => o.refused !== null)?.refused ?? (sets.length === 0 ? 'no test data' : null)
    return refused === null ? verdict('equal') : verdict('notRunnable', refused)
  } catch (error) {
    return verdict('crashed', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
}

function programsOf(variant: Variant, path: string, seed: number): readonly WrittenProgram[] {
  const { graph, bindings, wrap } = prepareGraph(variant.model, path)
  const nothing = { extractedMs: 0, steps: () => [], plan: 'bodies' }
  const inBodies = withOtherBodies(graph, bindings, seed).map((p) => ({ ...nothing, ...p }))
  return [...drawPrograms(graph, bindings, seed), ...inBodies].map((p) => ({ ...p, model: wrap(p.graph) }))
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

/** What is right for one set of inputs. */
interface Oracle {
  readonly set: DataSet
  readonly original: Graph
  /** By output name; null where the runtime does not run the case. */
  readonly expected: Feeds | null
  readonly refused: string | null
}

async function oraclesOf(judge: Judge, model: Model, sets: readonly DataSet[]): Promise<readonly Oracle[]> {
  const oracles: Oracle[] = []
  for (const set of sets) {
    const own = await run(judge, model, set)
    const expected = own.ok ? outputsToExpect(model.graph, set, own.value) : null
    oracles.push({ set, original: model.graph, expected, refused: own.ok ? null : own.reason })
  }
  return oracles
}

async function run({ backend, folder }: Judge, model: Model, set: DataSet): Promise<Outcome<Feeds>> {
  if (set.foreign.length > 0) return { ok: false, kind: 'error', reason: 'an input is no tensor' }
  const path = join(folder, 'model.onnx')
  writeFileSync(path, runnableBytes(model))
  const session = await backend.open(path, { threads: 1, optimization: 'disabled' })
  if (!session.ok) return session
  const answer = await session.value.run(feedsFor(session.value.inputNames, set))
  await session.value.close()
  return answer
}

const feedsFor = (names: readonly string[], set: DataSet): Feeds =>
  Object.fromEntries(names.flatMap((name) => (set.inputs[name] ? [[name, set.inputs[name]]] : [])))

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

async function firstWrong(
  judge: Judge,
  variant: Variant,
  programs: readonly WrittenProgram[],
  oracles: readonly Oracle[],
): Promise<string | null> {
  for (const p of programs) {
    const problems = findProblems(p.model.graph)
    if (problems.length > 0) return `${p.plan}: not valid: ${problems.slice(0, 2).join('; ')}`
    for (const oracle of oracles) {
      const wrong = oracle.expected
        ? await wrongWhenRun(judge, variant, p.model, oracle.set, oracle.expected)
        : wrongWhenInterpreted(oracle, p.model)
      if (wrong !== null) return `${p.plan}: ${wrong}`
    }
  }
  return null
}

async function wrongWhenRun(judge: Judge, variant: Variant, program: Model, set: DataSet, expected: Feeds) {
  const got = await run(judge, program, set)
  if (!got.ok) {
    const own = await run(judge, variant.model, set)
    return own.ok ? `${got.kind}: ${got.reason}` : null
  }
  for (const [name, t] of Object.entries(expected)) {
    const difference = differenceOf(got.value[name], t)
    if (difference !== null) return `output ${name} ${difference}`
  }
  return null
}

/** Where the runtime cannot: in the reference interpreter, if the original gives what is expected there. */
function wrongWhenInterpreted({ set, original }: Oracle, program: Model): string | null {
  if (set.foreign.length > 0 || set.outputs.includes(null)) return null
  if (interpret(original, original, set) !== '') return null
  const difference = interpret(program.graph, original, set)
  return difference ? `interpreted: ${difference}` : null
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
