// `compare DATASET --model MODEL`: predicted against measured, beside every baseline.
import { basename } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { requireNewFile, requireWritableFile } from '../../base/output.ts'
import type { CompareResult } from '../../compare.ts'
import type { Metrics } from '../../cost/metrics.ts'
import { TRAINERS, type TrainerName } from '../../cost/tensorflow.ts'
import { COMPARE_SCHEMA, type CompareRecord, renderCompare, writeRecord } from '../../report/index.ts'
import { type Answer, defineCommand } from '../command.ts'
import { metricsTable } from '../metrics-table.ts'
import { choiceOption, countOption, textOption } from '../option.ts'
import { commandLine } from '../shell.ts'

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
    report: textOption(
      '--report <file>',
      'writes the figures: a page (.html, with its record beside it) or a table (.md)',
    ),
  },
  async run({ operands, options, talk }): Promise<Answer> {
    const { compare: compareModel } = await import('../../compare.ts')
    const { model, split, trainer, members, steps, report, seed, device, threads, timeLimit } = options
    if (report !== null) refuseReport(report, options.force)
    const result = await compareModel({
      dataset: operands[0]!,
      ...{ trainer, steps, seed, timeLimit, talk },
      ...(model !== null && { model }),
      ...(split !== 'auto' && { split }),
      ...(members > 0 && { members }),
      ...(report?.endsWith('.md') && { report }),
      ...(device !== null && { device }),
      ...(threads !== null && { threads }),
    })
    const { table: _, ...data } = { ...result, report }
    if (report !== null && !report.endsWith('.md'))
      await writePage(report, comparisonRecord(result, operands[0]!, options))
    const head = `${result.rows} times of ${result.groups} graphs, split: ${result.split}, ${result.seconds.toFixed(1)} s`
    const figures = metricsTable([['model', result.model], ...Object.entries(result.baselines)])
    const notes = result.notes.map((note) => `note: ${note}`)
    const end = report === null ? [] : [`wrote ${report}`]
    return { data, text: [head, figures, ...notes, ...end].join('\n') }
  },
})

/** Where a page goes, its record goes beside it. */
const recordPath = (page: string): string => page.replace(/(\.html)?$/, '.json')

/** Refuses what exists or cannot be written before any work is done. */
function refuseReport(report: string, force: boolean): void {
  for (const path of report.endsWith('.md') ? [report] : [report, recordPath(report)])
    requireNewFile(path, force, 'name another with --report, or overwrite it with --force')
  requireWritableFile(report)
}

interface Named {
  readonly model: string | null
  readonly device: string | null
}

function comparisonRecord(result: CompareResult, dataset: string, { model, device }: Named): CompareRecord {
  const { split, groups, rows, baselines, notes } = result
  return {
    schema: COMPARE_SCHEMA,
    madeAt: new Date().toISOString(),
    command: commandLine(['compare', dataset, ...(model === null ? [] : ['--model', model])]),
    dataset,
    modelName: model === null ? 'a network trained per fold' : basename(model),
    ...{ split, groups, rows, device: device ?? 'cpu', baselines: plainMetrics(baselines) },
    model: plain(result.model),
    families: result.families.map((f) => ({ ...f, metrics: plain(f.metrics) })),
    points: [...result.points],
    notes: [...notes],
    next: [{ command: commandLine(['optimize', 'model.onnx']), purpose: 'use what was learned on a model of yours' }],
  }
}

const plain = (m: Metrics): CompareRecord['model'] => ({ ...m, notes: [...m.notes] })
const plainMetrics = (all: Readonly<Record<string, Metrics>>): CompareRecord['baselines'] =>
  Object.fromEntries(Object.entries(all).map(([name, m]) => [name, plain(m)]))

async function writePage(path: string, record: CompareRecord): Promise<void> {
  await writeFileAtomic(path, await renderCompare(record))
  await writeRecord(recordPath(path), record)
}
