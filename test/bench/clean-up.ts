// Nodes that are left of a model: as it came, after the clean-up that encoding is (no rules), and in the program that is predicted to be the
// fastest; beside what other tools left of the same file, which is read from folders of their results. Nothing is run.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { CostModel } from '../../src/cost/index.ts'
import { readModelFile } from '../../src/onnx/index.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { type Prepared, prepareModel } from '../../src/search/prepare.ts'
import { chooseCostModel } from '../../src/search/shipped-model.ts'
import { makeCandidates } from '../../src/search/variants.ts'
import { type Benchmark, printTable } from './benchmark.ts'

const LIMITS = { iterationLimit: 30, nodeLimit: 40_000, timeLimitMs: 30_000 }
const NO_SHAPES = { shapes: new Map(), samples: () => new Map() }

export const cleanUpBenchmark: Benchmark = {
  name: 'clean-up',
  about: 'nodes left, beside what other tools leave; FOLDER [FOLDER_OF_THEIR_RESULTS ..]',
  run: (args) => {
    const [folder, ...others] = parseArgs({ args: [...args], allowPositionals: true }).positionals
    if (!folder) throw new TypeError('clean-up: expected a folder of models')
    const cost = chooseCostModel(null, 'cpu', '').model
    const files = readdirSync(folder).filter((f) => f.endsWith('.onnx'))
    const rows = files.map((file) => {
      const left = others.map((other) => nodesOf(join(other, file)))
      return [file.replace('.onnx', ''), nodesOf(join(folder, file)), ...left, ...ours(join(folder, file), cost)]
    })
    printTable(['model', 'nodes', ...others.map((o) => basename(o)), 'no rules', 'fastest', 'fewest'], rows)
  },
}

/** Of the outermost graph; constants are no nodes. */
function nodesOf(path: string): number | string {
  if (!existsSync(path)) return 'failed'
  try {
    return readModelFile(path).graph.nodes.length
  } catch {
    return 'unreadable'
  }
}

function ours(path: string, cost: CostModel): (number | string)[] {
  try {
    const prepared = prepareModel(path, NO_SHAPES)
    const [cleaned] = candidates(prepared, cost, false)
    const made = candidates(prepared, cost, true)
    const fastest = made.reduce((a, b) => (b.extractedMs < a.extractedMs ? b : a))
    return [cleaned!, fastest, made.reduce((a, b) => (nodes(b) < nodes(a) ? b : a))].map(nodes)
  } catch (error) {
    return [error instanceof Error ? error.message.slice(0, 60) : String(error)]
  }
}

const nodes = (c: { readonly graph: { readonly nodes: readonly unknown[] } }): number => c.graph.nodes.length

function candidates(prepared: Prepared, cost: CostModel, withRules: boolean) {
  const explored = explore(prepared.graph, { ...LIMITS, allows: () => withRules })
  const options = { count: withRules ? 12 : 1, seed: 0, timeLimitMs: 4000 }
  return makeCandidates(explored, prepared.graph, cost, prepared.bindings, options).candidates
}
