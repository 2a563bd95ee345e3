// Models encoded with their weights copied once are the bytes of the general encoder.
import { create, toBinary } from '@bufbuild/protobuf'
import { expect } from 'chai'
import { tensor } from '../../src/ir/tensor.ts'
import { encodeModel } from '../../src/onnx/encode-model.ts'
import { GraphProtoSchema, ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts'
import { tensorToProto } from '../../src/onnx/tensor.ts'
import { node, value } from './protos.ts'

const UNKNOWN = [{ no: 999, wireType: 0, data: Uint8Array.of(5) }]

function modelWith(initializers: number) {
  const graph = create(GraphProtoSchema, {
    name: 'g',
    docString: 'after the weights',
    node: [node('Relu', 'x', 'y')],
    input: [value('x', 'float32', [2])],
    initializer: Array.from({ length: initializers }, (_, i) =>
      Object.assign(tensorToProto(tensor('float32', [i], new Array(i).fill(i)), `w${i}`), {
        docString: i === 2 ? 'doc' : '',
      }),
    ),
    $unknown: UNKNOWN,
  })
  return create(ModelProtoSchema, { irVersion: 9n, producerName: 'p', graph, $unknown: UNKNOWN })
}

describe('onnx: encoding a model', () => {
  for (const count of [0, 1, 5])
    it(`gives the bytes of the general encoder, with ${count} initializers`, () => {
      const model = modelWith(count)
      expect(Buffer.compare(encodeModel(model), toBinary(ModelProtoSchema, model))).to.equal(0)
    })
  it('without a graph too', () => {
    const model = create(ModelProtoSchema, { irVersion: 9n })
    expect(encodeModel(model)).to.deep.equal(toBinary(ModelProtoSchema, model))
  })
})
