// `npm run fuzz:rules -- [--cases N] [--seconds N] [--rule NAME,..] [--from SEED] [--record FILE]`: random typed graphs around
// each rule's sample until so many cases of each rule, or so much time. With a record a run goes on where the last one ended.
// A failure leaves a small model in out/fuzz and prints the command that judges it again:
// `--replay FILE --rule NAME --numbers KIND --seed S [--together]`.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT } from '../../../src/base/errors.ts'
import { createRandom } from '../../../src/base/random.ts'
import { modelOf, readModelFile, writeModelFile } from '../../../src/onnx/index.ts'
import type { Rule } from '../../../src/rewrite/rule.ts'
import { ruleFamilies } from '../../../src/rewrite/rules/index.ts'
import { type Backend, createBackend } from '../../../src/runtime/index.ts'
import { drawFeeds, JUMPS, type Numbers } from './check-case.ts'
import { type FuzzFailure, fuzzRule, judge } from './fuzz.ts'
import { FuzzRecord, type RuleRecord } from './record.ts'
import { differencesInRuntime } from './run-in-runtime.ts'

const USAGE = `usage: npm run fuzz:rules -- [--cases N] [--seconds N] [--rule NAME,..] [--from SEED] [--record FILE]
       npm run fuzz:rules -- --replay FILE --rule NAME --numbers KIND --seed S [--together]
`
const OUT = 'out/fuzz'
/** One program in so many also runs in ONNX Runtime: with one program in ten cases, one case in a hundred. */
const RUNTIME_EVERY = 10
/** Rules take turns of so many cases, so that a run that ends early has seen all of them. */
const TURN = 1000
/** A rule that was wrong so often is left alone. */
const FAILURES = 3

function readArguments() {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const own = { cases: text, seconds: text, rule: text, from: text, record: text }
  const options = { ...own, seed: text, replay: text, numbers: text, together: flag }
  try {
    const { values } = parseArgs({ options })
    const names = values.rule?.split(',')
    const rules = ruleFamilies.flatMap((f) => f.rules).filter((r) => names?.includes(r.name) ?? true)
    const [cases, seconds] = [Number(values.cases ?? 2000), Number(values.seconds ?? Number.POSITIVE_INFINITY)]
    const [from, seed] = [Number(values.from ?? 0), Number(values.seed ?? 1)]
    const fine = rules.length === (names?.length ?? rules.length) && cases > 0 && seconds > 0
    return fine && Number.isInteger(from) && Number.isInteger(seed)
      ? { ...values, rules, cases, seconds, from, seed }
      : null
  } catch {
    return null
  }
}

interface Run {
  readonly rules: readonly Rule[]
  readonly record: FuzzRecord
  /** Of each rule, those of the record included. */
  readonly cases: number
  readonly seconds: number
}

async function fuzzAll({ rules, record, cases, seconds }: Run): Promise<boolean> {
  const backend = createBackend('cpu')
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-fuzz-'))
  const startedAt = performance.now()
  const isOver = () => performance.now() - startedAt > seconds * 1000
  const onProgram = inRuntime(backend, folder)
  const finished = new Set<Rule>()
  let failures = 0
  try {
    while (finished.size < rules.length && !isOver()) {
      const rule = nextRule(rules, finished, record)
      const { next, cases: done } = record.of(rule.name)
      const wanted = Math.min(TURN, cases - done)
      const tally = await fuzzRule(rule, { from: next, cases: wanted, isOver, failures: FAILURES, onProgram })
      record.add(tally)
      for (const f of tally.failures) reportFailure(f)
      failures += tally.failures.length
      if (tally.cases < wanted || done + tally.cases >= cases) finished.add(rule)
    }
  } finally {
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const rule of rules) report(rule.name, record.of(rule.name))
  process.stdout.write(`${failures} failures in this run, ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`)
  return failures === 0
}

/** That with the fewest cases. */
function nextRule(rules: readonly Rule[], finished: ReadonlySet<Rule>, record: FuzzRecord): Rule {
  const open = rules.filter((r) => !finished.has(r))
  return open.reduce((best, r) => (record.of(r.name).cases < record.of(best.name).cases ? r : best))
}

const inRuntime =
  (backend: Backend, folder: string): NonNullable<Parameters<typeof fuzzRule>[1]['onProgram']> =>
  (one, program, at) => {
    const jumps = one.graph.nodes.some((n) => JUMPS.has(n.op))
    if (at % RUNTIME_EVERY !== 0 || one.numbers === 'special' || jumps) return null
    const feeds = drawFeeds(one.graph, one.numbers, createRandom(one.seed))
    return differencesInRuntime(backend, folder, one.graph, program, feeds).then((d) => d ?? [])
  }

function report(name: string, r: RuleRecord): void {
  const counts = `${r.cases} cases in which it fired, of ${r.drawn} drawn (seeds ${r.from} to ${r.next - 1})`
  const more = `${r.programs} programs, ${r.together} with all rules, ${r.compared} e-nodes`
  process.stdout.write(`${name.padEnd(32)} ${counts}, ${more}, ${r.wrong} wrong\n`)
}

function reportFailure(f: FuzzFailure): void {
  mkdirSync(OUT, { recursive: true })
  const path = join(OUT, `${f.rule}-${f.seed}.onnx`)
  writeModelFile(path, modelOf(f.graph), { force: true })
  const together = f.together ? ' --together' : ''
  process.stdout.write(`  FAILED: ${f.wrong.slice(0, 3).join('\n    ')}\n`)
  process.stdout.write(
    `  npm run fuzz:rules -- --replay ${path} --rule ${f.rule} --numbers ${f.numbers} --seed ${f.seed}${together}\n`,
  )
}

function replay(path: string, rule: Rule, numbers: Numbers, seed: number, together: boolean): boolean {
  const { graph } = readModelFile(path)
  const { wrong, checked } = judge(rule, { graph, together, numbers, seed, program: true })
  process.stdout.write(wrong.length === 0 ? `${checked ?? 0} e-nodes hold\n` : `${wrong.join('\n')}\n`)
  return wrong.length === 0
}

const wanted = readArguments()
if (wanted === null) {
  process.stderr.write(USAGE)
  process.exitCode = EXIT.usage
} else {
  const { rules, seed, numbers = 'normal', together = false } = wanted
  const fine = wanted.replay
    ? replay(wanted.replay, rules[0]!, numbers as Numbers, seed, together)
    : await fuzzAll({ ...wanted, record: new FuzzRecord(wanted.record ?? null, wanted.from) })
  process.exitCode = fine ? EXIT.ok : EXIT.verificationFailed
}
