// Models of the corpus for what no workload has: subgraphs, functions, old opsets and IR versions, overridable inputs, strings,
// sparse and external tensors, quantisation, types that are no tensors, training information, unknown operators.
import { create } from '@bufbuild/protobuf'
import { bytesOf, type DType, dtypeFromOnnx } from '../../src/ir/dtype.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { pointAt } from '../../src/onnx/file.ts'
import {
  FunctionProtoSchema,
  type ModelProto,
  OperatorSetIdProtoSchema,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorShapeProtoSchema,
  TrainingInfoProtoSchema,
  TypeProto_MapSchema,
  TypeProto_OptionalSchema,
  TypeProto_SequenceSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts'
import { tensorToProto } from '../../src/onnx/tensor.ts'
import { f32, graphProto, i64, modelProto, node, ramp, value } from '../onnx/protos.ts'

/** The file beside the models that the external tensors lie in. */
export const DATA_FILE = {
  name: 'weights.bin',
  bytes: new Uint8Array(Float32Array.from({ length: 64 }, Math.sin).buffer),
}

const x = value('x', 'float32', ['n', 4])
const flag = value('c', 'bool', [])

const softmaxBranch = graphProto({
  nodes: [node('Softmax', 'h', 'z'), node('Squeeze', 'z', 's', { axes: [0] })],
  outputs: ['s'],
})

const branching = (): ModelProto =>
  modelProto(
    {
      nodes: [
        node('Add', 'x w', 'h'),
        node('If', 'c', 'y', { then_branch: softmaxBranch, else_branch: softmaxBranch }),
      ],
      inputs: [x, flag, value('w', 'float32', [4])],
      outputs: [value('y', 'float32', [null, 4])],
      constants: { w: ramp([4]) },
    },
    11,
    3,
  )

const loop = (): ModelProto => {
  const body = graphProto({
    nodes: [node('Add', 'v w', 'v2'), node('Identity', 'go', 'go2'), node('Mul', 'v2 v2', 'seen')],
    inputs: [value('i', 'int64', []), value('go', 'bool', []), value('v', 'float32', [2, 4])],
    outputs: ['go2', 'v2', 'seen'],
  })
  return modelProto({
    nodes: [node('Loop', 'trips c x', 'last all', { body })],
    inputs: [value('x', 'float32', [2, 4]), flag],
    outputs: [value('last', 'float32', [2, 4]), value('all', 'float32', [null, 2, 4])],
    constants: { trips: i64([], [3]), w: ramp([4]) },
  })
}

const scan = (): ModelProto => {
  const body = graphProto({
    nodes: [node('Add', 'sum item', 'sum2'), node('Identity', 'sum2', 'out')],
    inputs: [value('sum', 'float32', [4]), value('item', 'float32', [4])],
    outputs: [value('sum2', 'float32', [4]), value('out', 'float32', [4])],
  })
  return modelProto({
    nodes: [node('Scan', 'start x', 'last all', { body, num_scan_inputs: 1 })],
    inputs: [value('x', 'float32', [3, 4])],
    outputs: [value('last', 'float32', [4]), value('all', 'float32', [3, 4])],
    constants: { start: ramp([4]) },
  })
}

/** If in If in If .. */
const nested = (): ModelProto => {
  let branch = graphProto({ nodes: [node('Relu', 'x', 'r0')], outputs: ['r0'] })
  for (let depth = 1; depth < 5; depth++)
    branch = graphProto({
      nodes: [node('If', 'c', `r${depth}`, { then_branch: branch, else_branch: branch })],
      outputs: [`r${depth}`],
    })
  return modelProto({
    nodes: [node('If', 'c', 'y', { then_branch: branch, else_branch: branch })],
    inputs: [x, flag],
    outputs: [value('y', 'float32', [null, 4])],
  })
}

const shaping = (): ModelProto =>
  modelProto(
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

const image = (opset: number, ir: number): ModelProto =>
  modelProto(
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
    opset,
    ir,
  )

/** A chain that computes its shapes at run time, as PyTorch's exporter writes it. */
const shapeChain = (): ModelProto =>
  modelProto({
    nodes: [
      node('Shape', 'x', 's'),
      node('Gather', 's zero', 'rows', { axis: 0 }),
      node('Unsqueeze', 'rows first', 'rows1'),
      node('Concat', 'rows1 rest', 'target', { axis: 0 }),
      node('Reshape', 'x target', 'r'),
      node('Cast', 'r', 'half', { to: 10 }),
      node('Cast', 'half', 'y', { to: 1 }),
      node('ConstantOfShape', 'target', 'k', { value: f32([1], [0.5]) }),
      node('Add', 'y k', 'z'),
    ],
    inputs: [x],
    outputs: [value('z', 'float32', [null, 2, 2])],
    constants: { zero: i64([], [0]), first: i64([1], [0]), rest: i64([2], [2, 2]) },
  })

const calling = (): ModelProto => {
  const proto = modelProto({
    nodes: [node('Twice', 'x', 'h', {}, 'own'), node('Relu', 'h', 'y')],
    inputs: [x],
    outputs: [value('y', 'float32', ['n', 4])],
  })
  const body = { input: ['a'], output: ['b'], attribute: ['alpha'], node: [node('Add', 'a a', 'b')] }
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: '', version: 20n })]
  proto.functions = [create(FunctionProtoSchema, { name: 'Twice', domain: 'own', opsetImport, ...body })]
  return proto
}

