// Cases in a child process that is watched: one that ends the child, takes too long or holds too much memory is a failure, and
// the cases behind it go on in a new child. The child tells each case before it starts it (serve.ts).
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { residentBytes } from '../../src/runtime/process-memory.ts'

export interface WatchOptions {
  /** Module of the child; it calls `serveCases`. */
  readonly module: string
  readonly args: readonly string[]
  /** Numbers of the cases: from `first`, below `end`. */
  readonly first: number
  readonly end: number
  readonly caseLimitMs: number
  readonly memoryLimitBytes: number
  onFailure(at: number, reason: string): void
  /** Outcomes of cases that ended, with how often each occurred since the last call. False: enough. */
  onOutcomes(outcomes: Readonly<Record<string, number>>): boolean
}

/** What a child tells. */
export type Told =
  | { readonly kind: 'case'; readonly at: number }
  | { readonly kind: 'failure'; readonly at: number; readonly reason: string }
  | { readonly kind: 'outcomes'; readonly counts: Readonly<Record<string, number>> }

const POLL_MS = 200
const START_LIMIT_MS = 60_000
const STDERR_CHARS = 2000

/** Runs all cases. */
export async function watchCases(options: WatchOptions): Promise<void> {
  for (let first = options.first; first < options.end; ) first = await watchChild(options, first)
}

/** Runs cases in one child; returns the number of the next case. */
async function watchChild(options: WatchOptions, first: number): Promise<number> {
  const { module, args, end } = options
  const child = fork(module, [String(first), String(end), ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--import', 'tsx'],
  })
  let [at, since, stderr, isEnough] = [first - 1, performance.now(), '', false]
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_CHARS)))
  child.on('message', (told: Told) => {
    since = performance.now()
    if (told.kind === 'case') at = told.at
    else if (told.kind === 'failure') options.onFailure(told.at, told.reason)
    else if (!options.onOutcomes(told.counts)) isEnough = true
    if (isEnough) child.kill('SIGKILL')
  })
  let sentence: string | null = null
  const guard = setInterval(() => {
    sentence ??= excess(child, performance.now() - since, at < first ? START_LIMIT_MS : options.caseLimitMs, options)
    if (sentence !== null) child.kill('SIGKILL')
  }, POLL_MS)
  await once(child, 'close')
  clearInterval(guard)
  if (isEnough || child.exitCode === 0) return end
  if (at < first) throw new Error(`the child did not start: ${stderr}`)
  options.onFailure(at, sentence ?? `the process ended: ${child.signalCode ?? child.exitCode} ${stderr}`)
  return at + 1
}

function excess(child: ChildProcess, ms: number, limitMs: number, { memoryLimitBytes }: WatchOptions): string | null {
  if (ms > limitMs) return `no end within ${limitMs} ms`
  const bytes = residentBytes(child.pid!) ?? 0
  return bytes > memoryLimitBytes ? `it holds ${Math.round(bytes / 2 ** 20)} MB of memory` : null
}
