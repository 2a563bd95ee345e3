import { expect } from 'chai'
import { InvariantError, UserError } from '../../src/base/errors.ts'
import { int } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import { shapeText } from '../../src/ir/shape.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { printGraph } from '../../src/ir/text.ts'
import { findProblems } from '../../src/ir/validate.ts'

describe('ir: the builder', () => {
  it('infers types as it goes', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [namedDim('n'), 4])
    const y = b.node('Concat', [x, x], { axis: int(0) })
    expect(b.typeOf(y)!.dtype).to.equal('float32')
    expect(shapeText(b.typeOf(y)!.shape)).to.equal('[2*n,4]')
  })

  it('refuses a call that ONNX forbids, where it is made', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [2, 4])
    expect(() => b.node('MatMul', [x, x])).to.throw(UserError, /MatMul-20/)
  })

  it('gives every value and node a name of its own', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [2])
    const twice = b.node('Relu', [b.node('Relu', [x])])
    const [c, d] = [b.int64s([1]), b.int64s([2])]
    b.output(b.node('Gather', [b.node('Gather', [twice, c]), d]), 'y')
    const graph = b.build()
    expect(new Set(graph.values.map((v) => v.name)).size).to.equal(graph.values.length)
    expect(new Set(graph.nodes.map((n) => n.name)).size).to.equal(graph.nodes.length)
    expect(findProblems(graph)).to.deep.equal([])
  })

  it('gives an output the name asked for; whoever had it makes way', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [2])
    const relu = b.node('Relu', [x])
    b.rename(relu, 'y')
    b.output(b.node('Abs', [relu]), 'y')
    expect(printGraph(b.build())).to.equal(`graph g (opset 20)
input x: float32[2]
y_1: float32[2] = Relu(x)
y: float32[2] = Abs(y_1)
output y
`)
  })

  it('puts an Identity where an input, a constant or an output becomes an output', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [2])
    const y = b.node('Relu', [x])
    b.output(x, 'a')
    b.output(b.constant(tensor('float32', [1], [1])), 'b')
    b.output(y, 'c')
    b.output(y, 'd')
    expect(b.build().nodes.map((n) => n.op)).to.deep.equal(['Relu', 'Identity', 'Identity', 'Identity'])
    expect(findProblems(b.build())).to.deep.equal([])
  })

  it('does not let two outputs, or an input and an output, share a name', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [2])
    b.output(b.node('Relu', [x]), 'y')
    expect(() => b.output(b.node('Abs', [x]), 'y')).to.throw(InvariantError)
    expect(() => b.output(b.node('Abs', [x]), 'x')).to.throw(InvariantError)
  })

  it('refuses to build a graph without outputs', () => {
    expect(() => new GraphBuilder('g').build()).to.throw(InvariantError, /no outputs/)
  })
})
