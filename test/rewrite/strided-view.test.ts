// Views of constants against the values that transposing and regrouping give, and the table of constants that holds them.
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { elementCount } from '../../src/ir/shape.ts'
import { type NdArray, ndarray } from '../../src/ir/tensor.ts'
import { type AxisGroups, groupAxes } from '../../src/rewrite/axis-groups.ts'
import { collectRows, gatherOf } from '../../src/rewrite/constant-rows.ts'
import { ConstantTable } from '../../src/rewrite/constants.ts'
import { evaluateOp } from '../../src/rewrite/evaluate-op.ts'
import { foldConstants } from '../../src/rewrite/fold.ts'
import { reshapedView, rowsOfView, transposedView, viewKey, wholeView } from '../../src/rewrite/strided-view.ts'
import { onnxOp, type TensorOp } from '../../src/rewrite/tensor-op.ts'

const random = createRandom(11)
const normal = (...shape: number[]): NdArray =>
  ndarray(
    'float32',
    shape,
    Float64Array.from({ length: elementCount(shape) }, () => Math.fround(random.normal())),
  )
const transpose = (...perm: number[]): TensorOp => ({ kind: 'transpose', perm })
const reshape = (from: readonly number[], to: readonly number[]): TensorOp => ({
  kind: 'reshape',
  groups: groupAxes(from, to) as AxisGroups,
})

describe('rewrite: views of constants', () => {
  it('hold what transposing and regrouping in any order give, or say that no strides do', () => {
    let views = 0
    for (let i = 0; i < 300; i++) {
      const shape = Array.from({ length: 1 + random.below(4) }, () => random.pick([1, 2, 3, 4]))
      const x = normal(...shape)
      let [view, expected] = [wholeView(shape), x]
      for (let step = 0; step < 3; step++) {
        if (random.next() < 0.5) {
          const perm = random.shuffle(expected.shape.map((_, a) => a))
          if (perm.every((p, a) => p === a)) continue
          view = transposedView(view, perm)
          expected = evaluateOp(transpose(...perm), [expected])
        } else {
          const to = regrouped(elementCount(shape))
          const next = reshapedView(view, to)
          if (next === null) continue
          view = next
          expected = { ...expected, shape: to }
        }
      }
      const got = new Float64Array(elementCount(shape))
      collectRows(rowsOfView(view, gatherOf(x)), got)
      expect([...view.shape], `of [${shape}]`).to.deep.equal([...expected.shape])
      expect(got, `of [${shape}]`).to.deep.equal(expected.data)
      if (viewKey(view) !== viewKey(wholeView(shape))) views++
    }
    expect(views).to.be.greaterThan(100)
  })

  it('of a matrix on its side cannot be regrouped', () => {
    expect(reshapedView(transposedView(wholeView([2, 3]), [1, 0]), [6])).to.equal(null)
    expect(reshapedView(wholeView([2, 3]), [4])).to.equal(null)
  })

  it('lead back to the constant itself', () => {
    const table = new ConstantTable()
    const kernel = table.literal(normal(512, 256, 1, 1))
    const matrix = foldConstants(table, reshape([512, 256, 1, 1], [512, 256]), [kernel])!
    const turned = foldConstants(table, transpose(1, 0), [matrix])!
    expect(table.shape(turned)).to.deep.equal([256, 512])
    expect(foldConstants(table, transpose(1, 0), [turned])).to.equal(matrix)
    expect(foldConstants(table, reshape([512, 256], [512, 256, 1, 1]), [matrix])).to.equal(kernel)
  })

  it('of one thing, seen the same, are one; of scaled ones the scale moves along', () => {
    const table = new ConstantTable()
    const [x, s] = [normal(512, 256, 1, 1), normal(512, 1, 1, 1)]
    const scaled = foldConstants(table, onnxOp('Mul', 2, 20, {}, ''), [table.literal(x), table.literal(s)])!
    const direct = foldConstants(table, transpose(1, 0, 2, 3), [scaled])!
    const values = evaluateOp(transpose(1, 0, 2, 3), [evaluateOp(onnxOp('Mul', 2, 20, {}, ''), [x, s])])
    expect(table.array(direct).data).to.deep.equal(values.data)
    const turned = foldConstants(table, transpose(1, 0, 2, 3), [table.literal(x)])!
    const factor = table.literal({ ...s, shape: [1, 512, 1, 1] })
    expect(foldConstants(table, onnxOp('Mul', 2, 20, {}, ''), [turned, factor])).to.equal(direct)
  })

  it('are one with a constant of the same values that came otherwise, before them or after', () => {
    const x = normal(300, 400)
    const other = evaluateOp(transpose(1, 0), [x])
    for (const isFirst of [true, false]) {
      const table = new ConstantTable()
      const given = isFirst ? table.literal(other) : null
      const view = foldConstants(table, transpose(1, 0), [table.literal(x)])!
      expect(given ?? table.literal(other)).to.equal(view)
    }
  })

  it('read numbers that lie at any byte', () => {
    const x = normal(300, 400)
    const bytes = new Uint8Array(4 * 300 * 400 + 1)
    bytes.set(new Uint8Array(new Float32Array(x.data).buffer), 1)
    const table = new ConstantTable()
    const given = table.given({ dtype: 'float32', shape: x.shape, bytes: bytes.subarray(1) }, 'w')
    const view = foldConstants(table, transpose(1, 0), [given])!
    expect(table.array(view).data).to.deep.equal(evaluateOp(transpose(1, 0), [x]).data)
  })
})

/** A shape of so many elements. */
function regrouped(count: number): number[] {
  const shape: number[] = []
  for (let left = count; left > 1; ) {
    const d = random.pick([1, 2, 3, 4, left].filter((f) => left % f === 0))
    shape.push(d)
    left /= d
  }
  return shape
}
