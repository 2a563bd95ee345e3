// Inputs are sent to the worker once and kept there under a number, because a timing of two milliseconds should not wait for
// megabytes to be copied. A new worker starts with none; the least recently used sets are forgotten.
import type { Feeds, Outcome } from './backend.ts'
import type { WorkerProcess } from './worker-process.ts'

const KEPT_SETS = 16

export class FeedStore {
  private readonly worker: WorkerProcess
  /** Insertion order is order of use. */
  private readonly ids = new Map<Feeds, number>()
  private generation = 0
  private nextId = 1

  constructor(worker: WorkerProcess) {
    this.worker = worker
  }

  /** The number under which the worker has these inputs. */
  async keep(feeds: Feeds): Promise<Outcome<number>> {
    if (this.generation !== this.worker.generation) this.ids.clear()
    this.generation = this.worker.generation
    const id = this.ids.get(feeds) ?? this.nextId++
    const known = this.ids.delete(feeds)
    this.ids.set(feeds, id)
    if (known) return { ok: true, value: id }
    // Queued before anything is awaited: a second caller may count on it already.
    const sending = this.worker.request({ kind: 'keep', id, feeds })
    await this.evict()
    const sent = await sending
    return sent.ok ? { ok: true, value: id } : sent
  }

  private async evict(): Promise<void> {
    for (const [feeds, id] of this.ids) {
      if (this.ids.size <= KEPT_SETS) return
      this.ids.delete(feeds)
      await this.worker.request({ kind: 'forget', id })
    }
  }
}
