import { expect } from 'chai'
import fc from 'fast-check'
import { UserError } from '../../src/base/errors.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { readSafetensors, writeSafetensors } from '../../src/torch/index.ts'

const example = new Map([
  ['b', tensor('int64', [2], [1, -2])],
  ['a.weight', tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6])],
  ['flag', tensor('bool', [], [1])],
  ['empty', tensor('float16', [0, 4], [])],
])

function file(header: unknown, data = new Uint8Array(8)): Uint8Array {
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, data])
}
const entry = (change: object) => file({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change } })

describe('safetensors', () => {
  it('come back as they were written', () => {
    const back = readSafetensors(writeSafetensors(example), 'w')
    expect([...back.keys()].sort()).to.deep.equal([...example.keys()].sort())
    for (const [name, t] of example) {
      const { dtype, shape, bytes } = back.get(name)!
      expect({ dtype, shape, bytes: [...bytes] }).to.deep.equal({ dtype: t.dtype, shape: t.shape, bytes: [...t.bytes] })
    }
  })

  it('start their data at a multiple of eight', () => {
    const bytes = Buffer.from(writeSafetensors(example))
    expect(Number(bytes.readBigUInt64LE(0)) % 8).to.equal(0)
  })

  const damages: readonly (readonly [string, Uint8Array])[] = [
    ['an empty file', new Uint8Array(0)],
    ['a header longer than the file', Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 0])],
    ['a header that is no JSON', Buffer.concat([file({}).subarray(0, 8), Buffer.from('x]')])],
    ['a header that is a list', file([])],
    ['an unknown dtype', entry({ dtype: 'F99' })],
    ['a negative size', entry({ shape: [-2] })],
    ['a size that is no number', entry({ shape: ['2'] })],
    ['offsets beyond the file', entry({ data_offsets: [8, 16] })],
    ['offsets that do not fit the shape', entry({ data_offsets: [0, 4] })],
    ['offsets in the wrong order', entry({ data_offsets: [8, 0] })],
    ['no entry', file({ a: null })],
  ]
  for (const [what, bytes] of damages) {
    it(`are refused: ${what}`, () => {
      expect(() => readSafetensors(bytes, 'w')).to.throw(UserError)
    })
  }

  it('never end in anything but tensors or a UserError, however they are damaged', () => {
    const whole = writeSafetensors(example)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(whole.length),
        (edits, length) => {
          const bytes = Uint8Array.from(whole)
          for (const [at, value] of edits) bytes[at] = value
          try {
            readSafetensors(bytes.subarray(0, length), 'w')
          } catch (error) {
            expect(error).to.be.instanceOf(UserError)
          }
        },
      ),
      { numRuns: 2000, seed: 6 },
    )
  })
})
