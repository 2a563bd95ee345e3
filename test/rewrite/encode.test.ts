import { expect } from 'chai'
import { int, ints } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { type Dim, namedDim } from '../../src/ir/dim.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { shapeText } from '../../src/ir/shape.ts'
import { tensor, typedView } from '../../src/ir/tensor.ts'
import { findProblems } from '../../src/ir/validate.ts'
import { ConstantTable } from '../../src/rewrite/constants.ts'
import { encode } from '../../src/rewrite/encode.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { familyOf } from '../../src/rewrite/tensor-op.ts'
import { drawPrograms } from '../conformance/programs.ts'

const OPSETS = new Map([['', 21]])
const LIMITS = { iterationLimit: 6, nodeLimit: 2000, timeLimitMs: 5000 }

function graphOf(build: (b: GraphBuilder) => readonly ValueId[]) {
  const b = new GraphBuilder('g', OPSETS)
  build(b).forEach((v, i) => {
    b.output(v, `y${i}`)
  })
  return b.build()
}

describe('encoding', () => {
  it('leaves a Split alone whose sizes are fed, whatever sizes its outputs declare', () => {
    const graph = graphOf((b) =>
      b.multi('Split', [b.input('x', 'float32', [6]), b.input('sizes', 'int64', [2])], {
        attributes: { axis: int(0) },
        outputs: 2,
      }),
    )
    const declared = { dtype: 'float32', shape: [4] } as const
    const values = graph.values.map((v, i) => (graph.outputs.includes(i as ValueId) ? { ...v, type: declared } : v))
    const { t, roots } = encode({ ...graph, values })
    expect(roots.map((c) => t.egraph.nodesOf(c).map((n) => familyOf(t.op(n))))).to.deep.equal([['Split'], ['Split']])
  })

  it('keeps the types apart that equal calls of unknown operators declare', () => {
    const b = new GraphBuilder('g', new Map([...OPSETS, ['my', 1]]))
    const [x, y] = [b.input('x', 'float32', [2]), b.input('y', 'float32', [2])]
    const types = [{ dtype: 'int64', shape: [3] } as const, { dtype: 'float32', shape: [4] } as const, null]
    const made = [x, y, b.node('Relu', [y])].map((v) => b.node('Mystery', [v], {}, 'my'))
    made.forEach((v, i) => {
      if (types[i]) b.declare(v, types[i])
      b.output(v, `y${i}`)
    })
    const { t, roots } = encode(b.build())
    expect(roots.map((c) => t.type(c))).to.deep.equal(types)
  })

  it('knows the types that follow from what folds, and brings those operators into canonical form', () => {
    const graph = graphOf((b) => {
      const equal = b.node('Equal', [b.int64s([3]), b.int64s([4])])
      const condition = b.node('And', [equal, equal])
      const ones = b.node('Where', [condition, b.int64s([7]), b.int64s([1])])
      const sizes = b.node('Concat', [b.int64s([2]), ones, b.int64s([3])], { axis: int(0) })
      const expanded = b.node('Expand', [b.input('y', 'float32', [2, 1, 3]), sizes])
      const scaled = b.node('Mul', [expanded, b.input('s', 'float32', [1])])
      return [b.node('MatMul', [b.input('x', 'float32', [2, 4, 1]), scaled])]
    })
    const { t, roots } = explore(graph, LIMITS)
    expect(t.type(roots[0]!)).to.deep.equal({ dtype: 'float32', shape: [2, 4, 3] })
  })

  it('takes the sizes that follow from what folds, whatever names the outputs give them', () => {
    const graph = graphOf((b) => {
      const sizes = b.node('Relu', [b.constant(tensor('float32', [4], [0, 4, 3, 3]))])
      const pictures = b.node('Reshape', [
        b.input('x', 'float32', [namedDim('n'), 36]),
        b.node('Cast', [sizes], { to: int(7) }),
      ])
      const shifted = b.node('Add', [pictures, b.constant(tensor('float32', [1, 4, 1, 1], [1, 2, 3, 4]))])
      return [b.node('ReduceMean', [shifted, b.int64s([2, 3])], { keepdims: int(0) })]
    })
    const declared = { dtype: 'float32', shape: [namedDim('m'), 4] } as const
    const values = graph.values.map((v, i) => (graph.outputs.includes(i as ValueId) ? { ...v, type: declared } : v))
    const { t, roots } = explore({ ...graph, values }, LIMITS)
    expect(shapeText(t.shape(roots[0]!))).to.equal('[n,4]')
  })

  it('moves a factor out of a product also where it is the first input of the graph', () => {
    const graph = graphOf((b) => {
      const factor = b.input('s', 'float32', [4, 1])
      const scaled = b.node('Mul', [b.input('x', 'float32', [4, 3]), factor])
      return [b.node('MatMul', [scaled, b.input('y', 'float32', [3, 2])])]
    })
    const { t, roots } = explore(graph, LIMITS)
    expect(t.egraph.nodesOf(roots[0]!).map((n) => familyOf(t.op(n)))).to.include('Mul')
  })

  it('moves nothing through a Cast, which would change its dtype', () => {
    const graph = graphOf((b) => {
      const product = b.node('Mul', [b.input('x', 'float16', [2, 3]), b.input('s', 'float16', [2, 1])])
      return [b.node('Cast', [product], { to: int(1) })]
    })
    const { t, roots } = explore(graph, LIMITS)
    expect(t.egraph.nodesOf(roots[0]!).map((n) => familyOf(t.op(n)))).to.deep.equal(['Cast'])
  })

  it('keeps operators on constants that it cannot compute: elements under 8 bits, strings', () => {
    const graph = graphOf((b) => {
      const packed = b.constant({ dtype: 'int4', shape: [2], bytes: Uint8Array.of(0x21) })
      const strings = [new TextEncoder().encode('a'), new TextEncoder().encode('b')]
      const text = b.constant({ dtype: 'string', shape: [2], bytes: new Uint8Array(0), strings })
      return [
        b.node('DequantizeLinear', [packed, b.constant(tensor('float32', [], [0.5]))]),
        b.node('Equal', [text, text]),
      ]
    })
    const { t, roots } = explore(graph, LIMITS)
    expect(roots.map((c) => t.egraph.nodesOf(c).map((n) => familyOf(t.op(n))))).to.deep.equal([
      ['DequantizeLinear'],
      ['Equal'],
    ])
  })
})

