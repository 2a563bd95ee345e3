// Names of rules as users write them: patterns, each of which must name at least one rule.
import { EXIT, UserError } from '../base/errors.ts'
import { nameFilter } from '../base/glob.ts'
import type { Rule } from './rule.ts'
import { ruleFamilies } from './rules/index.ts'

/** Throws UserError where a pattern after `flag` names no rule of the catalogue or of `more`: it is not what was meant. */
export function requireRules(patterns: string | null, flag: string, more: readonly Rule[] = []): void {
  const rules = [...ruleFamilies.flatMap((f) => f.rules), ...more]
  for (const glob of patterns?.split(',') ?? []) {
    const matches = nameFilter(glob.trim().replace(/^!/, ''))
    if (rules.some((r) => matches(r.name))) continue
    throw new UserError({
      code: 'no-such-rule',
      where: flag,
      expected: 'patterns of names of rules',
      got: glob,
      fix: '`allotrope rules` lists them all',
      exitCode: EXIT.usage,
    })
  }
}
