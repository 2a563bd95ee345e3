// The argument parser, made from the table of commands. It knows how options look, not what commands do.
import { readFileSync } from 'node:fs'
import { Argument, CommanderError, Option, Command as Parser } from 'commander'
import type { Command } from './command.ts'
import type { Io } from './io.ts'
import { COMMON, type OptionSpec } from './option.ts'

/** What the user asked for. */
export interface Invocation {
  readonly command: Command
  readonly operands: readonly string[]
  readonly values: Readonly<Record<string, unknown>>
}

/** Version of this package, from its package.json. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

const EXIT_CODES = `
Exit codes:
  0 done (also "no gain")      4 verification failed          7 dataset or model file damaged
  1 a bug in Allotrope         5 --require-gain not met     130 interrupted
  2 wrong usage                6 provider missing
  3 bad or unsupported input

Data goes to stdout, talk to stderr. Every verb has --json.
`

/** Commander's option for a record. */
function optionOf(spec: OptionSpec<unknown>): Option {
  const option = new Option(spec.flags, spec.about)
  const isSwitch = !/[<[]/.test(spec.flags)
  if (!isSwitch)
    option.default(spec.initial, spec.initialText).argParser((text, before: unknown) => spec.parse(text, before))
  else if (!spec.flags.startsWith('--no-')) option.default(spec.initial, '')
  return option
}

function examplesText(command: Command): string {
  const lines = command.examples.map(
    ([args, what]) => `  # ${what}\n  allotrope ${command.name}${args === '' ? '' : ` ${args}`}\n`,
  )
  return `\nExamples:\n${lines.join('')}`
}

/** Data without the default that commander would print as `(default: )`. */
function hideEmptyDefault(option: Option): string {
  const description = option.description
  if (option.mandatory || option.defaultValueDescription === '' || typeof option.defaultValue === 'boolean')
    return description
  const text = option.defaultValueDescription ?? (option.defaultValue === undefined ? '' : String(option.defaultValue))
  return text === '' ? description : `${description} (default: ${text})`
}

/** Reads `argv` (without node and script). Throws CommanderError on wrong usage and after help or version was printed. */
export function parseArguments(
  argv: readonly string[],
  commands: readonly Command[],
  io: Io,
  json: boolean,
): Invocation {
  let invocation: Invocation | null = null
  const settle = (parser: Parser) =>
    parser
      .exitOverride()
      .configureHelp({ optionDescription: hideEmptyDefault, helpWidth: io.stdout.columns ?? 100 })
      // With --json the complaint goes out as JSON; otherwise main prints it, in one place for every kind of failure.
      .configureOutput({
        writeOut: (s) => io.stdout.write(s),
        writeErr: (s) => !json && io.stderr.write(s),
        outputError: () => {},
      })

  const root = settle(new Parser('allotrope'))
    .description('Makes ONNX models faster on the device they run on.')
    .version(packageVersion())
    .usage('<verb> [options]')
    .addHelpText('after', EXIT_CODES)
  for (const command of commands) {
    const parser = settle(root.command(command.name)).description(command.summary).allowExcessArguments(false)
    for (const operand of command.operands.split(' ').filter((text) => text !== ''))
      parser.addArgument(new Argument(operand))
    for (const spec of Object.values(command.options)) parser.addOption(optionOf(spec))
    for (const spec of Object.values(COMMON)) parser.addOption(optionOf(spec))
    parser.addHelpText('after', examplesText(command))
    parser.action(() => {
      invocation = { command, operands: parser.args, values: parser.opts() }
    })
  }
  root.parse([...argv], { from: 'user' })
  if (invocation === null) throw new CommanderError(2, 'allotrope.noVerb', 'no verb was given')
  return invocation
}
