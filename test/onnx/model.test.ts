// What a model file says survives reading and writing. `rebuilt` goes through the Graph, never through the bytes kept.
import { create, fromBinary } from '@bufbuild/protobuf'
import { expect } from 'chai'
import { UnsupportedError, UserError } from '../../src/base/errors.ts'
import { int } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { dimKey } from '../../src/ir/dim.ts'
import type { Graph } from '../../src/ir/graph.ts'
import {
  AttributeProto_AttributeType,
  FunctionProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  TensorAnnotationSchema,
  TrainingInfoProtoSchema,
  TypeProto_SequenceSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts'
import { type Model, modelOf, readModel, writeModel } from '../../src/onnx/index.ts'
import { tensorToProto } from '../../src/onnx/tensor.ts'
import { typeToProto } from '../../src/onnx/types.ts'
import { attribute, bytesOf, f32, type GraphParts, graphProto, i64, modelProto, node, ramp, value } from './protos.ts'

const read = (proto: ModelProto) => readModel(bytesOf(proto))
const rebuilt = (m: Model): ModelProto => fromBinary(ModelProtoSchema, writeModel(modelOf({ ...m.graph }, m)))
const throughGraph = (proto: ModelProto): ModelProto => rebuilt(read(proto))
const named = (g: Graph, ids: Iterable<number>) => [...ids].map((v) => g.values[v]!.name)
const typeTexts = (g: Graph) =>
  Object.fromEntries(g.values.map((v) => [v.name, v.type && `${v.type.dtype}[${v.type.shape.map(dimKey)}]`]))
const entry = (key: string, v: string) => create(StringStringEntryProtoSchema, { key, value: v })
const unknown = [{ no: 999, wireType: 0, data: Uint8Array.of(7) }]

const x = value('x', 'float32', [2])
const add: GraphParts = {
  nodes: [node('Add', 'x w', 'y')],
  inputs: [x],
  outputs: [value('y', 'float32', [2])],
  constants: { w: ramp([2]) },
}

describe('onnx: models', () => {
  describe('survive reading and writing', () => {
    it('an unchanged model is written as the very bytes that were read', () => {
      const bytes = bytesOf(modelProto(add))
      expect(writeModel(readModel(bytes))).to.equal(bytes)
    })

    it('a rebuilt model has the same bytes where the file was in canonical form', () => {
      const proto = modelProto(add)
      proto.producerName = 'tester'
      proto.docString = 'a model'
      proto.graph!.docString = 'a graph'
      proto.graph!.valueInfo = []
      proto.metadataProps = [entry('a', 'b')]
      expect(bytesOf(throughGraph(proto))).to.deep.equal(bytesOf(proto))
    })

    it('versions, producer, metadata, training info and configuration are kept', () => {
      const proto = modelProto(add, 17, 8)
      Object.assign(proto, {
        producerName: 'p',
        producerVersion: '1.2',
        domain: 'd',
        modelVersion: 3n,
        docString: 'doc',
      })
      proto.metadataProps = [entry('author', 'me')]
      proto.trainingInfo = [create(TrainingInfoProtoSchema, { algorithm: graphProto({ nodes: [], outputs: [] }) })]
      proto.configuration = [{ $typeName: 'onnx.DeviceConfigurationProto', name: 'two', numDevices: 2, device: [] }]
      expect(throughGraph(proto)).to.deep.equal(proto)
      const { envelope } = read(proto)
      expect(envelope.irVersion).to.equal(8)
      expect(envelope.producer).to.equal('p 1.2')
      expect([...envelope.metadata]).to.deep.equal([['author', 'me']])
    })

    it('unknown fields of every message are kept', () => {
      const proto = modelProto({ ...add, nodes: [node('Softmax', 'x', 's', { axis: -1 }), node('Add', 's w', 'y')] })
      const g = proto.graph!
      for (const message of [proto, g, g.node[0]!, g.node[0]!.attribute[0]!, g.input[0]!, g.initializer[0]!])
        message.$unknown = [...unknown]
      expect(throughGraph(proto)).to.deep.equal(proto)
    })

    it('doc strings and metadata of nodes, attributes, values and initializers are kept', () => {
      const proto = modelProto({ ...add, nodes: [node('Softmax', 'x', 's', { axis: -1 }), node('Add', 's w', 'y')] })
      const g = proto.graph!
      for (const message of [g.node[0]!, g.node[0]!.attribute[0]!, g.input[0]!, g.output[0]!, g.initializer[0]!])
        message.docString = 'why'
      for (const message of [g, g.node[1]!, g.initializer[0]!]) message.metadataProps = [entry('k', 'v')]
      g.node[0]!.overload = 'o'
      expect(throughGraph(proto)).to.deep.equal(proto)
      expect(read(proto).graph.nodes[0]!.attributes).to.deep.equal({ axis: int(-1) })
    })

    it('attributes of every kind are kept', () => {
      const proto = modelProto(add)
      proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'my', version: 1n }))
      const type = typeToProto({ dtype: 'float32', shape: [1] })
      proto.graph!.node[0] = node(
        'Custom',
        'x w',
        'y',
        { i: 3, is: [1, 2], s: 'text', f: { float: 0.5 }, fs: { floats: [1, 2] }, t: ramp([2]) },
        'my',
      )
      const list = proto.graph!.node[0]!.attribute
      list.push(
        attribute('big', 0),
        attribute('bytes', ''),
        attribute('strings', ''),
        attribute('types', 0),
        attribute('ref', 0),
      )
      Object.assign(list[6]!, { i: 2n ** 60n + 1n })
      Object.assign(list[7]!, { s: Uint8Array.of(255, 254) })
      list[8] = Object.assign(attribute('strings', ''), {
        type: AttributeProto_AttributeType.STRINGS,
        strings: [Buffer.from('a'), Uint8Array.of(255)],
      })
      Reflect.deleteProperty(list[8]!, 's')
      list[9] = Object.assign(attribute('types', 0), { type: AttributeProto_AttributeType.TYPE_PROTO, tp: type })
      Reflect.deleteProperty(list[9]!, 'i')
      list[10]!.refAttrName = 'outer'
      const kinds = Object.values(read(proto).graph.nodes[0]!.attributes).map((a) => a.kind)
      expect(kinds).to.deep.equal([
        'int',
        'ints',
        'string',
        'float',
        'floats',
        'tensor',
        'int',
        'string',
        'opaque',
        'opaque',
        'opaque',
      ])
      expect(bytesOf(throughGraph(proto))).to.deep.equal(bytesOf(proto))
    })

    it('operators of other domains and functions of the model are kept', () => {
      const proto = modelProto({ nodes: [node('Twice', 'x', 'y', {}, 'my')], inputs: [x], outputs: ['y'] })
      proto.opsetImport[1]!.version = 4n
      proto.functions = [
        create(FunctionProtoSchema, {
          name: 'Twice',
          domain: 'my',
          input: ['a'],
          output: ['b'],
          node: [node('Add', 'a a', 'b')],
        }),
      ]
      expect(throughGraph(proto)).to.deep.equal(proto)
      expect(read(proto).graph.opsets.get('my')).to.equal(4)
    })

    it('a field that is encoded as another type than its own is refused', () => {
      const bytes = bytesOf(modelProto({ nodes: [node('Relu', 'x', 'y')], inputs: [x], outputs: ['y'] }))
      const size = Buffer.from(bytes).indexOf(Buffer.from('0a020802', 'hex')) // dim { dim_value: 2 }
      expect(() => readModel(Buffer.from(bytes).fill('0a020a00', size, size + 4, 'hex'))).to.throw(
        UserError,
        'field dim_value of wire type 2',
      )
    })

    it("operators of ONNX's own in a model that imports no version of them are refused", () => {
      const importing = (domain: string, used: string) => {
        const proto = modelProto({ nodes: [node('Relu', 'x', 'y', {}, used)], inputs: [x], outputs: ['y'] })
        proto.opsetImport = [create(OperatorSetIdProtoSchema, { domain, version: 20n })]
        return proto
      }
      expect(() => read(importing('other', ''))).to.throw(UserError, "opset_import of ONNX's own operators")
      expect(read(importing('other', 'other')).graph.opsets).to.deep.equal(new Map([['other', 20]]))
    })

    it('a function that redefines a known operator is refused', () => {
      const proto = modelProto(add)
      proto.functions = [create(FunctionProtoSchema, { name: 'Add', domain: '', input: ['a', 'b'], output: ['c'] })]
      expect(() => read(proto)).to.throw(UnsupportedError, 'redefines operator Add')
    })

    it('sequence types and tensors of unknown rank are kept, and count as untyped', () => {
      const elemType = typeToProto({ dtype: 'float32', shape: [2] })
      const sequence = create(TypeProtoSchema, {
        value: { case: 'sequenceType', value: create(TypeProto_SequenceSchema, { elemType }) },
      })
      const rankless = create(TypeProtoSchema, {
        value: { case: 'tensorType', value: { $typeName: 'onnx.TypeProto.Tensor', elemType: 1 } },
      })
      const proto = modelProto({ nodes: [node('SequenceAt', 's i', 'y')], outputs: ['y'] })
      proto.graph!.input = [
        create(ValueInfoProtoSchema, { name: 's', type: sequence }),
        create(ValueInfoProtoSchema, { name: 'i', type: rankless }),
      ]
      expect(throughGraph(proto)).to.deep.equal(proto)
      const [s, i] = read(proto).graph.values
      expect([s!.type, i!.type]).to.deep.equal([null, null])
      // Without the shell, from the graph alone.
      const fresh = fromBinary(ModelProtoSchema, writeModel(modelOf(read(proto).graph)))
      expect(fresh.graph!.input).to.deep.equal(proto.graph!.input)
    })

    it('left-out operands stay left out', () => {
      const proto = modelProto({
        nodes: [node('Clip', 'x _ w', 'y _')],
        inputs: [x],
        outputs: ['y'],
        constants: { w: f32([], [1]) },
      })
      expect(read(proto).graph.nodes[0]!.inputs[1]).to.equal(null)
      expect(throughGraph(proto).graph!.node).to.deep.equal(proto.graph!.node)
    })
  })

  describe('constants', () => {
    it('Constant nodes become initializers of the same name', () => {
      const nodes = [
        node('Constant', '', 'a', { value: ramp([2]) }),
        node('Constant', '', 'b', { value_ints: [1, 2] }),
        node('Constant', '', 'c', { value_float: { float: 2.5 } }),
        node('Constant', '', 'd', { value_string: 'hi' }),
        node('Mystery', 'a b c d', 'y', {}, 'my'),
      ]
      const { graph } = read(modelProto({ nodes, outputs: ['y'] }))
      expect(graph.nodes.map((n) => n.op)).to.deep.equal(['Mystery'])
      expect(named(graph, graph.initializers.keys())).to.deep.equal(['a', 'b', 'c', 'd'])
      const [a, b, c, d] = graph.initializers.values()
      expect(a).to.deep.equal(ramp([2]))
      expect(b).to.deep.equal(i64([2], [1, 2]))
      expect(c).to.deep.equal(f32([], [2.5]))
      expect(d!.strings!.map((s) => Buffer.from(s).toString())).to.deep.equal(['hi'])
    })

    it('sparse initializers and those of unknown element types stay what they are', () => {
      const proto = modelProto({ nodes: [node('Mystery', 'x s odd', 'y', {}, 'my')], inputs: [x], outputs: ['y'] })
      const values = tensorToProto(f32([1], [5]), 's')
      proto.graph!.sparseInitializer = [
        create(SparseTensorProtoSchema, { values, indices: tensorToProto(i64([1], [1]), 'si'), dims: [3n] }),
      ]
      proto.graph!.initializer = [Object.assign(tensorToProto(f32([1], [0]), 'odd'), { dataType: 27 })]
      expect(throughGraph(proto)).to.deep.equal(proto)
      expect(read(proto).graph.nodes.map((n) => n.op)).to.deep.equal(['Constant', 'Constant', 'Mystery'])
    })

    it('before IR version 4 an initializer that is an input is constant, and stays an input of the file', () => {
      const proto = modelProto({ ...add, inputs: [value('w', 'float32', [2]), x] }, 8, 3)
      const m = read(proto)
      expect(named(m.graph, m.graph.inputs)).to.deep.equal(['x'])
      expect(named(m.graph, m.graph.initializers.keys())).to.deep.equal(['w'])
      expect(rebuilt(m)).to.deep.equal(proto)
    })

    it('before IR version 4 a new constant is written as a node', () => {
      const m = read(
        modelProto(
          { ...add, nodes: [node('Constant', '', 'c', { value: ramp([2]) }), node('Add', 'x c', 'y')], constants: {} },
          8,
          3,
        ),
      )
      expect(rebuilt(m).graph!.node.map((n) => n.opType)).to.deep.equal(['Constant', 'Add'])
      expect(rebuilt(m).graph!.initializer).to.deep.equal([])
    })

    it('from IR version 4 on it is a default that the caller may override', () => {
      const proto = modelProto({ ...add, inputs: [x, value('w', 'float32', [2])] }, 20, 9)
      const m = read(proto)
      expect(named(m.graph, m.graph.inputs)).to.deep.equal(['x', 'w'])
      expect(m.graph.initializers.size).to.equal(0)
      expect(rebuilt(m)).to.deep.equal(proto)
    })
  })

  describe('types', () => {
    it('named dimensions are shared, all others get names of their own', () => {
      const inputs = [value('a', 'float32', ['n', null, 0, -1, 3]), value('b', 'float32', ['n', 'a.1'])]
      const { graph } = read(
        modelProto({
          nodes: [node('Mystery', 'a b', 'y', {}, 'my')],
          inputs,
          outputs: [value('y', 'int64', ['m', null])],
        }),
      )
      expect(typeTexts(graph)).to.deep.equal({
        a: 'float32[n,a.1_1,a.2,a.3,3]',
        b: 'float32[n,a.1]',
        y: 'int64[m,y.1]',
      })
    })

    it('a name that reads like an expression is no expression', () => {
      const inputs = [value('a', 'float32', ['2*n', '7', 'n+1', '2*n']), value('b', 'float32', ['n'])]
      const proto = modelProto({ nodes: [node('Mystery', 'a b', 'y', {}, 'my')], inputs, outputs: ['y'] })
      expect(typeTexts(read(proto).graph).a).to.equal('float32[_2_n,_7,_n_1,_2_n]')
      expect(throughGraph(proto).graph!.input).to.deep.equal(inputs)
    })

    it('types are inferred where the file declares none', () => {
      const { graph } = read(
        modelProto({
          nodes: [node('Add', 'x w', 'h'), node('Relu', 'h', 'y')],
          inputs: [value('x', 'float32', ['n', 1])],
          outputs: ['y'],
          constants: { w: ramp([3]) },
        }),
      )
      expect(typeTexts(graph)).to.include({ h: 'float32[n,3]', y: 'float32[n,3]' })
    })

    it('a declaration is written back only while it is true', () => {
      const proto = modelProto({ ...add, nodes: [node('Neg', 'x', 'h'), node('Add', 'h w', 'y')] })
      proto.graph!.valueInfo = [value('h', 'float32', [2])]
      const m = read(proto)
      expect(rebuilt(m).graph!.valueInfo).to.deep.equal(proto.graph!.valueInfo)
      const b = new GraphBuilder('other', m.graph.opsets)
      b.output(b.node('Neg', [b.input('x', 'float32', [5])]), 'h')
      const other = fromBinary(ModelProtoSchema, writeModel(modelOf(b.build(), m))).graph!
      expect(other.valueInfo).to.deep.equal([])
      expect(other.input).to.deep.equal([value('x', 'float32', [5])])
    })

    it('quantization annotations leave with the values they speak of', () => {
      const proto = modelProto(add)
      const annotate = (tensorName: string, scale: string) =>
        create(TensorAnnotationSchema, { tensorName, quantParameterTensorNames: [entry('SCALE_TENSOR', scale)] })
      proto.graph!.quantizationAnnotation = [annotate('x', 'w'), annotate('gone', 'w'), annotate('x', 'gone')]
      expect(throughGraph(proto).graph!.quantizationAnnotation).to.deep.equal([annotate('x', 'w')])
    })
  })

  describe('a new graph', () => {
    const built = (opset = 20) => {
      const b = new GraphBuilder(
        'fresh',
        new Map([
          ['', opset],
          ['com.microsoft', 1],
        ]),
      )
      b.output(b.node('Gelu', [b.input('x', 'float32', ['n' as never, 2])], {}, 'com.microsoft'), 'y')
      return b.build()
    }
    it('gets an envelope of its own with the IR version of its opset', () => {
      const proto = fromBinary(ModelProtoSchema, writeModel(modelOf(built())))
      expect(proto.irVersion).to.equal(9n)
      expect(proto.producerName).to.equal('allotrope')
      expect(proto.opsetImport.map((o) => `${o.domain}:${o.version}`)).to.deep.equal([':20', 'com.microsoft:1'])
    })

    it('imports the domains that its nodes use', () => {
      const m = read(modelProto(add))
      const proto = fromBinary(ModelProtoSchema, writeModel(modelOf({ ...built(), opsets: m.graph.opsets }, m)))
      expect(proto.opsetImport.map((o) => `${o.domain}:${o.version}`)).to.deep.equal([':20', 'com.microsoft:1'])
    })
  })
})
