// The verbs, in the order in which the help lists them.
import type { Command } from '../command.ts'
import { inspect } from './inspect.ts'

export const commands: readonly Command[] = [inspect]
