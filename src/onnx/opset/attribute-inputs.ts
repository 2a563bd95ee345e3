// Adapters of operators whose attributes became inputs.
import { type Attributes, getFloat, getInt, getInts, getText, int } from '../../ir/attribute.ts'
import type { Node, ValueId } from '../../ir/graph.ts'
import { tensor } from '../../ir/tensor.ts'
import { type Adapter, nameFor, type RaiseContext, refuse, withAttribute, withInput, without } from './context.ts'

/** `attribute`, a list of integers, becomes the input at `index`; an absent list stays absent. */
export const intsToInput =
  (attribute: string, index: number): Adapter =>
  (node, context) => {
    const list = getInts(node.attributes, attribute, null)
    const bare = { ...node, attributes: without(node.attributes, attribute) }
    return [list === null ? bare : withInput(bare, index, context.int64s(nameFor(node, context, attribute), list))]
  }

/** Axes of reductions: an empty list meant all axes, as an absent one does. Opset 13 (ReduceSum), 18 (the others). */
export const reductionAxes: Adapter = (node, context) => {
  const empty = getInts(node.attributes, 'axes', [])?.length === 0
  return empty ? [{ ...node, attributes: without(node.attributes, 'axes') }] : intsToInput('axes', 1)(node, context)
}

/** Opset 10: starts, ends and axes become inputs 1 to 3. */
export const slice10: Adapter = (node, context) => {
  const parts = ['starts', 'ends', 'axes'] as const
  const lists = parts.map((part) => getInts(node.attributes, part, null))
  if (!lists[0] || !lists[1]) return refuse('starts and ends are missing')
  const inputs = lists.flatMap((list, i) =>
    list ? [context.int64s(nameFor(node, context, parts[i]!), list.map(clampToInt64))] : [],
  )
  return [{ ...node, inputs: [node.inputs[0]!, ...inputs], attributes: without(node.attributes, ...parts) }]
}

/** "To the end" is written as INT64_MAX, which a double does not hold; any size no tensor reaches means the same. */
const clampToInt64 = (n: number): number => Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, n))

/** Opset 2: the axis, which had no default, is 0; sizes given as an input had another meaning of types. */
export const split2: Adapter = (node) => {
  if (node.inputs.length > 1) return refuse('sizes of the parts are an input')
  return [getInt(node.attributes, 'axis', null) === null ? withAttribute(node, 'axis', int(0)) : node]
}

/** Opset 18: without sizes the number of outputs must be given. */
export const split18: Adapter = (node) => [
  node.inputs[1] == null ? withAttribute(node, 'num_outputs', int(node.outputs.length)) : node,
]

/** Opset 10: k becomes an input, [k]. */
export const topK10: Adapter = (node, context) => {
  const k = getInt(node.attributes, 'k', null)
  if (k === null) return refuse('k is missing')
  return [
    withInput(
      { ...node, attributes: without(node.attributes, 'k') },
      1,
      context.int64s(nameFor(node, context, 'k'), [k]),
    ),
  ]
}

/** Opset 11: min and max become inputs of the operand's dtype. */
export const clip11: Adapter = (node, context) => {
  let raised: Node = { ...node, attributes: without(node.attributes, 'min', 'max') }
  for (const [bound, index] of [
    ['min', 1],
    ['max', 2],
  ] as const) {
    const x = getFloat(node.attributes, bound, null)
    if (x === null) continue
    const v = context.scalarLike(nameFor(node, context, bound), node.inputs[0], x)
    if (v === null) return refuse('the element type of its operand is not known')
    raised = withInput(raised, index, v)
  }
  return [raised]
}

/** Opset 2: `paddings` is called `pads`. */
export const pad2: Adapter = (node) => {
  const pads = node.attributes.paddings ?? node.attributes.pads
  return pads
    ? [{ ...node, attributes: { ...without(node.attributes, 'paddings'), pads } }]
    : refuse('pads are missing')
}

/** Opset 11: pads and value become inputs. */
export const pad11: Adapter = (node, context) => {
  const pads = getInts(node.attributes, 'pads', null)
  if (pads === null) return refuse('pads are missing')
  const fill = getText(node.attributes, 'mode', 'constant') === 'constant' ? getFloat(node.attributes, 'value', 0) : 0
  const value = fill === 0 ? null : context.scalarLike(nameFor(node, context, 'value'), node.inputs[0], fill)
  if (fill !== 0 && value === null) return refuse('the element type of its operand is not known')
  const raised = withInput(
    { ...node, attributes: without(node.attributes, 'pads', 'value') },
    1,
    context.int64s(nameFor(node, context, 'pads'), pads),
  )
  return [value === null ? raised : withInput(raised, 2, value)]
}

/** Opset 12: ratio becomes an input. It means nothing in inference, but what is exported again should keep it. */
export const dropout12: Adapter = (node, context) => {
  if (context.isRead(node, 1)) return refuse('its mask is read, whose contents were not defined in inference')
  const ratio = tensor('float32', [], [getFloat(node.attributes, 'ratio', 0.5)])
  const raised = { ...node, outputs: node.outputs.slice(0, 1), attributes: without(node.attributes, 'ratio') }
  return [withInput(raised, 1, context.constant(nameFor(node, context, 'ratio'), ratio))]
}

/** Opset 20: axis becomes a scalar input, and its default changes from 1 to -2. */
export const dft20: Adapter = (node, context) => {
  const axis = tensor('int64', [], [getInt(node.attributes, 'axis', 1)])
  return [
    withInput(
      { ...node, attributes: without(node.attributes, 'axis') },
      2,
      context.constant(nameFor(node, context, 'axis'), axis),
    ),
  ]
}

/** Opset 6: the number of copies along one axis becomes a list of copies along each. */
export const tile6: Adapter = (node, context) => {
  const [data, tiles, axis] = node.inputs
  const [count] = context.integers(tiles) ?? scalarOf(context, tiles)
  const [at] = context.integers(axis) ?? scalarOf(context, axis)
  const rank = context.rankOf(data)
  if (count === undefined || at === undefined || rank === null)
    return refuse('its tiles, its axis or the rank of its operand is not known')
  const repeats = Array.from({ length: rank }, (_, i) => (i === at ? count : 1))
  return [{ ...node, inputs: [data!, context.int64s(nameFor(node, context, 'repeats'), repeats)] }]
}

/** Before opset 6 Tile took its counts as floats. */
function scalarOf(context: RaiseContext, v: ValueId | null | undefined): readonly number[] {
  const t = context.constantOf(v)
  if (t?.dtype !== 'float32' || t.bytes.length !== 4) return []
  return [new DataView(t.bytes.buffer, t.bytes.byteOffset, 4).getFloat32(0, true)]
}

/** Drops attributes that have no meaning left. */
export const dropping =
  (...names: readonly (keyof Attributes & string)[]): Adapter =>
  (node) => [{ ...node, attributes: without(node.attributes, ...names) }]
