// Turns whatever was thrown into what the user is told: a complaint, an exit code, and text or JSON.
import { CommanderError } from 'commander'
import { type Complaint, EXIT, type ExitCode, InvariantError, UnsupportedError, UserError } from '../base/errors.ts'

export interface Failure {
  readonly complaint: Complaint
  readonly exitCode: ExitCode
  /** One or two lines for people. */
  readonly message: string
  readonly stack: string | null
}

const ISSUES = 'run it again with --debug and report what it prints'

function failure(complaint: Complaint, exitCode: ExitCode, error: unknown, message?: string): Failure {
  const stack = error instanceof Error ? stackOf(error) : null
  const text = message ?? `${complaint.where}: expected ${complaint.expected}, got ${complaint.got}; ${complaint.fix}`
  return { complaint, exitCode, message: text, stack }
}

/** Stack with the stacks of its causes. */
function stackOf(error: Error): string {
  const own = error.stack ?? String(error)
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own
}

/** System errors that the user can mend, by Node's code. */
const SYSTEM: Readonly<Record<string, readonly [code: string, expected: string, got: string, fix: string]>> = {
  ENOENT: ['no-such-file', 'a file', 'none of that name', 'check the path'],
  EACCES: ['no-permission', 'permission to use it', 'access denied', 'change its permissions or choose another path'],
  EPERM: [
    'no-permission',
    'permission to use it',
    'operation not permitted',
    'change its permissions or choose another path',
  ],
  EROFS: ['read-only', 'a place that can be written', 'a read-only file system', 'choose another path'],
  EISDIR: ['not-a-file', 'a file', 'a folder', 'name a file in it'],
  ENOTDIR: ['not-a-folder', 'a folder', 'a file', 'check the path'],
  EEXIST: ['file-exists', 'a path that is free', 'a file that exists', 'choose another path or pass --force'],
  ENOSPC: ['disk-full', 'room on the disk', 'none', 'free some space; files that were there before are unharmed'],
  EDQUOT: ['disk-full', 'room on the disk', 'a quota that is used up', 'free some space'],
  EMFILE: ['too-many-files', 'a free file handle', 'none', 'close programs or raise the limit of open files'],
}

function ofSystemError(error: NodeJS.ErrnoException): Failure | null {
  const known = SYSTEM[error.code ?? '']
  if (!known) return null
  const [code, expected, got, fix] = known
  return failure({ code, where: error.path ?? error.syscall ?? 'the system', expected, got, fix }, EXIT.badInput, error)
}

/** What a usage error of the argument parser says. `help` is the command that shows the right usage. */
function ofCommander(error: CommanderError, help: string): Failure {
  const got = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
  const complaint = {
    code: 'usage',
    where: 'arguments',
    expected: 'the usage that --help shows',
    got,
    fix: `run ${help}`,
  }
  return failure(complaint, EXIT.usage, error, `${got}\n  ${help} shows the usage`)
}

/** The failure that `thrown` means. `interrupted`: whether the user asked to stop before it was thrown. */
export function failureOf(thrown: unknown, help: string, interrupted: boolean): Failure {
  if (interrupted) {
    const complaint = {
      code: 'interrupted',
      where: 'the run',
      expected: 'to finish',
      got: 'an interruption',
      fix: 'run it again; where the verb has --resume, that goes on from what was saved',
    }
    return failure(complaint, EXIT.interrupted, thrown, 'interrupted')
  }
  if (thrown instanceof CommanderError) return ofCommander(thrown, help)
  if (thrown instanceof UserError) return failure(thrown.complaint, thrown.exitCode, thrown)
  if (thrown instanceof UnsupportedError) {
    const what = thrown.message.replace(/^unsupported: /, '')
    const complaint = {
      code: 'unsupported',
      where: 'the input',
      expected: 'something that Allotrope supports',
      got: what,
      fix: 'see docs',
    }
    return failure(complaint, thrown.exitCode, thrown, thrown.message)
  }
  const system = thrown instanceof Error ? ofSystemError(thrown) : null
  if (system) return system
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const complaint = { code: 'internal', where: 'allotrope', expected: 'no error of its own', got: message, fix: ISSUES }
  const own = thrown instanceof InvariantError ? message : `internal: ${message}`
  return failure(complaint, EXIT.internal, thrown, `${own}\n  This is a bug in Allotrope: ${ISSUES}.`)
}

/** `complaint` as the `error` of the JSON object. */
export function errorJson(complaint: Complaint): Record<string, string> {
  const { code, where, expected, got, fix } = complaint
  return { code, where, expected, got, fix }
}
