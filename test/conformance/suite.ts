// All cases of a folder, and what became of them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBackend } from '../../src/runtime/index.ts'
import type { SuiteCase } from './cases.ts'
import { judgeCase, type Verdict } from './judge.ts'

export interface Failure {
  readonly case: string
  readonly kind: 'wrong' | 'crashed'
  readonly reason: string
}

export interface Tally {
  readonly cases: number
  /** Read and written back unharmed. */
  parsed: number
  /** With a program that holds what a rule made. */
  rewritten: number
  /** Programs extracted from their e-graphs. */
  programs: number
  equal: number
  wrong: number
  crashed: number
  /** Cases that the runtime does not run as they came. Their programs were extracted and written, and interpreted where possible. */
  notRunnable: { count: number; readonly reasons: Record<string, number> }
  readonly firstFailures: Failure[]
  /** Cases with a program that owes an e-node to the rule. */
  readonly rules: Record<string, number>
}

const FAILURES_SHOWN = 20

/** Judges the cases one after another, in worker processes of the CPU's runtime. */
export async function runSuite(
  cases: readonly SuiteCase[],
  onCase: (one: SuiteCase, verdict: Verdict, at: number) => void,
): Promise<Tally> {
  const tally = emptyTally(cases.length)
  const backend = createBackend('cpu')
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-conformance-'))
  try {
    for (const [i, one] of cases.entries()) {
      const verdict = await judgeCase({ backend, folder }, one, i + 1)
      count(tally, one, verdict)
      onCase(one, verdict, i)
    }
  } finally {
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return tally
}

const emptyTally = (cases: number): Tally => ({
  cases,
  parsed: 0,
  rewritten: 0,
  programs: 0,
  equal: 0,
  wrong: 0,
  crashed: 0,
  notRunnable: { count: 0, reasons: {} },
  firstFailures: [],
  rules: {},
})

function count(tally: Tally, one: SuiteCase, verdict: Verdict): void {
  if (verdict.parsed) tally.parsed++
  if (verdict.rewritten) tally.rewritten++
  tally.programs += verdict.programs
  for (const rule of verdict.rules) tally.rules[rule] = (tally.rules[rule] ?? 0) + 1
  if (verdict.kind === 'notRunnable') {
    const reason = groupOf(verdict.reason)
    tally.notRunnable.count++
    tally.notRunnable.reasons[reason] = (tally.notRunnable.reasons[reason] ?? 0) + 1
    return
  }
  tally[verdict.kind]++
  if (verdict.kind !== 'equal' && tally.firstFailures.length < FAILURES_SHOWN)
    tally.firstFailures.push({ case: one.name, kind: verdict.kind, reason: verdict.reason })
}

/** A reason without what belongs to one case alone: paths, names in quotes, numbers. */
function groupOf(reason: string): string {
  return reason
    .split('\n')[0]!
    .replace(/^.*onnxruntime_src.*?\) (?=[A-Z])/, '')
    .replaceAll(/\S*[\\/]\S+\.onnx/g, 'FILE')
    .replaceAll(/(["'`])[^"'`]*\1/g, 'X')
    .replaceAll(/\d+/g, 'N')
    .slice(0, 160)
}
