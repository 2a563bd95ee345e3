// The outside world of the command line, as an argument: tests pass buffers, main.ts passes the process.
import { styleText } from 'node:util'

export interface OutputStream {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export interface Io {
  /** Data only. */
  readonly stdout: OutputStream
  /** Talk, progress, warnings, errors. */
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal
}

/** True where colours may be written: a terminal, unless NO_COLOR (no-color.org) or TERM=dumb; FORCE_COLOR overrides the terminal. */
function wantsColor(stream: OutputStream, env: Io['env']): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** A text in a colour, where colours may be written. */
export function paint(color: 'red' | 'yellow', text: string, stream: OutputStream, env: Io['env']): string {
  // wantsColor has decided: styleText's own look at process.stdout would be about another stream.
  return wantsColor(stream, env) ? styleText(color, text, { validateStream: false }) : text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Without control characters and text-direction marks, which names in a model file could use to disguise terminal output. */
export function withoutControls(text: string): string {
  return text.replace(CONTROL, '\ufffd')
}
