// The demonstration that this project started from, on our engine: (x + y) * 2.0 as torch.fx prints it, three rules, every
// program that they prove equal, each with its Python code, its time on this machine, and its difference from the original.
// Where the first version listed whole graphs, here one e-graph holds them all, and each program is listed once.
import { UserError } from './base/errors.ts'
import type { Talk } from './base/talk.ts'
import {
  inputSets,
  type Measurement,
  measure,
  prepareReference,
  type Ratio,
  timingInputs,
  type Verification,
  verifyCandidate,
} from './bench/index.ts'
import type { ClassId, NodeId } from './egraph/egraph.ts'
import { saturate } from './egraph/saturate.ts'
import type { Graph } from './ir/graph.ts'
import { inferTypes } from './ir/infer.ts'
import type { Tensor } from './ir/tensor.ts'
import { modelOf, writeModelFile } from './onnx/index.ts'
import { type Choice, decode } from './rewrite/decode.ts'
import { type Encoded, encode } from './rewrite/encode.ts'
import { bindRule, type Rule } from './rewrite/rule.ts'
import { ruleFamilies } from './rewrite/rules/index.ts'
import type { Backend, Outcome } from './runtime/index.ts'
import { ScratchFolder } from './runtime/scratch-folder.ts'
import { exportFx } from './torch/export.ts'
import { parseFx } from './torch/fx-parse.ts'
import { importFx } from './torch/import.ts'
import { forwardCode } from './torch/python-code.ts'

/** `print(torch.fx.symbolic_trace(module).graph)` of `forward(x, y): return (x + y) * 2.0`. */
export const SEED_GRAPH = `graph():
    %x : [num_users=1] = placeholder[target=x]
    %y : [num_users=1] = placeholder[target=y]
    %add : [num_users=1] = call_function[target=operator.add](args = (%x, %y), kwargs = {})
    %mul : [num_users=1] = call_function[target=operator.mul](args = (%add, 2.0), kwargs = {})
    return mul
`

/** One program of the e-graph. */
export interface Program {
  /** `original`, or the rules that made its nodes: `distribute, double-as-sum x2`. */
  readonly name: string
  readonly graph: Graph
  /** As torch.fx writes it. */
  readonly code: string
}

const LIMITS = { iterationLimit: 10, nodeLimit: 1000, timeLimitMs: 10_000 }

/** Every program that the seed's rules prove equal to the seed's graph on vectors of `length`, the original first. */
export function seedPrograms(length: number): readonly Program[] {
  const shape = { shape: [length] }
  const graph = importFx(parseFx(SEED_GRAPH), {
    inputs: new Map([
      ['x', shape],
      ['y', shape],
    ]),
  })
  const encoded = encode(graph)
  const { t } = encoded
  const original = t.egraph.idLimit
  const rules = ruleFamilies.find((f) => f.name === 'seed')!.rules
  saturate(
    t.egraph,
    rules.map((r) => bindRule(t, r)),
    LIMITS,
  )
  const programs = choicesOf(encoded).map((choice) => toProgram(encoded, graph, choice, rules, original))
  return withDistinctNames([...programs].sort(byOrigin))
}

/** The original first, then by code. */
function byOrigin(a: Program, b: Program): number {
  return (
    Number(b.name === 'original') - Number(a.name === 'original') ||
    a.code.length - b.code.length ||
    (a.code < b.code ? -1 : 1)
  )
}

type Chosen = ReadonlyMap<ClassId, NodeId>

/** Every way to choose e-nodes for the classes that the roots need, without cycles. For small e-graphs: it lists them all. */
function choicesOf({ t, roots }: Encoded): readonly Chosen[] {
  const extend = (chosen: Chosen, needed: readonly ClassId[]): readonly Chosen[] => {
    const [next, ...rest] = needed
    if (next === undefined) return [chosen]
    const c = t.egraph.find(next)
    if (chosen.has(c)) return extend(chosen, rest)
    return t.egraph.nodesOf(c).flatMap((n) => extend(new Map([...chosen, [c, n]]), [...t.children(n), ...rest]))
  }
  const isAcyclic = (chosen: Chosen, c: ClassId, path: readonly ClassId[]): boolean =>
    !path.includes(c) &&
    t.children(chosen.get(c)!).every((child) => isAcyclic(chosen, t.egraph.find(child), [...path, c]))
  return extend(new Map(), roots).filter((chosen) => roots.every((root) => isAcyclic(chosen, t.egraph.find(root), [])))
}

function toProgram(
  encoded: Encoded,
  original: Graph,
  chosen: Chosen,
  rules: readonly Rule[],
  firstNew: number,
): Program {
  const { t, roots } = encoded
  const choice: Choice = (c) => chosen.get(t.egraph.find(c))!
  const graph = withScalars(decode(t, original, roots, choice))
  const made = [...chosen.values()].filter((n) => n >= firstNew).map((n) => rules[t.egraph.originRule(n)]!.name)
  const name = made.length === 0 ? 'original' : [...new Set(made)].sort().join(' + ')
  return { name, graph, code: forwardCode(exportFx(graph, { naming: 'operators' }).graph) }
}

