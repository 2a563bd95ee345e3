// The program as a process of its own, with a temporary folder of its own in which it must leave nothing behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

export interface Ended {
  /** Exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Program {
  /** Starts the program from its sources. */
  start(args: readonly string[]): Running
  /** What runs left in the temporary folder. */
  leftovers(): readonly string[]
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves once standard error matches; rejects if the program ends before. */
  says(pattern: RegExp): Promise<void>
}

/** `temporary`: a folder to make. */
export function programIn(temporary: string): Program {
  mkdirSync(temporary)
  // tsx keeps what it has compiled in the temporary folder: starting takes seconds without.
  const cache = `tsx-${process.geteuid?.() ?? ''}`
  if (existsSync(join(tmpdir(), cache))) symlinkSync(join(tmpdir(), cache), join(temporary, cache))
  const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary }
  return {
    start: (args) =>
      watch(spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })),
    leftovers: () => readdirSync(temporary).filter((name) => !name.startsWith('tsx') && !name.startsWith('node-')),
  }
}

function watch(child: ChildProcess): Running {
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(() => ({ code: child.exitCode ?? child.signalCode, stdout, stderr }))
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => pattern.test(stderr) && resolve()
      child.stderr!.on('data', look)
      look()
      ended.then(() => reject(new Error(`it ended without saying ${pattern}: ${stderr}${stdout}`)))
    })
  return { child, ended, says }
}
