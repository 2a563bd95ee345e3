// What each part of training is worth: the comparison on left-out families with one part taken away at a time.
//   node --import tsx training/experiments/ablation.ts DATASET [--trainer auto] [--steps 1000] [--seeds 3] [-o TABLE.md]
// Every row is the mean over seeds; a difference that is smaller than its spread is none.
import { parseArgs } from 'node:util'
import writeFileAtomic from 'write-file-atomic'
import { UserError } from '../../src/base/errors.ts'
import { mean, standardDeviation } from '../../src/base/statistics.ts'
import { silentTalk } from '../../src/base/talk.ts'
import { type CompareResult, compare } from '../../src/compare.ts'
import { DEFAULT_FIT, type FitOptions } from '../../src/cost/learned/fit.ts'
import type { TrainerName } from '../../src/cost/tensorflow.ts'

const { weights } = DEFAULT_FIT
const without = (part: keyof typeof weights): Partial<FitOptions> => ({
  members: 1,
  weights: { ...weights, [part]: 0 },
})

/** What is taken away, and how. */
const ABLATIONS: Readonly<Record<string, Partial<FitOptions>>> = {
  'ensemble of 5': { members: 5 },
  'ensemble of 3': { members: 3 },
  'one member': { members: 1 },
  'one member, no pairwise loss': without('pair'),
  'one member, no graph loss': without('graph'),
  'one member, no kernel loss': without('kernel'),
  'one member, no graphs at all': { members: 1, weights: { ...weights, graph: 0, pair: 0 } },
  'one member, no decay': without('decay'),
}

const percent = (values: readonly (number | null)[]): string => {
  const known = values.flatMap((v) => v ?? [])
  return known.length === 0
    ? '-'
    : `${(100 * mean(known)).toFixed(1)} +- ${(100 * standardDeviation(known)).toFixed(1)}`
}

function row(
  name: string,
  results: readonly CompareResult[],
  metrics: (r: CompareResult) => CompareResult['model'],
): string {
  const of = (figure: (m: CompareResult['model']) => number | null) => percent(results.map((r) => figure(metrics(r))))
  const cells = [
    of((m) => m.mape),
    of((m) => m.pairwise),
    of((m) => m.kendallTau),
    of((m) => m.top1Regret?.mean ?? null),
    of((m) => m.top5Regret),
    of((m) => m.gainCapture),
  ]
  return `| ${[name, ...cells].join(' | ')} |`
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      trainer: { type: 'string', default: 'auto' },
      steps: { type: 'string', default: '1000' },
      seeds: { type: 'string', default: '3' },
      output: { type: 'string', short: 'o' },
    },
  })
  const [dataset] = positionals
  if (!dataset) {
    const fix = 'node --import tsx training/experiments/ablation.ts DATASET'
    throw new UserError({
      code: 'missing-dataset',
      where: 'ablation',
      expected: 'the folder of a dataset',
      got: 'none',
      fix,
      exitCode: 2,
    })
  }
  const lines = ['| % | MAPE | pairs | tau | regret@1 | regret@5 | gain captured |', '|---|--:|--:|--:|--:|--:|--:|']
  for (const [name, fit] of Object.entries(ABLATIONS)) {
    const results: CompareResult[] = []
    for (let seed = 1; seed <= Number(values.seeds); seed++) {
      process.stderr.write(`${name}, seed ${seed}\n`)
      results.push(
        await compare({
          dataset,
          fit,
          seed,
          steps: Number(values.steps),
          trainer: values.trainer as TrainerName | 'auto',
          talk: silentTalk,
        }),
      )
    }
    if (lines.length === 2) {
      lines.push(row('calibrated roofline', results, (r) => r.baselines.rooflineCalibrated!))
      lines.push(row('boosted trees', results, (r) => r.baselines.boostedTrees!))
    }
    lines.push(row(name, results, (r) => r.model))
  }
  const table = `${lines.join('\n')}\n`
  if (values.output) await writeFileAtomic(values.output, table)
  process.stdout.write(table)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error.exitCode
}
