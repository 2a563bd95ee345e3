// The parent's side of one worker process: starts it when it is needed, sends one request at a time, and turns its crash, its
// silence past the time limit and its hunger for memory into outcomes. After any of these the next request starts a new one.
// Memory is watched by polling /proc while a request is under way; elsewhere than on Linux only the system's limit stands.
// ONNX Runtime's official Linux binaries (since 1.29) report model names and hashes to their maker; in our workers they do
// not, unless the user's environment says ORT_DISABLE_TELEMETRY=0.
import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { failure, type Outcome } from './backend.ts'
import { defaultMemoryLimit, residentBytes } from './process-memory.ts'
import {
  type Answers,
  type EngineName,
  READY_ID,
  type ReplyMessage,
  type Request,
  type RequestMessage,
} from './protocol.ts'

export interface WorkerOptions {
  /** Added to our own environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** A request that takes longer is killed, the start of the worker not counted. Default: two minutes. */
  readonly timeoutMs?: number
  /** A worker that holds more memory is killed. Default: four fifths of the machine's. */
  readonly memoryLimitBytes?: number
}

const DEFAULT_TIMEOUT_MS = 120_000
const MIN_TIMEOUT_MS = 5000
const START_TIMEOUT_MS = 60_000
const MEMORY_POLL_MS = 50
const STDERR_KEPT_CHARS = 16_384
const MEMORY_WORDS = /bad_alloc|bad allocation|out of memory|failed to allocate|cannot allocate memory/i

/** The time that one request may take where the whole has a limit, in seconds: no more, but enough to load a model. */
export const timeoutWithin = (timeLimit: number | null): number =>
  Math.min(DEFAULT_TIMEOUT_MS, Math.max(MIN_TIMEOUT_MS, (timeLimit ?? Number.POSITIVE_INFINITY) * 1000))

/** The outcome of a request that was meant for a worker which has ended. */
export const WORKER_REPLACED = failure('crash', 'its worker has ended')

/** Our own children, so that none survives us. */
const living = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

type Ended = Extract<Outcome<never>, { ok: false }>
interface Pending {
  readonly id: number
  readonly settle: (outcome: Outcome<unknown>) => void
}

export class WorkerProcess {
  /** Counts the processes started; a session that was opened under another number is gone. */
  generation = 0
  private readonly engine: EngineName
  private readonly options: Required<WorkerOptions>
  private child: ChildProcess | null = null
  private pending: Pending | null = null
  private queue: Promise<unknown> = Promise.resolve()
  private nextId = 1
  private stderr = ''
  /** Why we are killing it, said before we do. */
  private sentence: Ended | null = null

  constructor(engine: EngineName, options: WorkerOptions = {}) {
    this.engine = engine
    this.options = {
      environment: options.environment ?? {},
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      memoryLimitBytes: options.memoryLimitBytes ?? defaultMemoryLimit(),
    }
  }

  /** Process id of the worker, or null while there is none. */
  get pid(): number | null {
    return this.child?.pid ?? null
  }

  /** What the present or last worker wrote to its standard error, the end of it. */
  get errorText(): string {
    return this.stderr
  }

  /** Sends a request after those before it, starting a worker if there is none. `only`: WORKER_REPLACED unless the worker
   * is the one of that generation. */
  request<K extends Request['kind']>(
    request: Extract<Request, { kind: K }>,
    only?: number,
  ): Promise<Outcome<Answers[K]>> {
    const turn = this.queue.then(() => {
      if (only !== undefined && (only !== this.generation || !this.child)) return WORKER_REPLACED
      return this.exchange(request)
    })
    this.queue = turn
    return turn as Promise<Outcome<Answers[K]>>
  }

  /** Ends the worker; the next request starts another. */
  async stop(): Promise<void> {
    await this.queue
    const child = this.child
    if (!child) return
    child.ref()
    holdStream(child, 'ref') // 'close' comes after its end
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
    child.kill('SIGKILL') // it holds nothing that is worth an orderly end
    await gone
  }

  private async exchange(request: Request): Promise<Outcome<unknown>> {
    if (!this.child) {
      // Time limits are about work: loading the engine on a busy machine has its own.
      const started = await this.converse(this.start(), READY_ID, START_TIMEOUT_MS, () => {})
      if (!started.ok) return started
    }
    const child = this.child
    if (!child) return failure('crash', 'the worker ended after it was started')
    const id = this.nextId++
    return this.converse(child, id, this.options.timeoutMs, () => {
      child.send({ id, request } satisfies RequestMessage, (error) => {
        if (error) this.kill(failure('crash', `the worker takes no messages: ${error.message}`))
      })
    })
  }

