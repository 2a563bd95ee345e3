#!/usr/bin/env node
// The program: the process as the outside world of one run. Ctrl-C asks the run to stop and save what it has; a second
// Ctrl-C, or a run that does not stop in time, ends the process at once.
import { writeSync } from 'node:fs'
import { EXIT } from '../base/errors.ts'
import { commands } from './commands/index.ts'
import { lastWords, run } from './run.ts'

const MS_TO_STOP = 10_000

const argv = process.argv.slice(2)
const interrupt = new AbortController()
let isAnswered = false

/** Ends a run that does not end by itself. Written at once, for there is no time to wait for a stream. */
function leave(): never {
  const words = isAnswered ? '' : lastWords(argv, commands)
  if (words !== '') writeSync(process.stdout.fd, words)
  process.exit(EXIT.interrupted)
}

function onInterrupt(): void {
  if (interrupt.signal.aborted) leave()
  process.stderr.write('\nstopping; press Ctrl-C again to stop at once\n')
  interrupt.abort()
  setTimeout(leave, MS_TO_STOP).unref()
}
process.on('SIGINT', onInterrupt)
process.on('SIGTERM', onInterrupt)

// A reader that has seen enough (`allotrope rules | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  throw error
})

// Libraries may print through the console; stdout is for data alone.
console.log = console.error
console.info = console.error
console.debug = console.error

// Worker processes do not hold this one: without a timer Node would leave in the middle of a run that waits for one.
const MAX_TIMER_MS = 2 ** 31 - 1
setInterval(() => {}, MAX_TIMER_MS)

const { stdout, stderr, env } = process
const code = await run(argv, commands, { stdout, stderr, env, signal: interrupt.signal })
isAnswered = true
// A pipe takes its time: leave only when everything has been handed over.
process.exitCode = code
stdout.write('', () => stderr.write('', () => process.exit(code)))
