// Constant nodes <-> tensors.
import { create } from '@bufbuild/protobuf'
import type { Tensor } from '../ir/tensor.ts'
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from './generated/onnx_pb.ts'
import { describeNode } from './scope.ts'
import { tensorFromProto, tensorToProto } from './tensor.ts'

/** The tensor that a Constant node makes; null for other nodes and for values that are not tensors of ours (sparse ones). */
export function constantOf(node: NodeProto): Tensor | null {
  const plain =
    node.opType === 'Constant' && (node.domain === '' || node.domain === 'ai.onnx') && node.input.length === 0
  const a = node.attribute[0]
  if (!plain || !a || node.attribute.length !== 1 || node.output.length !== 1 || a.refAttrName !== '') return null
  return node.output[0] === '' ? null : constantValue(a, describeNode(node))
}

function constantValue(a: AttributeProto, where: string): Tensor | null {
  switch (a.name) {
    case 'value':
      return a.t && !a.t.$unknown ? tensorFromProto(a.t, where) : null
    case 'value_int':
      return packed('int64', [], BigInt64Array.of(a.i))
    case 'value_ints':
      return packed('int64', [a.ints.length], BigInt64Array.from(a.ints))
    case 'value_float':
      return packed('float32', [], Float32Array.of(a.f))
    case 'value_floats':
      return packed('float32', [a.floats.length], Float32Array.from(a.floats))
    case 'value_string':
      return { dtype: 'string', shape: [], bytes: new Uint8Array(0), strings: [a.s] }
    case 'value_strings':
      return { dtype: 'string', shape: [a.strings.length], bytes: new Uint8Array(0), strings: a.strings }
    default:
      return null
  }
}

function packed(dtype: 'int64' | 'float32', shape: readonly number[], data: BigInt64Array | Float32Array): Tensor {
  return { dtype, shape, bytes: new Uint8Array(data.buffer) }
}

/** A Constant node that makes `t`. */
export function constantNode(name: string, t: Tensor): NodeProto {
  const value = create(AttributeProtoSchema, {
    name: 'value',
    type: AttributeProto_AttributeType.TENSOR,
    t: tensorToProto(t, name),
  })
  return create(NodeProtoSchema, { opType: 'Constant', output: [name], attribute: [value] })
}
