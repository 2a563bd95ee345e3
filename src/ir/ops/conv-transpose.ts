// Transposed convolution: every input element adds its multiple of the kernel to the output. Linear in X and in W where there
// is no bias. Evaluated as a product of matrices and col2im. Output sizes and padding: ONNX ConvTranspose.
import { type Attributes, getInt, getInts, int } from '../attribute.ts'
import { addDims, type Dim, mulDims, subDims } from '../dim.ts'
import { matmulInto } from '../kernels/matmul.ts'
import { transposeLast } from '../kernels/stacked.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, shapeText } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { addChannels, convAttributes } from './conv.ts'
import { arrayOf, axisOfSize, operandOfRank, optional, reject, unify, workOf } from './operands.ts'
import { type AutoPad, autoPadOf, windowTaps } from './window.ts'

interface Geometry {
  readonly x: Shape // [batch, channels, ...spatial]
  readonly w: Shape // [channels, outChannels / group, ...kernel]
  readonly group: number
  readonly kernel: readonly Dim[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly out: Shape
  /** Padding before each spatial axis; needs numbers only where the output size was asked for. */
  readonly begin: readonly Dim[]
}

function geometryOf(call: Call): Geometry {
  const x = operandOfRank(call, 0, 3, true).shape
  const w = operandOfRank(call, 1, x.length).shape
  unify(call, x[1]!, w[0]!, 'channels')
  const rank = x.length - 2
  const ones = new Array<number>(rank).fill(1)
  const group = getInt(call.attributes, 'group', 1)
  if (typeof w[0] === 'number' && w[0] % group !== 0) reject(call, `input channels divisible by ${group}`, String(w[0]))
  const kernel = getInts(call.attributes, 'kernel_shape', null) ?? w.slice(2)
  const strides = getInts(call.attributes, 'strides', null) ?? ones
  const dilations = getInts(call.attributes, 'dilations', null) ?? ones
  if (kernel.length !== rank || strides.length !== rank || dilations.length !== rank)
    reject(call, `kernel, strides and dilations for ${rank} spatial axes`, `[${kernel}], [${strides}], [${dilations}]`)
  const spatial = x.slice(2).map((size, axis) => axisGeometry(call, axis, size, kernel[axis]!, strides, dilations))
  const out = [x[0]!, mulDims(w[1]!, group), ...spatial.map((s) => s.out)]
  return { x, w, group, kernel, strides, dilations, out, begin: spatial.map((s) => s.begin) }
}

/** Size and begin padding along one axis. */
function axisGeometry(
  call: Call,
  axis: number,
  size: Dim,
  kernel: Dim,
  strides: readonly number[],
  dilations: readonly number[],
): { readonly out: Dim; readonly begin: Dim } {
  const rank = strides.length
  const extra = getInts(call.attributes, 'output_padding', null)?.[axis] ?? 0
  const extent = addDims(mulDims(subDims(kernel, 1), dilations[axis]!), 1)
  const full = addDims(addDims(mulDims(subDims(size, 1), strides[axis]!), extent), extra)
  const autoPad = autoPadOf(call)
  const asked = getInts(call.attributes, 'output_shape', null)?.slice(-rank)[axis]
  if (asked !== undefined) return { out: asked, begin: sharedPadding(full, asked, autoPad) }
  if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const out = mulDims(size, strides[axis]!)
    return { out, begin: sharedPadding(full, out, autoPad) }
  }
  const pads = autoPad === 'VALID' ? null : getInts(call.attributes, 'pads', null)
  const [begin, end] = [pads?.[axis] ?? 0, pads?.[axis + rank] ?? 0]
  return { out: subDims(full, begin + end), begin }
}

/** Splits the total padding that the asked size implies; the odd element goes to the end for SAME_UPPER, else to the front. */
function sharedPadding(full: Dim, out: Dim, autoPad: AutoPad): Dim {
  const total = subDims(full, out)
  if (typeof total !== 'number') return total
  const padding = Math.max(total, 0)
  return autoPad === 'SAME_UPPER' ? Math.floor(padding / 2) : Math.ceil(padding / 2)
}

/** A spatial axis whose kernel, stride and padding leave every element where it is. */
function isPointwise(g: Geometry, axis: number): boolean {
  const same = g.x[axis] === 1 ? g.out[axis] === 1 : true
  return same && g.kernel[axis - 2] === 1 && g.strides[axis - 2] === 1 && g.begin[axis - 2] === 0
}

