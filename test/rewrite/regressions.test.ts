// Graphs on which a rule, the canonical form or the way back to a graph was once wrong; found by random graphs (fuzz/) and by
// ONNX's own cases. All rules together must keep every value, and any program must give the same outputs.
import { expect } from 'chai'
import type { ClassId } from '../../src/egraph/egraph.ts'
import { float, int, ints, text } from '../../src/ir/attribute.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { explore } from '../../src/rewrite/explore.ts'
import { positions, range } from '../../src/rewrite/index-vector.ts'
import { ruleFamilies } from '../../src/rewrite/rules/index.ts'
import { TensorEGraph } from '../../src/rewrite/tensor-egraph.ts'
import { checkCase, type Numbers } from './fuzz/check-case.ts'
import { type BuildSample, buildSample, Sample } from './sample.ts'

const samples: Readonly<Record<string, BuildSample>> = {
  'a convolution whose padding is named, not given': (s) => {
    const attributes = { auto_pad: text('SAME_UPPER') }
    const conv = s.op('Conv', [s.op('Add', [s.x([1, 3, 5, 5]), s.w([3, 1, 1])]), s.w([4, 3, 3, 3])], attributes)
    return s.op('Mul', [s.conv(conv, s.w([2, 4, 1, 1]), 0), s.w([2, 1, 1])])
  },
  'an empty range with a step': (s) => {
    const sliced = (ends: number) =>
      s.op('Slice', [s.x([2, 6]), s.b.int64s([1]), s.b.int64s([ends]), s.b.int64s([1]), s.b.int64s([3])])
    return s.op('Concat', [sliced(0), s.x([2, 3])], { axis: { kind: 'int', value: 1n } })
  },
  'a sum that is itself: x + x = x, once x is 0': (s) => {
    const x = s.x([4])
    const twice = s.op('Add', [x, x])
    const nothing = s.op('MatMul', [s.op('Add', [twice, twice]), s.b.constant(tensor('float32', [4, 1], [0, 0, 0, 0]))])
    return s.op('Add', [nothing, nothing])
  },
  'a bias that equals the first constant of a graph without inputs': (s) => {
    const two = (...shape: number[]) => s.b.constant(tensor('float32', shape, [2]))
    const conv = s.op('Conv', [two(1, 1, 1, 1), two(1, 1, 1, 1), two(1)], { pads: ints([1, 1, 1, 1]) })
    return s.op('MatMul', [conv, s.w([3, 1])])
  },
  'rows of the one text in a batch, by index tuples': (s) => {
    const batch = s.b.constant(tensor('int64', [2, 1], [0, -1]))
    const at = s.op('Concat', [batch, s.b.input('at', 'int64', [2, 1])], { axis: int(1) })
    return s.op('GatherND', [s.op('Relu', [s.op('MatMul', [s.x([1, 5, 3]), s.w([3, 4])])]), at])
  },
  'a Mish that is repeated by its constant': (s) => {
    const x = s.x([2, 1])
    const one = s.b.constant(tensor('float32', [2], [1, 1]))
    const softplus = s.op('Log', [s.op('Add', [s.op('Exp', [x]), one])])
    return s.op('Mul', [s.op('Tanh', [softplus]), x])
  },
  'a reshape of nothing': (s) => s.op('Reshape', [s.slice(s.x([2, 4]), 1, 1, 1), s.b.int64s([-1])]),
  'a gate that is repeated by its constant': (s) => {
    const x = s.x([2, 1])
    const gate = s.op('Add', [s.op('Erf', [s.op('Div', [x, s.c(Math.SQRT2)])]), s.c(1)])
    return s.op('Mul', [s.op('Mul', [x, gate]), s.c(0.5, [1, 2])])
  },
  'a hard sigmoid that is repeated by its constant': (s) => {
    const shifted = s.op('Clip', [s.op('Add', [s.x([2, 1]), s.c(3)]), s.c(0), s.c(6)])
    return s.op('Div', [shifted, s.c(6, [1, 3])])
  },
  'a convolution of one position that is added everywhere': (s) =>
    s.op('Add', [
      s.op('Conv', [s.x([1, 16, 1, 1]), s.w([16, 16, 1, 1])], { pads: ints([1, 1, 1, 1]), strides: ints([3, 3]) }),
      s.op('LeakyRelu', [s.x([1, 16, 4, 4])], { alpha: float(0.5) }),
    ]),
  'products whose axes are in any order': (s) => {
    const equation = (e: string, x: ValueId, y: ValueId) => s.op('Einsum', [x, y], { equation: text(e) })
    const scores = equation('aecd,abcd->acbe', s.x([2, 3, 4, 5]), s.x([2, 6, 4, 5]))
    const mixed = equation('acbe,aecd->abcd', scores, s.x([2, 3, 4, 5]))
    return equation('cde,abcd->eab', s.w([4, 5, 3]), mixed)
  },
  'products of which one operand has nothing of its own, or nothing is summed': (s) => {
    const equation = (e: string, x: ValueId, y: ValueId) => s.op('Einsum', [x, y], { equation: text(e) })
    return equation('nb,mb->bmn', equation('bnd,bd->nb', s.x([2, 3, 4]), s.x([2, 4])), s.x([5, 2]))
  },
  'products of one input, to one of which a vector is added that widens it': (s) => {
    const x = s.x([2, 3])
    const narrow = s.op('Add', [s.op('MatMul', [x, s.w([3, 1])]), s.w([5])])
    const wide = s.op('Add', [s.op('MatMul', [x, s.w([3, 4])]), s.w([4])])
    return s.op('Concat', [narrow, wide], { axis: { kind: 'int', value: 1n } })
  },
  'slopes of channels, which have fewer axes than what they belong to': (s) => {
    const half = s.op('PRelu', [s.x([1, 4, 3, 3]), s.c(0.2, [4, 1, 1])])
    return s.op('Concat', [half, half], { axis: int(1) })
  },
  'channels of one number, in sums along another axis': (s) => {
    const scale = s.b.constant(tensor('float32', [1, 4, 1, 1], [2.5, 0.3, 0, 0]))
    const relu = s.op('Relu', [s.op('Add', [s.op('Mul', [scale, s.x([1, 4, 5, 5])]), s.c(0.5, [4, 1, 1])])])
    return s.op('MatMul', [s.w([2, 5]), s.op('Conv', [relu, s.w([3, 4, 1, 1])])])
  },
  'a bound from above alone, after a convolution': (s) =>
    s.op('Clip', [s.conv(s.x([1, 4, 5, 5]), s.w([16, 4, 3, 3]), 1), null, s.c(0.5)]),
}

