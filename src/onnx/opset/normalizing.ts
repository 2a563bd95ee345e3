// Adapters of normalizing operators: Softmax and its kin, BatchNormalization, Dropout, GroupNormalization.
import { getInt, int } from '../../ir/attribute.ts'
import type { Node } from '../../ir/graph.ts'
import { isConcrete, type Shape } from '../../ir/shape.ts'
import { type Adapter, helperNode, type RaiseContext, refuse, withAttribute, withInput, without } from './context.ts'

/** Opset 13: no more coercion to a matrix of [axes before `axis`, axes from it on], whose rows were normalized as one. */
export const softmax13: Adapter = (node, context) => {
  const axis = getInt(node.attributes, 'axis', 1)
  const shape = context.typeOf(node.inputs[0])?.shape ?? null
  if (axis === -1) return [withAttribute(node, 'axis', int(-1))]
  if (shape === null) return refuse('the rank of its operand is not known')
  const first = axis < 0 ? axis + shape.length : axis
  const single = onlyAxis(shape, first)
  if (single !== null) return [withAttribute(node, 'axis', int(single === shape.length - 1 ? -1 : single))]
  return throughMatrix(node, context, shape, first)
}

/** The one axis from `first` on that can be larger than 1; null if there are several. */
function onlyAxis(shape: Shape, first: number): number | null {
  const wide = shape.flatMap((d, i) => (i >= first && d !== 1 ? [i] : []))
  return wide.length > 1 || first >= shape.length ? null : (wide[0] ?? shape.length - 1)
}

/** Flatten, normalize the rows, restore the shape; exact whatever the sizes. */
function throughMatrix(node: Node, context: RaiseContext, shape: Shape, first: number): Node[] {
  const x = node.inputs[0]!
  const flat = helperNode(node, context, 'Flatten', [x], { axis: int(first) })
  const rows = helperNode(node, context, node.op, [flat.outputs[0]!], { ...node.attributes, axis: int(-1) })
  if (isConcrete(shape) && !shape.includes(0)) {
    const target = context.int64s(`${flat.name}_shape`, shape)
    return [flat, rows, restore(node, context, rows, target, [])].flat()
  }
  const sizes = helperNode(node, context, 'Shape', [x])
  return restore(node, context, rows, sizes.outputs[0]!, [sizes, flat])
}

function restore(
  node: Node,
  context: RaiseContext,
  rows: Node,
  target: Node['inputs'][number],
  before: Node[],
): Node[] {
  // allowzero (opset 14): a size of 0 is a size, not "as in the operand".
  const attributes = context.targetOpset >= 14 && before.length > 0 ? { allowzero: int(1) } : {}
  const back: Node = { ...node, op: 'Reshape', inputs: [rows.outputs[0]!, target], attributes }
  return before.length > 0 ? [...before, rows, back] : [back]
}

/** Opset 7: there is no is_test; what is left is inference. */
export const inferenceOnly7: Adapter = (node) => {
  if (getInt(node.attributes, 'is_test', 0) === 0) return refuse('it is in training mode (is_test is 0)')
  return [{ ...node, attributes: without(node.attributes, 'is_test') }]
}

/** Opset 9: statistics are always per channel. */
export const batchNorm9: Adapter = (node) => {
  if (getInt(node.attributes, 'spatial', 1) === 0) return refuse('its statistics are per activation (spatial is 0)')
  return [{ ...node, attributes: without(node.attributes, 'spatial') }]
}

/** Opset 14: training mode is an attribute instead of the presence of more outputs. */
export const batchNorm14: Adapter = (node) => {
  if (node.outputs.slice(1).some((v) => v !== null))
    return refuse('it is in training mode (it has more than one output)')
  return [{ ...node, outputs: node.outputs.slice(0, 1) }]
}

/** Opset 21: scale and bias are per channel instead of per group. */
export const groupNorm21: Adapter = (node, context) => {
  const channels = context.typeOf(node.inputs[0])?.shape[1]
  const groups = getInt(node.attributes, 'num_groups', 0)
  if (typeof channels !== 'number' || groups <= 0 || channels % groups !== 0)
    return refuse('its number of channels is not known')
  if (channels === groups) return [node]
  const [scale, bias] = [1, 2].map((i) => spread(node, context, i, groups, channels / groups))
  return [...scale!, ...bias!, withInput(withInput(node, 1, scale![2]!.outputs[0]!), 2, bias![2]!.outputs[0]!)]
}

/** [groups] -> [groups * times], each element repeated. */
function spread(node: Node, context: RaiseContext, input: number, groups: number, times: number): Node[] {
  const lift = helperNode(node, context, 'Unsqueeze', [node.inputs[input]!, context.int64s(`${node.name}_axes`, [1])])
  const wide = helperNode(node, context, 'Expand', [
    lift.outputs[0]!,
    context.int64s(`${node.name}_size`, [groups, times]),
  ])
  const flat = helperNode(node, context, 'Reshape', [
    wide.outputs[0]!,
    context.int64s(`${node.name}_flat`, [groups * times]),
  ])
  return [lift, wide, flat]
}
