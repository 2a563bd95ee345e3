// The verbs, in the order in which the help lists them.
import type { Command } from '../command.ts'
import { doctor } from './doctor.ts'
import { inspect } from './inspect.ts'
import { rules } from './rules.ts'

export const commands: readonly Command[] = [inspect, rules, doctor]
