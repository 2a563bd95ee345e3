import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { int, ints, text } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { type Dim, namedDim } from '../../src/ir/dim.ts'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { tensor, toNdArray } from '../../src/ir/tensor.ts'
import { applyGroups, groupAxes, groupsKey } from '../../src/rewrite/axis-groups.ts'
import { ConstantTable } from '../../src/rewrite/constants.ts'
import { decode } from '../../src/rewrite/decode.ts'
import { encode } from '../../src/rewrite/encode.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { composeIndices, indexList, positions, range } from '../../src/rewrite/index-vector.ts'
import { familyOf } from '../../src/rewrite/tensor-op.ts'

const N = namedDim('N')
const OPSETS = new Map([['', 21]])
const matrix = (rows: number, columns: number, seed = 1) => {
  const random = createRandom(seed)
  return tensor(
    'float32',
    [rows, columns],
    Array.from({ length: rows * columns }, () => random.normal()),
  )
}

/** Families of the e-nodes of a graph's first output. */
function rootFamilies(build: (b: GraphBuilder) => number): string[] {
  const b = new GraphBuilder('g', OPSETS)
  b.output(build(b) as never, 'y')
  const { t, roots } = encode(b.build())
  return t.egraph.nodesOf(roots[0]!).map((n) => familyOf(t.op(n)))
}

