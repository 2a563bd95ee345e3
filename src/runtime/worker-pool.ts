// The workers of one backend. Flushing subnormals to zero is decided once per process, by its first session (ONNX Runtime sets
// the processor's mode once), so sessions with and without it live in processes of their own. All sessions of one kind share
// a process, so that interleaved timings compare within it. A process is replaced after many sessions, when none is open.
import type { Outcome } from './backend.ts'
import { FeedStore } from './feed-store.ts'
import type { EngineName } from './protocol.ts'
import { openRemote, type RemoteModel, type RemoteSession } from './remote-session.ts'
import { type WorkerOptions, WorkerProcess } from './worker-process.ts'

export interface PoolOptions extends WorkerOptions {
  /** Sessions that a worker may open before it is replaced. Default 200. */
  readonly sessionsPerWorker?: number
}

interface Member {
  readonly worker: WorkerProcess
  readonly store: FeedStore
  opened: number
  open: number
}

const DEFAULT_SESSIONS_PER_WORKER = 200

export class WorkerPool {
  private readonly engine: EngineName
  private readonly options: PoolOptions
  private readonly members = new Map<boolean, Member>()

  constructor(engine: EngineName, options: PoolOptions = {}) {
    this.engine = engine
    this.options = options
  }

  /** The worker for sessions that do, or do not, flush subnormals. */
  worker(denormalAsZero: boolean): WorkerProcess {
    return this.member(denormalAsZero).worker
  }

  /** Process ids of the workers that run now. */
  get pids(): readonly number[] {
    return [...this.members.values()].map((m) => m.worker.pid).filter((pid) => pid !== null)
  }

  async open(model: RemoteModel): Promise<Outcome<RemoteSession>> {
    const member = this.member(model.options.denormalAsZero ?? false)
    if (member.open === 0 && member.opened >= (this.options.sessionsPerWorker ?? DEFAULT_SESSIONS_PER_WORKER)) {
      await member.worker.stop()
      member.opened = 0
    }
    member.opened++
    const session = await openRemote(member.worker, member.store, model)
    if (session.ok) countOpen(member, session.value)
    return session
  }

  async close(): Promise<void> {
    await Promise.all([...this.members.values()].map((m) => m.worker.stop()))
  }

  private member(denormalAsZero: boolean): Member {
    const known = this.members.get(denormalAsZero)
    if (known) return known
    const worker = new WorkerProcess(this.engine, this.options)
    const member = { worker, store: new FeedStore(worker), opened: 0, open: 0 }
    this.members.set(denormalAsZero, member)
    return member
  }
}

function countOpen(member: Member, session: RemoteSession): void {
  member.open++
  session.onClose(() => {
    member.open--
  })
}
