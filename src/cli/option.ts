// Options of the command line: each is one record with its flags, its help and its parser, so that its type is known.
// A parser throws InvalidArgumentError (a usage error, exit code 2) on what it does not understand.
import { InvalidArgumentError } from 'commander'
import { EXIT, UserError } from '../base/errors.ts'
import { DEVICES, type DeviceName } from '../runtime/index.ts'

/** One option. A flag without `<value>` is a switch: `parse` is not called for it. */
export interface OptionSpec<T> {
  readonly flags: string
  readonly about: string
  /** The value without the option. */
  readonly initial: T
  /** Shown in the help where `initial` does not say it. */
  readonly initialText?: string
  /** Value of one occurrence; `before` is `initial` or the value of the occurrence before. */
  parse(text: string, before: T): T
}
export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never
}

const toSwitch = (flags: string, about: string, initial = false): OptionSpec<boolean> => ({
  flags,
  about,
  initial,
  parse: () => !initial,
})

function toNumber(text: string, isAllowed: (x: number) => boolean, expected: string): number {
  const x = Number(text)
  if (text.trim() === '' || !Number.isFinite(x) || !isAllowed(x))
    throw new InvalidArgumentError(`Expected ${expected}.`)
  return x
}
const isCount = (x: number) => Number.isSafeInteger(x) && x >= 0

function toChoice<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text)
    if (found === undefined) throw new InvalidArgumentError(`Expected one of ${choices.join(', ')}.`)
    return found
  }
}

/** Options that every verb has. */
export const COMMON = {
  json: toSwitch('--json', 'print exactly one JSON object on stdout'),
  seed: {
    flags: '--seed <n>',
    about: 'seed of everything random; the same seed gives the same result',
    initial: 0,
    parse: (text: string) => toNumber(text, (x) => isCount(x) && x < 2 ** 32, 'a whole number from 0 to 4294967295'),
  },
  device: {
    flags: '--device <name>',
    about: `device to run on: ${DEVICES.join(', ')}`,
    initial: null as DeviceName | null,
    initialText: 'cpu',
    parse: (text: string) => toChoice(DEVICES)(text),
  },
  threads: {
    flags: '--threads <n>',
    about: 'threads of the runtime',
    initial: null as number | null,
    initialText: 'one per core; collect and verify: 1',
    parse: (text: string) => toNumber(text, (x) => isCount(x) && x > 0, 'a positive whole number'),
  },
  timeLimit: {
    flags: '--time-limit <seconds>',
    about: 'stop after about this long with the best result so far',
    initial: null as number | null,
    initialText: 'none',
    parse: (text: string) => toNumber(text, (x) => x > 0, 'a positive number of seconds'),
  },
  force: toSwitch('--force', 'overwrite files that exist'),
  quiet: toSwitch('--quiet', 'no talk on stderr but warnings and errors'),
  debug: toSwitch('--debug', 'stack traces of errors'),
} as const satisfies OptionSpecs
export type CommonValues = OptionValues<typeof COMMON>

export type InputShapes = ReadonlyMap<string, readonly number[]>

/** `NAME=1x3x224x224`; the name may itself hold `=`. */
function parseShape(text: string, before: InputShapes): InputShapes {
  const at = text.lastIndexOf('=')
  const sizes = text.slice(at + 1)
  if (at < 1 || !/^[1-9]\d*(x[1-9]\d*)*$/.test(sizes)) throw new InvalidArgumentError('Expected NAME=1x3x224x224.')
  return new Map([...before, [text.slice(0, at), sizes.split('x').map(Number)]])
}

/** Shapes of inputs, one per occurrence. */
export function shapesOption(flags: string, about: string): OptionSpec<InputShapes> {
  return { flags, about, initial: new Map(), initialText: '', parse: parseShape }
}

export const shapeOption = shapesOption(
  '--shape <name=sizes>',
  'fixes the dynamic dimensions of an input, as NAME=1x3x224x224; may be repeated',
)

/** Paths, one per occurrence. */
export function pathsOption(flags: string, about: string): OptionSpec<readonly string[]> {
  return { flags, about, initial: [], initialText: '', parse: (text, before) => [...before, refuseOption(text)] }
}

export const ruleFileOption = pathsOption(
  '--rule-file <file>',
  'rules of your own, each tried before it is used; may be repeated',
)

/** A path or other text that has no value of its own to begin with. */
export function textOption(flags: string, about: string): OptionSpec<string | null> {
  return { flags, about, initial: null, initialText: '', parse: refuseOption }
}

/** `-o --json` forgot a value. */
function refuseOption(text: string): string {
  if (text.startsWith('--'))
    throw new InvalidArgumentError(`Expected a value, got an option; write ./${text} for a path.`)
  return text
}

/** The value of a text option that the verb cannot do without. */
export function requireText(value: string | null, flag: string): string {
  if (value !== null) return value
  throw new UserError({
    code: 'usage',
    where: 'arguments',
    expected: `the option ${flag}`,
    got: 'none',
    fix: `pass ${flag}`,
    exitCode: EXIT.usage,
  })
}

export const switchOption = toSwitch

export function countOption(flags: string, about: string, initial: number): OptionSpec<number> {
  return { flags, about, initial, parse: (text) => toNumber(text, isCount, 'a whole number, 0 or more') }
}

/** A ratio such as 1.05, with or without an x behind it. */
export function ratioOption(flags: string, about: string): OptionSpec<number | null> {
  const parse = (text: string) => toNumber(text.replace(/x$/, ''), (x) => x > 0, 'a positive ratio such as 1.05')
  return { flags, about, initial: null, initialText: '', parse }
}

export function choiceOption<T extends string>(
  flags: string,
  about: string,
  choices: readonly [T, ...T[]],
): OptionSpec<T> {
  return { flags, about: `${about}: ${choices.join(', ')}`, initial: choices[0], parse: toChoice(choices) }
}
