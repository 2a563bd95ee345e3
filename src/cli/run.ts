// One run of the command line, from arguments to exit code, on an outside world that is passed in.
import { CommanderError } from 'commander'
import { EXIT } from '../base/errors.ts'
import { type Answer, type Command, schemaOf } from './command.ts'
import { errorJson, type Failure, failureOf } from './failure.ts'
import { type Io, paint, withoutControls } from './io.ts'
import { parseArguments } from './program.ts'
import { commandLine } from './shell.ts'
import { createTerminalTalk } from './terminal-talk.ts'

/** What can be known of a run before its arguments are understood: failures must respect it too. */
interface Manner {
  readonly json: boolean
  readonly debug: boolean
  readonly schema: string
  /** The command that shows the usage. */
  readonly help: string
}

function mannerOf(argv: readonly string[], commands: readonly Command[]): Manner {
  const end = argv.indexOf('--')
  const own = end < 0 ? argv : argv.slice(0, end)
  const command = commands.find((c) => c.name === own.find((arg) => !arg.startsWith('-')))
  return {
    json: own.includes('--json'),
    debug: own.includes('--debug'),
    schema: command ? schemaOf(command) : 'allotrope.error/1',
    help: command ? `allotrope ${command.name} --help` : 'allotrope --help',
  }
}

/** JSON has no infinities and no NaN: they become null, as JSON.stringify does; maps become objects, typed arrays lists. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => {
    if (v instanceof Map) return Object.fromEntries(v)
    if (v instanceof Set) return [...v]
    if (typeof v === 'bigint') return v.toString()
    return ArrayBuffer.isView(v) && !(v instanceof DataView) ? Array.from(v as Uint8Array) : v
  })
}

/** Text for the terminal. ALLOTROPE_COMMAND says how this program was called, so that what it suggests can be run as printed. */
function forPeople(text: string, env: Io['env']): string {
  const clean = withoutControls(text)
  return env.ALLOTROPE_COMMAND ? clean.replaceAll(/\bnext: allotrope\b/g, `next: ${env.ALLOTROPE_COMMAND}`) : clean
}

function printAnswer(answer: Answer, manner: Manner, io: Io): number {
  const { failure } = answer
  const error = failure ? { error: errorJson(failure.complaint) } : {}
  if (manner.json) io.stdout.write(`${toJson({ schema: manner.schema, ok: !failure, ...error, ...answer.data })}\n`)
  else if (answer.text !== '') io.stdout.write(forPeople(answer.text, io.env).replace(/\n?$/, '\n'))
  if (failure) {
    const { where, expected, got, fix } = failure.complaint
    printError(`${where}: expected ${expected}, got ${got}; ${fix}`, io)
  }
  return failure?.exitCode ?? EXIT.ok
}

function printError(message: string, io: Io): void {
  io.stderr.write(`${paint('red', 'error:', io.stderr, io.env)} ${withoutControls(message)}\n`)
}

function printFailure(failure: Failure, manner: Manner, io: Io): number {
  const { complaint, exitCode, message, stack } = failure
  const trace = manner.debug && stack !== null ? { stack } : {}
  if (manner.json)
    io.stdout.write(`${toJson({ schema: manner.schema, ok: false, error: { ...errorJson(complaint), ...trace } })}\n`)
  printError(message, io)
  if (manner.debug && stack !== null) io.stderr.write(`${stack}\n`)
  return exitCode
}

/** What a run that is ended before its own end still owes to stdout: with --json one object, else nothing. */
export function lastWords(argv: readonly string[], commands: readonly Command[]): string {
  const manner = mannerOf(argv, commands)
  const { complaint } = failureOf(null, manner.help, true)
  return manner.json ? `${toJson({ schema: manner.schema, ok: false, error: errorJson(complaint) })}\n` : ''
}

/** Runs `argv` (without node and script) and returns the exit code. Never throws. */
export async function run(argv: readonly string[], commands: readonly Command[], io: Io): Promise<number> {
  const manner = mannerOf(argv, commands)
  let clear = () => {}
  try {
    const { command, operands, values } = parseArguments(argv, commands, io, manner.json)
    const talk = createTerminalTalk(io, { quiet: values.quiet === true, now: () => performance.now() })
    clear = talk.clear
    const answer = await command.run(operands, values, talk, commandLine(argv))
    clear()
    return printAnswer(answer, manner, io)
  } catch (thrown) {
    clear()
    // Help and version were asked for and have been printed.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok
    return printFailure(failureOf(thrown, manner.help, io.signal.aborted), manner, io)
  }
}
