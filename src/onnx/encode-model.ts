// A model as bytes, its weights copied once: the general encoder copies every byte field at each level that holds it. The
// result is the same, field by field in the order of their numbers.
import { clearField, type DescMessage, isFieldSet, type MessageShape } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from './generated/onnx_pb.ts'
import { copy, encode } from './proto.ts'

export type Chunks = readonly Uint8Array[]

/** The bytes that `toBinary` would give. */
export function encodeModel(proto: ModelProto): Uint8Array {
  return Buffer.concat(modelChunks(proto))
}

/** The same bytes in pieces, the weights among them as they are in memory. */
export function modelChunks(proto: ModelProto): Chunks {
  const { graph } = proto
  if (!graph) return [encode(ModelProtoSchema, proto)]
  const { initializer } = GraphProtoSchema.field
  const tensors = graph.initializer.flatMap((t) => lengthDelimited(initializer.number, tensorChunks(t)))
  const body = around(GraphProtoSchema, graph, initializer.number, tensors)
  const { number } = ModelProtoSchema.field.graph
  return around(ModelProtoSchema, proto, number, lengthDelimited(number, body))
}

function tensorChunks(t: TensorProto): Chunks {
  const { rawData } = TensorProtoSchema.field
  if (!isFieldSet(t, rawData)) return [encode(TensorProtoSchema, t)]
  return around(TensorProtoSchema, t, rawData.number, lengthDelimited(rawData.number, [t.rawData]))
}

/** The message with `middle` in place of the field of that number. Unknown fields come last. */
function around<D extends DescMessage>(schema: D, message: MessageShape<D>, field: number, middle: Chunks): Chunks {
  const before = copy(schema, message)
  const after = copy(schema, message)
  Reflect.deleteProperty(before, '$unknown')
  for (const f of schema.fields) {
    if (f.number >= field) clearField(before, f)
    if (f.number <= field) clearField(after, f)
  }
  return [encode(schema, before), ...middle, encode(schema, after)]
}

function lengthDelimited(field: number, chunks: Chunks): Chunks {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  return [new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish(), ...chunks]
}
