import { expect } from 'chai'
import { InvariantError } from '../../src/base/errors.ts'
import { float, int } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import type { Graph, Node, ValueId } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { findProblems, validateGraph } from '../../src/ir/validate.ts'

/** x, w -> Gemm -> Relu -> y: values 0 x, 1 w, 2 Gemm_out, 3 y. */
function graph(): Graph {
  const b = new GraphBuilder('g')
  const x = b.input('x', 'float32', [3, 4])
  const w = b.constant(tensor('float32', [4, 5], new Array(20).fill(1)), 'w')
  b.output(b.node('Relu', [b.node('Gemm', [x, w])]), 'y')
  return b.build()
}

const id = (n: number): ValueId => n as ValueId
const withNode = (g: Graph, at: number, change: Partial<Node>): Graph => ({
  ...g,
  nodes: g.nodes.map((n, i) => (i === at ? { ...n, ...change } : n)),
})
const rename = (g: Graph, at: number, name: string): Graph => ({
  ...g,
  values: g.values.map((v, i) => (i === at ? { ...v, name } : v)),
})
const retype = (g: Graph, at: number, dtype: 'float32' | 'float64', shape: readonly number[]): Graph => ({
  ...g,
  values: g.values.map((v, i) => (i === at ? { ...v, type: { dtype, shape } } : v)),
})

/** What is broken -> the graph, and what the validator says of it. */
const BROKEN: Readonly<Record<string, readonly [(g: Graph) => Graph, RegExp]>> = {
  'a value that is made twice': [(g) => withNode(g, 1, { outputs: [id(2)] }), /Relu.* makes Gemm_out a second time/],
  'an input that a node makes': [(g) => withNode(g, 1, { outputs: [id(0)] }), /makes x a second time/],
  'an initializer that a node makes': [(g) => withNode(g, 1, { outputs: [id(1)] }), /makes w a second time/],
  'nodes out of order': [(g) => ({ ...g, nodes: [...g.nodes].reverse() }), /Relu.* reads Gemm_out before it is made/],
  'a node that reads its own output': [(g) => withNode(g, 1, { inputs: [id(3)] }), /reads y before it is made/],
  'a read of nothing': [(g) => withNode(g, 0, { inputs: [id(0), id(99)] }), /reads value 99, which does not exist/],
  'an output that no node makes': [(g) => ({ ...g, nodes: g.nodes.slice(0, 1) }), /the list of outputs reads y/],
  'a captured value that is gone': [(g) => withNode(g, 0, { captures: [id(3)] }), /reads y before it is made/],
  'no outputs': [(g) => ({ ...g, outputs: [] }), /there are no outputs/],
  'two values of one name': [(g) => rename(g, 2, 'x'), /two values are called x/],
  'a value without a name': [(g) => rename(g, 2, ''), /value 2 has no name/],
  'a domain without an opset': [
    (g) => withNode(g, 1, { domain: 'my.domain' }),
    /domain 'my.domain', which has no opset/,
  ],
  'too few inputs': [(g) => withNode(g, 0, { inputs: [id(0)] }), /Gemm.*an input 1/],
  'shapes that an operator refuses': [(g) => withNode(g, 0, { attributes: { transB: int(1) } }), /Gemm.*expected/],
  'an attribute of the wrong kind': [
    (g) => withNode(g, 0, { attributes: { transB: float(1) } }),
    /attribute transB of kind float where int/,
  ],
  'a declared shape that is not the inferred one': [
    (g) => retype(g, 3, 'float32', [3, 4]),
    /y is declared float32\[3,4\] but is float32\[3,5\]/,
  ],
  'a declared dtype that is not the inferred one': [
    (g) => retype(g, 2, 'float64', [3, 5]),
    /Gemm_out is declared float64/,
  ],
  'operands of two dtypes': [
    (g) => retype(withNode(g, 0, { op: 'Add' }), 0, 'float64', [4, 5]),
    /two operands of one dtype/,
  ],
  'an initializer of too few bytes': [
    (g) => ({ ...g, initializers: new Map([[id(1), { dtype: 'float32', shape: [4, 5], bytes: new Uint8Array(79) }]]) }),
    /w holds 79 bytes for 80/,
  ],
  'an initializer of another type than its value': [
    (g) => retype(g, 1, 'float32', [5, 4]),
    /initializer w is declared float32\[5,4\]/,
  ],
}

describe('ir: the validator', () => {
  it('finds nothing wrong with a graph that was built', () => {
    expect(findProblems(graph())).to.deep.equal([])
    validateGraph(graph())
  })

  for (const [what, [breakIt, message]] of Object.entries(BROKEN))
    it(`finds ${what}`, () => {
      const problems = findProblems(breakIt(graph()))
      expect(problems.join('; ')).to.match(message)
      expect(() => validateGraph(breakIt(graph()))).to.throw(InvariantError, message)
    })

  it('allows unknown operators, and an input that has a default', () => {
    const b = new GraphBuilder(
      'g',
      new Map([
        ['', 20],
        ['my.domain', 1],
      ]),
    )
    const x = b.inputOf('x', { name: 'x', type: { dtype: 'float32', shape: [2] } }, tensor('float32', [2], [1, 2]))
    const y = b.node('Unknown', [x], { anything: int(1) }, 'my.domain')
    b.output(b.node('Relu', [y]), 'y')
    expect(findProblems(b.build())).to.deep.equal([])
  })
})
