// Every family of the workloads, from one identity to whole networks: the first graph of each, or all of them with --all.
import { type Workload, workloads } from '../../src/dataset/workloads/index.ts'
import type { Benchmark } from './benchmark.ts'
import { GAIN_USAGE, type GainOptions, parseGainOptions } from './gain-options.ts'
import { runGains } from './gain-table.ts'
import type { GainCase } from './gains.ts'
import { workloadCase } from './workload-case.ts'

const EXPECTED: ReadonlyMap<string, string> = new Map(workloads.map((w) => [w.name, w.expected]))

export const familiesBenchmark: Benchmark = {
  name: 'families',
  about: `gains on each family of the workloads; --size full ${GAIN_USAGE}`,
  run: (args) => {
    const options = parseGainOptions(args)
    const extra = { heads: ['expected'], cells: (name: string) => [EXPECTED.get(name)!] }
    return runGains((folder) => cases(folder, options), options, extra)
  },
}

function* cases(folder: string, options: GainOptions): Generator<GainCase> {
  const size = options.size ?? 'full'
  for (const workload of chosen(options, size)) {
    // What a person would write belongs to the benchmarks that have a target for it.
    const { byHand: _, ...plain } = workloadCase(workload, size, folder, options.seed)
    yield { ...plain, name: workload.name }
  }
}

/** Workloads that have the size, by name or by family; the first of each family unless all are asked for. */
function chosen({ wants, all }: GainOptions, size: string): readonly Workload[] {
  const sized = workloads.filter((w) => w.sizes.includes(size) && (wants(w.name) || wants(w.family)))
  return all ? sized : sized.filter((w, i) => sized.findIndex((other) => other.family === w.family) === i)
}
