import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { UserError } from '../../src/base/errors.ts'
import { createRandom } from '../../src/base/random.ts'
import { inputSets, otherShapes, timingInputs } from '../../src/bench/input-sets.ts'
import {
  INPUT_KINDS,
  type InputSpec,
  inputSpecs,
  makeInput,
  makeInputs,
  pictureLayout,
} from '../../src/bench/inputs.ts'
import { parseNpy } from '../../src/bench/npy.ts'
import { drawPicture } from '../../src/bench/picture.ts'
import { readInputSets, readInputShapes } from '../../src/bench/user-inputs.ts'
import { int } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import { bytesOf, type DType } from '../../src/ir/dtype.ts'
import { elementCount } from '../../src/ir/shape.ts'
import { tensor, toNdArray } from '../../src/ir/tensor.ts'
import { encodeTensor } from '../../src/onnx/index.ts'

const spec = (name: string, dtype: DType, shape: number[], bound: number | null = null): InputSpec => ({
  name,
  dtype,
  shape,
  bound,
})
const values = (s: InputSpec, kind: (typeof INPUT_KINDS)[number] = 'structured', seed = 1) => [
  ...toNdArray(makeInput(s, kind, createRandom(seed))).data,
]

/** ids [batch, seq] looked up in a table of 11 rows; mask [batch, seq] */
function language() {
  const b = new GraphBuilder('language', new Map([['', 17]]))
  const shape = [namedDim('batch'), namedDim('seq')]
  const ids = b.input('ids', 'int64', shape)
  const mask = b.input('mask', 'float32', shape)
  const table = b.constant(tensor('float32', [11, 4], Array(44).fill(1)))
  const flat = b.node('Reshape', [b.node('Cast', [ids], { to: int(6) }), b.int64s([-1])])
  b.output(b.node('Gather', [table, flat]), 'y')
  b.output(b.node('Relu', [mask]), 'z')
  return b.build()
}

