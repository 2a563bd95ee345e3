// Damaged files: every answer is a model or a refusal in the user's words, never another error, whatever byte is wrong.
import { expect } from 'chai'
import fc from 'fast-check'
import { InvariantError, UnsupportedError, UserError } from '../../src/base/errors.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { encodeTensor, modelOf, parseTensor, raiseModel, readModel, writeModel } from '../../src/onnx/index.ts'
import { bytesOf, f32, graphProto, i64, modelProto, node, ramp, value } from './protos.ts'

interface Damage {
  readonly at: number
  readonly kind: 'set' | 'insert' | 'delete' | 'cut'
  readonly byte: number
}

/** One damage to the bytes; `at` in [0, 1). */
function apply(bytes: Uint8Array, { at, kind, byte }: Damage): Uint8Array {
  const i = Math.floor(at * bytes.length)
  switch (kind) {
    case 'set':
      return Uint8Array.from([...bytes.slice(0, i), byte, ...bytes.slice(i + 1)])
    case 'insert':
      return Uint8Array.from([...bytes.slice(0, i), byte, ...bytes.slice(i)])
    case 'delete':
      return Uint8Array.from([...bytes.slice(0, i), ...bytes.slice(i + 1)])
    case 'cut':
      return bytes.slice(0, i)
    default:
      return kind satisfies never
  }
}

const damage = fc.record<Damage>({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  kind: fc.constantFrom('set', 'set', 'set', 'insert', 'delete', 'cut'),
  byte: fc.integer({ min: 0, max: 255 }),
})

function survives(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (error) {
    if (error instanceof UserError || error instanceof UnsupportedError) return false
    throw error
  }
}

function seeds(): Uint8Array[] {
  const x = value('x', 'float32', ['n', 4])
  const inner = graphProto({
    nodes: [node('Softmax', 'h', 'z'), node('Squeeze', 'z', 's', { axes: [0] })],
    outputs: ['s'],
  })
  const branching = modelProto(
    {
      nodes: [node('Add', 'x w', 'h'), node('If', 'c', 'y', { then_branch: inner, else_branch: inner })],
      inputs: [x, value('c', 'bool', []), value('w', 'float32', [4])],
      outputs: [value('y', 'float32', [null, 4])],
      constants: { w: ramp([4]) },
    },
    11,
    3,
  )
  const shaping = modelProto(
    {
      nodes: [
        node('Constant', '', 'k', { value: f32([2, 2], [1, 2, 3, 4]) }),
        node('Slice', 'x', 'a', { starts: [0], ends: [2], axes: [1] }),
        node('MatMul', 'a k', 'm'),
        node('Clip', 'm', 'd', { min: { float: 0 }, max: { float: 6 } }),
        node('Reshape', 'd shape', 'r'),
        node('Transpose', 'r', 't', { perm: [1, 0] }),
        node('ReduceSum', 't', 'y', { axes: [1] }),
        node('Mystery', 'y', 'z', { mode: 'text' }, 'some.domain'),
      ],
      inputs: [x],
      outputs: ['y', 'z'],
      constants: { shape: i64([2], [-1, 2]) },
    },
    9,
    8,
  )
  const image = modelProto(
    {
      nodes: [
        node('Conv', 'x w', 'c', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }),
        node('MaxPool', 'c', 'p', { kernel_shape: [2, 2], strides: [2, 2] }),
        node('Upsample', 'p s', 'u', { mode: 'nearest' }),
        node('Concat', 'u u', 'cc', { axis: 1 }),
        node('Split', 'cc', 'y z', { axis: 1 }),
      ],
      inputs: [value('x', 'float32', [1, 2, 8, 8])],
      outputs: ['y', 'z'],
      constants: { w: ramp([2, 2, 3, 3]), s: f32([4], [1, 1, 2, 2]) },
    },
    9,
    8,
  )
  return [branching, shaping, image].map(bytesOf)
}

describe('onnx: damaged files', () => {
  const originals = seeds()

  it('the files themselves are read, raised and written', () => {
    for (const bytes of originals) expect(survives(() => writeModel(readModel(bytes)))).to.equal(true)
  })

  it('a damaged model is read, raised and written, or refused in words', function () {
    this.timeout(60_000)
    let read = 0
    fc.assert(
      fc.property(fc.nat(originals.length - 1), fc.array(damage, { minLength: 1, maxLength: 3 }), (which, damages) => {
        const bytes = damages.reduce(apply, originals[which]!)
        const ok = survives(() => {
          const m = readModel(bytes)
          const raised = raiseModel(m)
          const again = readModel(writeModel(modelOf({ ...m.graph }, m)))
          expect(again.graph.nodes.length).to.equal(m.graph.nodes.length)
          if (raised.ok) readModel(writeModel(raised.model))
        })
        if (ok) read++
      }),
      { numRuns: 4000, seed: 20240611 },
    )
    // Both answers occur, or the test would say nothing.
    expect(read).to.be.within(100, 3900)
  })

  it('random bytes are refused in words', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        survives(() => readModel(bytes))
      }),
      { numRuns: 2000, seed: 7 },
    )
  })

  it('a damaged tensor is a tensor or refused in words', () => {
    const bytes = encodeTensor(tensor('int64', [2, 3], [1, 2, 3, 4, 5, 6]), 'name')
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        survives(() => parseTensor(damages.reduce(apply, bytes)))
      }),
      { numRuns: 3000, seed: 11 },
    )
  })

  it('a bug of ours would be noticed', () => {
    expect(() =>
      survives(() => {
        throw new InvariantError('x')
      }),
    ).to.throw(InvariantError)
  })
})