describe('decoding', () => {
  it('keeps the declared type of what an unknown operator makes', () => {
    const b = new GraphBuilder('g', OPSETS)
    const odd = b.node('Mystery', [b.input('x', 'float32', [4])], {}, '')
    b.declare(odd, { dtype: 'float32', shape: [2, 3] })
    b.output(b.node('Reshape', [odd, b.int64s([3, 2])]), 'y')
    const [program] = drawPrograms(b.build(), new Map(), 1)
    expect(program!.graph.values.map((v) => v.type?.shape)).to.deep.include([2, 3])
  })

  it('writes a resize for all axes, by sizes where they are numbers, else by scales that come to the same, else for those that change', () => {
    const resized = (batch: Dim, height: Dim = 4) => {
      const b = new GraphBuilder('g', OPSETS)
      const x = b.input('x', 'float32', [batch, 3, height, 4])
      const wanted = b.constant(tensor('int64', [2], [8, 8]), 'sizes')
      b.output(b.node('Resize', [x, null, null, wanted], { axes: ints([2, 3]) }), 'y')
      const [program] = drawPrograms(
        b.build(),
        new Map([
          ['n', 2],
          ['h', 4],
        ]),
        1,
      )
      const [node] = program!.graph.nodes
      const [scales, sizes] = [node!.inputs[2], node!.inputs[3]].map((v) =>
        v == null ? null : Array.from(typedView(program!.graph.initializers.get(v)!), Number),
      )
      return { scales, sizes, hasAxes: 'axes' in node!.attributes }
    }
    expect(resized(2)).to.deep.equal({ scales: null, sizes: [2, 3, 8, 8], hasAxes: false })
    expect(resized(namedDim('n'))).to.deep.equal({ scales: [1, 1, 2, 2], sizes: null, hasAxes: false })
    expect(resized(2, namedDim('h'))).to.deep.equal({ scales: null, sizes: [2, 3, 8, 8], hasAxes: false })
    expect(resized(namedDim('n'), namedDim('h'))).to.deep.equal({ scales: null, sizes: [8, 8], hasAxes: true })
  })

  it('lists an input as an output, and an output twice, where the model does', () => {
    const b = new GraphBuilder('g', OPSETS)
    const x = b.input('x', 'float32', [2])
    b.output(b.node('Add', [b.node('Neg', [x]), x]), 'y')
    for (const name of ['y', 'x']) b.listAsOutput(name)
    const graph = b.build()
    const programs = drawPrograms(graph, new Map(), 1)
    for (const { graph: program } of programs) {
      expect(program.outputs.map((v) => program.values[v]!.name)).to.deep.equal(['y', 'y', 'x'])
      expect(findProblems(program)).to.deep.equal([])
    }
    expect(programs).to.not.have.length(0)
  })
})

describe('the table of constants and signed zeros', () => {
  it('tells 0 from -0, since their reciprocals differ', () => {
    const table = new ConstantTable()
    const zeros = (...data: number[]) => table.literal({ dtype: 'float32', shape: [2], data: Float64Array.from(data) })
    expect(zeros(0, -0)).to.not.equal(zeros(-0, 0))
    expect(zeros(0, 0)).to.not.equal(zeros(-0, -0))
    expect(zeros(0, -0)).to.equal(zeros(0, -0))
  })
})