describe('canonical form', () => {
  it('writes MatMul by a constant, Gemm and 1x1 Conv as lin', () => {
    expect(
      rootFamilies((b) => b.node('MatMul', [b.input('x', 'float32', [N, 3]), b.constant(matrix(3, 2))])),
    ).to.deep.equal(['lin'])
    expect(
      rootFamilies((b) => b.node('Gemm', [b.input('x', 'float32', [N, 3]), b.constant(matrix(3, 2))])),
    ).to.deep.equal(['lin'])
    const kernel = tensor('float32', [2, 3, 1, 1], [1, 2, 3, 4, 5, 6])
    expect(
      rootFamilies((b) => b.node('Conv', [b.input('x', 'float32', [N, 3, 4, 4]), b.constant(kernel)])),
    ).to.deep.equal(['lin'])
  })

  it('writes an Einsum of two operands as lin, MatMul or Mul', () => {
    const families = (equation: string, x: readonly Dim[], y: readonly Dim[], isConstant = false) =>
      rootFamilies((b) => {
        const other = isConstant ? b.constant(matrix(y[0] as number, y[1] as number)) : b.input('z', 'float32', y)
        return b.node('Einsum', [b.input('x', 'float32', x), other], { equation: text(equation) })
      })
    expect(families('abc,cd->abd', [N, 4, 3], [3, 2], true)).to.deep.equal(['lin'])
    expect(families('bhnd,bhmd->bhnm', [N, 2, 5, 3], [N, 2, 6, 3])).to.deep.equal(['MatMul'])
    expect(families('bhnd,bhmd->bhmn', [N, 2, 5, 3], [N, 2, 6, 3])).to.deep.equal(['MatMul'])
    expect(families('bn,bnd->bnd', [N, 5], [N, 5, 3])).to.deep.equal(['Mul'])
    expect(families('...n,nd->...d', [N, 5], [5, 3])).to.deep.equal(['Einsum'])
    expect(families('iin,nd->id', [4, 4, 5], [5, 3])).to.deep.equal(['Einsum'])
    expect(families('bn,cd->bd', [N, 5], [5, 3])).to.deep.equal(['Einsum'])
  })

  it('drops x + 0 and x * 1, but not where they repeat x', () => {
    const zero = tensor('float32', [1], [0])
    expect(rootFamilies((b) => b.node('Add', [b.input('x', 'float32', [N, 3]), b.constant(zero)]))).to.deep.equal([
      'input',
    ])
    const zeros = tensor('float32', [2, 3], [0, 0, 0, 0, 0, 0])
    expect(rootFamilies((b) => b.node('Add', [b.input('x', 'float32', [1, 3]), b.constant(zeros)]))).to.deep.equal([
      'Add',
    ])
  })

  it('joins chains of transposes and reshapes, to nothing where they cancel', () => {
    const twice = (b: GraphBuilder) => {
      const once = b.node('Transpose', [b.input('x', 'float32', [N, 3, 4])], { perm: ints([1, 0, 2]) })
      return b.node('Transpose', [once], { perm: ints([1, 0, 2]) })
    }
    expect(rootFamilies(twice)).to.deep.equal(['input'])
    const there = (b: GraphBuilder) => {
      const flat = b.node('Reshape', [b.input('x', 'float32', [N, 3, 4]), b.int64s([0, 12])])
      return b.node('Reshape', [flat, b.int64s([0, 3, 4])])
    }
    expect(rootFamilies(there)).to.deep.equal(['input'])
  })

  it('a transpose that moves only axes of size 1 is a reshape', () => {
    const families = rootFamilies((b) =>
      b.node('Transpose', [b.input('x', 'float32', [N, 1, 4])], { perm: ints([1, 0, 2]) }),
    )
    expect(families).to.deep.equal(['reshape'])
  })

  it('a cast to the dtype of another value is a cast to a known dtype, or nothing', () => {
    const castLike = (dtype: 'float32' | 'float16') => (b: GraphBuilder) =>
      b.node('CastLike', [b.input('x', 'float32', [N]), b.input('like', dtype, [2])])
    expect(rootFamilies(castLike('float16'))).to.deep.equal(['Cast'])
    expect(rootFamilies(castLike('float32'))).to.deep.equal(['input'])
  })

  it('what is decoded leaves leading axes of size 1 to broadcasting', () => {
    const b = new GraphBuilder('g', OPSETS)
    b.output(b.node('Mul', [b.input('x', 'float32', [N, 3]), b.input('s', 'float32', [3])]), 'y')
    const graph = b.build()
    const { t, roots } = encode(graph)
    const again = decode(t, graph, roots, (c) => t.egraph.nodesOf(c)[0]!)
    expect(again.nodes.map((n) => n.op)).to.deep.equal(['Mul'])
  })

  it('a division is a product by a reciprocal, and can be written as a division again', () => {
    const b = new GraphBuilder('g', OPSETS)
    b.output(b.node('Div', [b.input('x', 'float32', [2, 3]), b.input('s', 'float32', [2, 1])]), 'y')
    const { t, roots } = explore(b.build(), { iterationLimit: 1, nodeLimit: 100, timeLimitMs: 5000 })
    const families = t.egraph.nodesOf(roots[0]!).map((n) => familyOf(t.op(n)))
    expect(families.sort()).to.deep.equal(['Div', 'Mul'])
  })

  it('axes of size 1 that an operator can leave out by itself need no reshape', () => {
    const plain = (build: (b: GraphBuilder, x: ValueId) => ValueId) => {
      const b = new GraphBuilder('g', OPSETS)
      b.output(build(b, b.input('x', 'float32', [N, 5, 3])), 'y')
      const { t, roots } = explore(b.build(), { iterationLimit: 1, nodeLimit: 100, timeLimitMs: 5000 })
      return t.egraph.nodesOf(roots[0]!).map((n) => familyOf(t.op(n)))
    }
    const row = (b: GraphBuilder, x: ValueId) =>
      b.node('Gather', [x, b.constant(tensor('int64', [], [2]))], { axis: int(1) })
    const largest = (b: GraphBuilder, x: ValueId) => b.node('ReduceMax', [x, b.int64s([1])], { keepdims: int(0) })
    expect(plain(row)).to.include('Gather')
    expect(plain(largest)).to.include('ReduceMax')
  })

  it('a part of size 0 vanishes from a concatenation', () => {
    const join = (b: GraphBuilder) =>
      b.node('Concat', [b.input('x', 'float32', [2, 0]), b.input('z', 'float32', [2, 3])], { axis: int(1) })
    expect(rootFamilies(join)).to.deep.equal(['input'])
  })

  it('what computes floats from nothing, or nothing, is left as it is', () => {
    const mean = (b: GraphBuilder) => b.node('ReduceMean', [b.input('x', 'float32', [2, 0]), b.int64s([1])])
    expect(rootFamilies(mean)).to.deep.equal(['kept:ReduceMean'])
    const flat = (b: GraphBuilder) => b.node('Flatten', [b.input('x', 'float32', [2, 2, 0])])
    expect(rootFamilies(flat)).to.deep.equal(['kept:Flatten'])
  })

  it('an Identity vanishes, whatever it is of', () => {
    const b = new GraphBuilder('g', OPSETS)
    const sequence = b.node('SequenceConstruct', [b.input('x', 'float32', [N])])
    b.output(b.node('SequenceLength', [b.node('Identity', [sequence])]), 'y')
    const graph = b.build()
    const { t, roots } = encode(graph)
    const again = decode(t, graph, roots, (c) => t.egraph.nodesOf(c)[0]!)
    expect(again.nodes.map((n) => n.op)).to.deep.equal(['SequenceConstruct', 'SequenceLength'])
  })

  it('what is decoded runs at every size that the input allowed: a reshape names no open size', () => {
    const b = new GraphBuilder('g', OPSETS)
    const x = b.input('x', 'float32', [N, namedDim('T'), 12])
    b.output(b.node('Reshape', [x, b.int64s([0, 0, 3, 4])]), 'y')
    const graph = b.build()
    const { t, roots } = encode(graph)
    const again = decode(t, graph, roots, (c) => t.egraph.nodesOf(c)[0]!)
    const target = [...again.initializers.values()].find((c) => c.dtype === 'int64')!
    expect([...new BigInt64Array(target.bytes.slice().buffer)].map(Number)).to.deep.equal([0, 0, 3, 4])
  })
})

