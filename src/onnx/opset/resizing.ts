// Adapters of operators that resample: Upsample, Resize, RoiAlign, GridSample, and pooling by p-norms.
import { type Attribute, getFloat, getInts, getText, int, text } from '../../ir/attribute.ts'
import type { Node } from '../../ir/graph.ts'
import { type Tensor, tensor, toNdArray } from '../../ir/tensor.ts'
import { type Adapter, helperNode, nameFor, type RaiseContext, refuse, withAttribute, without } from './context.ts'

/** Opset 7: one scale for each axis; `bilinear` is called `linear`. */
export const upsample7: Adapter = (node) => {
  const [height, width] = [
    getFloat(node.attributes, 'height_scale', null),
    getFloat(node.attributes, 'width_scale', null),
  ]
  if (height === null || width === null) return refuse('its scales are missing')
  const mode = getText(node.attributes, 'mode', 'nearest')
  const attributes = {
    mode: text(mode === 'bilinear' ? 'linear' : mode),
    scales: { kind: 'floats', value: [1, 1, height, width] } as Attribute,
  }
  return [{ ...node, attributes }]
}

/** Opset 9: scales become an input. */
export const upsample9: Adapter = (node, context) => {
  const scales = node.attributes.scales
  if (scales?.kind !== 'floats') return refuse('its scales are missing')
  const v = context.constant(nameFor(node, context, 'scales'), tensor('float32', [scales.value.length], scales.value))
  return [{ ...node, inputs: [node.inputs[0]!, v], attributes: without(node.attributes, 'scales') }]
}

/** Opset 10: Upsample is called Resize. */
export const upsample10: Adapter = (node) => [{ ...node, op: 'Resize' }]

/** Opset 11: coordinates are chosen by attributes. Before they were plain ratios; the nearest neighbour was the one before
 * where an axis grows, and the one after where it shrinks (ONNX Runtime's mode SIMPLE). */
export const resize11: Adapter = (node, context) => {
  const scales = context.constantOf(node.inputs[1])
  const linear = getText(node.attributes, 'mode', 'nearest') !== 'nearest'
  if (linear) return [resizeBy(node, context, node.inputs[0]!, node.inputs[1]!, 'floor')]
  if (scales === null)
    return refuse('its scales are not constant, and neighbours were chosen by whether an axis grows or shrinks')
  const ratios = Array.from(toNdArray(scales).data)
  if (ratios.every((s) => s >= 1)) return [resizeBy(node, context, node.inputs[0]!, node.inputs[1]!, 'floor')]
  if (ratios.every((s) => s <= 1)) return [resizeBy(node, context, node.inputs[0]!, node.inputs[1]!, 'ceil')]
  return shrinkThenGrow(node, context, scales, ratios)
}

function shrinkThenGrow(node: Node, context: RaiseContext, scales: Tensor, ratios: readonly number[]): Node[] {
  const part = (name: string, clip: (s: number) => number) =>
    context.constant(nameFor(node, context, name), tensor('float32', scales.shape, ratios.map(clip)))
  const step = helperNode(node, context, 'Resize', [])
  const shrunk = resizeBy(
    { ...node, outputs: step.outputs, name: step.name },
    context,
    node.inputs[0]!,
    part('shrink', (s) => Math.min(1, s)),
    'ceil',
  )
  return [
    shrunk,
    resizeBy(
      node,
      context,
      shrunk.outputs[0]!,
      part('grow', (s) => Math.max(1, s)),
      'floor',
    ),
  ]
}

function resizeBy(
  node: Node,
  context: RaiseContext,
  x: Node['inputs'][number],
  scales: Node['inputs'][number],
  nearest: 'floor' | 'ceil',
): Node {
  // Opset 11 wanted an empty region of interest; opset 13 leaves it out (resize13).
  const roi = context.constant(nameFor(node, context, 'roi'), tensor('float32', [0], []))
  const attributes = {
    ...node.attributes,
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text(nearest),
  }
  return { ...node, inputs: [x, roi, scales], attributes }
}

/** Opset 13: what does not apply is left out instead of being empty; one coordinate mode is gone. */
export const resize13: Adapter = (node, context) => {
  if (getText(node.attributes, 'coordinate_transformation_mode', '') === 'tf_half_pixel_for_nn')
    return refuse('the coordinate mode tf_half_pixel_for_nn is gone')
  const inputs = node.inputs.map((v) => (context.constantOf(v)?.shape.includes(0) ? null : v))
  while (inputs.at(-1) === null) inputs.pop()
  return [{ ...node, inputs }]
}

/** Opset 16: the default coordinates moved by half a pixel. */
export const roiAlign16: Adapter = (node) => [
  withAttribute(node, 'coordinate_transformation_mode', text('output_half_pixel')),
]

/** Opset 20: modes are named after their polynomials. */
export const gridSample20: Adapter = (node) => {
  const names: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' }
  const mode = getText(node.attributes, 'mode', 'bilinear')
  return [withAttribute(node, 'mode', text(names[mode] ?? mode))]
}

/** Opset 2: p is a whole number. */
export const lpPool2: Adapter = (node) => {
  const p = getFloat(node.attributes, 'p', 2)
  if (!Number.isInteger(p)) return refuse(`its p is ${p}`)
  if (node.op === 'LpPool' && getInts(node.attributes, 'kernel_shape', null) === null)
    return refuse('its kernel shape is missing')
  return [withAttribute(node, 'p', int(p))]
}
