// The table of identities, row by row, on both sides of each break-even, beside the form that a person would write. Targets: what a
// person gains is found, and nothing is lost where there is nothing to gain.
import { type Workload, workloads } from '../../src/dataset/workloads/index.ts'
import type { Benchmark } from './benchmark.ts'
import { GAIN_USAGE, type GainOptions, parseGainOptions } from './gain-options.ts'
import { meanOfGroups, runGains, SLOWER } from './gain-table.ts'
import type { GainCase, GainRow } from './gains.ts'
import { caseName, FAR_SIDE, workloadCase } from './workload-case.ts'

/** Share of the gain by hand that must be found, and the geometric mean over the near sides. */
const TARGET = { share: 0.95, mean: 2 }

interface Sized {
  readonly workload: Workload
  readonly size: string
}

const TABLE: readonly Sized[] = workloads
  .filter((w) => w.suite === 'algebra' && w.byHand !== null)
  .flatMap((workload) => workload.sizes.filter((s) => s !== 'small').map((size) => ({ workload, size })))
const IDENTITY: ReadonlyMap<string, string> = new Map(
  TABLE.map(({ workload, size }) => [caseName(workload, size), workload.expected]),
)

export const algebraBenchmark: Benchmark = {
  name: 'algebra',
  about: `the identities one by one, beside the form by hand; --size full|reverse|narrowing ${GAIN_USAGE}`,
  run: (args) => {
    const options = parseGainOptions(args)
    return runGains((folder) => cases(folder, options), options, {
      heads: ['identity'],
      cells: (name) => [IDENTITY.get(name)!],
      byHand: true,
      summary,
    })
  },
}

function* cases(folder: string, { wants, size: only, seed }: GainOptions): Generator<GainCase> {
  for (const { workload, size } of TABLE)
    if ((wants(workload.name) || wants(workload.family)) && (only === null || size === only))
      yield workloadCase(workload, size, folder, seed)
}

const isFar = ({ name }: GainRow): boolean => name.endsWith(`-${FAR_SIDE}`)

function summary(rows: readonly GainRow[]): readonly string[] {
  const done = rows.filter((r) => r.speedup !== null)
  const [near, far] = [done.filter((r) => !isFar(r)), done.filter(isFar)]
  return [
    ...(near.length === 0 ? [] : nearLines(near)),
    ...(far.length === 0 ? [] : [`Far side: ${slowerLine(far)} (target: none below ${SLOWER}).`]),
  ]
}

function nearLines(near: readonly GainRow[]): readonly string[] {
  const { mean } = meanOfGroups(near)
  const missed = near.filter((r) => r.share !== null && r.share.median < TARGET.share)
  const text = missed.map((r) => `${r.name} ${r.share!.median.toFixed(2)}`).join(', ')
  return [
    `Near side: geometric mean ${mean.toFixed(2)} (target ${TARGET.mean.toFixed(2)}).`,
    `Found ${TARGET.share} of the gain by hand in ${near.length - missed.length} of ${near.length}; below: ${text || 'none'}.`,
  ]
}

function slowerLine(far: readonly GainRow[]): string {
  const slower = far.filter((r) => r.speedup!.median < SLOWER)
  if (slower.length === 0) return `none of ${far.length} is slower`
  return `slower are ${slower.map((r) => `${r.name} ${r.speedup!.median.toFixed(2)}`).join(', ')}`
}