describe('inputs', () => {
  const dtypes: DType[] = ['float32', 'float16', 'float64', 'int64', 'int32', 'uint8', 'int8', 'bool']

  it('fill every shape and dtype, finite, and depend on the seed alone', () => {
    const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 })
    fc.assert(
      fc.property(
        shape,
        fc.constantFrom(...dtypes),
        fc.constantFrom(...INPUT_KINDS),
        fc.nat(),
        (s, dtype, kind, seed) => {
          const one = makeInput(spec('x', dtype, s), kind, createRandom(seed))
          expect(one.shape).to.deep.equal(s)
          expect(one.bytes.length).to.equal(bytesOf(dtype, elementCount(s)))
          for (const x of toNdArray(one).data) expect(Number.isFinite(x)).to.equal(true)
          expect(makeInput(spec('x', dtype, s), kind, createRandom(seed))).to.deep.equal(one)
        },
      ),
      { seed: 1, numRuns: 300 },
    )
  })

  it('stay below the bound of an index, whatever the kind', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.constantFrom(...INPUT_KINDS), fc.nat(), (bound, kind, seed) => {
        for (const name of ['ids', 'position_ids', 'token_type_ids'])
          for (const x of values(spec(name, 'int64', [2, 60], bound), kind, seed)) expect(x).to.be.within(0, bound - 1)
      }),
      { seed: 2 },
    )
  })

  it('look like what the name and shape promise', () => {
    expect(values(spec('position_ids', 'int64', [2, 4]))).to.deep.equal([0, 1, 2, 3, 0, 1, 2, 3])
    expect(values(spec('token_type_ids', 'int64', [1, 4]))).to.deep.equal([0, 0, 1, 1])
    const mask = values(spec('attention_mask', 'int64', [3, 10]))
    expect(mask.slice(0, 10)).to.deep.equal(Array(10).fill(1))
    for (const row of [mask.slice(10, 20), mask.slice(20)]) {
      const ones = row.filter((x) => x === 1).length
      expect(ones).to.be.within(5, 10)
      expect(row).to.deep.equal([...Array(ones).fill(1), ...Array(10 - ones).fill(0)])
    }
    const ids = values(spec('input_ids', 'int64', [1, 4000], 1000))
    const share = ids.filter((x) => x < 10).length / ids.length
    expect(share).to.be.within(0.25, 0.45) // log(11) / log(1001) = 0.35
  })

  it('have the magnitudes that their kinds say', () => {
    const x = spec('x', 'float32', [1000])
    const spread = (kind: (typeof INPUT_KINDS)[number]) =>
      Math.sqrt(values(x, kind).reduce((s, v) => s + v * v, 0) / 1000)
    expect(spread('noise')).to.be.within(0.9, 1.1)
    expect(spread('small')).to.be.within(0.9e-3, 1.1e-3)
    expect(spread('large')).to.be.within(90, 110)
    expect([spread('zeros'), spread('ones')]).to.deep.equal([0, 1])
    expect(spread('structured')).to.be.within(0.5, 1.5)
  })

  it('draw pictures for planes of one or three channels, channels first or last', () => {
    expect(pictureLayout([1, 3, 32, 48])).to.deep.equal({
      images: 1,
      channels: 3,
      height: 32,
      width: 48,
      channelsLast: false,
    })
    expect(pictureLayout([2, 32, 48, 1])?.channelsLast).to.equal(true)
    expect(
      [
        [1, 16, 32, 32],
        [3, 32, 32],
        [1, 3, 2, 2],
      ].map((s) => pictureLayout(s)),
    ).to.deep.equal([null, null, null])
  })

  it('draw pictures with smooth parts, edges and dark strokes, within [-1, 1]', () => {
    const width = 96
    const picture = drawPicture({ images: 1, channels: 1, height: 96, width, channelsLast: false }, createRandom(4))
    const steps = [...picture].flatMap((x, i) => (i % width === 0 ? [] : [Math.abs(x - picture[i - 1]!)]))
    expect(Math.max(...picture)).to.be.at.most(1)
    expect(Math.min(...picture)).to.be.within(-1, -0.3)
    expect(steps.filter((s) => s < 0.05).length / steps.length).to.be.greaterThan(0.6)
    expect(steps.filter((s) => s > 0.4).length / steps.length).to.be.within(0.01, 0.4)
  })

  it('interleave channels for pictures whose channels come last', () => {
    const [first, last] = [false, true].map((channelsLast) =>
      drawPicture({ images: 2, channels: 3, height: 8, width: 9, channelsLast }, createRandom(9)),
    )
    for (let n = 0; n < 2; n++)
      for (let c = 0; c < 3; c++)
        for (let p = 0; p < 72; p++) expect(last![n * 216 + p * 3 + c]).to.equal(first![n * 216 + c * 72 + p])
  })

  it('find how long the tables are that inputs index, through casts and reshapes', () => {
    const specs = inputSpecs(language(), new Map([['ids', [2, 5]]]))
    expect(specs).to.deep.equal([
      { name: 'ids', dtype: 'int64', shape: [2, 5], bound: 11 },
      { name: 'mask', dtype: 'float32', shape: [2, 5], bound: null },
    ])
  })

  it('find it through offsets, columns, and where they are lengths of sequences', () => {
    const b = new GraphBuilder('g', new Map([['', 17]]))
    const table = (rows: number) => b.constant(tensor('float32', [rows, 2], new Array<number>(2 * rows).fill(0)))
    const [fields, last, lengths] = [
      b.input('fields', 'int64', [4, 2]),
      b.input('last', 'int64', [4]),
      b.input('n', 'int64', [3]),
    ]
    const shifted = b.node('Add', [fields, b.int64s([0, 7])])
    b.output(b.node('Gather', [table(20), shifted]), 'a')
    const column = b.node('Gather', [b.input('columns', 'int64', [4, 2]), b.int64s([1])], { axis: int(1) })
    b.output(b.node('Gather', [table(5), column]), 'b')
    b.output(b.node('Gather', [table(9), b.node('Sub', [last, b.int64s([1])])]), 'c')
    const weights = [4, 2].map((size) =>
      b.constant(tensor('float32', [1, 8, size], new Array<number>(8 * size).fill(0))),
    )
    const states = b.node('LSTM', [b.input('x', 'float32', [6, 3, 4]), ...weights, null, lengths], {
      hidden_size: int(2),
    })
    b.output(states, 'd')
    const bounds = new Map(inputSpecs(b.build(), new Map()).map((spec) => [spec.name, spec.bound]))
    expect(Object.fromEntries(bounds)).to.include({ fields: 13, columns: 5, last: 10, n: 7, x: null })
  })

  it('name the dimension that is left open', () => {
    expect(() => inputSpecs(language(), new Map())).to.throw(
      /input ids: expected a shape of numbers, got \[batch,seq\]; bind it/,
    )
  })

  it('name the input that is too large to be drawn', () => {
    const b = new GraphBuilder('g')
    b.output(b.node('Relu', [b.input('x', 'float32', [2 ** 31, 2 ** 20])]), 'y')
    expect(() => inputSpecs(b.build(), new Map())).to.throw(
      UserError,
      'input x: expected an input of at most 268435456 elements, got [2147483648,1048576]',
    )
  })

  it('come in sets: all kinds, then other sizes of the open dimensions', () => {
    const shapes = new Map([['ids', [2, 5]]])
    const sets = inputSets(language(), shapes, { seed: 3 })
    expect(sets.map((s) => s.label)).to.deep.equal([...INPUT_KINDS, 'structured at ids=3x37', 'structured at ids=3x5'])
    expect(sets.at(-1)!.feeds.mask!.shape).to.deep.equal([3, 5])
    expect(inputSets(language(), shapes, { seed: 3 })).to.deep.equal(sets)
    expect(timingInputs(language(), shapes, { seed: 3 }).feeds).to.deep.equal(sets[0]!.feeds)
    expect(otherShapes(language(), new Map())).to.deep.equal([])
  })

  it('are not drawn small and large where all of them are whole numbers: that would be noise again', () => {
    const b = new GraphBuilder('whole')
    b.output(b.node('Neg', [b.input('ids', 'int64', [3])]), 'y')
    const labels = inputSets(b.build(), new Map(), { seed: 3 }).map((s) => s.label)
    expect(labels).to.deep.equal(['structured', 'noise', 'zeros', 'ones'])
  })

  it('are made also at sizes at which the model does not run: an exporter may have fixed what it declares as open', () => {
    const b = new GraphBuilder('fixed', new Map([['', 17]]))
    const x = b.input('x', 'float32', [namedDim('batch'), 4])
    b.output(b.node('Add', [x, b.node('Reshape', [x, b.int64s([1, -1])])]), 'y')
    const sets = inputSets(b.build(), new Map([['x', [1, 4]]]), { seed: 3 })
    expect(sets.at(-1)!.label).to.equal('structured at x=2x4')
  })

  describe('of the user', () => {
    const folder = mkdtempSync(join(tmpdir(), 'allotrope-inputs-'))
    after(() => rmSync(folder, { recursive: true, force: true }))
    const specs = [spec('x', 'float32', [2, 2]), spec('ids', 'int64', [3])]
    const npy = (descr: string, shape: string, bytes: Uint8Array, fortran = 'False', version = 1) => {
      const header = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`
      const length =
        version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0]
      return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), version, 0, ...length, ...Buffer.from(header), ...bytes])
    }
    const floats = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
    const ids = tensor('int64', [3], [7, 8, 9])

    it('are read from ONNX test data and from .npy files, one set per folder', () => {
      for (const name of ['test_data_set_0', 'test_data_set_1', 'expected']) mkdirSync(join(folder, name))
      writeFileSync(
        join(folder, 'test_data_set_0', 'input_0.pb'),
        encodeTensor(tensor('float32', [2, 2], [1, 2, 3, 4]), 'x'),
      )
      writeFileSync(join(folder, 'test_data_set_0', 'input_1.pb'), encodeTensor(ids))
      writeFileSync(join(folder, 'test_data_set_1', 'x.npy'), npy('<f4', '(2, 2)', floats))
      writeFileSync(join(folder, 'test_data_set_1', 'ids.npy'), npy('<i8', '(3,)', ids.bytes, 'False', 2))
      const sets = readInputSets(folder, specs)
      expect(sets.map((s) => s.label)).to.deep.equal([join(folder, 'test_data_set_0'), join(folder, 'test_data_set_1')])
      for (const { feeds } of sets) {
        expect([...toNdArray(feeds.x!).data]).to.deep.equal([1, 2, 3, 4])
        expect([...toNdArray(feeds.ids!).data]).to.deep.equal([7, 8, 9])
      }
      const graph = new GraphBuilder('g')
      graph.output(graph.input('x', 'float32', [2, 2]), 'y')
      const all = inputSets(graph.build(), new Map(), {
        seed: 1,
        kinds: ['noise'],
        folder: join(folder, 'test_data_set_0'),
      })
      expect(all.map((s) => s.label)).to.deep.equal([join(folder, 'test_data_set_0'), 'noise'])
    })

    it('give the shapes of a model with open dimensions', () => {
      expect(readInputShapes(folder, ['x', 'ids'])).to.deep.equal(
        new Map([
          ['x', [2, 2]],
          ['ids', [3]],
        ]),
      )
    })

    it('are refused with the reason when they are missing or do not fit', () => {
      const set = join(folder, 'test_data_set_0')
      expect(() => readInputSets(join(folder, 'nowhere'), specs)).to.throw(/nothing there/)
      expect(() => readInputSets(join(folder, 'expected'), specs)).to.throw(/input_0.pb or .npy files, got neither/)
      expect(() => readInputSets(set, [...specs, spec('z', 'float32', [1])])).to.throw(
        /input_2.pb or z.npy, got neither/,
      )
      expect(() => readInputSets(set, [spec('x', 'float32', [4])])).to.throw(
        /expected float32\[4\], got float32\[2,2\]/,
      )
      expect(() => readInputSets(set, [spec('x', 'float64', [2, 2])])).to.throw(
        /expected float64\[2,2\], got float32\[2,2\]/,
      )
    })

    it('are refused as .npy with the reason', () => {
      const bad: [Uint8Array, RegExp][] = [
        [new Uint8Array(3), /another format/],
        [npy('>f4', '(2, 2)', floats), /big-endian/],
        [npy('<f4', '(2, 2)', floats, 'True'), /Fortran order/],
        [npy('<U4', '(2, 2)', floats), /a plain array of numbers/],
        [npy('<f4', '(2, 3)', floats), /24 bytes for float32\[2,3\], got 16/],
      ]
      for (const [bytes, reason] of bad) expect(() => parseNpy(bytes, 'x.npy')).to.throw(reason)
      expect(parseNpy(npy('|b1', '()', Uint8Array.of(1)), 'x').shape).to.deep.equal([])
    })
  })

  it('are independent: another input more does not change the others', () => {
    const one = makeInputs([spec('x', 'float32', [4])], 'noise', createRandom(1))
    const two = makeInputs([spec('x', 'float32', [4]), spec('y', 'float32', [4])], 'noise', createRandom(1))
    expect(two.feeds.x).to.deep.equal(one.feeds.x)
    expect(two.feeds.y).to.not.deep.equal(two.feeds.x)
  })
})