interface Alone {
  readonly rule: string
  readonly numbers: Numbers
  readonly build: BuildSample
}

/** Found by one rule alone. */
const alone: Readonly<Record<string, Alone>> = {
  'a bias that repeats the one channel of a convolution': {
    rule: 'read-padded',
    numbers: 'normal',
    build: (s) => {
      const inner = s.op('Relu', [s.op('Add', [s.conv(s.x([1, 4, 3, 3]), s.w([1, 4, 1, 1]), 0), s.w([9, 1, 1])])])
      return s.conv(inner, s.w([2, 9, 1, 1]), 0)
    },
  },
  'a pool of which a window lies in the padding alone': {
    rule: 'pool-of-monotone',
    numbers: 'special',
    build: (s) =>
      s.op('MaxPool', [s.op('Relu', [s.x([1, 2, 4, 4])])], { kernel_shape: ints([2, 1]), pads: ints([0, 0, 0, 1]) }),
  },
  'nothing picked from nothing': {
    rule: 'select-down',
    numbers: 'normal',
    build: (s) => {
      const empty = s.op('Relu', [s.op('MatMul', [s.x([5, 3]), s.w([3, 0])])])
      return s.op('Gather', [empty, s.b.int64s([])], { axis: int(1) })
    },
  },
  'a mean over no axes, written as a pool': {
    rule: 'recognise-layer-norm-in-terms',
    numbers: 'normal',
    build: (s) => {
      const mean = (of: ValueId) => s.op('GlobalAveragePool', [of])
      const x = s.x([3, 4])
      const own = mean(x)
      const centred = s.op('Sub', [x, own])
      const root = s.op('Sqrt', [s.op('Add', [mean(s.op('Mul', [centred, centred])), s.c(1e-5)])])
      const inverse = s.op('Reciprocal', [root])
      return s.op('Add', [s.op('Mul', [s.op('Neg', [own]), inverse]), s.op('Mul', [inverse, x])])
    },
  },
}

