// What `npm test` runs, in order. Every step runs, whatever became of the ones before it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt } from './build.mjs'

/** @typedef {{ name: string, run: (root: string) => boolean }} Step */
/** @typedef {{ passed: number, failed: number, pending: number }} Counts */
/** @typedef {{ name: string, ok: boolean, seconds: number }} Result */

/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] @returns {(root: string) => boolean} */
const node = (args, env) => (root) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0

/** @returns {Step[]} */
export function checks() {
  return [
    { name: 'lint', run: node(['node_modules/@biomejs/biome/bin/biome', 'check', '.']) },
    { name: 'types', run: node(['node_modules/typescript/bin/tsc', '--noEmit']) },
    { name: 'layers', run: node(['.ci/layers.mjs']) },
    { name: 'build', run: ensureBuilt },
    { name: 'package', run: node(['node_modules/publint/src/cli.js', '--strict', '--pack', 'false']) },
  ]
}

/** Reads what the reporter wrote at the end of mocha's run; null when mocha never came to its end. @param {string} file @returns {Counts | null} */
export function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/** @param {string} root @param {string[]} args @returns {{ ok: boolean, counts: Counts | null }} */
function runMocha(root, args) {
  const folder = mkdtempSync(join(tmpdir(), 'allotrope-test-'))
  const file = join(folder, 'counts.json')
  const all = args.some((arg) => arg.endsWith('.ts')) ? [] : ['test/**/*.test.ts']
  const ok = node(['node_modules/mocha/bin/mocha.js', ...all, ...args], { ALLOTROPE_TEST_COUNTS: file })(root)
  const counts = readCounts(file)
  rmSync(folder, { recursive: true, force: true })
  return { ok: ok && counts !== null && counts.failed === 0, counts }
}

/** The last line of a run. Checks count beside tests, and a crash counts as a failure, so that `0 failed` means success.
 * @param {Result[]} results @param {Counts | null} counts @returns {{ line: string, ok: boolean }} */
export function summarize(results, counts) {
  const failedChecks = results.filter((r) => !r.ok && r.name !== 'tests').length
  const passedChecks = results.filter((r) => r.ok && r.name !== 'tests').length
  const tests = results.find((r) => r.name === 'tests')
  const crashed = tests !== undefined && !tests.ok && (counts === null || counts.failed === 0) ? 1 : 0
  const passed = passedChecks + (counts?.passed ?? 0)
  const failed = failedChecks + (counts?.failed ?? 0) + crashed
  return { line: `${passed} passed, ${failed} failed`, ok: failed === 0 }
}

/** @param {string} name @param {() => boolean} run @returns {Result} */
function timed(name, run) {
  process.stdout.write(`\n== ${name}\n`)
  const start = performance.now()
  const ok = run()
  const seconds = (performance.now() - start) / 1000
  process.stdout.write(`== ${name}: ${ok ? 'ok' : 'FAILED'}, ${seconds.toFixed(1)} s\n`)
  return { name, ok, seconds }
}

/** Runs everything; prints each step with its time, then the summary. Returns the exit code. @param {string} root @param {string[]} mochaArgs */
export function runTests(root, mochaArgs) {
  const results = checks().map((step) => timed(step.name, () => step.run(root)))
  /** @type {Counts | null} */
  let counts = null
  results.push(
    timed('tests', () => {
      const run = runMocha(root, mochaArgs)
      counts = run.counts
      return run.ok
    }),
  )
  if (counts === null) process.stdout.write('mocha ended before its summary: no test counts are known\n')
  process.stdout.write(
    `\n${results.map((r) => `${r.name} ${r.ok ? 'ok' : 'FAILED'} ${r.seconds.toFixed(1)} s`).join(', ')}\n`,
  )
  const { line, ok } = summarize(results, counts)
  process.stdout.write(`${line}\n`)
  return ok ? 0 : 1
}
