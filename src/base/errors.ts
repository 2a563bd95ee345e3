// The three kinds of error, and the exit code that each ends in (docs: the exit codes of the command line).
// A UserError is the user's to mend: it says where, what was expected, what was found, and how to fix it.
// An InvariantError is a bug of ours. Expected outcomes (a timeout, a stop reason) are values, not errors.

export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  badInput: 3,
  verificationFailed: 4,
  gainNotMet: 5,
  providerMissing: 6,
  dataDamaged: 7,
  interrupted: 130,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export interface Complaint {
  /** Stable, machine-readable, lower-kebab: `bad-model`, `missing-provider`. */
  readonly code: string
  readonly where: string
  readonly expected: string
  readonly got: string
  readonly fix: string
  readonly exitCode?: ExitCode
}

/** Wrong input or environment. Printed as `where: expected X, got Y; do Z`; exit code 3 unless the complaint says otherwise. */
export class UserError extends Error {
  readonly complaint: Complaint
  readonly exitCode: ExitCode
  constructor(complaint: Complaint) {
    super(`${complaint.where}: expected ${complaint.expected}, got ${complaint.got}; ${complaint.fix}`)
    this.name = 'UserError'
    this.complaint = complaint
    this.exitCode = complaint.exitCode ?? EXIT.badInput
  }
}

/** Something valid that Allotrope cannot handle; `what` names the operator, domain, opset, dtype or provider. Exit code 3. */
export class UnsupportedError extends Error {
  readonly exitCode: ExitCode = EXIT.badInput
  constructor(what: string) {
    super(`unsupported: ${what}`)
    this.name = 'UnsupportedError'
  }
}

/** A broken promise inside Allotrope. Exit code 1. */
export class InvariantError extends Error {
  readonly exitCode: ExitCode = EXIT.internal
  constructor(message: string) {
    super(`internal: ${message}`)
    this.name = 'InvariantError'
  }
}

/** Throws an InvariantError unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}
