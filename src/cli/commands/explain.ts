// `explain OUT`: the rule applications between the original and the written model, from the record that lies beside it.
import { readRun } from '../../report/files.ts'
import type { RunRecord } from '../../report/index.ts'
import { type Answer, defineCommand } from '../command.ts'
import { findRecord } from '../records.ts'

function stepText(step: RunRecord['steps'][number], i: number): string {
  const title = `${i + 1}. ${step.rule} at ${step.where}`
  return [title, `     ${step.law}`, `   - ${step.before}`, `   + ${step.after}`].join('\n')
}

function titleOf({ steps, input, output, verdict }: RunRecord): string {
  if (output === null) return `${input} was left as it is: ${verdict.reason}`
  return steps.length === 0
    ? `no rewrite between ${input} and ${output}`
    : `${steps.length} steps from ${input} to ${output}`
}

export const explain = defineCommand({
  name: 'explain',
  operands: '<model>',
  summary: 'the steps from the original to a model that optimize wrote',
  examples: [
    ['model.fast.onnx', 'one rule application after the other, oldest first'],
    ['model.fast.onnx --json', 'the same as data'],
  ],
  schemaVersion: 1,
  options: {},
  async run({ operands }): Promise<Answer> {
    const record = readRun(findRecord(operands[0]!))
    const { steps, input, output, gain } = record
    return { data: { input, output, gain, steps }, text: [titleOf(record), ...steps.map(stepText)].join('\n') }
  },
})
