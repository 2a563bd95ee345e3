// The forms written by hand are what benchmarks judge Allotrope by, so they must compute what the graphs compute.
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { drawInputs, findWorkload, type Workload, workloads } from '../../src/dataset/workloads/index.ts'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { type NdArray, toNdArray } from '../../src/ir/tensor.ts'

const SEED = 7
/** Weights of a form are rounded once to their dtype: some of its smallest steps, relative to the largest output. */
const TOLERANCE: Readonly<Record<string, number>> = { float32: 2e-6, float64: 1e-12 }

const written = workloads.filter((w): w is Workload & { byHand: NonNullable<Workload['byHand']> } => w.byHand !== null)

function interfaceOf(graph: Graph): unknown {
  const typed = (ids: Graph['inputs']) => ids.map((v) => [graph.values[v]!.name, graph.values[v]!.type])
  return { inputs: typed(graph.inputs), outputs: typed(graph.outputs), opsets: [...graph.opsets] }
}

function largestError(expected: NdArray, actual: NdArray): number {
  const scale = expected.data.reduce((m, x) => Math.max(m, Math.abs(x)), 0)
  return expected.data.reduce((m, x, i) => Math.max(m, Math.abs(x - actual.data[i]!)), 0) / scale
}

describe('forms written by hand', () => {
  for (const w of written) {
    it(`${w.name} by hand takes the same inputs and gives the same outputs`, () => {
      const [original, hand] = [w.build('small', SEED), w.byHand('small', SEED)]
      expect(interfaceOf(hand)).to.deep.equal(interfaceOf(original))
      const drawn = Object.entries(drawInputs(original, w.inputs('small'), createRandom(SEED)))
      const feeds = Object.fromEntries(drawn.map(([name, t]) => [name, toNdArray(t)]))
      const [expected, actual] = [evaluateGraph(original, feeds), evaluateGraph(hand, feeds)]
      for (const [name, array] of Object.entries(expected))
        expect(largestError(array, actual[name]!), name).to.be.below(TOLERANCE[array.dtype]!)
    })
  }

  it('leave the runtime nothing to compute from weights alone', () => {
    for (const w of written) {
      const hand = w.byHand('small', SEED)
      const constant = (v: Graph['inputs'][number] | null) => v === null || hand.initializers.has(v)
      const left = hand.nodes.filter((n) => n.inputs.every(constant)).map((n) => n.name)
      expect(left, w.name).to.deep.equal([])
    }
  })

  it('are the graph itself on the far side of the break-even', () => {
    const w = findWorkload('linear-linear')
    expect(w.byHand!('reverse', SEED).nodes).to.deep.equal(w.build('reverse', SEED).nodes)
  })
})
