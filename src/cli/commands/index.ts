// The verbs, in the order in which the help lists them.
import type { Command } from '../command.ts'
import { inspect } from './inspect.ts'
import { rules } from './rules.ts'

export const commands: readonly Command[] = [inspect, rules]
