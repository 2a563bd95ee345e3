// Inputs on disk as `--inputs` reads them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Graph } from '../../src/ir/graph.ts'
import type { Tensor } from '../../src/ir/tensor.ts'
import { encodeTensor } from '../../src/onnx/index.ts'

/** Writes one value for each input of the graph, those with default values left out; returns the folder. */
export function writeInputs(folder: string, graph: Graph, feeds: Readonly<Record<string, Tensor>>): string {
  mkdirSync(folder, { recursive: true })
  const fed = graph.inputs.filter((v) => !graph.initializers.has(v)).map((v) => graph.values[v]!.name)
  for (const [i, name] of fed.entries()) writeFileSync(join(folder, `input_${i}.pb`), encodeTensor(feeds[name]!))
  return folder
}
