// The parent's side of a session: a model that is loaded in the worker process. If the worker has ended meanwhile, the next
// call loads the model again in the new one, so that one bad variant does not take the others with it.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readModelFile } from '../onnx/index.ts'
import { type Feeds, failure, type Outcome, type ProfiledKernel, type Session, type SessionOptions } from './backend.ts'
import { asOutcome } from './expected-error.ts'
import type { FeedStore } from './feed-store.ts'
import { profiledKernels } from './profile.ts'
import { readProfile } from './profile-events.ts'
import type { Answers, OpenRequest, ProfileFiles, Request } from './protocol.ts'
import { WORKER_REPLACED, type WorkerProcess } from './worker-process.ts'

export interface RemoteModel {
  readonly modelPath: string
  readonly options: SessionOptions
  /** Where a profiled session leaves its files. */
  readonly files: ProfileFiles | null
}

type Maker<K> = (session: number, feeds: number) => Extract<Request, { kind: K }>

let lastId = 0

/** Loads the model in the worker. */
export async function openRemote(
  worker: WorkerProcess,
  store: FeedStore,
  model: RemoteModel,
): Promise<Outcome<RemoteSession>> {
  const id = ++lastId
  const opened = await worker.request({ kind: 'open', session: id, ...model })
  return opened.ok ? { ok: true, value: new RemoteSession(worker, store, model, id, opened.value) } : opened
}

export class RemoteSession implements Session {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly warnings: readonly string[]
  private readonly worker: WorkerProcess
  private readonly store: FeedStore
  private readonly request: OpenRequest
  private generation: number
  private closed = false
  private profiled = false
  private queue: Promise<unknown> = Promise.resolve()
  private whenClosed = () => {}

  constructor(
    worker: WorkerProcess,
    store: FeedStore,
    model: RemoteModel,
    session: number,
    { inputNames, outputNames, warnings }: Answers['open'],
  ) {
    this.worker = worker
    this.store = store
    this.request = { kind: 'open', session, ...model }
    this.generation = worker.generation
    this.inputNames = inputNames
    this.outputNames = outputNames
    this.warnings = warnings
  }

  run(feeds: Feeds): Promise<Outcome<Feeds>> {
    return this.ask(feeds, (session, kept) => ({ kind: 'run', session, feeds: kept }))
  }

  time(
    feeds: Feeds,
    { repeats, batch }: { readonly repeats: number; readonly batch: number },
  ): Promise<Outcome<readonly number[]>> {
    return this.ask(feeds, (session, kept) => ({ kind: 'time', session, feeds: kept, repeats, batch }))
  }

  async profile(feeds: Feeds, runs: number): Promise<Outcome<readonly ProfiledKernel[]>> {
    const { files } = this.request
    if (!files) return failure('error', 'the session was opened without `profile`')
    if (this.profiled) return failure('error', 'the session has been profiled; open another')
    const done = await this.ask(feeds, (session, kept) => ({ kind: 'profile', session, feeds: kept, runs }))
    this.profiled = done.ok
    return done.ok ? asOutcome(() => readProfileFiles(files, feeds, runs)) : done
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.whenClosed()
    if (this.generation === this.worker.generation && this.worker.pid !== null)
      await this.worker.request({ kind: 'close', session: this.request.session }, this.generation)
  }

  onClose(listener: () => void): void {
    this.whenClosed = listener
  }

  /** One call at a time, so that a session is loaded again once only. */
  private ask<K extends 'run' | 'time' | 'profile'>(feeds: Feeds, make: Maker<K>): Promise<Outcome<Answers[K]>> {
    const turn = this.queue.then(() => this.askNow(feeds, make))
    this.queue = turn
    return turn
  }

  private async askNow<K extends 'run' | 'time' | 'profile'>(
    feeds: Feeds,
    make: Maker<K>,
  ): Promise<Outcome<Answers[K]>> {
    const fault = this.closed ? 'the session is closed' : this.faultOf(feeds)
    if (fault !== null) return failure('error', fault)
    const ready = await this.reopen()
    if (!ready.ok) return ready
    const kept = await this.store.keep(feeds)
    if (!kept.ok) return kept
    const outcome = await this.worker.request<K>(make(this.request.session, kept.value), this.generation)
    // Another session's call ended the worker between ours: not our fault, so once more.
    return outcome === WORKER_REPLACED ? this.askNow(feeds, make) : outcome
  }

  private async reopen(): Promise<Outcome<null>> {
    if (this.generation === this.worker.generation && this.worker.pid !== null) return { ok: true, value: null }
    const opened = await this.worker.request(this.request)
    if (opened.ok) this.generation = this.worker.generation
    return opened.ok ? { ok: true, value: null } : opened
  }

  /** Names that do not fit the model, before they are sent; shapes and element types are the runtime's to check. */
  private faultOf(feeds: Feeds): string | null {
    const missing = this.inputNames.filter((name) => !(name in feeds))
    const strange = Object.keys(feeds).filter((name) => !this.inputNames.includes(name))
    if (missing.length > 0) return `no value for input ${missing.join(', ')}`
    return strange.length > 0
      ? `the model has no input ${strange.join(', ')}; its inputs are ${this.inputNames.join(', ')}`
      : null
  }
}

/** Reads what a profiled session left, and removes it. */
function readProfileFiles(files: ProfileFiles, feeds: Feeds, runs: number): Outcome<readonly ProfiledKernel[]> {
  const folder = dirname(files.profilePrefix)
  const profiles = readdirSync(folder).filter((f) => f.startsWith(basename(files.profilePrefix)) && f.endsWith('.json'))
  // The last, by time stamp: a device that first refused the model left an empty one.
  const last = profiles.sort().at(-1)
  if (last === undefined) return failure('error', 'ONNX Runtime wrote no profile')
  const [text, { graph }] = [readFileSync(join(folder, last), 'utf8'), readModelFile(files.loweredPath)]
  for (const path of [files.loweredPath, ...profiles.map((f) => join(folder, f))]) rmSync(path, { force: true })
  return { ok: true, value: profiledKernels(readProfile(text, runs), graph, feeds) }
}
