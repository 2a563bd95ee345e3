// Every workload really runs: finite outputs of moderate size, and shapes as inferred.
import { expect } from 'chai'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { createRandom } from '../../src/base/random.ts'
import { drawInputs, type Workload, workloads } from '../../src/dataset/workloads/index.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { typedView } from '../../src/ir/tensor.ts'
import { modelOf, writeModel } from '../../src/onnx/index.ts'

const SEED = 7
/** Outputs beyond this are no longer O(1): differences would drown in them. */
const LARGEST = 1e3

async function runOnce(graph: Graph, w: Workload, size: string): Promise<InferenceSession.OnnxValueMapType> {
  const session = await InferenceSession.create(writeModel(modelOf(graph)), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  })
  const drawn = drawInputs(graph, w.inputs(size), createRandom(SEED))
  const feeds = Object.entries(drawn).map(([name, t]) => [
    name,
    new OrtTensor(t.dtype as 'float32', typedView(t) as Float32Array, t.shape),
  ])
  return session.run(Object.fromEntries(feeds))
}

function checkOutputs(graph: Graph, results: InferenceSession.OnnxValueMapType): void {
  for (const id of graph.outputs) {
    const { name, type } = graph.values[id]!
    const out = results[name] as OrtTensor
    expect(out.dims, `${graph.name} ${name}`).to.deep.equal(type!.shape)
    const data = out.data as Float32Array
    const largest = data.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : Number.POSITIVE_INFINITY), 0)
    expect(largest, `${graph.name} ${name}`).to.be.within(1e-6, LARGEST)
  }
}

describe('workloads under ONNX Runtime', () => {
  for (const w of workloads) {
    it(`${w.name} gives finite outputs of the inferred shapes`, async () => {
      const graph = w.build('small', SEED)
      checkOutputs(graph, await runOnce(graph, w, 'small'))
    })
  }
})
