// `optimize IN [-o OUT]`: the main flow on the command line.
import { availableParallelism } from 'node:os'
import { type Answer, defineCommand } from '../command.ts'
import { optimizeAnswer } from '../optimize-answer.ts'
import { choiceOption, countOption, ratioOption, shapeOption, shapesOption, textOption } from '../option.ts'

/** Constants may grow when products of them are computed ahead; beyond this a model is no longer the same thing to ship. */
const MAX_GROWTH = 2

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
    objective: choiceOption<'latency' | 'size'>('--objective <name>', 'what counts among faster models', [
      'latency',
      'size',
    ]),
    maxGrowth: ratioOption(
      '--max-growth <ratio>',
      `largest size of the constants, to the original's (default: ${MAX_GROWTH})`,
    ),
    costModel: textOption('--cost-model <folder>', 'a cost model of your own (default: the one that is shipped)'),
  },
  async run({ operands, options, talk }): Promise<Answer> {
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
        maxGrowth: options.maxGrowth ?? MAX_GROWTH,
      },
      talk,
    )
    return optimizeAnswer(run, { report: null, requireGain })
  },
})
