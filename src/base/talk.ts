// How a flow speaks with whoever started it, and hears that it should stop. The command line writes it to stderr; a
// library user passes `silentTalk` or an object of their own. Results never go this way: they are returned.

export interface Talk {
  /** One finished stage in a few words: `note('saturate', '214 -> 3871 e-nodes, 1.9 s (stopped: saturated)')`. */
  note(stage: string, text: string): void
  /** How far a long stage is, in `unit`s; `total` null: nobody knows of how many. Shown in place on a terminal, with the time
   * that is left, dropped elsewhere; call it as often as you like. */
  progress(stage: string, done: number, total: number | null, unit?: string): void
  /** Something the user should know although the work goes on. The flow also returns it among its `warnings`. */
  warn(text: string): void
  /** Aborted when the user interrupts: flush what is worth keeping, then `signal.throwIfAborted()`. */
  readonly signal: AbortSignal
}

/** Turns of the event loop at a checkpoint: what worker processes answer comes in pieces, one a turn, and they wait for whoever takes it. */
const TURNS = 8

/** Lets Ctrl-C and the answers of workers in, and throws where it came. To be awaited between long stages that never wait for anything. */
export async function checkpoint(talk: Talk): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
  talk.signal.throwIfAborted()
}

/** Drives steps to their end, with a checkpoint many times a second. */
export async function driveSteps<R>(steps: Generator<void, R>, talk: Talk): Promise<R> {
  let last = performance.now()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value as R
    if (performance.now() - last < CHECKPOINT_MS) continue
    await checkpoint(talk)
    last = performance.now()
  }
}

const CHECKPOINT_MS = 40

/** Says nothing and is never interrupted. */
export const silentTalk: Talk = {
  note() {},
  progress() {},
  warn() {},
  signal: new AbortController().signal,
}
