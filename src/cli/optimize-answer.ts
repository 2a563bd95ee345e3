// What `optimize` says of a finished run: the JSON object of the contract, and lines for people. Pure functions of the run.
import { type Complaint, EXIT, type ExitCode } from '../base/errors.ts'
import type { Summary } from '../base/statistics.ts'
import type { Measurement, Timed, VariantTiming } from '../bench/index.ts'
import type { Run } from '../optimize.ts'
import { LEAST_GAIN, speedupOf } from '../search/choose.ts'
import type { Answer } from './command.ts'

export interface Written {
  /** Path of the report, or null. */
  readonly report: string | null
  /** Least speed-up that the user asked for, or null. */
  readonly requireGain: number | null
}

/** The measurement that counts: the confirmation, else the selection. */
function finalMeasurement(run: Run): Measurement | null {
  return run.confirmation ?? run.measurement
}

const isTimed = (v: VariantTiming): v is Timed => v.kind === 'timed'

/** Timing of the chosen variant, or null: none was chosen, or it was not measured. */
function chosenTiming(run: Run): Timed | null {
  return run.verdict.kind === 'gain' ? run.verdict.timing : null
}

const shortSummary = (s: Summary) => ({ median: s.median, iqr: s.iqr, n: s.n })

/** Worst errors of the chosen variant, or of all that were compared. */
function verifiedOf(run: Run) {
  const of = run.chosen ? [run.chosen] : run.verified
  const outputs = of.flatMap((v) => v.verification.outputs)
  return {
    passed: of.length > 0 && of.every((v) => v.verification.passed),
    inputs: of[0]?.verification.inputs ?? 0,
    maxAbs: Math.max(0, ...outputs.map((o) => o.maxAbs)),
    maxRel: Math.max(0, ...outputs.map((o) => o.maxRel)),
  }
}

function rulesOf(run: Run): readonly { readonly name: string; readonly count: number }[] {
  const counts = [...(run.chosen?.ranked.candidate?.rules ?? new Map<string, number>())]
  return counts
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
}

const STAGES = ['load', 'saturate', 'predict', 'verify', 'measure', 'write'] as const

/** The keys that the contract names, and a few more. */
export function optimizeData(run: Run, written: Written) {
  const { search } = run.explored
  const timing = chosenTiming(run)
  const speed = timing ? speedupOf(timing) : null
  const final = finalMeasurement(run)
  const predicted = run.chosen ? run.ranking.original.predictedMs / run.chosen.ranked.predictedMs : null
  const { iterations, eNodes, eClasses, stopReason, seconds } = search
  return {
    input: run.options.input,
    output: run.chosen ? run.outputPath : null,
    report: written.report,
    gain: run.chosen !== null,
    reason: run.verdict.kind === 'no-gain' ? run.verdict.reason : null,
    device: run.options.device,
    threads: run.options.threads,
    seed: run.options.seed,
    costModel: run.cost.model.name,
    shapes: run.prepared.shapes,
    originalMs: final ? shortSummary(final.reference.time) : null,
    chosenMs: timing ? shortSummary(timing.time) : null,
    speedup: speed?.speedup ?? null,
    speedupInterval: speed?.interval ?? null,
    predictedSpeedup: predicted,
    variants: run.ranking.candidates,
    distinctAfterLowering: run.ranking.distinct,
    measured: run.measurement?.variants.length ?? 0,
    verified: verifiedOf(run),
    rules: rulesOf(run),
    saturation: { iterations, eNodes, eClasses, stopReason, seconds },
    seconds: { ...Object.fromEntries(STAGES.map((s) => [s, run.stopwatch.seconds(s)])), total: run.stopwatch.total() },
    warnings: run.warnings,
  }
}

const ms = (x: number): string => `${x.toFixed(3)} ms`

/** One line per timed variant, the original first; the chosen one is marked. */
export function measurementLines(run: Run): readonly string[] {
  const m = run.measurement
  if (!m) return []
  const line = (name: string, t: Summary, more: string) =>
    `${name.padEnd(12)} ${ms(t.median).padStart(12)} +-${(t.iqr / 2).toFixed(3)}${more}`
  const variants = m.variants.map((v) => {
    if (!isTimed(v)) return `${v.name.padEnd(12)} failed: ${v.reason}`
    const { speedup, interval } = speedupOf(v)
    const mark = run.chosen?.ranked.id === v.name ? '   <- chosen' : v.dropped ? '   (dropped early)' : ''
    return line(
      v.name,
      v.time,
      `   ${speedup.toFixed(3)}x (${interval[0].toFixed(3)}-${interval[1].toFixed(3)})${mark}`,
    )
  })
  return [line('original', m.reference.time, ''), ...variants]
}

function resultLines(run: Run): readonly string[] {
  const timing = chosenTiming(run)
  if (run.verdict.kind === 'no-gain')
    return [`no gain: ${run.verdict.reason}`, `${run.options.input} stays as it is; nothing was written`]
  if (!timing) return [`written on prediction alone, as --measure 0 asks: ${run.outputPath}`]
  const { speedup, interval } = speedupOf(timing)
  const before = finalMeasurement(run)!.reference.time
  const sure = `95 % sure: ${interval[0].toFixed(3)}-${interval[1].toFixed(3)}`
  return [
    `${speedup.toFixed(3)}x faster (${sure}): ${ms(before.median)} -> ${ms(timing.time.median)}`,
    `wrote ${run.outputPath}`,
  ]
}

export function optimizeText(run: Run, written: Written): string {
  const rules = rulesOf(run)
  const lines = [...measurementLines(run).map((l) => `  ${l}`), ...resultLines(run)]
  if (written.report) lines.push(`wrote ${written.report}`)
  if (rules.length > 0) lines.push(`rules: ${rules.map((r) => `${r.name} x${r.count}`).join(', ')}`)
  if (run.chosen) lines.push(`next: allotrope verify ${run.options.input} ${run.outputPath}`)
  return lines.join('\n')
}

function failureOf(run: Run, written: Written): { readonly complaint: Complaint; readonly exitCode: ExitCode } | null {
  const where = run.options.input
  if (run.verified.length > 0 && run.verified.every((v) => !v.verification.passed)) {
    const got = run.verified[0]!.verification.reason ?? 'others'
    const complaint = {
      code: 'verification-failed',
      where,
      expected: 'a variant with the outputs of the original',
      got,
      fix: 'nothing was written; report this model',
    }
    return { complaint, exitCode: EXIT.verificationFailed }
  }
  const needed = written.requireGain
  const timing = chosenTiming(run)
  const speedup = timing ? speedupOf(timing).speedup : 1
  if (needed === null || speedup >= needed) return null
  const got = run.chosen ? `${speedup.toFixed(3)}x` : `no gain of ${LEAST_GAIN}x or more`
  const complaint = {
    code: 'gain-not-met',
    where,
    expected: `a measured gain of ${needed}x`,
    got,
    fix: 'ask for less, or allow more time and variants',
  }
  return { complaint, exitCode: EXIT.gainNotMet }
}

export function optimizeAnswer(run: Run, written: Written): Answer {
  const failure = failureOf(run, written)
  return { data: optimizeData(run, written), text: optimizeText(run, written), ...(failure && { failure }) }
}
