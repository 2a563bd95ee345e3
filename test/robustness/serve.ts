// The child's side of watch.ts.
import type { Told } from './watch.ts'

/** Cases after which outcomes are told, and messages get their turn. */
const TURN = 50

/** Runs the cases that the command line names; `judge` gives the outcome of one, and throws where there is a bug of ours. */
export async function serveCases(judge: (at: number) => string | Promise<string>): Promise<void> {
  const [first, end] = process.argv.slice(2, 4).map(Number) as [number, number]
  const counts: Record<string, number> = {}
  const tell = (told: Told) => new Promise((resolve) => process.send!(told, resolve))
  const tellCounts = async () => {
    await tell({ kind: 'outcomes', counts })
    for (const key of Object.keys(counts)) delete counts[key]
  }
  let last = performance.now()
  for (let at = first; at < end; at++) {
    process.send!({ kind: 'case', at } satisfies Told)
    try {
      const outcome = judge(at)
      const known = typeof outcome === 'string' ? outcome : await outcome
      counts[known] = (counts[known] ?? 0) + 1
    } catch (error) {
      await tell({
        kind: 'failure',
        at,
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
    }
    if ((at - first) % TURN === TURN - 1 || performance.now() - last > 1000) {
      await tellCounts()
      last = performance.now()
    }
  }
  await tellCounts()
  process.disconnect()
  process.exit(0)
}
