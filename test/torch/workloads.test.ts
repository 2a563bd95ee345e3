// Every workload survives the way to PyTorch and back: written as an FX graph with weights, read, imported, and run.
import { expect } from 'chai'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { createRandom } from '../../src/base/random.ts'
import { drawInputs, workloads } from '../../src/dataset/workloads/index.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { type Tensor, typedView } from '../../src/ir/tensor.ts'
import { modelOf, writeModel } from '../../src/onnx/index.ts'
import { exportFx, importFx, moduleSource, parseFx, printFx } from '../../src/torch/index.ts'

const SEED = 11

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<readonly Float32Array[]> {
  const session = await InferenceSession.create(writeModel(modelOf(graph)), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
  })
  const fed = Object.entries(feeds).map(([name, t]) => [
    name,
    new OrtTensor(t.dtype as 'float32', typedView(t) as Float32Array, t.shape),
  ])
  const results = await session.run(Object.fromEntries(fed))
  return graph.outputs.map((v) => results[graph.values[v]!.name]!.data as Float32Array)
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce(
    (most, x, i) => Math.max(most, Math.abs(x - b[i]!)),
    a.length === b.length ? 0 : Number.POSITIVE_INFINITY,
  )
}

describe('workloads as FX graphs', () => {
  for (const w of workloads) {
    it(`${w.name} computes the same after the way there and back`, async () => {
      const graph = w.build('small', SEED)
      const feeds = drawInputs(graph, w.inputs('small'), createRandom(SEED))
      const inputs = new Map(Object.entries(feeds).map(([name, t]) => [name, { shape: t.shape, dtype: t.dtype }]))
      const expected = await run(graph, feeds)
      for (const naming of ['values', 'operators'] as const) {
        const program = exportFx(graph, { naming })
        expect(moduleSource(program).source).to.contain('def forward(self, ')
        const actual = await run(importFx(parseFx(printFx(program.graph)), { inputs, weights: program.weights }), feeds)
        actual.forEach((out, i) => {
          const scale = expected[i]!.reduce((m, x) => Math.max(m, Math.abs(x)), 0)
          expect(largestDifference(expected[i]!, out) / scale, naming).to.be.below(1e-5)
        })
      }
    })
  }
})
