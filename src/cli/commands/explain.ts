// `explain OUT`: the rule applications between the original and the written model, each made and checked again.
import { EXIT } from '../../base/errors.ts'
import type { CheckedStep } from '../../explain.ts'
import { readRun } from '../../report/files.ts'
import type { RunRecord } from '../../report/index.ts'
import { type Answer, defineCommand } from '../command.ts'
import { findRecord } from '../records.ts'

function stepText(step: CheckedStep, i: number): string {
  const title = `${i + 1}. ${step.rule} at ${step.where}`
  return [title, `     ${step.law}`, `   - ${step.before}`, `   + ${step.after}`, `     ${checkText(step)}`].join('\n')
}

function checkText({ checked, holds, maxRel, reason }: CheckedStep): string {
  if (!checked) return `not checked: ${reason}`
  return holds ? `equal, max rel ${maxRel!.toExponential(1)}` : `DIFFERENT, max rel ${maxRel!.toExponential(1)}`
}

function titleOf({ input, output, verdict }: RunRecord, steps: readonly CheckedStep[]): string {
  if (output === null) return `${input} was left as it is: ${verdict.reason}`
  if (steps.length === 0) return `no rewrite between ${input} and ${output}`
  const checked = steps.filter((s) => s.checked).length
  return `${steps.length} steps from ${input} to ${output}, ${checked} of them checked`
}

function failureOf(steps: readonly CheckedStep[], where: string): NonNullable<Answer['failure']> | null {
  const at = steps.findIndex((s) => !s.holds)
  if (at < 0) return null
  const { rule, where: value, maxRel } = steps[at]!
  const got = `step ${at + 1}, ${rule} at ${value}, with a relative difference of ${maxRel!.toExponential(1)}`
  const fix = `leave the rule out with --rules '!${rule}', and report it`
  const expected = 'steps of which both sides are equal'
  return { complaint: { code: 'step-not-equal', where, expected, got, fix }, exitCode: EXIT.verificationFailed }
}

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
    const steps = await check(record, options.seed, talk)
    const { input, output, gain } = record
    const failure = failureOf(steps, operands[0]!)
    const text = [titleOf(record, steps), ...steps.map(stepText)].join('\n')
    return { data: { input, output, gain, steps }, text, ...(failure && { failure }) }
  },
})
