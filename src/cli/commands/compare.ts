// `compare DATASET --model MODEL`: predicted against measured, beside every baseline.
import { TRAINERS, type TrainerName } from '../../cost/tensorflow.ts'
import { type Answer, defineCommand } from '../command.ts'
import { metricsTable } from '../metrics-table.ts'
import { choiceOption, countOption, textOption } from '../option.ts'

export const compare = defineCommand({
  name: 'compare',
  operands: '<dataset>',
  summary: 'predicted against measured times, beside every baseline',
  examples: [
    ['datasets/mine --model models/mine', 'on families that were held out'],
    ['datasets/other --model models/mine --split as-is', 'the stored weights on a dataset that they never saw'],
  ],
  schemaVersion: 1,
  options: {
    model: textOption('--model <folder>', 'folder of the cost model'),
    split: choiceOption<'auto' | 'family' | 'root' | 'as-is'>('--split <name>', 'what is held out', [
      'auto',
      'family',
      'root',
      'as-is',
    ]),
    trainer: choiceOption<TrainerName | 'auto'>('--trainer <name>', 'what fits', ['auto', ...TRAINERS]),
    members: countOption('--members <n>', "networks in each fold's ensemble; 0: as many as the model has", 0),
    steps: countOption('--steps <n>', 'most steps per network', 2000),
    report: textOption('--report <file>', 'writes the table as Markdown'),
  },
  async run({ operands, options, talk }): Promise<Answer> {
    const { compare: compareModel } = await import('../../compare.ts')
    const { model, split, trainer, members, steps, report, seed, device, threads } = options
    const result = await compareModel({
      dataset: operands[0]!,
      ...{ trainer, steps, seed, talk },
      ...(model !== null && { model }),
      ...(split !== 'auto' && { split }),
      ...(members > 0 && { members }),
      ...(report !== null && { report }),
      ...(device !== null && { device }),
      ...(threads !== null && { threads }),
    })
    const { table: _, ...data } = result
    const head = `${result.rows} times of ${result.groups} graphs, split: ${result.split}, ${result.seconds.toFixed(1)} s`
    const figures = metricsTable([['model', result.model], ...Object.entries(result.baselines)])
    const notes = result.notes.map((note) => `note: ${note}`)
    const end = result.report === null ? [] : [`wrote ${result.report}`]
    return { data, text: [head, figures, ...notes, ...end].join('\n') }
  },
})
