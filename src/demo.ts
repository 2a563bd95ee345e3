// The demonstration that this project started from, on our engine: every program that equals (x + y) * 2.0, each with its
// Python code, its time on this machine, and its difference from the original.
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
import type { Tensor } from './ir/tensor.ts'
import { modelOf, writeModelFile } from './onnx/index.ts'
import type { Backend, Outcome } from './runtime/index.ts'
import { ScratchFolder } from './runtime/scratch-folder.ts'
import { type Program, type SeedPrograms, seedPrograms } from './search/seed-programs.ts'
import { type Demo, demoListing, demoResult } from './torch/demo-text.ts'

export interface DemoOptions {
  readonly seed: number
  readonly threads: number
  /** Elements of each input whose shape is not given. */
  readonly length: number
  /** A graph as torch.fx prints it; null: the seed's. */
  readonly text: string | null
  /** Shapes of inputs by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Tensors that the graph names; default: none. */
  readonly weights?: ReadonlyMap<string, Tensor>
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
  /** Where and why the output is not that of the first demonstration; empty for a graph of the user's. */
  readonly differences: readonly string[]
  /** All of it for people, section by section as the first demonstration printed it. */
  readonly listing: string
}

interface Written {
  readonly program: Program
  readonly path: string
}

/** Finds, verifies and times the programs of the seed. */
export async function demo(options: DemoOptions, talk: Talk): Promise<DemoResult> {
  const { length, shapes, text, weights = new Map() } = options
  const seed = seedPrograms({ length, shapes, weights, ...(text !== null && { text }) })
  const { programs } = seed
  talk.note('saturate', `${programs.length} equal programs${seed.isComplete ? '' : ', and there are more'}`)
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
    return resultOf(seed, verifications, measurement, text === null ? DIFFERENCES : [])
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

function resultOf(
  { programs, iterations, isComplete }: SeedPrograms,
  verifications: readonly Verification[],
  m: Measurement,
  differences: readonly string[],
): DemoResult {
  const timed = programs.flatMap((program, i) => {
    const timing = i === 0 ? m.reference : m.variants[i - 1]!
    const maxDiff = Math.max(...verifications[i]!.outputs.map((o) => o.maxAbs))
    const toOriginal = i === 0 || timing.kind === 'failed' ? null : timing.ratio
    return timing.kind === 'failed' ? [] : [{ program, time: timing.time, toOriginal, maxDiff }]
  })
  const variants = timed.map(({ program: { name, code }, time, toOriginal, maxDiff }) => ({
    name,
    code,
    ms: time.median,
    iqrMs: time.iqr,
    toOriginal,
    maxDiff,
  }))
  const listed: Demo = {
    title: TITLE,
    original: programs[0]!.fx,
    iterations,
    unit: 'e-nodes',
    variants: timed.map(({ program: { name, fx }, time, maxDiff }) => ({ name, graph: fx, ms: time.median, maxDiff })),
    tolerance: TOLERANCE,
    insights: insightsOf(variants),
  }
  const { best, worst, ratio } = demoResult(listed)
  const failed = m.variants.filter((v) => v.kind === 'failed').map((v) => `${v.name} could not be timed: ${v.reason}`)
  const wrong = programs.filter((_, i) => !verifications[i]!.passed).map((p) => `${p.name} differs from the original`)
  const more = isComplete ? [] : [`there are more equal programs; ${programs.length} are listed`]
  const warnings = [...failed, ...wrong, ...more, ...m.warnings]
  const ends = { best: best.name, worst: worst.name, ratio, noise: m.noise }
  return { variants, ...ends, warnings, differences, listing: demoListing(listed) }
}

/** Against the output that the first demonstration printed. */
const DIFFERENCES: readonly string[] = [
  '`original_r3` and what follows from it have no dead `add = x + y`: the first version kept it, ran it and timed it.',
  '`original_r3_r1_r2` is not listed: it is `original_r3` again, under other names of nodes. `original_r3_r1#2` is new: r1 on the other product.',
  'An iteration counts e-nodes, not graphs: one e-graph holds all variants, and each program is listed once. It applies every rule at every place, not at the first, so that `original_r3_r1_r1` is found in the second.',
  'Nodes of a variant stand, and are numbered, in the order in which its program is written out; the first version put them where a rule had made them.',
  '`max_diff` is the largest over six inputs of the timed length, zeros and large numbers among them; the first version took one of 100 elements.',
  'Times are medians over blocks in which all variants take turns, with their spread; the first version timed one variant after the other.',
  'Marks are plain text, which every terminal shows.',
]

const TITLE = 'Allotrope on torch.fx: equality saturation and cost-based selection'
/** Largest difference that counts as equal, as in the first demonstration. */
const TOLERANCE = 1e-5

/** What the run shows, from its own figures. */
function insightsOf(variants: readonly DemoVariant[]): readonly string[] {
  const told = variants.filter((v) => v.toOriginal !== null && (v.toOriginal.high < 1 || v.toOriginal.low > 1))
  const noise =
    told.length === 0
      ? 'The times differ by less than the noise: none of the variants can be told from the original.'
      : `Beyond the noise of this measurement: ${told.map((v) => `${v.name} takes ${v.toOriginal!.median.toFixed(2)} of the time of the original`).join(', ')}.`
  return [
    'One e-graph holds every variant at once; sharing is what keeps it small.',
    'Rewrite rules are laws (x * 2 = x + x); both sides stay, and the cost decides between them.',
    noise,
  ]
}
