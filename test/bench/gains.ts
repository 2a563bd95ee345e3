// What `optimize` gains, case by case: the command optimises one model, then the model that it wrote is measured against the
// original in several fresh processes, apart from the measurement that it was chosen by, and beside the form that a person wrote, if
// there is one. A case that fails is a row that says so.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createRandom } from '../../src/base/random.ts'
import { median } from '../../src/base/statistics.ts'
import {
  type Measurement,
  measureInProcesses,
  type ProcessMeasurement,
  type Ratio,
  type Timed,
  timingInputs,
} from '../../src/bench/index.ts'
import { joinTimings } from '../../src/bench/measure.ts'
import { readModelFile } from '../../src/onnx/index.ts'
import type { RunRecord } from '../../src/report/index.ts'
import { createBackend } from '../../src/runtime/index.ts'
import { runOptimize } from './command-line.ts'
import type { GainOptions } from './gain-options.ts'

export interface GainCase {
  readonly name: string
  /** Cases of one group count as one in the geometric mean. */
  readonly group: string
  readonly modelPath: string
  /** Sizes to measure at, `x=1x3x48x192`; they stay open in the written model. */
  readonly samples: readonly string[]
  /** Folder for --inputs, or null. */
  readonly inputs: string | null
  /** The model that a person would write instead; default: nobody wrote it. */
  readonly byHand?: string
}

export interface GainRow {
  readonly name: string
  readonly group: string
  readonly verdict: 'gain' | 'no-gain' | 'failed'
  /** Why there is no gain, or what failed. */
  readonly reason: string
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** Original time / time of the written model, as `optimize` found it, with its interval (95 %). */
  readonly found: Speedup | null
  /** The same in several fresh processes; 1 where nothing was written. */
  readonly speedup: Speedup | null
  /** The same in each process. */
  readonly perProcess: readonly number[]
  /** Original time / time of the form by hand, in the same processes; null: there is none. */
  readonly byHand: Speedup | null
  /** What was found / what is found by hand, in the same blocks; where a person's form is slower than the original, the original
   * counts as that form. */
  readonly share: Speedup | null
  readonly originalMs: number | null
  readonly writtenMs: number | null
  readonly rules: RunRecord['rules']
  readonly seconds: RunRecord['seconds']
  readonly stopReason: string
  readonly verified: RunRecord['verified']
  readonly warnings: readonly string[]
  /** Cells of the columns that only one benchmark has, in their order. */
  readonly extra: readonly string[]
}

export interface Speedup {
  readonly median: number
  readonly low: number
  readonly high: number
}

export interface Paths {
  readonly original: string
  /** null: nothing was written. */
  readonly written: string | null
}

/** More cells for a case, once it is optimised. */
export type ExtraCells = (name: string, paths: Paths) => readonly string[] | Promise<readonly string[]>

/** Names of the models in a measurement, beside the original. */
const WRITTEN = 'written'
const BY_HAND = 'by hand'
const NOTHING_WRITTEN: Speedup = { median: 1, low: 1, high: 1 }
/** Per process; three blocks are measured in any case. */
const PROCESS_LIMIT_MS = 30_000

