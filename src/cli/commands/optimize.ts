// `optimize IN [-o OUT]`: the main flow on the command line.
import { availableParallelism } from 'node:os'
import writeFileAtomic from 'write-file-atomic'
import type { Run } from '../../optimize.ts'
import type { RunRecord } from '../../report/index.ts'
import { type Answer, defineCommand } from '../command.ts'
import { optimizeAnswer } from '../optimize-answer.ts'
import {
  choiceOption,
  countOption,
  ratioOption,
  ruleFileOption,
  shapeOption,
  shapesOption,
  switchOption,
  textOption,
} from '../option.ts'
import { reportPaths } from '../records.ts'

/** Makes the record of a run; writes it and its page where the user wants them, after a failed verification a replay instead. */
async function store(run: Run, command: string, wanted: boolean): Promise<RunRecord> {
  const { describeMachine } = await import('../../bench/index.ts')
  const { runRecord } = await import('../run-record.ts')
  const { isVerificationFailed, leaveReplay } = await import('../replay.ts')
  const paths = wanted && !isVerificationFailed(run) ? reportPaths(run.outputPath) : null
  const record = runRecord(run, {
    command,
    report: paths?.page ?? null,
    replay: leaveReplay(run),
    machine: describeMachine(),
    madeAt: new Date(),
  })
  if (paths) {
    const { renderRun, writeRecord } = await import('../../report/index.ts')
    await writeRecord(paths.record, record)
    await writeFileAtomic(paths.page, await renderRun(record))
  }
  return record
}

export const optimize = defineCommand({
  name: 'optimize',
  operands: '<model>',
  summary: 'find, verify and measure equal programs; write the fastest if it is faster',
  examples: [
    ['model.onnx -o model.fast.onnx', 'the faster model, if there is one'],
    ['model.onnx --shape x=1x3x48x320', 'with the dynamic dimensions of input x fixed for good'],
    [
      'model.onnx --sample x=1x3x48x320 --inputs samples',
      'measured at a size and on inputs of your own; dimensions stay open',
    ],
    ['model.onnx --rule-file rules.json', 'with rules of your own, each tried on many cases first'],
    ["model.onnx --explain-misses 'lin-*'", 'where these rules matched, and why they did not fire'],
    ['model.onnx --require-gain 1.1 --json', 'for a script: exit code 5 unless it is at least 1.1 times as fast'],
  ],
  schemaVersion: 1,
  options: {
    output: textOption('-o, --output <file>', 'where the faster model goes (default: MODEL.fast.onnx)'),
    shape: shapeOption,
    sample: shapesOption(
      '--sample <name=sizes>',
      'sizes to measure at, as NAME=1x3x224x224; they stay open in the model; may be repeated',
    ),
    inputs: textOption('--inputs <folder>', 'inputs of your own: ONNX test data or .npy files'),
    measure: countOption('--measure <n>', 'variants to measure; 0 trusts the prediction', 5),
    requireGain: ratioOption(
      '--require-gain <ratio>',
      'exit with 5 unless the model is this many times as fast, such as 1.05',
    ),
    rules: textOption('--rules <globs>', "rules to use, such as 'lin-*,!lin-low-rank' (default: all)"),
    ruleFile: ruleFileOption,
    explainMisses: textOption('--explain-misses <globs>', 'say where these rules matched and why they did not fire'),
    objective: choiceOption<'latency' | 'size'>('--objective <name>', 'what counts among faster models', [
      'latency',
      'size',
    ]),
    maxGrowth: ratioOption(
      '--max-growth <ratio>',
      "largest size of the constants, to the original's (default: 2, or 4 MB more)",
    ),
    report: switchOption('--no-report', 'no report and no record of the run', true),
    costModel: textOption('--cost-model <folder>', 'a cost model of your own (default: the one that is shipped)'),
  },
  async run({ operands, options, talk, command }): Promise<Answer> {
    const { optimize: optimizeModel } = await import('../../optimize.ts')
    const { output, inputs, measure, rules, objective, costModel, seed, timeLimit, force, requireGain } = options
    const common = { output, inputs, measure, rules, objective, costModel, seed, timeLimit, force }
    const run = await optimizeModel(
      {
        ...common,
        input: operands[0]!,
        shapes: options.shape,
        samples: options.sample,
        device: options.device ?? 'cpu',
        threads: options.threads ?? availableParallelism(),
        maxGrowth: options.maxGrowth,
        ruleFiles: options.ruleFile,
        explainMisses: options.explainMisses,
      },
      talk,
    )
    const record = await store(run, command, options.report)
    return optimizeAnswer(record, requireGain)
  },
})
