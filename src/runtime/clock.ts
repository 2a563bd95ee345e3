// Clocks. On a busy machine a sample of two milliseconds may hold four of waiting, because the operating system gave the
// processor to somebody else; what was waited is the difference between the time on the wall and on the processor.
import process from 'node:process'

/** Milliseconds of `work`. */
export type Clock = (work: () => Promise<void>) => Promise<number>

/** A sample is disturbed if this share of it was spent off the processor. */
const DISTURBED = 0.05
const ATTEMPTS = 3

/** Reads a time in milliseconds, from any zero. */
type Now = () => number

const onWall: Now = () => performance.now()
const onProcessor: Now = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** By the clock on the wall. */
export const wallMs: Clock = (work) => spent(onWall, work)

async function spent(now: Now, work: () => Promise<void>): Promise<number> {
  const start = now()
  await work()
  return now() - start
}

/** For work on this thread alone: the same, but work that was kept off the processor is done again, up to twice, and the
 * shortest counts. At equal total time, on a busy machine, ratios spread by a sixth to a third less. */
export const undisturbedMs: Clock = undisturbedClock(onWall, onProcessor)

/** The same with other clocks. */
export function undisturbedClock(wall: Now, processor: Now): Clock {
  return async (work) => {
    let best = Number.POSITIVE_INFINITY
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const start = processor()
      const ms = await spent(wall, work)
      best = Math.min(best, ms)
      if (ms - (processor() - start) <= DISTURBED * ms) break
    }
    return best
  }
}
