// `npm run fuzz:rules -- [--cases N] [--rule NAME] [--seed S]`: random typed graphs around each rule's sample, alone and with
// all other rules. A failure leaves a small model in out/fuzz and prints the command that judges it again:
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
import { drawFeeds, type Numbers } from './check-case.ts'
import { type FuzzFailure, type FuzzTally, fuzzRule, judge } from './fuzz.ts'
import { differencesInRuntime } from './run-in-runtime.ts'

const USAGE =
  'usage: npm run fuzz:rules -- [--cases N] [--rule NAME] [--seed S] [--replay FILE --numbers KIND [--together]]\n'
const OUT = 'out/fuzz'
/** One case in so many also runs in ONNX Runtime. */
const RUNTIME_EVERY = 100

function readArguments() {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = { cases: text, rule: text, seed: text, replay: text, numbers: text, together: flag }
  try {
    const { values } = parseArgs({ options })
    const rules = ruleFamilies.flatMap((f) => f.rules).filter((r) => !values.rule || r.name === values.rule)
    const [cases, seed] = [Number(values.cases ?? 2000), Number(values.seed ?? 1)]
    return rules.length === 0 || !(cases > 0) || !Number.isInteger(seed) ? null : { ...values, rules, cases, seed }
  } catch {
    return null
  }
}

async function fuzzAll(rules: readonly Rule[], cases: number, seed: number): Promise<boolean> {
  const backend = createBackend('cpu')
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-fuzz-'))
  const sum = { cases: 0, fired: 0, compared: 0, failures: 0 }
  try {
    for (const rule of rules) {
      const started = performance.now()
      const tally = await fuzzRule(rule, { cases, seed, onCase: inRuntime(backend, folder) })
      report(tally, (performance.now() - started) / 1000)
      sum.cases += tally.cases
      sum.fired += tally.fired
      sum.compared += tally.compared
      sum.failures += tally.failures.length
    }
  } finally {
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const { failures, ...rest } = sum
  process.stdout.write(`${JSON.stringify(rest)}, ${failures} failures\n`)
  return failures === 0
}

const inRuntime =
  (backend: Backend, folder: string): NonNullable<Parameters<typeof fuzzRule>[1]['onCase']> =>
  (one, { program }, at) => {
    if (at % RUNTIME_EVERY !== 0 || !program || one.numbers === 'special') return null
    const feeds = drawFeeds(one.graph, one.numbers, createRandom(one.seed))
    return differencesInRuntime(backend, folder, one.graph, program, feeds).then((d) => d ?? [])
  }

function report(t: FuzzTally, seconds: number): void {
  const counts = `${t.cases} cases (${t.together} with all rules), fired in ${t.fired}, ${t.compared} e-nodes compared, ${t.discarded} discarded`
  process.stdout.write(`${t.rule.padEnd(24)} ${counts}, ${seconds.toFixed(1)} s\n`)
  for (const f of t.failures) reportFailure(f)
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
  const { wrong, checked } = judge(rule, { graph, together, numbers, seed })
  process.stdout.write(wrong.length === 0 ? `${checked} e-nodes hold\n` : `${wrong.join('\n')}\n`)
  return wrong.length === 0
}

const wanted = readArguments()
if (wanted === null) {
  process.stderr.write(USAGE)
  process.exitCode = EXIT.usage
} else {
  const { rules, cases, seed, numbers = 'normal', together = false } = wanted
  const fine = wanted.replay
    ? replay(wanted.replay, rules[0]!, numbers as Numbers, seed, together)
    : await fuzzAll(rules, cases, seed)
  process.exitCode = fine ? EXIT.ok : EXIT.verificationFailed
}
