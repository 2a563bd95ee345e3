// Constants that are scaled or shifted copies of large ones: known before they are computed, and equal to what is computed.
import { expect } from 'chai'
import { createRandom } from '../../src/base/random.ts'
import { type NdArray, ndarray } from '../../src/ir/tensor.ts'
import { isLarge } from '../../src/rewrite/constant-rows.ts'
import { ConstantTable } from '../../src/rewrite/constants.ts'
import { evaluateOp } from '../../src/rewrite/evaluate-op.ts'
import { foldConstants } from '../../src/rewrite/fold.ts'
import { onnxOp, type TensorOp } from '../../src/rewrite/tensor-op.ts'

const SHAPE = [256, 384]

describe('rewrite: large constants', () => {
  const random = createRandom(5)
  const normal = (...shape: number[]): NdArray => {
    const data = Float64Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => random.normal())
    return ndarray('float32', shape, data)
  }
  const binary = (op: string): TensorOp => onnxOp(op, 2, 20, {}, '')

  it('are large, or this tests nothing', () => {
    expect(isLarge(SHAPE)).to.equal(true)
  })

  for (const op of ['Mul', 'Add'])
    for (const small of [[256, 1], [1, 384], [1, 1], [384], []])
      it(`${op} with a constant of [${small}] equals the general evaluation, either way round`, () => {
        const table = new ConstantTable()
        const [x, y] = [normal(...SHAPE), normal(...small)]
        const [a, b] = [table.literal(x), table.literal(y)]
        const id = foldConstants(table, binary(op), [a, b])!
        const expected = evaluateOp(binary(op), [x, y])
        expect(table.array(id).data).to.deep.equal(expected.data)
        expect(new Float32Array(table.tensor(id).bytes.slice().buffer)).to.deep.equal(new Float32Array(expected.data))
        expect(foldConstants(table, binary(op), [b, a])).to.equal(id)
      })

  it('of one value by different ways are one constant', () => {
    const table = new ConstantTable()
    const [x, rows, both] = [normal(...SHAPE), normal(256, 1), normal(1, 384)].map((a) => table.literal(a)) as [
      never,
      never,
      never,
    ]
    const scaled = (a: never, b: never) => foldConstants(table, binary('Mul'), [a, b]) as never
    expect(scaled(scaled(x, rows), both)).to.equal(scaled(scaled(x, both), rows))
    expect(scaled(x, rows)).to.not.equal(scaled(x, both))
  })

  it('are rounded once, however often they were scaled', () => {
    const table = new ConstantTable()
    const x = normal(...SHAPE)
    const [id, third, three] = [x, ndarray('float32', [1, 1], [1 / 3]), ndarray('float32', [1, 1], [3])].map((a) =>
      table.literal(a),
    ) as [never, never, never]
    const there = foldConstants(table, binary('Mul'), [id, third])!
    expect(foldConstants(table, binary('Mul'), [there, three])).to.equal(id)
  })

  it('multiply a few vectors as the general product does', () => {
    const table = new ConstantTable()
    const [x, w] = [normal(1, 3, 256), normal(...SHAPE)]
    const lin: TensorOp = { kind: 'lin', axis: 2 }
    const id = foldConstants(table, lin, [table.literal(x), table.literal(w)])!
    const expected = evaluateOp(lin, [x, w])
    expect(table.shape(id)).to.deep.equal([1, 3, 384])
    for (const [i, v] of table.array(id).data.entries()) expect(v).to.be.closeTo(expected.data[i]!, 1e-9)
  })

  it('are uniform only if every element is', () => {
    const table = new ConstantTable()
    const ones = new Float64Array(256 * 384).fill(1)
    const id = table.literal(ndarray('float32', SHAPE, ones))
    expect(table.uniform(id)).to.equal(1)
    const last = ones.slice()
    last[last.length - 1] = 2
    expect(table.uniform(table.literal(ndarray('float32', SHAPE, last)))).to.equal(null)
  })
})
