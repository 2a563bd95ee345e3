import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { expect } from 'chai'
import { UserError } from '../../src/base/errors.ts'
import { checkLocation } from '../../src/onnx/external-data.ts'
import {
  type ModelProto,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from '../../src/onnx/generated/onnx_pb.ts'
import { modelOf, readModel, readModelFile, writeModel } from '../../src/onnx/index.ts'
import { tensorToProto } from '../../src/onnx/tensor.ts'
import { bytesOf, f32, graphProto, i64, modelProto, node, ramp, value } from './protos.ts'

describe('onnx: external data', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'allotrope-onnx-'))
    writeFileSync(join(directory, 'weights.bin'), new Uint8Array(Float32Array.of(9, 1, 2, 3).buffer))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  function point(t: TensorProto, entries: Record<string, string>): TensorProto {
    t.externalData = Object.entries(entries).map(([key, v]) => create(StringStringEntryProtoSchema, { key, value: v }))
    t.dataLocation = TensorProto_DataLocation.EXTERNAL
    Reflect.deleteProperty(t, 'rawData')
    return t
  }
  function external(
    entries: Record<string, string>,
    t: TensorProto = tensorToProto(f32([3], [0, 0, 0]), 'w'),
  ): ModelProto {
    const proto = modelProto({ nodes: [node('Add', 'x w', 'y')], inputs: [value('x', 'float32', [3])], outputs: ['y'] })
    proto.graph!.initializer = [point(t, entries)]
    return proto
  }
  const read = (proto: ModelProto) => readModel(bytesOf(proto), { directory })
  const plain = { location: 'weights.bin', offset: '4', length: '12' }

  it('is read from beside the model and written inside it', () => {
    const m = read(external(plain))
    expect([...m.graph.initializers.values()]).to.deep.equal([f32([3], [1, 2, 3])])
    const again = readModel(writeModel(m))
    expect([...again.graph.initializers.values()]).to.deep.equal([f32([3], [1, 2, 3])])
  })

  it('needs neither offset nor length, and may carry a checksum', () => {
    const t = tensorToProto(f32([1, 3], [0, 0, 0]), 'w')
    expect(
      [...read(external({ location: 'weights.bin', checksum: 'ab' }, t)).graph.initializers.values()][0],
    ).to.deep.equal(f32([1, 3], [9, 1, 2]))
  })

  it('is found by the path of a model file', () => {
    writeFileSync(join(directory, 'm.onnx'), bytesOf(external(plain)))
    expect(readModelFile(join(directory, 'm.onnx')).graph.initializers.size).to.equal(1)
  })

  it('is taken in at any depth: subgraphs, sparse tensors, attributes', () => {
    const inner = graphProto({
      nodes: [node('Add', 'x v', 'z')],
      outputs: ['z'],
      constants: { v: f32([3], [0, 0, 0]) },
    })
    point(inner.initializer[0]!, plain)
    const nodes = [node('If', 'c', 'y', { then_branch: inner, else_branch: inner })]
    const proto = modelProto({ nodes, inputs: [value('x', 'float32', [3]), value('c', 'bool', [])], outputs: ['y'] })
    const values = point(tensorToProto(f32([1], [0]), 's'), { location: 'weights.bin', offset: '12' })
    proto.graph!.sparseInitializer = [
      create(SparseTensorProtoSchema, { values, indices: tensorToProto(i64([1], [1]), ''), dims: [3n] }),
    ]
    const m = read(proto)
    const text = Buffer.from(writeModel(modelOf({ ...m.graph }, m))).toString('latin1')
    expect(text).not.to.contain('weights.bin')
    expect(text).to.contain(Buffer.from(Float32Array.of(1, 2, 3).buffer).toString('latin1'))
  })

  it('is refused without a directory', () => {
    expect(() => readModel(bytesOf(external(plain)))).to.throw(UserError, 'a model in memory')
  })

  for (const [what, entries, message] of [
    ['an absolute path', { location: '/etc/hostname' }, 'a relative path inside'],
    ['a Windows drive', { location: 'C:\\weights.bin' }, 'a relative path inside'],
    ['a Windows share', { location: '\\\\server\\weights.bin' }, 'a relative path inside'],
    ['a path upward', { location: '../weights.bin' }, 'a relative path inside'],
    ['a path upward in the middle', { location: 'a/../../weights.bin' }, 'a relative path inside'],
    ['a path upward with backslashes', { location: 'a\\..\\weights.bin' }, 'a relative path inside'],
    ['a NUL', { location: 'weights.bin\0.png' }, 'a relative path inside'],
    ['no path', { offset: '0' }, 'a relative path inside'],
    ['the directory itself', { location: '.' }, 'a path without links'],
    ['a negative offset', { ...plain, offset: '-4' }, 'whole numbers from 0'],
    ['a fraction', { ...plain, offset: '1.5' }, 'whole numbers from 0'],
    ['an offset past the end', { ...plain, offset: '8' }, 'a file of 16 bytes'],
    ['an offset beyond all files', { ...plain, offset: '99999999999999999999' }, 'whole numbers from 0'],
    ['a length that does not fit the shape', { ...plain, length: '8' }, 'length 12 for shape [3]'],
    ['a negative length', { ...plain, length: '-12' }, 'whole numbers from 0'],
    ['an unknown key', { ...plain, __class__: 'x' }, '__class__'],
    ['a missing file', { location: 'none.bin' }, 'a readable file'],
    ['a missing directory', { location: 'none/weights.bin' }, 'an existing directory'],
  ] as const)
    it(`is refused for ${what}`, () => {
      expect(() => read(external(entries as Record<string, string>))).to.throw(UserError, message)
    })

  it('is refused for a key given twice', () => {
    const proto = external(plain)
    proto.graph!.initializer[0]!.externalData.push(
      create(StringStringEntryProtoSchema, { key: 'location', value: 'weights.bin' }),
    )
    expect(() => read(proto)).to.throw(UserError, 'once each')
  })

  it('is refused through symbolic links, hard links and linked directories', () => {
    symlinkSync(join(directory, 'weights.bin'), join(directory, 'soft.bin'))
    expect(() => read(external({ ...plain, location: 'soft.bin' }))).to.throw(
      UserError,
      'without symbolic or hard links',
    )
    mkdirSync(join(directory, 'real'))
    writeFileSync(join(directory, 'real', 'w.bin'), new Uint8Array(16))
    symlinkSync(join(directory, 'real'), join(directory, 'linked'))
    expect(() => read(external({ ...plain, location: 'linked/w.bin' }))).to.throw(UserError, 'a path without links')
    expect(read(external({ ...plain, location: 'real/w.bin' })).graph.initializers.size).to.equal(1)
    linkSync(join(directory, 'weights.bin'), join(directory, 'hard.bin'))
    expect(() => read(external({ ...plain, location: 'hard.bin' }))).to.throw(
      UserError,
      'without symbolic or hard links',
    )
  })

  it('allocates nothing for a size that the file does not have', () => {
    const huge = tensorToProto(f32([1], [0]), 'w')
    huge.dims = [2n ** 40n]
    expect(() => read(external({ location: 'weights.bin' }, huge))).to.throw(UserError, 'a file of 16 bytes')
  })

  it('is refused for strings and unknown element types', () => {
    const strings = { ...ramp([3]), dtype: 'string' as const, strings: [] }
    expect(() => read(external(plain, tensorToProto(strings, 'w')))).to.throw(UserError, 'a numeric element type')
  })

  it('has the same rule for writing', () => {
    expect(checkLocation('model.onnx.data', 'data')).to.equal('model.onnx.data')
    expect(() => checkLocation('../model.onnx.data', 'data')).to.throw(UserError)
  })
})
