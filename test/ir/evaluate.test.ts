import { expect } from 'chai'
import { UnsupportedError, UserError } from '../../src/base/errors.ts'
import { int, text } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import type { DType } from '../../src/ir/dtype.ts'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { ndarray, tensor } from '../../src/ir/tensor.ts'

type Body = (b: GraphBuilder, x: ValueId) => ValueId
/** What `body` makes of x. */
function run(dtype: DType, x: readonly number[], body: Body): number[] {
  const b = new GraphBuilder('g')
  b.output(body(b, b.input('x', dtype, [x.length])), 'y')
  return Array.from(evaluateGraph(b.build(), { x: ndarray(dtype, [x.length], x) }).y!.data)
}
const constant = (b: GraphBuilder, dtype: DType, ...values: readonly number[]): ValueId =>
  b.constant(tensor(dtype, [values.length], values))

describe('ir: the reference interpreter', () => {
  it('computes in float64 and rounds nothing', () => {
    const third = run('float32', [1], (b, x) => b.node('Div', [x, constant(b, 'float32', 3)]))
    expect(third).to.deep.equal([1 / 3])
    const kept = run('float32', [1], (b, x) => b.node('Sub', [b.node('Add', [x, constant(b, 'float32', 2 ** -23)]), x]))
    expect(kept).to.deep.equal([2 ** -23])
  })

  it('divides integers towards zero, and wraps what does not fit', () => {
    expect(run('int32', [7, -7, 6], (b, x) => b.node('Div', [x, constant(b, 'int32', 2, 2, -4)]))).to.deep.equal([
      3, -3, -1,
    ])
    expect(run('int8', [127, -128], (b, x) => b.node('Add', [x, constant(b, 'int8', 1, -1)]))).to.deep.equal([
      -128, 127,
    ])
    expect(run('uint8', [200], (b, x) => b.node('Mul', [x, constant(b, 'uint8', 2)]))).to.deep.equal([144])
    expect(run('int64', [2 ** 40], (b, x) => b.node('Mul', [x, x]))).to.deep.equal([0])
  })

  it('casts towards zero, wraps, and makes truth of what is not zero', () => {
    const cast =
      (to: number): Body =>
      (b, x) =>
        b.node('Cast', [x], { to: int(to) })
    expect(run('float32', [1.9, -1.9, 300], cast(3))).to.deep.equal([1, -1, 44])
    expect(run('float32', [0.25, 0, -3], cast(9))).to.deep.equal([1, 0, 1])
    expect(run('int64', [-1], cast(2))).to.deep.equal([255])
  })

  it('rounds ties to the even number', () => {
    expect(run('float32', [0.5, 1.5, -0.5, 2.5, -1.2], (b, x) => b.node('Round', [x]))).to.deep.equal([0, 2, -0, 2, -1])
  })

  it('knows the error function to the last places', () => {
    const erf = (...x: readonly number[]) => run('float64', x, (b, v) => b.node('Erf', [v]))
    // From the C library's erf.
    const known: readonly (readonly [number, number])[] = [
      [0, 0],
      [1e-9, 1.1283791670955127e-9],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [2.499999, 0.9995930458042653],
      [2.6, 0.9997639655834707],
      [4, 0.9999999845827421],
      [7, 1],
    ]
    for (const [x, expected] of known) {
      expect(erf(x)[0], `erf(${x})`).to.be.closeTo(expected, 4e-16)
      expect(erf(-x)[0], `erf(${-x})`).to.be.closeTo(-expected, 4e-16)
    }
  })

  it('carries NaN and infinities through', () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    expect(run('float32', odd, (b, x) => b.node('Relu', [x]))).to.deep.equal([Number.NaN, Number.POSITIVE_INFINITY, 0])
    expect(run('float32', odd, (b, x) => b.node('Max', [x, constant(b, 'float32', 1)]))).to.deep.equal([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      1,
    ])
  })

  it('takes the default of an input that is not fed', () => {
    const b = new GraphBuilder('g')
    const x = b.inputOf('x', { name: 'x', type: { dtype: 'float32', shape: [1] } }, tensor('float32', [1], [5]))
    b.output(b.node('Neg', [x]), 'y')
    expect(Array.from(evaluateGraph(b.build(), {}).y!.data)).to.deep.equal([-5])
    expect(Array.from(evaluateGraph(b.build(), { x: ndarray('float32', [1], [2]) }).y!.data)).to.deep.equal([-2])
  })

  it('leaves out inputs and outputs that the graph leaves out', () => {
    const clipped = run('float32', [-3, 9], (b, x) => b.node('Clip', [x, null, b.constant(tensor('float32', [], [4]))]))
    expect(clipped).to.deep.equal([-3, 4])
  })

  it('refuses feeds that are missing, or of another type or size', () => {
    const b = new GraphBuilder('g')
    b.output(b.node('Relu', [b.input('x', 'float32', [namedDim('n'), 2])]), 'y')
    const feed =
      (dtype: DType, ...shape: number[]) =>
      () =>
        evaluateGraph(b.build(), { x: ndarray(dtype, shape, new Array(shape.reduce((p, d) => p * d, 1)).fill(0)) })
    expect(() => evaluateGraph(b.build(), {})).to.throw(UserError, /input x/)
    expect(feed('float64', 3, 2)).to.throw(UserError, /float64/)
    expect(feed('float32', 3, 3)).to.throw(UserError, /\[n,2\]/)
    expect(feed('float32', 6)).to.throw(UserError)
    expect(Array.from(feed('float32', 1, 2)().y!.data)).to.deep.equal([0, 0])
  })

  it('names what it cannot evaluate', () => {
    const b = new GraphBuilder(
      'g',
      new Map([
        ['', 20],
        ['my.domain', 3],
      ]),
    )
    b.output(b.node('Op', [b.input('x', 'float32', [1])], {}, 'my.domain'), 'y')
    expect(() => evaluateGraph(b.build(), { x: ndarray('float32', [1], [0]) })).to.throw(
      UnsupportedError,
      'my.domain:Op-3',
    )
    const random = (b: GraphBuilder, x: ValueId) => b.node('RandomUniformLike', [x])
    expect(() => run('float32', [1], random)).to.throw(UnsupportedError, /RandomUniformLike/)
    const training = (b: GraphBuilder, x: ValueId) =>
      b.node('Dropout', [x, b.constant(tensor('float32', [], [0.5])), b.constant(tensor('bool', [], [1]))])
    expect(() => run('float32', [1], training)).to.throw(UnsupportedError, /training/)
  })

  it('refuses positions outside their axis, and modes that do not exist', () => {
    const gather: Body = (b, x) => b.node('Gather', [x, constant(b, 'int64', 3)])
    expect(() => run('float32', [1, 2, 3], gather)).to.throw(UserError, /position/)
    const pad: Body = (b, x) => b.node('Pad', [x, constant(b, 'int64', 1, 1)], { mode: text('mirror') })
    expect(() => run('float32', [1], pad)).to.throw(UserError, /mode/)
  })
})
