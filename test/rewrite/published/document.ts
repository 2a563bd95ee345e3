// docs/published-rules.md from what the search makes of each law.

import { type Law, publishedLaws } from './notation.ts'
import { type Outcome, outcomeOf, SEEDS, settingsOf } from './outcome.ts'
import { NOT_TAKEN, type Reason, UNSOUND } from './reasons.ts'

const reasonIn = (table: readonly Reason[], law: Law): string | null =>
  table.find((r) => r.laws.includes(law.number))?.text ?? null

/** The reason why the law is wrong, or null. */
export const unsoundness = (law: Law): string | null => reasonIn(UNSOUND, law)

export interface Row {
  readonly law: Law
  /** Outcome by the name of its setting; none for a law that is wrong. */
  readonly outcomes: readonly (readonly [setting: string, outcome: Outcome])[]
}

/** The row of a law in the table. */
export function rowOf(law: Law): Row {
  if (unsoundness(law) !== null) return { law, outcomes: [] }
  return { law, outcomes: settingsOf(law).map((s) => [s.name, outcomeOf(law, s)]) }
}

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

function outcomeText(o: Outcome): string {
  switch (o.kind) {
    case 'same':
      return 'one term'
    case 'found':
      return o.rules.map(code).join(', ')
    case 'as-cheap':
      return 'left as cheap'
    case 'dearer':
      return `**no**, ${o.ratio.toFixed(2)}`
    default:
      return o satisfies never
  }
}

/** Settings with the same outcome are told once. */
function outcomesText(outcomes: Row['outcomes']): string {
  const texts = outcomes.map(([name, o]) => [name, outcomeText(o)] as const)
  const [, first] = texts[0]!
  const others = texts.slice(1).filter(([, text]) => text !== first)
  return [first, ...others.map(([name, text]) => `${name}: ${text}`)].join('; ')
}

/** The line of a row. */
export function lineOf({ law, outcomes }: Row): string {
  const why = unsoundness(law)
  const isDearer = outcomes.some(([, o]) => o.kind === 'dearer')
  const reason = why ?? (isDearer ? reasonIn(NOT_TAKEN, law) : null) ?? ''
  return `| ${law.number} | ${code(law.text)} | ${why ? 'refused' : outcomesText(outcomes)} | ${reason} |`
}

function countsText(rows: readonly Row[]): string {
  const kinds = ['same', 'found', 'as-cheap', 'dearer'] as const
  const worst = (r: Row) => kinds[Math.max(...r.outcomes.map(([, o]) => kinds.indexOf(o.kind)))]!
  const sound = rows.filter((r) => r.outcomes.length > 0)
  const count = (kind: string) => sound.filter((r) => worst(r) === kind).length
  return `Of ${rows.length} rules ${rows.length - sound.length} are wrong as published; of the others, in the worst of their settings, ${count('same')} are one term,
${count('found')} are found, ${count('as-cheap')} are not needed, and ${count('dearer')} are not covered, each with its reason.`
}

/** The whole document. */
export function publishedDocument(rows: readonly Row[] = publishedLaws.map(rowOf)): string {
  return `# Published rules

<!-- Made by \`npm run docs\` from test/rewrite/published. Do not edit. -->

What becomes of the rules that TASO (SOSP 2019: 133 generated, numbers 1 to 133, and 18 written by hand, 134 to 151) and TENSAT (MLSys 2021: 1 to 133
and 146 to 151, its 124 single and 15 multi-pattern rules) ship. The list is \`test/rewrite/published/laws.txt\`; nothing below is claimed by hand but the last
column. \`@\` is a product, \`[x | y]\` side by side (columns, channels), \`[x ; y]\` on top of each other (rows, pictures), \`first|\` and \`second|\` the parts
again; \`conv\` is padded to the same size, \`:relu\` with a ReLU, \`:s2\` with stride 2, \`:valid\` without padding, \`:g4\` in four groups; capitals are weights.

For each law both sides are built as graphs, the left one is put into an e-graph and saturated with all rules of the search, and the right one is
looked up in it, at ${SEEDS.length} draws of sizes; the worst counts. Weights are constants; then a kernel of 1x1 instead of 3x3; then weights that are computed. A second outcome
is told where it differs.

- **one term**: both sides are the same in canonical form; no rule is needed.
- **\`a rule\`**: the right side is in the class of the left, made by these rules.
- **left as cheap**: it is not, and it is not missed: the best program found from the left costs no more than the best found from the right (roofline).
- **no**: it is missed, with how much dearer the best program from the left then is at most.
- **refused**: both sides differ on numbers.

${countsText(rows)}

| rule | law | ours | why not |
|--:|---|---|---|
${rows.map(lineOf).join('\n')}
`
}

/** Numbers of laws for which a reason is needed. */
export const needsReason = (row: Row): boolean => row.outcomes.some(([, o]) => o.kind === 'dearer')
