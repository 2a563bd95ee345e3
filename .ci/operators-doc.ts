// Writes docs/operators.md from the registry of operators and its samples: part of `npm run docs`. A test holds the file to it.
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { axisMapOf } from '../src/ir/axes.ts'
import { qualifiedName } from '../src/ir/graph.ts'
import { lawsOf, type Op } from '../src/ir/op.ts'
import { findOp, ops } from '../src/ir/ops/index.ts'
import { OPAQUE_BY_DECISION } from '../src/ir/ops/opaque.ts'
import { samples, typedOnlySamples } from '../test/ir/samples/index.ts'
import { callOfSample, inputsOf, type Sample } from '../test/ir/samples/sample.ts'

export const OPERATORS_DOCUMENT = new URL('../docs/operators.md', import.meta.url)

/** Every operator of ONNX's own domains, as [domain, name]; ONNX's main domain is ''. */
export const onnxOperators: readonly (readonly [string, string])[] = readFileSync(
  new URL('../test/ir/operators.txt', import.meta.url),
  'utf8',
)
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' '))
  .map(([domain, name]) => [domain === 'ai.onnx' ? '' : domain!, name!])

const code = (text: string): string => `\`${text}\``
const callOf = (s: Sample) => callOfSample(s, inputsOf(s))

function axesText(op: Op, own: readonly Sample[]): string {
  if (op.elementwise) return 'element-wise'
  const maps = own.map((s) => axisMapOf(op, callOf(s))).filter((m) => m !== null)
  return maps.some((m) => m.some((row) => !row.includes('mixed'))) ? 'some axes pass' : '-'
}

function linearText(op: Op, own: readonly Sample[]): string {
  const inputs = new Set(own.flatMap((s) => op.linearIn?.(callOf(s)) ?? []))
  if (inputs.size === 0) return '-'
  return `input ${[...inputs].sort().join(', ')}${op.jointlyLinear ? ', taken together' : ''}`
}

function rowOf(op: Op): string {
  const isOwn = (s: Sample) => s.domain === op.domain && s.op === op.name
  const evaluated = samples.filter(isOwn)
  const own = [...evaluated, ...typedOnlySamples.filter(isOwn)]
  const laws = [...new Set(own.flatMap((s) => lawsOf(op, callOf(s))))].join(', ')
  const cells = [code(op.name), op.sinceOpset, axesText(op, own), linearText(op, own), laws || '-']
  return `| ${[...cells, evaluated.length > 0 ? 'yes' : 'no', op.work ? 'counted' : 'one flop per element'].join(' | ')} |`
}

function domainSection(domain: string): string {
  const records = ops.filter((op) => op.domain === domain).sort((a, b) => (a.name < b.name ? -1 : 1))
  return `## ${domain === '' ? "ONNX's main domain" : code(domain)}

| operator | since opset | axes | linear in | laws | evaluated | work |
|---|--:|---|---|---|---|---|
${records.map(rowOf).join('\n')}
`
}

function opaqueSection(): string {
  const rows = OPAQUE_BY_DECISION.map(
    (g) => `| ${g.names.map((n) => code(qualifiedName(g.domain, n))).join(' ')} | ${g.reason} |`,
  )
  return `## Opaque by decision

| operators | why |
|---|---|
${rows.join('\n')}
`
}

/** The whole of docs/operators.md. */
export function operatorsDocument(): string {
  const known = onnxOperators.filter(([domain, name]) => findOp(domain, name)).length
  const domains = [...new Set(ops.map((op) => op.domain))]
  return `# Operators

<!-- Made by \`npm run docs\` from src/ir/ops and test/ir/samples. Do not edit. -->

Of the ${onnxOperators.length} operators of ONNX 1.23 in its own domains ${known} have a record; the others are opaque by decision, as is every other domain but
what of ONNX Runtime's is listed here. Opaque operators are kept with every attribute, subgraph and unknown field; the search works around them, and bodies
of If, Loop and Scan are searched as graphs of their own.

- **axes**: how the coordinates of the output come from those of the inputs. Element-wise: all of them point by point. Some axes pass: selections,
  repetitions and linear maps along those move through the operator.
- **linear in**: the inputs in which it is linear for some of its attributes, the others held fixed.
- **evaluated**: the record has reference values, checked against ONNX Runtime; else it gives types and work only.
- **work**: how flops and bytes are counted. By default one flop per element of the output, and every operand moved once.

All of it is checked on numbers for every record (\`test/ir/registry.test.ts\`).

${domains.map(domainSection).join('\n')}
${opaqueSection()}`
}

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  writeFileSync(OPERATORS_DOCUMENT, operatorsDocument())
}
