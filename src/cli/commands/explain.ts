// `explain OUT`: the rule applications between the original and the written model, from the record that lies beside it.
import { existsSync } from 'node:fs'
import { UserError } from '../../base/errors.ts'
import { type RunRecord, readRun } from '../../report/index.ts'
import { type Answer, defineCommand } from '../command.ts'

const recordPath = (path: string): string => (path.endsWith('.onnx') ? path.replace(/\.onnx$/, '.run.json') : path)

function recordOf(path: string): RunRecord {
  const record = recordPath(path)
  if (existsSync(record)) return readRun(record)
  throw new UserError({
    code: 'no-record',
    where: path,
    expected: `the record of its run, ${record}`,
    got: 'no such file',
    fix: 'name a model that `allotrope optimize` wrote, or the .run.json beside it',
  })
}

function stepText(step: RunRecord['steps'][number], i: number): string {
  const title = `${i + 1}. ${step.rule} at ${step.where}`
  return [title, `     ${step.law}`, `   - ${step.before}`, `   + ${step.after}`].join('\n')
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
    const { steps, input, output } = recordOf(operands[0]!)
    const title =
      steps.length === 0
        ? `no rewrite between ${input} and ${output ?? 'it'}`
        : `${steps.length} steps from ${input} to ${output}`
    return { data: { input, output, steps }, text: [title, ...steps.map(stepText)].join('\n') }
  },
})