  /** Waits for one reply, keeping us alive meanwhile. */
  private async converse(
    child: ChildProcess,
    id: number,
    limitMs: number,
    send: () => void,
  ): Promise<Outcome<unknown>> {
    child.ref()
    child.channel?.ref()
    const outcome = await new Promise<Outcome<unknown>>((resolve) => {
      const guards = this.guard(limitMs)
      const settle = (o: Outcome<unknown>) => {
        for (const g of guards) clearInterval(g)
        this.pending = null
        resolve(o)
      }
      this.pending = { id, settle }
      send()
    })
    child.unref()
    child.channel?.unref()
    return outcome
  }

  /** Timers that kill the worker when it exceeds its time or memory. */
  private guard(limitMs: number): NodeJS.Timeout[] {
    const { memoryLimitBytes } = this.options
    const late = () => this.kill(failure('timeout', `no answer within ${limitMs} ms`))
    const weigh = () => {
      const bytes = this.pid === null ? null : residentBytes(this.pid)
      if (bytes !== null && bytes > memoryLimitBytes) this.kill(overweight(bytes, memoryLimitBytes))
    }
    return [setTimeout(late, limitMs), setInterval(weigh, MEMORY_POLL_MS)]
  }

  private kill(sentence: Ended): void {
    this.sentence ??= sentence
    this.child?.kill('SIGKILL')
  }

  private start(): ChildProcess {
    const { path, execArgv } = workerEntry()
    const child = fork(path, [this.engine], {
      execArgv,
      serialization: 'advanced',
      env: { ORT_DISABLE_TELEMETRY: '1', ...process.env, ...this.options.environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.generation++
    this.stderr = ''
    this.sentence = null
    this.child = child
    living.add(child)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT_CHARS)
    })
    holdStream(child, 'unref')
    child.on('message', (reply: ReplyMessage) => this.receive(reply))
    child.on('error', (error) => this.ended(child, `it could not be started: ${error.message}`))
    // 'close' comes after the last of its standard error, which holds the reason
    child.on('close', (code, signal) => this.ended(child, signal ? `killed by ${signal}` : `exit code ${code}`))
    return child
  }

  private receive(reply: ReplyMessage): void {
    if (reply.id !== this.pending?.id) return
    const kind = !reply.ok && MEMORY_WORDS.test(reply.reason) ? 'out-of-memory' : 'error'
    this.pending.settle(reply.ok ? { ok: true, value: reply.value } : failure(kind, reply.reason))
  }

  private ended(child: ChildProcess, how: string): void {
    living.delete(child)
    if (this.child !== child) return
    this.child = null
    this.pending?.settle(this.sentence ?? autopsy(how, this.stderr))
  }
}

const overweight = (bytes: number, limit: number): Ended =>
  failure('out-of-memory', `it held ${megabytes(bytes)} of memory, more than ${megabytes(limit)}`)

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`

/** SIGKILL that is not ours is how Linux ends processes when memory runs out. */
function autopsy(how: string, stderr: string): Ended {
  const last = stderr.trim().split('\n').slice(-3).join(' ').slice(-500)
  const reason = `the worker ended: ${how}${last ? `: ${last}` : ''}`
  return failure(how === 'killed by SIGKILL' || MEMORY_WORDS.test(stderr) ? 'out-of-memory' : 'crash', reason)
}

/** A pipe keeps us alive unless told otherwise. */
function holdStream(child: ChildProcess, how: 'ref' | 'unref'): void {
  if (child.stderr instanceof Socket) child.stderr[how]()
}

/** The worker beside this file: compiled, or TypeScript run through tsx where Node does not strip types itself. */
function workerEntry(): { path: string; execArgv: string[] } {
  const isSource = import.meta.url.endsWith('.ts')
  const path = fileURLToPath(new URL(isSource ? './worker.ts' : './worker.js', import.meta.url))
  if (!isSource || 'typescript' in process.features) return { path, execArgv: [] }
  const tsx = createRequire(import.meta.url).resolve('tsx')
  return { path, execArgv: ['--import', pathToFileURL(tsx).href] }
}
