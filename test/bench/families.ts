// Every family of the workloads, from one identity to whole networks: the first graph of each, or all of them with --all.
import { join } from 'node:path'
import { createRandom } from '../../src/base/random.ts'
import { drawInputs, type Workload, workloads } from '../../src/dataset/workloads/index.ts'
import { modelOf, writeModelFile } from '../../src/onnx/index.ts'
import type { Benchmark } from './benchmark.ts'
import { GAIN_USAGE, type GainOptions, parseGainOptions } from './gain-options.ts'
import { runGains } from './gain-table.ts'
import type { GainCase } from './gains.ts'
import { writeInputs } from './input-folder.ts'

const EXPECTED: ReadonlyMap<string, string> = new Map(workloads.map((w) => [w.name, w.expected]))

export const familiesBenchmark: Benchmark = {
  name: 'families',
  about: `gains on each family of the workloads; --size small|full|reverse ${GAIN_USAGE}`,
  run: (args) => {
    const options = parseGainOptions(args)
    const extra = { heads: ['expected'], cells: (name: string) => [EXPECTED.get(name)!] }
    return runGains((folder) => cases(folder, options), options, extra)
  },
}

function* cases(folder: string, options: GainOptions): Generator<GainCase> {
  for (const workload of chosen(options)) yield caseOf(workload, folder, options)
}

/** Workloads that have the size, by name or by family; the first of each family unless all are asked for. */
function chosen({ wants, size, all }: GainOptions): readonly Workload[] {
  const sized = workloads.filter((w) => w.sizes.includes(size) && (wants(w.name) || wants(w.family)))
  return all ? sized : sized.filter((w, i) => sized.findIndex((other) => other.family === w.family) === i)
}

function caseOf(workload: Workload, folder: string, { size, seed }: GainOptions): GainCase {
  const { name, family: group } = workload
  const graph = workload.build(size, seed)
  const modelPath = join(folder, `${name}.onnx`)
  writeModelFile(modelPath, modelOf(graph), { force: true })
  const feeds = drawInputs(graph, workload.inputs(size), createRandom(seed))
  return { name, group, modelPath, samples: [], inputs: writeInputs(join(folder, `${name}-inputs`), graph, feeds) }
}
