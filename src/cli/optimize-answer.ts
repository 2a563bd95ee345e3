// What `optimize` says of a finished run, from its record: lines for people, and the failures that are no errors.
import { type Complaint, EXIT, type ExitCode } from '../base/errors.ts'
import type { RunRecord, RunTiming } from '../report/index.ts'
import type { Answer } from './command.ts'

const ms = (x: number): string => `${x.toFixed(3)} ms`

/** `original    4.118 ms  4.110-4.126` */
function timingLine(t: RunTiming): string {
  const name = t.name.padEnd(12)
  if (t.medianMs === null) return `${name} failed: ${t.reason ?? 'no reason was given'}`
  const interval = `${t.lowMs!.toFixed(3)}-${t.highMs!.toFixed(3)}`
  const speedup = t.role === 'original' || t.ratio === null ? '' : `${(1 / t.ratio).toFixed(3)}x`
  const mark = t.role === 'chosen' ? '  <- chosen' : t.role === 'dropped' ? '  (dropped early)' : ''
  return `${name} ${ms(t.medianMs).padStart(12)}  ${interval.padEnd(17)} ${speedup}${mark}`.trimEnd()
}

function resultLines(r: RunRecord): readonly string[] {
  if (r.verdict.kind === 'no-gain') return [`no gain: ${r.verdict.reason}`, `${r.input} stays as it is`]
  if (r.speedup === null || !r.speedupInterval) return ['chosen by prediction alone, as --measure 0 asks']
  const [low, high] = r.speedupInterval
  const how = r.interrupted ? 'as far as it was measured' : 'measured again apart from the choice'
  const times = `${ms(r.originalMs!.median)} -> ${ms(r.chosenMs!.median)}`
  return [`${r.speedup.toFixed(3)}x as fast, ${how}: ${times} (95 %: ${low.toFixed(3)}-${high.toFixed(3)}x)`]
}

function missLines(r: RunRecord): readonly string[] {
  return r.misses.flatMap(({ rule, looked, fires, refused }) => [
    `${rule}: looked at ${looked} e-nodes, fires at ${fires}`,
    ...refused.map((x) => `  x${x.count} ${x.reason}, as at ${x.where}: ${x.eNode}`),
  ])
}

export function optimizeText(r: RunRecord): string {
  const wrote = [r.output, r.report].filter((path) => path !== null)
  return [
    ...r.timings.map((t) => `  ${timingLine(t)}`),
    ...resultLines(r),
    ...(r.rules.length > 0 ? [`rules: ${r.rules.map((x) => `${x.name} x${x.count}`).join(', ')}`] : []),
    ...(r.bodies?.used ? [`bodies: ${r.bodies.optimised} of ${r.bodies.found} optimised`] : []),
    ...missLines(r),
    ...(wrote.length > 0 ? [`wrote ${wrote.join(', ')}`] : []),
    ...r.next.map((n) => `next: ${n.command}`),
  ].join('\n')
}

function complaint(
  r: RunRecord,
  requireGain: number | null,
): { readonly complaint: Complaint; readonly exitCode: ExitCode } | null {
  const where = r.input
  if (r.verified !== null && !r.verified.passed) {
    const expected = 'a variant with the outputs of the original'
    const fix =
      r.replay === null
        ? 'nothing was written; try inputs of your own (--inputs DIR), or report this model'
        : `nothing was written but ${r.replay}, which shows the difference (${r.next[0]!.command}); report this model with it`
    return {
      complaint: { code: 'verification-failed', where, expected, got: r.verdict.reason, fix },
      exitCode: EXIT.verificationFailed,
    }
  }
  if (r.interrupted) {
    const got = `an interruption; ${r.output === null ? 'nothing was better so far' : `${r.output} is the best so far`}`
    const fix = 'run it again for more'
    return {
      complaint: { code: 'interrupted', where, expected: 'to measure to the end', got, fix },
      exitCode: EXIT.interrupted,
    }
  }
  if (requireGain === null || (r.speedup ?? 1) >= requireGain) return null
  const got = r.speedup === null ? 'no measured gain' : `${r.speedup.toFixed(3)}x`
  const fix = 'ask for less, or allow more time and variants'
  return {
    complaint: { code: 'gain-not-met', where, expected: `a measured gain of ${requireGain}x`, got, fix },
    exitCode: EXIT.gainNotMet,
  }
}

/** `requireGain`: least speed-up that the user asked for, or null. */
export function optimizeAnswer(record: RunRecord, requireGain: number | null): Answer {
  const failure = complaint(record, requireGain)
  const { schema: _, ...data } = record
  return { data, text: optimizeText(record), ...(failure && { failure }) }
}
