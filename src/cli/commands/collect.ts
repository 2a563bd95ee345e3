// `collect [WORKLOAD or MODEL ..] -o DATASET`: measurements for the cost model.

import { existsSync } from 'node:fs'
import { EXIT, UserError } from '../../base/errors.ts'
import type { CollectResult } from '../../collect.ts'
import { type Answer, defineCommand } from '../command.ts'
import { countOption, requireText, switchOption, textOption } from '../option.ts'
import { commandLine } from '../shell.ts'

/** A dataset grows only where the user says so. */
function requireIntent(dataset: string, isResumed: boolean): void {
  if (isResumed || !existsSync(dataset)) return
  const fix = 'pass --resume to add what is missing, or choose another folder'
  throw new UserError({
    code: 'file-exists',
    where: dataset,
    expected: 'a new folder',
    got: 'one that exists',
    fix,
    exitCode: EXIT.usage,
  })
}

function nothingAsked(): UserError {
  return new UserError({
    code: 'usage',
    where: 'arguments',
    expected: 'workloads, models or --kernels',
    got: 'none',
    fix: 'name a workload, or all',
    exitCode: EXIT.usage,
  })
}

/** The reasons have been given, one by one. */
function nothingMeasured({ dataset, failed, warnings }: CollectResult): NonNullable<Answer['failure']> {
  const got = failed === 1 ? (warnings[0] ?? 'a failure') : `${failed} failures, the first: ${warnings[0]}`
  const fix = 'see the warnings above'
  return {
    complaint: { code: 'nothing-measured', where: dataset, expected: 'something to measure', got, fix },
    exitCode: EXIT.badInput,
  }
}

export const collect = defineCommand({
  name: 'collect',
  operands: '[sources...]',
  summary: 'time many variants of many graphs into a dataset; it can be interrupted and resumed',
  examples: [
    ['all -o datasets/mine', 'every workload of the house'],
    ['model.onnx resnet-50 -o datasets/mine --variants 8', 'variants of your model and of a workload'],
    ['all -o datasets/mine --resume', 'goes on where an earlier run stopped'],
  ],
  schemaVersion: 1,
  options: {
    output: textOption('-o, --output <folder>', 'folder of the dataset'),
    resume: switchOption('--resume', 'add to a dataset that exists'),
    variants: countOption('--variants <n>', 'variants of each graph, the original among them', 12),
    kernels: countOption('--kernels <n>', 'synthetic kernels to time in context', 0),
    repeats: countOption('--repeats <n>', 'independent measurements of each graph', 2),
  },
  async run({ operands, options, talk }): Promise<Answer> {
    const dataset = requireText(options.output, '-o')
    requireIntent(dataset, options.resume)
    if (operands.length === 0 && options.kernels === 0) throw nothingAsked()
    const { collect: collectInto } = await import('../../collect.ts')
    const { variants, kernels, repeats, seed, timeLimit } = options
    const settings = {
      variants,
      kernels,
      repeats,
      seed,
      timeLimit,
      device: options.device ?? 'cpu',
      threads: options.threads ?? 1,
    } as const
    const r = await collectInto({ sources: operands, dataset, ...settings }, talk)
    const done = `${r.timings} times of ${r.variants} variants of ${r.graphs} graphs in ${r.seconds.toFixed(0)} s`
    const more = `${r.failed} failed, ${r.skipped} skipped, ${r.resumed} there already`
    return {
      data: { ...r },
      ...(r.timings + r.resumed === 0 && r.failed > 0 && { failure: nothingMeasured(r) }),
      text: `${done}; ${more}\nwrote ${r.dataset}; next: ${commandLine(['train', r.dataset, '-o', 'models/mine'])}`,
    }
  },
})
