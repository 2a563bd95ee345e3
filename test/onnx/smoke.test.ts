import { expect } from 'chai'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { encodeTensor, modelOf, parseTensor, readModel, writeModel } from '../../src/onnx/index.ts'

describe('onnx: round trips', () => {
  it('a built graph is written and read back as the same graph', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [2, 3])
    b.output(b.node('Add', [x, b.constant(tensor('float32', [3], [1, 2, 3]))]), 'y')
    const bytes = writeModel(modelOf(b.build()))
    const again = readModel(bytes)
    expect(again.graph.nodes.map((n) => n.op)).to.deep.equal(['Add'])
    expect(writeModel(modelOf({ ...again.graph }, again))).to.deep.equal(bytes)
  })
  it('a tensor file is read back as the same tensor', () => {
    const t = tensor('int64', [2], [5, -7])
    expect(parseTensor(encodeTensor(t, 'x'))).to.deep.equal(t)
  })
})
