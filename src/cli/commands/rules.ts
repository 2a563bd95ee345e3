// `rules`: the catalogue of rewrite rules, read off the tables that the search runs.
import { EXIT, UserError } from '../../base/errors.ts'
import { nameFilter } from '../../base/glob.ts'
import { ruleFamilies } from '../../rewrite/rules/index.ts'
import { type Answer, defineCommand } from '../command.ts'
import { suggest } from '../suggest.ts'
import { table } from '../table.ts'

interface RuleRow {
  readonly name: string
  readonly family: string
  readonly phase: string
  readonly law: string
  readonly condition: string
  readonly exactness: string
  readonly source: string
}

const catalogue: readonly RuleRow[] = ruleFamilies.flatMap((family) =>
  family.rules.map(({ name, law, condition, exactness, source }) => ({
    name,
    family: family.name,
    phase: family.phase,
    law,
    condition,
    exactness,
    source,
  })),
)

function select(pattern: string): readonly RuleRow[] {
  const isWanted = nameFilter(pattern)
  const found = catalogue.filter((r) => isWanted(r.name) || isWanted(r.family))
  if (found.length > 0) return found
  const alike = suggest(
    pattern,
    catalogue.map((r) => r.name),
  )
  const fix = alike.length > 0 ? `did you mean ${alike.join(' or ')}?` : '`allotrope rules` lists them all'
  throw new UserError({
    code: 'no-such-rule',
    where: 'rules',
    expected: 'the name of a rule or a family',
    got: pattern,
    fix,
    exitCode: EXIT.usage,
  })
}

function describeRule(r: RuleRow): string {
  return [
    r.name,
    `  law        ${r.law}`,
    `  condition  ${r.condition || 'none'}`,
    `  exactness  ${r.exactness}`,
    `  family     ${r.family} (${r.phase})`,
    `  source     ${r.source}`,
  ].join('\n')
}

const describeAll = (rules: readonly RuleRow[]): string =>
  table(
    ['rule', 'family', 'exactness', 'law'],
    rules.map((r) => [r.name, r.family, r.exactness, r.law]),
  )

export const rules = defineCommand({
  name: 'rules',
  operands: '[name]',
  summary: 'the catalogue of rewrite rules; one rule with its law, condition and source',
  examples: [
    ['', 'all rules'],
    [catalogue[0]!.name, 'one rule in full'],
    ["'*conv*'", 'the rules whose names match a pattern'],
  ],
  schemaVersion: 1,
  options: {},
  async run({ operands }): Promise<Answer> {
    const [pattern] = operands
    const found = pattern === undefined ? catalogue : select(pattern)
    const text = found.length <= 3 ? found.map(describeRule).join('\n\n') : describeAll(found)
    return { data: { rules: found }, text }
  },
})
