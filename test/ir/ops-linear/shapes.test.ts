// Symbolic shapes of convolutions, pools and resizes, and the calls that are refused.
import { expect } from 'chai'
import fc from 'fast-check'
import { UserError } from '../../../src/base/errors.ts'
import { type Attributes, floats, int, ints, text } from '../../../src/ir/attribute.ts'
import { type Dim, evaluateDim, namedDim } from '../../../src/ir/dim.ts'
import { callOf, constantFact, type Fact } from '../../../src/ir/infer.ts'
import { findOp } from '../../../src/ir/ops/index.ts'
import { type Shape, shapeText } from '../../../src/ir/shape.ts'
import { type Tensor, tensor } from '../../../src/ir/tensor.ts'

const n = namedDim('n')
const h = namedDim('h')

const typed = (...shape: Shape): Fact => ({ type: { dtype: 'float32', shape }, constant: null, contents: null })
const constant = (t: Tensor): Fact => constantFact(t)

function shapeOf(op: string, inputs: readonly (Fact | null)[], attributes: Attributes = {}, opset = 19): Shape | null {
  const call = callOf({ domain: '', op, attributes, outputs: [null] }, opset, inputs)
  return findOp('', op)!.infer(call)[0]?.shape ?? null
}
const textOf = (shape: Shape | null): string => (shape ? shapeText(shape) : 'unknown')

/** Size of a window along one axis, counted: how many starts leave a window that ONNX counts. */
function countWindows(x: number, k: number, s: number, d: number, begin: number, end: number, ceil: boolean): number {
  const extent = (k - 1) * d + 1
  let count = 0
  for (let start = 0; ; start += s, count++) {
    const fits = start + extent <= begin + x + end
    const overhangs = ceil && start + extent < begin + x + end + s && start < begin + x
    if (!fits && !overhangs) return count
  }
}

