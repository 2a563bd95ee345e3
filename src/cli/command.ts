// What a command is: one record per verb. To add one, write a file in commands/ and a row in commands/index.ts.
import type { Complaint, ExitCode } from '../base/errors.ts'
import type { Talk } from '../base/talk.ts'
import type { CommonValues, OptionSpecs, OptionValues } from './option.ts'

export interface Request<S extends OptionSpecs> {
  /** The arguments that are not options. */
  readonly operands: readonly string[]
  readonly options: CommonValues & OptionValues<S>
  readonly talk: Talk
  /** The command line as it was typed, for records. */
  readonly command: string
}

/** What a command says when it has run. A failure that still has data (a verification that did not pass) carries both. */
export interface Answer {
  /** Keys of the JSON object, beside `schema` and `ok`. */
  readonly data: Readonly<Record<string, unknown>>
  /** The same for people, without --json; it goes to stdout. May be empty. */
  readonly text: string
  readonly failure?: { readonly complaint: Complaint; readonly exitCode: ExitCode }
}

export interface CommandSpec<S extends OptionSpecs> {
  readonly name: string
  /** As commander writes it: `<model>`, `[name]`, `<a> <b>`, `[models...]`. */
  readonly operands: string
  readonly summary: string
  /** Arguments after the verb, and what they do. */
  readonly examples: readonly (readonly [args: string, what: string])[]
  /** The number in `schema`. A key of the JSON object that is renamed or dropped bumps it. */
  readonly schemaVersion: number
  readonly options: S
  run(request: Request<S>): Promise<Answer>
}

/** A command whose own options the rest of the program need not know. */
export interface Command extends Omit<CommandSpec<OptionSpecs>, 'run'> {
  run(
    operands: readonly string[],
    values: Readonly<Record<string, unknown>>,
    talk: Talk,
    command: string,
  ): Promise<Answer>
}

export function defineCommand<S extends OptionSpecs>(spec: CommandSpec<S>): Command {
  return {
    ...spec,
    // The values come from the parsers of these very options: program.ts reads them by the keys of the same records.
    run: (operands, values, talk, command) =>
      spec.run({ operands, options: values as CommonValues & OptionValues<S>, talk, command }),
  }
}

export const schemaOf = (command: Command): string => `allotrope.${command.name}/${command.schemaVersion}`
