// The verbs, in the order in which the help lists them.
import type { Command } from '../command.ts'
import { collect } from './collect.ts'
import { compare } from './compare.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { inspect } from './inspect.ts'
import { optimize } from './optimize.ts'
import { report } from './report.ts'
import { rules } from './rules.ts'
import { train } from './train.ts'
import { verify } from './verify.ts'

export const commands: readonly Command[] = [
  optimize,
  collect,
  train,
  compare,
  explain,
  report,
  inspect,
  verify,
  rules,
  doctor,
  demo,
]