const strings = (): ModelProto => {
  const proto = modelProto({
    nodes: [node('Concat', 'words known', 'y', { axis: 0 }), node('Equal', 'words words', 'e')],
    inputs: [value('words', 'string', ['n'])],
    outputs: ['y', 'e'],
  })
  const stringData = ['one', '', 'Ω'].map((s) => new TextEncoder().encode(s))
  proto.graph!.initializer.push(create(TensorProtoSchema, { name: 'known', dims: [3n], dataType: 8, stringData }))
  return proto
}

const sparse = (): ModelProto => {
  const proto = modelProto({
    nodes: [node('MatMul', 'x w', 'y')],
    inputs: [value('x', 'float32', [2, 4])],
    outputs: [value('y', 'float32', [2, 3])],
  })
  const [values, indices] = [tensorToProto(f32([2], [1.5, -2]), 'w'), tensorToProto(i64([2], [1, 7]), 'at')]
  proto.graph!.sparseInitializer = [create(SparseTensorProtoSchema, { values, indices, dims: [4n, 3n] })]
  return proto
}

const external = (): ModelProto => {
  const proto = modelProto({
    nodes: [node('MatMul', 'x w', 'h'), node('Add', 'h b', 'y')],
    inputs: [x],
    outputs: [value('y', 'float32', ['n', 8])],
    constants: { w: ramp([4, 8]), b: ramp([8]) },
  })
  const [w, b] = proto.graph!.initializer
  pointAt(w!, DATA_FILE.name, 0, 128)
  pointAt(b!, DATA_FILE.name, 128, 32)
  return proto
}

const quantised = (): ModelProto =>
  modelProto({
    nodes: [
      node('QuantizeLinear', 'x s z', 'q'),
      node('DequantizeLinear', 'q s z', 'd'),
      node('DequantizeLinear', 'w s wz', 'wd'),
      node('MatMul', 'd wd', 'm'),
      node('QuantizeLinear', 'm s z', 'mq'),
      node('DequantizeLinear', 'mq s z', 'y'),
      node('QLinearMatMul', 'q s z w s wz s z', 'direct'),
    ],
    inputs: [x],
    outputs: ['y', 'direct'],
    constants: {
      s: f32([], [0.1]),
      z: tensor('uint8', [], [128]),
      wz: tensor('int8', [], [0]),
      w: tensor('int8', [4, 2], [1, -2, 3, 4, 5, -6, 7, 8]),
    },
  })

