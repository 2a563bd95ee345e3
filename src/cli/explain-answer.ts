// What `explain` says of the steps of a run: lines for people, and the failure where one does not hold.
import { EXIT } from '../base/errors.ts'
import type { CheckedStep } from '../explain.ts'
import type { RunRecord } from '../report/index.ts'
import type { Answer } from './command.ts'

function stepText(step: CheckedStep, i: number): string {
  const title = `${i + 1}. ${step.rule} at ${step.where}`
  return [title, `     ${step.law}`, `   - ${step.before}`, `   + ${step.after}`, `     ${checkText(step)}`].join('\n')
}

function checkText({ checked, holds, maxRel, reason }: CheckedStep): string {
  if (!checked) return `not checked: ${reason}`
  return holds ? `equal, max rel ${maxRel!.toExponential(1)}` : `DIFFERENT, max rel ${maxRel!.toExponential(1)}`
}

function titleOf({ input, output, verdict, bodies }: RunRecord, steps: readonly CheckedStep[]): string {
  if (output === null) return `${input} was left as it is: ${verdict.reason}`
  const inside = bodies?.used ? `, beside those in ${bodies.optimised} of ${bodies.found} bodies` : ''
  if (steps.length === 0) return `no rewrite between ${input} and ${output}${inside}`
  const checked = steps.filter((s) => s.checked).length
  return `${steps.length} steps from ${input} to ${output}, ${checked} of them checked${inside}`
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

/** `where`: the model, as the user named it. */
export function explainAnswer(record: RunRecord, steps: readonly CheckedStep[], where: string): Answer {
  const { input, output, gain } = record
  const failure = failureOf(steps, where)
  const text = [titleOf(record, steps), ...steps.map(stepText)].join('\n')
  return { data: { input, output, gain, steps }, text, ...(failure && { failure }) }
}
