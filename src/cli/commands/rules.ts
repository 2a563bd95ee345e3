// `rules`: the catalogue of rewrite rules, read off the tables that the search runs.
import { EXIT, UserError } from '../../base/errors.ts'
import { nameFilter } from '../../base/glob.ts'
import type { Rule } from '../../rewrite/rule.ts'
import { RULE_EXAMPLES } from '../../rewrite/rules/examples.ts'
import { ruleFamilies } from '../../rewrite/rules/index.ts'
import { type Answer, defineCommand } from '../command.ts'
import { ruleFileOption } from '../option.ts'
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
  /** One application, in canonical form; of a rule of the catalogue. */
  readonly example?: { readonly before: string; readonly after: string }
  /** Of a rule of the user's own: comparisons that held, shapes tried, and shapes in which it fires. */
  readonly trial?: { readonly cases: number; readonly shapes: number; readonly fires: number }
}

const rowOf = ({ name, law, condition, exactness, source }: Rule, family: string, phase: string): RuleRow => ({
  name,
  family,
  phase,
  law,
  condition,
  exactness,
  source,
})

const catalogue: readonly RuleRow[] = ruleFamilies.flatMap((f) =>
  f.rules.map((r) => {
    const example = RULE_EXAMPLES[r.name]
    return { ...rowOf(r, f.name, f.phase), ...(example && { example: { before: example[0], after: example[1] } }) }
  }),
)

/** The rules of the user's files, each tried now. */
async function ownRules(files: readonly string[], seed: number): Promise<readonly RuleRow[]> {
  const { readRuleFiles } = await import('../../rewrite/custom/rule-file.ts')
  return readRuleFiles(files, seed).map(({ rule, cases, shapes, fires }) => ({
    ...rowOf(rule, 'own', 'search'),
    trial: { cases, shapes, fires },
  }))
}

function select(pattern: string, catalogue: readonly RuleRow[]): readonly RuleRow[] {
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
    ...(r.example ? [`  example    ${r.example.before}`, `          -> ${r.example.after}`] : []),
    ...(r.trial
      ? [`  trial      holds in ${r.trial.cases} cases; fires in ${r.trial.fires} of ${r.trial.shapes} shapes`]
      : []),
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
  summary: 'the catalogue of rewrite rules; one rule with its law, condition, source and an example',
  examples: [
    ['', 'all rules'],
    [catalogue[0]!.name, 'one rule in full'],
    ["'*conv*'", 'the rules whose names match a pattern'],
    ['--rule-file rules.json', 'rules of your own, tried on many cases'],
  ],
  schemaVersion: 1,
  options: { ruleFile: ruleFileOption },
  async run({ operands, options: { ruleFile, seed } }): Promise<Answer> {
    const [pattern] = operands
    const rows = ruleFile.length > 0 ? await ownRules(ruleFile, seed) : catalogue
    const found = pattern === undefined ? rows : select(pattern, rows)
    const text = found.length <= 3 ? found.map(describeRule).join('\n\n') : describeAll(found)
    return { data: { rules: found }, text }
  },
})