/** Runs `body` with a folder for the written models: the one to keep them in, or a temporary one. */
export async function withFolder<T>(keep: string | null, body: (folder: string) => Promise<T>): Promise<T> {
  if (keep !== null) {
    mkdirSync(keep, { recursive: true })
    return body(resolve(keep))
  }
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-bench-'))
  try {
    return await body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Optimises and measures one case. Throws nothing that a case can cause. */
export async function gainOf(c: GainCase, folder: string, options: GainOptions, extra: ExtraCells): Promise<GainRow> {
  const output = join(folder, `${c.name}.fast.onnx`)
  rmSync(output, { force: true })
  const { record, failure } = await runOptimize(argumentsOf(c, output, options))
  if (record === null || failure !== null) return failedRow(c, failure ?? 'no record', record)
  try {
    const paths = { original: c.modelPath, written: existsSync(output) ? output : null }
    const timing = await timeModels(c, paths.written, record, options)
    return { ...rowOf(c, record), ...timing, extra: await extra(c.name, paths) }
  } catch (error) {
    return failedRow(c, error instanceof Error ? error.message : String(error), record)
  }
}

function argumentsOf(c: GainCase, output: string, options: GainOptions): string[] {
  const counts = { threads: options.threads, seed: options.seed, measure: options.measure }
  return [
    resolve(c.modelPath),
    ...['-o', output],
    ...c.samples.flatMap((sample) => ['--sample', sample]),
    ...(c.inputs === null ? [] : ['--inputs', c.inputs]),
    ...Object.entries(counts).flatMap(([name, n]) => [`--${name}`, String(n)]),
  ]
}

/** All but the measurement in several processes. */
function rowOf(c: GainCase, record: RunRecord): GainRow {
  const { speedup, speedupInterval, gain, shapes, rules, seconds, verified, warnings } = record
  return {
    name: c.name,
    group: c.group,
    verdict: gain ? 'gain' : 'no-gain',
    reason: record.verdict.reason,
    found:
      speedup === null || speedupInterval === null
        ? null
        : { median: speedup, low: speedupInterval[0], high: speedupInterval[1] },
    speedup: gain ? null : NOTHING_WRITTEN,
    perProcess: [],
    byHand: null,
    share: null,
    originalMs: record.originalMs?.median ?? null,
    writtenMs: null,
    stopReason: record.saturation.stopReason,
    extra: [],
    ...{ shapes, rules, seconds, verified, warnings },
  }
}

function failedRow(c: GainCase, reason: string, record: RunRecord | null): GainRow {
  const nothing = { shapes: {}, found: null, originalMs: null, rules: [], seconds: {}, stopReason: '', verified: null }
  const unmeasured = { writtenMs: null, perProcess: [], byHand: null, share: null }
  const known = record ? rowOf(c, record) : { ...nothing, ...unmeasured, warnings: [], extra: [] }
  return { ...known, name: c.name, group: c.group, verdict: 'failed', reason, speedup: null }
}

/** Times what was written and what a person wrote, whichever there is, against the original. */
async function timeModels(
  c: GainCase,
  written: string | null,
  record: RunRecord,
  options: GainOptions,
): Promise<Partial<GainRow>> {
  const models = [
    ...(written === null ? [] : [{ name: WRITTEN, modelPath: written }]),
    ...(c.byHand === undefined ? [] : [{ name: BY_HAND, modelPath: c.byHand }]),
  ]
  if (models.length === 0) return {}
  const { processes, threads, seed } = options
  const { graph } = readModelFile(c.modelPath)
  const { feeds } = timingInputs(graph, new Map(Object.entries(record.shapes)), {
    seed,
    ...(c.inputs !== null && { folder: c.inputs }),
  })
  const original = { name: 'original', modelPath: c.modelPath }
  const outcome = await measureInProcesses(() => createBackend('cpu'), original, models, feeds, {
    ...{ processes, threads, seed },
    timeLimitMs: PROCESS_LIMIT_MS * processes,
    dropAbove: Number.POSITIVE_INFINITY,
  })
  if (!outcome.ok) throw new Error(`measuring: ${outcome.reason}`)
  return timesOf(outcome.value, seed)
}

function timesOf(measurement: ProcessMeasurement, seed: number): Partial<GainRow> {
  const [written, byHand] = [WRITTEN, BY_HAND].map((name) => timedOf(measurement, name))
  return {
    originalMs: measurement.reference.time.median,
    ...(written && {
      speedup: inverse(written.ratio),
      perProcess: measurement.perProcess.map((part) => 1 / timedOf(part, WRITTEN)!.ratio.median),
      writtenMs: written.time.median,
    }),
    ...(byHand && { byHand: inverse(byHand.ratio), share: shareOf(measurement, byHand.ratio.median < 1, seed) }),
  }
}

/** null: it was not measured. Throws where its measurement failed. */
function timedOf({ variants }: Measurement, name: string): Timed | null {
  const found = variants.find((v) => v.name === name)
  if (found?.kind === 'failed') throw new Error(`measuring the model ${name}: ${found.reason}`)
  return found ?? null
}

const inverse = ({ median: middle, low, high }: Ratio): Speedup => ({
  median: 1 / middle,
  low: 1 / high,
  high: 1 / low,
})

/** Time of what a person would run / time of what was found (the original, if nothing was), block by block. */
function shareOf({ perProcess }: ProcessMeasurement, handIsFaster: boolean, seed: number): Speedup {
  const parts = perProcess.map((part) => {
    const theirs = handIsFaster ? timedOf(part, BY_HAND)! : part.reference
    const ours = timedOf(part, WRITTEN) ?? part.reference
    const ratios = ours.samplesMs.map((ms, i) => theirs.samplesMs[i]! / ms)
    return { ...ours, ratios, ratio: { ...ours.ratio, median: median(ratios) } }
  })
  return joinTimings(parts, createRandom(seed)).ratio
}
