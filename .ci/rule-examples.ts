// Writes src/rewrite/rules/examples.ts from the samples of the rule tests: `npm run docs`. A test holds the file to them.
import { realpathSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { saturate } from '../src/egraph/saturate.ts'
import type { Graph } from '../src/ir/graph.ts'
import { classNames, derivationOf, nodeText } from '../src/rewrite/derivation.ts'
import { encode } from '../src/rewrite/encode.ts'
import type { Explored } from '../src/rewrite/explore.ts'
import { bindRule, type Rule } from '../src/rewrite/rule.ts'
import { ruleFamilies } from '../src/rewrite/rules/index.ts'
import { ruleSamples } from '../test/rewrite/rule-samples.ts'
import { buildSample } from '../test/rewrite/sample.ts'

const EXAMPLES = new URL('../src/rewrite/rules/examples.ts', import.meta.url)
const LIMITS = { iterationLimit: 1, nodeLimit: 4000, timeLimitMs: 60_000 }
/** Deeper terms are cut. */
const DEPTH = 8
const SEED = 1

type Example = readonly [before: string, after: string]

/** The e-graph of a sample after one iteration of one rule. */
function explored(graph: Graph, rule: Rule): Explored {
  const encoded = encode(graph)
  const start = encoded.t.egraph.idLimit
  const search = saturate(encoded.t.egraph, [bindRule(encoded.t, rule)], LIMITS)
  const phases = { encoded: start, recognised: start, searched: encoded.t.egraph.idLimit }
  return { ...encoded, initialNodes: start, phases, recognition: { ...search, rules: [] }, search, rules: [rule] }
}

/** The first application of a rule to the first of its samples where it makes something, written out from the inputs. */
function exampleOf(rule: Rule): Example | null {
  for (const build of ruleSamples[rule.name] ?? []) {
    const graph = buildSample(build, SEED)
    const e = explored(graph, rule)
    const { egraph } = e.t
    const inputs = new Map(graph.inputs.map((v, i) => [v as number, 'xyzuvw'[i] ?? `x${i}`]))
    const names = new Map([...classNames(e, (v) => inputs.get(v) ?? '')].filter(([, name]) => name !== ''))
    const nodes = [...new Set([...e.classes.values()].map((c) => egraph.find(c)))].flatMap((c) => [
      ...egraph.nodesOf(c),
    ])
    const [step] = derivationOf(e, nodes, names)
    if (step === undefined) continue
    const [before, after] = step.nodes.map((n) => nodeText(e, n, names, DEPTH)) as [string, string]
    if (before !== after) return [before, after]
  }
  return null
}

/** By the names of the rules; rules that make nothing but a constant, or only merge what is there, have none. */
export function ruleExamples(): Readonly<Record<string, Example>> {
  const rules = ruleFamilies.flatMap((f) => f.rules)
  return Object.fromEntries(
    rules.flatMap((r) => {
      const example = exampleOf(r)
      return example === null ? [] : [[r.name, example]]
    }),
  )
}

const HEAD = `// Made by \`npm run docs\` from the samples of the rule tests; do not edit. For each rule one application, in canonical form:
// the e-node that it was applied to and the one that it made, written out from the inputs x, y, z.
`

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  const table = JSON.stringify(ruleExamples(), null, 2)
  writeFileSync(
    EXAMPLES,
    `${HEAD}export const RULE_EXAMPLES: Readonly<Record<string, readonly [before: string, after: string]>> = ${table}\n`,
  )
}
