// Names that subgraphs read: whatever becomes of the graph around them, they must stay, each made before it is read.
import { expect } from 'chai'
import { untrainedModel } from '../../src/cost/index.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { type Model, modelOf, readModel, writeModel } from '../../src/onnx/index.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { makeCandidates } from '../../src/search/variants.ts'
import { f32, graphProto, model, node, value } from '../onnx/protos.ts'

const inputs = [value('x', 'float32', [2]), value('c', 'bool', [])]
const LIMITS = { nodeLimit: 5000, iterationLimit: 10, timeLimitMs: 5000 }

const branch = (read: string, out: string) => graphProto({ nodes: [node('Exp', read, out)], outputs: [out] })
/** An If both branches of which read `captured`. */
const reader = (captured: string, out: string) =>
  node('If', 'c', out, { then_branch: branch(captured, `${out}_then`), else_branch: branch(captured, `${out}_else`) })

/** The programs of a model as they are written and read again; throws where a body reads what is not there. */
function rewritten(m: Model): readonly Graph[] {
  const options = { count: 6, seed: 0, timeLimitMs: 1000 }
  const { candidates: made } = makeCandidates(explore(m.graph, LIMITS), m.graph, untrainedModel(), new Map(), options)
  return made.map((candidate) => {
    expectMadeFirst(candidate.graph)
    return readModel(writeModel(modelOf(candidate.graph, m))).graph
  })
}

function expectMadeFirst(g: Graph): void {
  const made = new Set([...g.inputs, ...g.initializers.keys()])
  for (const n of g.nodes) {
    for (const v of [...n.inputs, ...n.captures])
      expect(v === null || made.has(v), `${n.op} reads too soon`).to.equal(true)
    for (const v of n.outputs) if (v !== null) made.add(v)
  }
}

const outputsOf = (g: Graph) => g.outputs.map((v) => g.values[v]!.name)

describe('rewrite: names that subgraphs read', () => {
  it('stay where an output of the model equals them', () => {
    const nodes = [node('Neg', 'x', 'a'), node('Neg', 'x', 'y'), reader('a', 'z')]
    for (const g of rewritten(model({ nodes, inputs, outputs: ['y', 'z'] })))
      expect(outputsOf(g)).to.deep.equal(['y', 'z'])
  })

  it('stay where they equal one another, however many read them', () => {
    const nodes = [
      node('Neg', 'x', 'a'),
      node('Neg', 'x', 'b'),
      reader('a', 'p'),
      reader('b', 'q'),
      node('Abs', 'q', 'r'),
    ]
    const more = [node('If', 'c', 's', { then_branch: branch('b', 't'), else_branch: branch('a', 'e') })]
    for (const g of rewritten(model({ nodes: [...nodes, ...more], inputs, outputs: ['p', 'r', 's'] })))
      expect(g.nodes.filter((n) => n.op === 'Identity')).to.have.length(1)
  })

  it('stay where they are an output, an input, or a constant', () => {
    const constants = { w: f32([2], [1, 2]) }
    const nodes = [node('Neg', 'x', 'a'), reader('a', 'p'), reader('x', 'q'), reader('w', 'r')]
    const g = model({ nodes, inputs, outputs: ['a', 'w', 'p', 'q', 'r'], constants })
    for (const out of rewritten(g)) expect(outputsOf(out)).to.deep.equal(['a', 'w', 'p', 'q', 'r'])
  })

  it('stay where new names would take them', () => {
    const nodes = [node('Neg', 'x', 'Exp_out'), node('Exp', 'x', 'b'), reader('Exp_out', 'p'), node('Add', 'b p', 'y')]
    for (const g of rewritten(model({ nodes, inputs, outputs: ['y'] }))) {
      const made = g.nodes.find((n) => n.outputs.some((v) => v !== null && g.values[v]!.name === 'Exp_out'))
      expect(made!.op).to.equal('Neg')
    }
  })
})