describe('ir: shapes of windows and resizes', () => {
  it('follow symbolic sizes through a strided convolution', () => {
    const attributes = { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) }
    const conv = shapeOf('Conv', [typed(n, 3, h, 64), typed(8, 3, 3, 3)], attributes)
    expect(textOf(conv)).to.equal(textOf([n, 8, conv![2]!, 32]))
    for (const size of [1, 2, 7, 8, 33]) {
      expect(evaluateDim(conv![2]!, new Map([['h', size]]))).to.equal(countWindows(size, 3, 2, 1, 1, 1, false))
    }
  })

  it('count windows with every stride, dilation, padding and rounding, symbolic or not', () => {
    const small = fc.integer({ min: 0, max: 3 })
    const positive = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        positive,
        positive,
        positive,
        small,
        small,
        fc.boolean(),
        (x, k, s, d, b, e, ceil) => {
          const room = x + b + e - ((k - 1) * d + 1)
          fc.pre(room >= 0 && Math.max(b, e) < (k - 1) * d + 1)
          const attributes = {
            kernel_shape: ints([k]),
            strides: ints([s]),
            dilations: ints([d]),
            pads: ints([b, e]),
            ceil_mode: int(ceil ? 1 : 0),
          }
          const expected = countWindows(x, k, s, d, b, e, ceil)
          expect(shapeOf('MaxPool', [typed(1, 2, x)], attributes)![2]).to.equal(expected)
          const symbolic = shapeOf('MaxPool', [typed(1, 2, h)], attributes)![2]!
          expect(evaluateDim(symbolic, new Map([['h', x]]))).to.equal(expected)
        },
      ),
      { seed: 20261, numRuns: 400 },
    )
  })

  it('keep the size, divided by the stride, under SAME padding', () => {
    for (const auto_pad of ['SAME_UPPER', 'SAME_LOWER'].map(text)) {
      expect(textOf(shapeOf('Conv', [typed(n, 3, h, 7), typed(8, 3, 3, 3)], { auto_pad }))).to.equal(
        textOf([n, 8, h, 7]),
      )
      expect(
        shapeOf('Conv', [typed(1, 3, 7, 7), typed(8, 3, 3, 3)], { auto_pad, strides: ints([2, 3]) }),
      ).to.deep.equal([1, 8, 4, 3])
    }
  })

  it('multiply symbolic sizes by whole scales and keep fractions exact', () => {
    const scales = (...values: number[]) => constant(tensor('float32', [4], values))
    const twice = shapeOf('Resize', [typed(n, 3, h, 5), null, scales(1, 1, 2, 1.5)])
    expect(textOf(twice)).to.equal(
      textOf([n, 3, (shapeOf('Resize', [typed(h, 1, 1, 1), null, scales(2, 1, 1, 1)]) as Dim[])[0]!, 7]),
    )
    const half = shapeOf('Resize', [typed(n, 3, h, 5), null, scales(1, 1, 0.5, 0.5)])![2]!
    for (const size of [1, 2, 9]) expect(evaluateDim(half, new Map([['h', size]]))).to.equal(Math.floor(size / 2))
  })

  it('are unknown where scales are not known, and never guessed', () => {
    expect(shapeOf('Resize', [typed(1, 3, 4, 4), null, typed(4)])).to.equal(null)
    expect(
      shapeOf('Resize', [typed(1, 3, h, 4), null, constant(tensor('float32', [4], [1, 1, Math.fround(0.123), 1]))]),
    ).to.equal(null)
  })

  it('take the sizes that shape arithmetic computed', () => {
    const sizes: Fact = { type: { dtype: 'int64', shape: [4] }, constant: null, contents: [n, 3, h, 16] }
    expect(textOf(shapeOf('Resize', [typed(n, 3, 8, 8), null, null, sizes]))).to.equal(textOf([n, 3, h, 16]))
  })

  it('read the scales of every version of Upsample', () => {
    const x = typed(1, 2, 3, 4)
    expect(shapeOf('Upsample', [x, constant(tensor('float32', [4], [1, 1, 2, 3]))], {}, 9)).to.deep.equal([1, 2, 6, 12])
    expect(shapeOf('Upsample', [x], { scales: floats([1, 1, 2, 3]) }, 7)).to.deep.equal([1, 2, 6, 12])
    const first = { height_scale: { kind: 'float', value: 2 }, width_scale: { kind: 'float', value: 3 } } as const
    expect(shapeOf('Upsample', [x], first, 1)).to.deep.equal([1, 2, 6, 12])
  })

  const refused: readonly (readonly [what: string, infer: () => unknown, words: RegExp])[] = [
    ['inner dimensions that differ', () => shapeOf('MatMul', [typed(2, 3), typed(4, 5)]), /inner dimensions/],
    ['a scalar factor', () => shapeOf('MatMul', [typed(), typed(4, 5)]), /rank 1 or more/],
    ['a bias that does not broadcast', () => shapeOf('Gemm', [typed(2, 3), typed(3, 5), typed(4)]), /third operand/],
    ['a bias of another size', () => shapeOf('Conv', [typed(1, 3, 5, 5), typed(2, 3, 1, 1), typed(3)]), /bias of 2/],
    ['a bias that is no vector', () => shapeOf('Conv', [typed(1, 3, 5, 5), typed(2, 3, 1, 1), typed(2, 1)]), /rank 1/],
    [
      'channels that its groups do not divide',
      () => shapeOf('ConvTranspose', [typed(1, 3, 5, 5), typed(3, 1, 2, 2)], { group: int(2) }),
      /divisible by 2/,
    ],
    ['channels that do not fit the weights', () => shapeOf('Conv', [typed(1, 4, 5, 5), typed(2, 3, 1, 1)]), /channels/],
    [
      'a kernel shape that is not that of the weights',
      () => shapeOf('Conv', [typed(1, 3, 5, 5), typed(2, 3, 1, 1)], { kernel_shape: ints([3, 3]) }),
      /kernel sizes/,
    ],
    [
      'padding for the wrong number of axes',
      () => shapeOf('Conv', [typed(1, 3, 5, 5), typed(2, 3, 1, 1)], { pads: ints([1, 1]) }),
      /pads/,
    ],
    [
      'an unknown auto_pad',
      () => shapeOf('MaxPool', [typed(1, 3, 5)], { kernel_shape: ints([2]), auto_pad: text('SAME') }),
      /auto_pad/,
    ],
    ['a pool without a kernel', () => shapeOf('MaxPool', [typed(1, 3, 5)]), /kernel_shape/],
    [
      'an equation for other operands',
      () => shapeOf('Einsum', [typed(2, 3)], { equation: text('ij,jk->ik') }),
      /equation/,
    ],
    [
      'an output axis from nowhere',
      () => shapeOf('Einsum', [typed(2, 3)], { equation: text('ij->ik') }),
      /output axes/,
    ],
    [
      'scales that are not positive',
      () => shapeOf('Resize', [typed(1, 2), null, constant(tensor('float32', [2], [1, 0]))]),
      /above 0/,
    ],
    [
      'weights of another number of directions',
      () =>
        shapeOf('LSTM', [typed(5, 2, 3), typed(1, 16, 3), typed(1, 16, 4)], {
          hidden_size: int(4),
          direction: text('bidirectional'),
        }),
      /axis 0 of input 1/,
    ],
    [
      'states of another batch',
      () => {
        const [x, w, r, state] = [typed(5, 2, 3), typed(1, 12, 3), typed(1, 12, 4), typed(1, 1, 4)]
        return shapeOf('GRU', [x, w, r, null, null, state], { hidden_size: int(4) })
      },
      /axis 1 of input 5/,
    ],
    [
      'hidden sizes that heads do not divide',
      () =>
        shapeOf(
          'Attention',
          [typed(1, 4, 10), typed(1, 4, 10), typed(1, 4, 10)],
          { q_num_heads: int(3), kv_num_heads: int(3) },
          23,
        ),
      /divides/,
    ],
  ]
  for (const [what, infer, words] of refused)
    it(`refuse ${what}`, () => {
      expect(infer).to.throw(UserError, words)
    })
})