describe('repetition', () => {
  for (const op of ['Expand', 'Tile'])
    it(`${op} to an open size of an input is a repetition, and is written for every size`, () => {
      const b = new GraphBuilder('g', OPSETS)
      const [user, items] = [b.input('user', 'float32', [1, 4]), b.input('items', 'float32', [N, 4])]
      const count = b.node('Gather', [b.node('Shape', [items]), b.int64s([0])])
      const repeated = b.node(op, [user, b.node('Concat', [count, b.int64s([1])], { axis: int(0) })])
      b.output(b.node('Add', [repeated, items]), 'y')
      b.output(b.node('Relu', [repeated]), 'z')
      const graph = b.build()
      const { t, roots } = encode(graph)
      expect([...t.egraph.classes()].flatMap((c) => t.nodes(c, 'expand'))).to.have.lengthOf(1)
      const again = decode(t, graph, roots, (c) => t.egraph.nodesOf(c)[0]!)
      for (const rows of [1, 3]) {
        const feeds = { user: toNdArray(matrix(1, 4)), items: toNdArray(matrix(rows, 4, 2)) }
        expect(evaluateGraph(again, feeds), String(rows)).to.deep.equal(evaluateGraph(graph, feeds))
      }
    })

  it('to a size that no input has stays with what computes it', () => {
    const b = new GraphBuilder('g', OPSETS)
    const [x, items] = [b.input('x', 'float32', [1, 4]), b.input('items', 'float32', [N, 4])]
    const twice = b.node('Mul', [b.node('Gather', [b.node('Shape', [items]), b.int64s([0])]), b.int64s([2])])
    b.output(b.node('Expand', [x, b.node('Concat', [twice, b.int64s([4])], { axis: int(0) })]), 'y')
    const { t, roots } = encode(b.build())
    expect(t.egraph.nodesOf(roots[0]!).map((n) => familyOf(t.op(n)))).to.deep.equal(['Expand'])
  })
})

describe('reshape as a grouping of axes', () => {
  it('means the same at other sizes of the axes that pass', () => {
    const groups = groupAxes([N, 3, 4], [N, 12])!
    expect(groupsKey(groups)).to.equal('1:*|2:*')
    expect(applyGroups(groups, [7, 3, 4])).to.deep.equal([7, 12])
  })
  it('splits, joins, inserts and drops axes; refuses sizes that do not agree', () => {
    expect(applyGroups(groupAxes([2, 12], [2, 3, 4])!, [5, 12])).to.deep.equal([5, 3, 4])
    expect(applyGroups(groupAxes([2, 1, 3], [2, 3, 1])!, [4, 1, 3])).to.deep.equal([4, 3, 1])
    expect(groupAxes([2, 3], [2, 4])).to.equal(null)
    expect(applyGroups(groupAxes([0], [2, 0])!, [0])).to.deep.equal([2, 0])
    expect(groupAxes([N, 3], [namedDim('M'), 3])).to.equal(null)
  })
})

describe('index vectors', () => {
  it('composing selects what selecting twice does', () => {
    const inner = range(2, 6, 2)
    for (const outer of [range(1, 3), positions([4, 0, 3]), range(0, 2, 3)])
      expect(indexList(composeIndices(inner, outer)!)).to.deep.equal(
        indexList(outer)!.map((i) => indexList(inner)![i]!),
      )
  })
})

describe('the table of constants', () => {
  it('makes one constant of equal tensors, and of products that were associated differently', () => {
    const table = new ConstantTable()
    expect(table.given(matrix(3, 2), 'a')).to.equal(table.given(matrix(3, 2), 'b'))
    const values = Float64Array.from({ length: 50 }, (_, i) => Math.sin(i))
    const first = table.literal({ dtype: 'float32', shape: [50], data: values.map((x) => (x * 3) / 7) })
    expect(table.literal({ dtype: 'float32', shape: [50], data: values.map((x) => x * (3 / 7)) })).to.equal(first)
    expect(table.literal({ dtype: 'float32', shape: [50], data: values.map((x) => x * 0.43) })).to.not.equal(first)
  })
  it('rounds once, at the end', () => {
    const table = new ConstantTable()
    const id = table.literal({ dtype: 'float32', shape: [1], data: Float64Array.of(1 + 2 ** -30) })
    expect(table.array(id).data[0]).to.equal(1 + 2 ** -30)
    expect(new Float32Array(table.tensor(id).bytes.slice().buffer)[0]).to.equal(1)
  })
  it('refuses beyond its limit instead of filling the memory', () => {
    const table = new ConstantTable(10)
    const make = () => ({ dtype: 'float32' as const, shape: [20], data: new Float64Array(20).fill(2) })
    expect(table.derive('big', [], 20, make)).to.equal(null)
  })
})
