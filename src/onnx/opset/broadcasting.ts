// Adapters of point-wise operators from the time before NumPy's broadcasting (opset 7).
import { float, getInt, ints } from '../../ir/attribute.ts'
import { type Adapter, helperNode, refuse, withAttribute, withInput, without } from './context.ts'

/** Opset 7: B, which had to match a run of A's axes from `axis` on, is given trailing axes of size 1. */
export const broadcast7: Adapter = (node, context) => {
  const axis = getInt(node.attributes, 'axis', null)
  const broadcasts = getInt(node.attributes, 'broadcast', 0) !== 0
  const bare = { ...node, attributes: without(node.attributes, 'axis', 'broadcast') }
  if (!broadcasts || axis === null) return [bare]
  const [a, b] = [context.rankOf(node.inputs[0]), context.typeOf(node.inputs[1])]
  if (a === null || b === null) return refuse('the ranks of its operands are not known')
  const trailing = a - (axis < 0 ? axis + a : axis) - b.shape.length
  if (trailing <= 0 || b.shape.every((d) => d === 1)) return [bare]
  const axes = Array.from({ length: trailing }, (_, i) => b.shape.length + i)
  const widen = helperNode(node, context, 'Unsqueeze', [node.inputs[1]!], { axes: ints(axes) })
  return [widen, withInput(bare, 1, widen.outputs[0]!)]
}

/** Opset 7: a slope per channel (axis 1) is given trailing axes of size 1. */
export const pRelu7: Adapter = (node, context) => {
  const [rank, slope] = [context.rankOf(node.inputs[0]), context.typeOf(node.inputs[1])]
  if (slope?.shape.every((d) => d === 1)) return [node]
  if (rank === null || slope === null) return refuse('the ranks of its operands are not known')
  if (slope.shape.length !== 1 || rank <= 2) return [node]
  const axes = Array.from({ length: rank - 2 }, (_, i) => 1 + i)
  const widen = helperNode(node, context, 'Unsqueeze', [node.inputs[1]!], { axes: ints(axes) })
  return [widen, withInput(node, 1, widen.outputs[0]!)]
}

/** Opset 6: the defaults of alpha and gamma gained digits. */
export const selu6: Adapter = (node) => {
  const attributes = {
    alpha: float(Math.fround(1.6732)),
    gamma: float(Math.fround(1.0507)),
    ...without(node.attributes, 'consumed_inputs'),
  }
  return [{ ...node, attributes }]
}

/** Opset 6: the dtype is a number instead of a name. */
export const cast6: Adapter = (node) => {
  const to = node.attributes.to
  if (to?.kind !== 'string') return refuse('its target type is not a name')
  const code = TYPE_NAMES.indexOf(to.value.toUpperCase())
  return code <= 0
    ? refuse(`its target type ${to.value} is not known`)
    : [withAttribute(node, 'to', { kind: 'int', value: code })]
}

/** TensorProto.DataType at that time, in order. */
const TYPE_NAMES =
  'UNDEFINED FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64 COMPLEX64 COMPLEX128'.split(
    ' ',
  )