/** One small constant of every numeric type; the outputs are the constants. */
const everyType = (): ModelProto => {
  const types = Array.from({ length: 40 }, (_, i) => dtypeFromOnnx(i))
  const plain = types.filter((t): t is DType => t !== null && t !== 'string')
  const zeros = (dtype: DType) => ({ dtype, shape: [4], bytes: new Uint8Array(bytesOf(dtype, 4)) })
  return modelProto(
    {
      nodes: plain.map((t) => node('Identity', `k_${t}`, `y_${t}`)),
      outputs: plain.map((t) => `y_${t}`),
      constants: Object.fromEntries(plain.map((t) => [`k_${t}`, zeros(t)])),
    },
    23,
    11,
  )
}

/** Numbers in the typed fields of a tensor instead of raw bytes. */
const typedFields = (): ModelProto => {
  const proto = modelProto({
    nodes: [node('Add', 'x w', 'h'), node('Gather', 'h at', 'y', { axis: 1 })],
    inputs: [x],
    outputs: ['y'],
  })
  proto.graph!.initializer = [
    create(TensorProtoSchema, { name: 'w', dims: [4n], dataType: 1, floatData: [1, 2, 3, 4] }),
    create(TensorProtoSchema, { name: 'at', dims: [2n], dataType: 7, int64Data: [3n, 0n] }),
  ]
  return proto
}

const otherTypes = (): ModelProto => {
  const proto = modelProto({
    nodes: [
      node('SequenceConstruct', 'x x', 'list'),
      node('ConcatFromSequence', 'list', 'y', { axis: 0 }),
      node('Optional', 'x', 'maybe'),
      node('OptionalGetElement', 'maybe', 'z'),
      node('ZipMap', 'x', 'map', {}, 'ai.onnx.ml'),
    ],
    inputs: [x],
    outputs: ['y', 'z'],
  })
  const tensorType = create(TypeProtoSchema, {
    value: {
      case: 'tensorType',
      value: create(TypeProto_TensorSchema, { elemType: 1, shape: create(TensorShapeProtoSchema) }),
    },
  })
  const of = (name: string, type: Parameters<typeof create<typeof TypeProtoSchema>>[1]) =>
    create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, type) })
  proto.graph!.valueInfo = [
    of('list', { value: { case: 'sequenceType', value: create(TypeProto_SequenceSchema, { elemType: tensorType }) } }),
    of('maybe', { value: { case: 'optionalType', value: create(TypeProto_OptionalSchema, { elemType: tensorType }) } }),
    of('map', {
      value: { case: 'mapType', value: create(TypeProto_MapSchema, { keyType: 7, valueType: tensorType }) },
    }),
  ]
  return proto
}

/** Metadata, doc strings, a default value of an input, training information. */
const furnished = (): ModelProto => {
  const proto = modelProto({
    nodes: [node('Gemm', 'x w b', 'y', { alpha: { float: 0.5 }, transB: 0 })],
    inputs: [x, value('b', 'float32', [2])],
    outputs: [value('y', 'float32', ['n', 2])],
    constants: { w: ramp([4, 2]), b: ramp([2]) },
  })
  proto.docString = 'what it is for'
  proto.metadataProps = [create(StringStringEntryProtoSchema, { key: 'licence', value: 'none' })]
  proto.graph!.node[0]!.docString = 'a product'
  const initialization = graphProto({ nodes: [node('Constant', '', 'w0', { value: ramp([4, 2]) })], outputs: ['w0'] })
  proto.trainingInfo = [create(TrainingInfoProtoSchema, { initialization })]
  return proto
}

/** The special models by name. */
export const specialModels: Readonly<Record<string, () => ModelProto>> = {
  branching,
  loop,
  scan,
  nested,
  shaping,
  'image-7': () => image(7, 3),
  'image-9': () => image(9, 8),
  'shape-chain': shapeChain,
  calling,
  strings,
  sparse,
  external,
  quantised,
  'every-type': everyType,
  'typed-fields': typedFields,
  'other-types': otherTypes,
  furnished,
}
