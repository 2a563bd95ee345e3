// The reference interpreter (src/ir/evaluate.ts) in the worker process: plain and slow, in float64. It optimises nothing, so
// what it would run is the graph as it is.
import { copyFileSync } from 'node:fs'
import { evaluateGraph } from '../ir/evaluate.ts'
import type { Graph } from '../ir/graph.ts'
import { fromNdArray, toNdArray } from '../ir/tensor.ts'
import { readModelFile } from '../onnx/index.ts'
import type { Feeds } from './backend.ts'
import type { Engine, Loaded } from './engine.ts'

export const referenceEngine: Engine = {
  versions: () => ({ version: 'own', providers: ['reference'] }),
  open: async (modelPath) => loaded(readModelFile(modelPath).graph),
  lower: async (modelPath, { loweredPath }) => copyFileSync(modelPath, loweredPath),
}

function loaded(graph: Graph): Loaded {
  const nameOf = (v: Graph['inputs'][number]) => graph.values[v]!.name
  return {
    inputNames: graph.inputs.filter((v) => !graph.initializers.has(v)).map(nameOf),
    outputNames: graph.outputs.map(nameOf),
    warnings: [],
    run: async (feeds) => run(graph, feeds),
    time: async (feeds, repeats, batch) => {
      const millis: number[] = []
      for (let r = 0; r < repeats; r++) {
        const start = performance.now()
        for (let b = 0; b < batch; b++) run(graph, feeds)
        millis.push((performance.now() - start) / batch)
      }
      return millis
    },
    profile: async () => {
      throw new Error('the reference interpreter has no profiler')
    },
    close: async () => {},
  }
}

function run(graph: Graph, feeds: Feeds): Feeds {
  const arrays = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, toNdArray(t)]))
  const results = evaluateGraph(graph, arrays)
  return Object.fromEntries(Object.entries(results).map(([name, a]) => [name, fromNdArray(a)]))
}
