// `npm run conformance -- DIR [--json] [--limit N] [--case TEXT]`: every case below DIR, in the layout of ONNX's backend suite,
// is rewritten with all rules and must still give the outputs that the suite expects. Exit code 4 if one does not.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { EXIT } from '../../src/base/errors.ts'
import { findCases, type SuiteCase } from './cases.ts'
import type { Verdict } from './judge.ts'
import { runSuite, type Tally } from './suite.ts'

const USAGE = 'usage: npm run conformance -- DIR [--json] [--limit N] [--case TEXT]\n'

function readArguments() {
  const options = { json: { type: 'boolean' }, limit: { type: 'string' }, case: { type: 'string' } } as const
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit)
    const [folder] = positionals
    if (positionals.length !== 1 || !folder || !existsSync(folder) || !(limit > 0)) return null
    return { folder, limit, json: values.json ?? false, part: values.case ?? '' }
  } catch {
    return null
  }
}

function progress(total: number) {
  const failed = { wrong: 'WRONG', crashed: 'CRASHED' } as const
  return (one: SuiteCase, { kind, reason }: Verdict, at: number): void => {
    if (kind === 'wrong' || kind === 'crashed') process.stderr.write(`${failed[kind]} ${one.name}: ${reason}\n`)
    else if ((at + 1) % 100 === 0) process.stderr.write(`${at + 1} of ${total} cases\n`)
  }
}

function textOf(tally: Tally): string {
  const { notRunnable, firstFailures, rules, ...counts } = tally
  const lines = Object.entries(counts).map(([name, n]) => `${name.padEnd(12)} ${n}`)
  const byCount = (table: Record<string, number>) =>
    Object.entries(table)
      .sort(([, a], [, b]) => b - a)
      .map(([name, n]) => `  ${String(n).padStart(5)}  ${name}`)
  const failures = firstFailures.map((f) => `${f.kind} ${f.case}: ${f.reason.split('\n')[0]}`)
  return [
    ...lines,
    `notRunnable  ${notRunnable.count}`,
    ...byCount(notRunnable.reasons),
    'cases with a program of each rule:',
    ...byCount(rules),
    ...failures,
    '',
  ].join('\n')
}

const wanted = readArguments()
if (wanted === null) {
  process.stderr.write(USAGE)
  process.exitCode = EXIT.usage
} else {
  const cases = findCases(wanted.folder)
    .filter((c) => c.name.includes(wanted.part))
    .slice(0, wanted.limit)
  const tally = await runSuite(cases, progress(cases.length))
  process.stdout.write(wanted.json ? `${JSON.stringify(tally)}\n` : textOf(tally))
  process.exitCode = tally.wrong > 0 || tally.crashed > 0 ? EXIT.verificationFailed : EXIT.ok
}
