// Names of rules as users write them: patterns, each of which must name at least one rule.
import { EXIT, UserError } from '../base/errors.ts'
import { nameFilter } from '../base/glob.ts'
import { ruleFamilies } from './rules/index.ts'

/** Throws UserError where a pattern names no rule: the search would be another one than was asked for. */
export function requireRules(patterns: string | null): void {
  for (const glob of patterns?.split(',') ?? []) {
    const matches = nameFilter(glob.trim().replace(/^!/, ''))
    if (ruleFamilies.some((f) => f.rules.some((r) => matches(r.name)))) continue
    throw new UserError({
      code: 'no-such-rule',
      where: '--rules',
      expected: 'patterns of names of rules',
      got: glob,
      fix: '`allotrope rules` lists them all',
      exitCode: EXIT.usage,
    })
  }
}
