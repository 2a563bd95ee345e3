// `explain OUT`: the rule applications between the original and the written model, each made and checked again.
import { readRun } from '../../report/files.ts'
import { type Answer, defineCommand } from '../command.ts'
import { explainAnswer } from '../explain-answer.ts'
import { findRecord } from '../records.ts'

export const explain = defineCommand({
  name: 'explain',
  operands: '<model>',
  summary: 'the steps from the original to a model that optimize wrote, each checked again',
  examples: [
    ['model.fast.onnx', 'one rule application after the other, oldest first'],
    ['model.fast.onnx --json', 'the same as data'],
  ],
  schemaVersion: 1,
  options: {},
  async run({ operands, options, talk }): Promise<Answer> {
    const record = readRun(findRecord(operands[0]!))
    const { explain: check } = await import('../../explain.ts')
    const steps = await check(record, options, talk)
    return explainAnswer(record, steps, operands[0]!)
  },
})