/** Constants of one element without axes, as the seed writes its 2.0; the canonical form gives operands the rank of the result. */
function withScalars(graph: Graph): Graph {
  const toScalar = (t: Tensor): Tensor => (t.shape.every((d) => d === 1) ? { ...t, shape: [] } : t)
  return inferTypes({ ...graph, initializers: new Map([...graph.initializers].map(([v, t]) => [v, toScalar(t)])) })
}

/** Equal names get numbers. */
function withDistinctNames(programs: readonly Program[]): readonly Program[] {
  const seen = new Map<string, number>()
  return programs.map((p) => {
    const n = (seen.get(p.name) ?? 0) + 1
    seen.set(p.name, n)
    return n === 1 ? p : { ...p, name: `${p.name} (${n})` }
  })
}

export interface DemoOptions {
  readonly seed: number
  readonly threads: number
  /** Elements of x and y. */
  readonly length: number
  /** Timed blocks. */
  readonly blocks: number
  readonly oracle: Backend
  readonly device: Backend
}

export interface DemoVariant {
  readonly name: string
  readonly code: string
  /** Median milliseconds of one run. */
  readonly ms: number
  /** Interquartile range of the milliseconds. */
  readonly iqrMs: number
  /** Its time over the original's, block by block: median and interval (95 %); null for the original. */
  readonly toOriginal: Ratio | null
  /** Largest difference from the original, on all inputs. */
  readonly maxDiff: number
}

export interface DemoResult {
  readonly variants: readonly DemoVariant[]
  readonly best: string
  readonly worst: string
  /** Time of the worst over time of the best. */
  readonly ratio: number
  /** Relative standard deviation of one block: what a difference must exceed to mean anything. */
  readonly noise: number
  readonly warnings: readonly string[]
}

interface Written {
  readonly program: Program
  readonly path: string
}

/** Finds, verifies and times the programs of the seed. */
export async function demo(options: DemoOptions, talk: Talk): Promise<DemoResult> {
  const programs = seedPrograms(options.length)
  talk.note('saturate', `${programs.length} equal programs of (x + y) * 2.0`)
  const scratch = new ScratchFolder()
  try {
    const written = programs.map((program, i) => {
      const path = scratch.fresh(`${i}.onnx`)
      writeModelFile(path, modelOf(program.graph))
      return { program, path }
    })
    const verifications = await verifyAll(written, options)
    talk.note('verify', `${verifications.length} programs on ${verifications[0]!.inputs} inputs`)
    talk.signal.throwIfAborted()
    const measurement = await measureAll(written, options, talk)
    return resultOf(programs, verifications, measurement)
  } finally {
    scratch.remove()
  }
}

function need<T>(outcome: Outcome<T>, what: string): T {
  if (outcome.ok) return outcome.value
  const fix = 'see which devices work with allotrope doctor'
  throw new UserError({ code: 'cannot-run', where: what, expected: 'a runtime that works', got: outcome.reason, fix })
}

async function verifyAll([original, ...others]: readonly Written[], o: DemoOptions): Promise<readonly Verification[]> {
  const sets = inputSets(original!.program.graph, new Map(), { seed: o.seed })
  const reference = need(await prepareReference(o, original!.path, sets), original!.program.name)
  const verifications: Verification[] = []
  for (const { path } of [original!, ...others]) verifications.push(await verifyCandidate(reference, path))
  return verifications
}

async function measureAll([original, ...others]: readonly Written[], o: DemoOptions, talk: Talk): Promise<Measurement> {
  const timed = ({ program, path }: Written) => ({ name: program.name, modelPath: path })
  const { feeds } = timingInputs(original!.program.graph, new Map(), { seed: o.seed })
  const { seed, threads, blocks } = o
  const settings = { seed, threads, blocks, dropAbove: Number.POSITIVE_INFINITY, signal: talk.signal }
  return need(await measure(o.device, timed(original!), others.map(timed), feeds, settings), 'the demonstration')
}

function resultOf(programs: readonly Program[], verifications: readonly Verification[], m: Measurement): DemoResult {
  const failed = m.variants.filter((v) => v.kind === 'failed').map((v) => `${v.name} could not be timed: ${v.reason}`)
  const variants = programs.flatMap(({ name, code }, i) => {
    const v = i === 0 ? m.reference : m.variants[i - 1]!
    const maxDiff = Math.max(...verifications[i]!.outputs.map((o) => o.maxAbs))
    return v.kind === 'failed'
      ? []
      : [{ name, code, ms: v.time.median, iqrMs: v.time.iqr, toOriginal: i === 0 ? null : v.ratio, maxDiff }]
  })
  const ranked = [...variants].sort((a, b) => a.ms - b.ms)
  const [best, worst] = [ranked[0]!, ranked.at(-1)!]
  const wrong = programs.filter((_, i) => !verifications[i]!.passed).map((p) => `${p.name} differs from the original`)
  const warnings = [...failed, ...wrong, ...m.warnings]
  return { variants, best: best.name, worst: worst.name, ratio: worst.ms / best.ms, noise: m.noise, warnings }
}
