// A workload as a case of the benchmarks of gains: the model, its inputs, and the form by hand if there is one.
import { join } from 'node:path'
import { createRandom } from '../../src/base/random.ts'
import { drawInputs, type Workload } from '../../src/dataset/workloads/index.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { modelOf, writeModelFile } from '../../src/onnx/index.ts'
import type { GainCase } from './gains.ts'
import { writeInputs } from './input-folder.ts'

/** The far side of a break-even: by hand nothing is done, so that the graph is not measured against itself. */
export const FAR_SIDE = 'reverse'

/** What the case of a workload at a size is called. */
export const caseName = ({ name }: Workload, size: string): string => (size === 'full' ? name : `${name}-${size}`)

/** Writes what the case needs to the folder. */
export function workloadCase(workload: Workload, size: string, folder: string, seed: number): GainCase {
  const name = caseName(workload, size)
  const graph = workload.build(size, seed)
  const modelPath = write(graph, join(folder, `${name}.onnx`))
  const feeds = drawInputs(graph, workload.inputs(size), createRandom(seed))
  const inputs = writeInputs(join(folder, `${name}-inputs`), graph, feeds)
  const plain = { name, group: workload.family, modelPath, samples: [], inputs }
  if (workload.byHand === null || size === FAR_SIDE) return plain
  return { ...plain, byHand: write(workload.byHand(size, seed), join(folder, `${name}.hand.onnx`)) }
}

function write(graph: Graph, path: string): string {
  writeModelFile(path, modelOf(graph), { force: true })
  return path
}
