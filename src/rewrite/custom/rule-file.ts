// Rules of the user's own: a JSON file of laws, each tried before it is used.
//
//   { "schema": "allotrope.rules/1",
//     "rules": [{ "name": "root-of-square", "law": "Sqrt(Mul(x, x)) => Abs(x)", "exactness": "exact" }] }
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ruleFamilies } from '../rules/index.ts'
import { parseCondition } from './condition.ts'
import { lawFault, parseLaw, type Sides, variablesOf } from './law.ts'
import type { Law } from './law-rule.ts'
import { type ProvedRule, proveLaw } from './prove.ts'

export const RULE_FILE_SCHEMA = 'allotrope.rules/1'

const ruleSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'expected a name of small letters, digits and dashes'),
  law: z.string(),
  where: z.array(z.string()).default([]),
  exactness: z.enum(['exact', 'reassociates', 'finite']).default('reassociates'),
  source: z.string().optional(),
})
const fileSchema = z.strictObject({ schema: z.literal(RULE_FILE_SCHEMA), rules: z.array(ruleSchema).min(1) })
type WrittenRule = z.infer<typeof ruleSchema>
type WrittenLaw = Law & { readonly path: string }

/** The rules of these files, each tried on many cases. No name twice, and none of the catalogue. Throws UserError where a file or a
 * rule is none, or a law does not hold. */
export function readRuleFiles(paths: readonly string[], seed: number): readonly ProvedRule[] {
  const laws = paths.flatMap((path) => parseFile(path).rules.flatMap((rule) => lawsOf(rule, path)))
  requireOwnNames(laws)
  return laws.map((law) => proveLaw(law, `${law.path}, rule ${law.name}`, seed))
}

/** Before any is tried, which takes seconds. */
function requireOwnNames(laws: readonly WrittenLaw[]): void {
  const taken = new Set(ruleFamilies.flatMap((f) => f.rules.map((r) => r.name)))
  for (const { name, path } of laws) {
    if (taken.has(name)) throw lawFault('bad-rule', path, 'names that no other rule has', name, 'rename the rule')
    taken.add(name)
  }
}

function parseFile(path: string): z.infer<typeof fileSchema> {
  const fix = 'see examples/rules for the form'
  const fail = (got: string) =>
    lawFault('bad-rule-file', path, `a JSON file of rules, schema ${RULE_FILE_SCHEMA}`, got, fix)
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw fail((error as Error).message)
  }
  const parsed = fileSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw fail(`${issue!.path.join('.') || 'the file'}: ${issue!.message}`)
}

/** One law, or two if it is used both ways. */
function lawsOf(written: WrittenRule, path: string): readonly WrittenLaw[] {
  const where = `${path}, rule ${written.name}`
  const sides = parseLaw(written.law, `the law of rule ${written.name} in ${path}`)
  const { left, right, bothWays } = sides
  const forth = lawOf(written, sides, where, path)
  if (!bothWays) return [forth]
  return [
    forth,
    { ...lawOf(written, { left: right, right: left, bothWays }, where, path), name: `${written.name}-reversed` },
  ]
}

function lawOf(written: WrittenRule, { left, right }: Sides, where: string, path: string): WrittenLaw {
  const variables = variablesOf(left)
  if (left.kind !== 'call') throw lawFault('bad-rule', where, 'an operator on the left side', left.kind)
  const unbound = variablesOf(right).find((name) => !variables.includes(name))
  if (unbound !== undefined)
    throw lawFault('unbound-variable', where, `variables of the left side: ${variables.join(', ') || 'none'}`, unbound)
  if (variables.length === 0) throw lawFault('bad-rule', where, 'a variable on the left side', 'none')
  return {
    name: written.name,
    text: written.law,
    left,
    right,
    variables,
    conditions: written.where.map((text) => parseCondition(text, variables, where)),
    where: written.where,
    exactness: written.exactness,
    source: written.source ?? path,
    path,
  }
}
