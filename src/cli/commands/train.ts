// `train DATASET -o MODEL`: fits the cost model to a dataset.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, UserError } from '../../base/errors.ts'
import { TRAINERS, type TrainerName } from '../../cost/tensorflow.ts'
import { type Answer, defineCommand } from '../command.ts'
import { metricsTable } from '../metrics-table.ts'
import { choiceOption, countOption, requireText, textOption } from '../option.ts'
import { commandLine } from '../shell.ts'

function refuseOverwrite(output: string, force: boolean): void {
  if (force || !existsSync(join(output, 'model.json'))) return
  const fix = 'choose another folder or pass --force'
  const [expected, got] = ['a folder without a model', 'one']
  throw new UserError({ code: 'file-exists', where: output, expected, got, fix, exitCode: EXIT.usage })
}

export const train = defineCommand({
  name: 'train',
  operands: '<dataset>',
  summary: 'fit the cost model to a dataset; groups are held out to judge it',
  examples: [
    ['datasets/mine -o models/mine', 'weights, features and a card with its figures'],
    ['datasets/mine -o models/mine --trainer wasm --seed 1', 'with a trainer of your choice'],
  ],
  schemaVersion: 1,
  options: {
    output: textOption('-o, --output <folder>', 'folder of the model to write'),
    trainer: choiceOption<TrainerName | 'auto'>('--trainer <name>', 'what fits', ['auto', ...TRAINERS]),
    members: countOption('--members <n>', 'networks in the ensemble', 5),
    steps: countOption('--steps <n>', 'most steps per network', 2000),
  },
  async run({ operands, options, talk }): Promise<Answer> {
    const output = requireText(options.output, '-o')
    refuseOverwrite(output, options.force)
    const { train: trainModel } = await import('../../train.ts')
    const { seed, trainer, members, steps, device, threads, timeLimit } = options
    const given = { ...(device !== null && { device }), ...(threads !== null && { threads }) }
    const result = await trainModel({
      dataset: operands[0]!,
      output,
      seed,
      trainer,
      members,
      steps,
      timeLimit,
      talk,
      ...given,
    })
    const text = [
      `${result.members} networks on ${result.rows} times of ${result.graphs} graphs, ${result.seconds.toFixed(1)} s on ${result.backend}`,
      metricsTable([['held out', result.validation]]),
      `wrote ${result.model}; next: ${commandLine(['compare', operands[0]!, '--model', result.model])}`,
    ]
    return { data: { ...result }, text: text.join('\n') }
  },
})