function keepsSize(call: Call, g: Geometry, axis: number): boolean {
  const fixed = getInts(call.attributes, 'output_shape', null) !== null
  const padded = (getInts(call.attributes, 'pads', null) ?? []).some((p) => p !== 0)
  const extra = (getInts(call.attributes, 'output_padding', null) ?? []).some((p) => p !== 0)
  return !fixed && !padded && !extra && isPointwise(g, axis)
}

const isDepthwise = (g: Geometry): boolean => g.group > 1 && g.w[0] === g.group && g.w[1] === 1

/** Sources in [X, W, B] of one output axis. */
function sourcesOf(call: Call, g: Geometry, axis: number): AxisSource[] {
  if (axis === 0) return [axisOfSize(g.x[0]!, 0), 'broadcast', 'broadcast']
  if (axis > 1) return [keepsSize(call, g, axis) ? axisOfSize(g.x[axis]!, axis) : 'mixed', 'broadcast', 'broadcast']
  if (g.group === 1) return ['broadcast', axisOfSize(g.w[1]!, 1), axisOfSize(g.w[1]!, 0)]
  return isDepthwise(g) ? [1, 0, 0] : ['mixed', 'mixed', 0]
}

function axesOf(call: Call): AxisMap {
  const g = geometryOf(call)
  return g.out
    .map((_, axis) => sourcesOf(call, g, axis).map((s, i) => (optional(call, i) ? s : 'broadcast')))
    .map((sources) => sources.slice(0, call.inputs.length))
}

function resize(call: Call, axis: number, size: Dim): Attributes | null {
  if (axis !== 1 || geometryOf(call).group === 1) return call.attributes
  return typeof size === 'number' ? { ...call.attributes, group: int(size) } : null
}

const typesOf = (call: Call): TensorType[] => [
  { dtype: operandOfRank(call, 0, 3, true).dtype, shape: geometryOf(call).out },
]

function evaluate(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const g = geometryOf(call)
  const [x, w] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
  const shape = g.out as ConcreteShape
  if (shape.some((d) => d < 0)) reject(call, 'an output of positive size', shapeText(shape))
  const spatial = x.shape.slice(2)
  // The windows of the convolution whose transpose this is: output elements that each input element adds to.
  const { offsets } = windowTaps({
    spatial: shape.slice(2),
    kernel: g.kernel as ConcreteShape,
    out: spatial,
    strides: g.strides,
    dilations: g.dilations,
    begin: g.begin as readonly number[],
  })
  const area = elementCount(spatial)
  const outArea = elementCount(shape.slice(2))
  const channels = x.shape[1]! / g.group
  const rows = elementCount(w.shape.slice(1)) // output channels of a group times kernel positions
  const data = new Float64Array(elementCount(shape))
  const columns = new Float64Array(rows * area)
  const turned = transposeLast({ shape: [g.group, channels, rows], data: w.data }).data
  for (let block = 0; block < x.shape[0]! * g.group; block++) {
    const at = { a: (block % g.group) * rows * channels, b: block * channels * area, out: 0 }
    matmulInto(columns, turned, x.data, rows, channels, area, at)
    scatterColumns(data, columns, offsets, block * w.shape[1]! * outArea, outArea)
  }
  if (inputs[2]) addChannels(data, inputs[2].data, outArea)
  return [{ dtype: x.dtype, shape, data }]
}

/** col2im: adds columns [channels * kernel positions, area] into planes of `outArea` elements from `start`. */
function scatterColumns(
  data: Float64Array,
  columns: Float64Array,
  offsets: Int32Array,
  start: number,
  outArea: number,
): void {
  for (let from = 0, plane = start; from < columns.length; plane += outArea) {
    for (let i = 0; i < offsets.length; i++, from++) {
      const tap = offsets[i]!
      if (tap >= 0) data[plane + tap] = data[plane + tap]! + columns[from]!
    }
  }
}

function flopsOf(call: ConcreteCall): number {
  const g = geometryOf(call)
  const perInput = 2 * elementCount((g.w as ConcreteShape).slice(1))
  const bias = optional(call, 2) ? elementCount(g.out as ConcreteShape) : 0
  return elementCount(g.x as ConcreteShape) * perInput + bias
}

const convTranspose: Op = {
  name: 'ConvTranspose',
  domain: '',
  sinceOpset: 1,
  attributes: { ...convAttributes, output_padding: { kind: 'ints' }, output_shape: { kind: 'ints' } },
  infer: typesOf,
  evaluate,
  axes: axesOf,
  // With a bias it is affine in X, and linear only in W and B together.
  linearIn: (call) => (optional(call, 2) ? [] : [0, 1]),
  resize,
  work: (call) => workOf(call, typesOf(call), flopsOf(call)),
}

export const convTransposeOps: readonly Op[] = [convTranspose]