describe('rewrite: graphs that were once rewritten wrongly', () => {
  for (const [name, build] of Object.entries(samples))
    it(name, () => {
      for (const seed of [1, 2, 3]) {
        const result = checkCase(buildSample(build, seed), { rule: null, numbers: 'normal', seed, program: true })
        expect(result.wrong, `seed ${seed}`).to.deep.equal([])
        expect(result.checked, `seed ${seed}`).to.be.greaterThan(0)
      }
    })
  for (const [name, { rule, numbers, build }] of Object.entries(alone))
    it(`${name}: ${rule}`, () => {
      const found = ruleFamilies.flatMap((f) => f.rules).find((r) => r.name === rule)!
      for (const seed of [1, 2, 3]) {
        const result = checkCase(buildSample(build, seed), { rule: found, numbers, seed, program: true })
        expect(result.wrong, `seed ${seed}`).to.deep.equal([])
      }
    })
  it('a value that is a part or a transposition of itself', () => {
    const t = new TensorEGraph(21)
    const x = t.input(0, { dtype: 'float32', shape: [2, 2, 2] })
    t.egraph.union(x, t.transpose(x, [1, 0, 2]))
    t.egraph.union(x, t.select(x, 0, positions([0, 0])))
    t.egraph.rebuild()
    expect(t.shape(t.transpose(x, [2, 0, 1]))).to.deep.equal([2, 2, 2])
    expect(t.shape(t.select(x, 0, positions([1, 0, 0])))).to.deep.equal([3, 2, 2])
  })
  it('ranges side by side, one of which is another range too', () => {
    const t = new TensorEGraph(21)
    const x = t.input(0, { dtype: 'float32', shape: [6] })
    const [a, b, c] = [0, 2, 4].map((from) => t.select(x, 0, range(from, 2))) as [ClassId, ClassId, ClassId]
    t.egraph.union(a, c)
    t.egraph.rebuild()
    const [whole] = t.egraph.nodesOf(t.concat([a, b], 0))
    const rule = ruleFamilies.flatMap((f) => f.rules).find((r) => r.name === 'concat-of-selects')!
    const shapes = [...rule.apply(t, whole!)].map((r) => t.shape(r as ClassId))
    expect(shapes).to.deep.equal([[4]])
  })
  it('a linear map in float64 is never written as a convolution, which the runtime lacks', () => {
    const s = new Sample(1)
    const x = s.b.input('x', 'float64', [2, 3, 4])
    const w = s.b.constant(tensor('float64', [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]))
    s.b.output(s.op('MatMul', [s.op('Transpose', [x], { perm: ints([0, 2, 1]) }), w]), 'y')
    const { t } = explore(s.b.build(), { iterationLimit: 4, nodeLimit: 500, timeLimitMs: 3000 })
    expect(t.egraph.nodesInFamily(t.operators.family('MatMul'))).to.not.deep.equal([])
    expect(t.egraph.nodesInFamily(t.operators.family('Conv'))).to.deep.equal([])
  })
  it('a mean in float64 is never written as a pool, which the runtime lacks', () => {
    const s = new Sample(1)
    const x = s.b.input('x', 'float64', [1, 2, 3, 4])
    s.b.output(s.mean(x, [2, 3]), 'y')
    const { t } = explore(s.b.build(), { iterationLimit: 4, nodeLimit: 500, timeLimitMs: 3000 })
    expect(t.egraph.nodesInFamily(t.operators.family('GlobalAveragePool'))).to.deep.equal([])
  })
})
