// Warming up: caches, page tables, thread pools, processor frequency, GPU pipelines. Runs until the rolling median settles.
import { median } from '../base/statistics.ts'
import type { Feeds, Outcome, Session } from '../runtime/index.ts'

const WINDOW = 5
/** Two windows that agree to this have settled. */
const SETTLED = 0.02
const MAX_RUNS = 60
/** A slow model is warm after few runs. */
const MAX_MS = 1_000

/** Runs a session until it has settled; returns the milliseconds of a run then. */
export async function warmUp(session: Session, feeds: Feeds): Promise<Outcome<number>> {
  const millis: number[] = []
  const start = performance.now()
  do {
    const run = await session.time(feeds, { repeats: 1, batch: 1 })
    if (!run.ok) return run
    millis.push(...run.value)
  } while (millis.length < 2 || (!hasSettled(millis) && millis.length < MAX_RUNS && performance.now() - start < MAX_MS))
  return { ok: true, value: median(millis.slice(-WINDOW)) }
}

function hasSettled(millis: readonly number[]): boolean {
  if (millis.length < 2 * WINDOW) return false
  const now = median(millis.slice(-WINDOW))
  const before = median(millis.slice(-2 * WINDOW, -WINDOW))
  return Math.abs(now - before) <= SETTLED * before
}
