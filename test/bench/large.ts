// Large graphs: how long `optimize` takes on networks at their published sizes, with and without measuring, and on a graph of
// 5,000 nodes within a time limit.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '../../src/base/random.ts'
import { drawInputs, findWorkload } from '../../src/dataset/workloads/index.ts'
import { modelOf, writeModelFile } from '../../src/onnx/index.ts'
import type { RunRecord } from '../../src/report/index.ts'
import { type Benchmark, printTable } from './benchmark.ts'
import { writeBertModel } from './bert.ts'
import { type OptimizeRun, runOptimize } from './command-line.ts'
import { contextOf, printContext } from './context.ts'
import { parseGainOptions } from './gain-options.ts'
import { withFolder } from './gains.ts'
import { writeInputs } from './input-folder.ts'

interface Written {
  readonly nodes: number
  readonly modelPath: string
  readonly inputs: string
}

interface LargeCase {
  readonly name: string
  /** More options of `optimize`. */
  readonly settings: readonly string[]
  write(folder: string, seed: number): Written
}

/** About 70 nodes a layer. */
const DEEP = { vocabulary: 1000, rows: 16, width: 64, heads: 4, layers: 70 }
const BERT = { vocabulary: 30_522, rows: 128, width: 768, heads: 12, layers: 12 }

const CASES: readonly LargeCase[] = [
  { name: 'bert', settings: [], write: (folder, seed) => writeBertModel(folder, 'bert', BERT, seed) },
  ...['resnet-50', 'inception-v3', 'nasnet-a'].map((name) => ({
    name,
    settings: [],
    write: (folder: string, seed: number) => writePublished(folder, name, seed),
  })),
  {
    name: 'deep',
    settings: ['--time-limit', '60'],
    write: (folder, seed) => writeBertModel(folder, 'deep', DEEP, seed),
  },
]

export const largeBenchmark: Benchmark = {
  name: 'large',
  about:
    'seconds of optimize on large graphs, measuring nothing and measuring; [NAMES] --threads 1 --seed 0 --json FILE',
  run: (args) => {
    const { wants, threads, seed, json, keep } = parseGainOptions(args)
    const context = contextOf({ threads, seed })
    return withFolder(keep, async (folder) => {
      const runs: Record<string, OptimizeRun> = {}
      const rows: string[][] = []
      for (const c of CASES.filter(({ name }) => wants(name))) {
        const written = c.write(folder, seed)
        for (const measure of [0, 5]) {
          const run = await runCase(c, written, measure, { threads, seed })
          runs[`${c.name}, --measure ${measure}`] = run
          rows.push(rowOf(c, written.nodes, measure, run))
        }
      }
      printTable(HEAD, rows)
      printContext(context)
      if (json !== null) writeFileSync(json, `${JSON.stringify({ ...context, runs }, null, 1)}\n`)
    })
  },
}

function runCase(c: LargeCase, written: Written, measure: number, counts: Record<string, number>) {
  const { modelPath, inputs } = written
  const output = modelPath.replace(/\.onnx$/, '.fast.onnx')
  const options = Object.entries({ ...counts, measure }).flatMap(([name, n]) => [`--${name}`, String(n)])
  return runOptimize([modelPath, '-o', output, '--inputs', inputs, '--force', ...options, ...c.settings])
}

function writePublished(folder: string, name: string, seed: number): Written {
  const workload = findWorkload(name)
  const graph = workload.build('published', seed)
  const modelPath = join(folder, `${name}.onnx`)
  writeModelFile(modelPath, modelOf(graph), { force: true })
  const feeds = drawInputs(graph, workload.inputs('published'), createRandom(seed))
  return { nodes: graph.nodes.length, modelPath, inputs: writeInputs(join(folder, `${name}-inputs`), graph, feeds) }
}

const PHASES = ['load', 'saturate', 'predict', 'verify', 'measure', 'write', 'total']
const HEAD = ['graph', 'nodes', 'measured', ...PHASES, 'e-nodes', 'stopped', 'times as fast']

function rowOf({ name, settings }: LargeCase, nodes: number, measure: number, { record, failure }: OptimizeRun) {
  const head = [[name, ...settings].join(' '), String(nodes), String(measure)]
  if (record === null || failure !== null) return [...head, `FAILED: ${failure}`, ...new Array(9).fill('')]
  const seconds = PHASES.map((phase) => (record.seconds[phase] ?? 0).toFixed(1))
  return [...head, ...seconds, String(record.saturation.eNodes), record.saturation.stopReason, gainText(record)]
}

function gainText({ speedup, predictedSpeedup, gain }: RunRecord): string {
  if (speedup !== null && gain) return speedup.toFixed(2)
  return gain && predictedSpeedup !== null ? `${predictedSpeedup.toFixed(2)} predicted` : '1.00'
}
