// `allotrope optimize` as users run it: compiled, and in a process of its own, so that a crash ends one case and not the benchmark, and
// so that seconds and memory are those of a fresh start.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { ensureBuilt } from '../../.ci/build.mjs'
import type { RunRecord } from '../../src/report/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Reports the largest resident size on file descriptor 3, in kilobytes, as the process ends. */
const PEAK_REPORTER = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs'
   process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)))`,
)}`

export interface OptimizeRun {
  /** What `--json` prints; null where the command failed. */
  readonly record: RunRecord | null
  /** Why the command failed, or its verification did; null where neither. */
  readonly failure: string | null
  /** Largest resident size of the process, without those of its workers; null where it ended before it could tell. */
  readonly peakBytes: number | null
}

/** Runs `optimize` with these arguments. What it says on the way goes to stderr. */
export async function runOptimize(args: readonly string[], quiet = true): Promise<OptimizeRun> {
  const talk = quiet ? ['--quiet'] : []
  if (!ensureBuilt(ROOT)) throw new Error('the program does not compile')
  const command = ['dist/cli/main.js', 'optimize', ...args, '--json', '--no-report', ...talk]
  const child = spawn(process.execPath, ['--import', PEAK_REPORTER, ...command], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  const [stdout, peak, exit] = await Promise.all([
    textOf(child.stdout!),
    textOf(child.stdio[3] as NodeJS.ReadableStream),
    new Promise<string>((done) => child.on('close', (code, signal) => done(signal ?? `exit code ${code}`))),
  ])
  return { ...answerOf(stdout, exit), peakBytes: peak === '' ? null : 1024 * Number(peak) }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const part of stream) text += part
  return text
}

function answerOf(stdout: string, exit: string): Pick<OptimizeRun, 'record' | 'failure'> {
  if (stdout === '') return { record: null, failure: `optimize ended with ${exit}` }
  const answer = JSON.parse(stdout) as RunRecord & { error?: { where: string; expected: string; got: string } }
  const { error } = answer
  const failure = error ? `${error.where}: expected ${error.expected}, got ${error.got}` : null
  return { record: 'saturation' in answer ? answer : null, failure }
}
