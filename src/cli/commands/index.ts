// The verbs, in the order in which the help lists them.
import type { Command } from '../command.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { inspect } from './inspect.ts'
import { rules } from './rules.ts'
import { train } from './train.ts'
import { verify } from './verify.ts'

export const commands: readonly Command[] = [train, inspect, verify, doctor, rules, demo]
