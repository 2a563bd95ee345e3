// Talk on stderr: notes as aligned lines, warnings, and one progress line that is rewritten in place on a terminal.
import type { Talk } from '../base/talk.ts'
import { type Io, paint, withoutControls } from './io.ts'

const STAGE_WIDTH = 10
const MS_BETWEEN_FRAMES = 100
const ERASE_LINE = '\r\u001b[2K'

export interface TalkSettings {
  /** Warnings and errors only. */
  readonly quiet: boolean
  /** Milliseconds; a clock, so that tests can hold it. */
  readonly now: () => number
}

/** Estimates before this much work are guesses. */
const MS_BEFORE_ESTIMATE = 1000

/** `, 12 s left`, from what the stage took so far; nothing where that says little. */
function leftText(elapsedMs: number, done: number, left: number): string {
  if (done <= 0 || left <= 0 || elapsedMs < MS_BEFORE_ESTIMATE) return ''
  const seconds = Math.ceil((elapsedMs * left) / done / 1000)
  return seconds < 100 ? `, ${seconds} s left` : `, ${Math.ceil(seconds / 60)} min left`
}

export function createTerminalTalk(io: Io, settings: TalkSettings): Talk & { clear(): void } {
  const animate = io.stderr.isTTY === true && io.env.TERM !== 'dumb' && !settings.quiet
  let shown = false
  let lastFrame = Number.NEGATIVE_INFINITY
  let current = { stage: '', since: 0, done: 0 }

  const clear = () => {
    if (shown) io.stderr.write(ERASE_LINE)
    shown = false
  }
  const line = (text: string) => {
    clear()
    io.stderr.write(`${withoutControls(text)}\n`)
  }
  return {
    signal: io.signal,
    clear,
    note: (stage, text) => {
      if (!settings.quiet) line(`  ${stage.padEnd(STAGE_WIDTH)} ${text}`)
    },
    warn: (text) => {
      clear()
      io.stderr.write(`${paint('yellow', 'warning:', io.stderr, io.env)} ${withoutControls(text)}\n`)
    },
    progress: (stage, done, total, unit = '') => {
      const now = settings.now()
      if (stage !== current.stage || done < current.done) current = { stage, since: now, done }
      if (!animate || (now - lastFrame < MS_BETWEEN_FRAMES && done !== total)) return
      lastFrame = now
      shown = true
      const amount = total === null ? `${done}` : `${done} of ${total}`
      const left = total === null ? '' : leftText(now - current.since, done - current.done, total - done)
      const text = `  ${withoutControls(stage).padEnd(STAGE_WIDTH)} ${[amount, unit].filter(Boolean).join(' ')}${left}`
      io.stderr.write(ERASE_LINE + text.slice(0, (io.stderr.columns || 80) - 1))
    },
  }
}
