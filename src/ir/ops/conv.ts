// Convolution. Linear in X and in W where there is no bias; batch and output channels are point-wise; a spatial axis is
// point-wise where the kernel is 1 along it. Evaluated as im2col and a product of matrices.
import { type Attributes, getInt, getInts, int } from '../attribute.ts'
import { type Dim, dimEquals } from '../dim.ts'
import { matmulInto } from '../kernels/matmul.ts'
import type { AttributeSpec, AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, shapeText } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { arrayOf, axisOfSize, concrete, operandOfRank, optional, reject, unify, workOf } from './operands.ts'
import { isPointwise, type Taps, tapsOf, type Window, windowOf, windowSizes } from './window.ts'

/** Where a convolution finds its operands: QLinearConv and the like have scales between them. */
export interface ConvOperands {
  readonly x: number
  readonly w: number
  readonly bias: number | null
}
export const CONV_OPERANDS: ConvOperands = { x: 0, w: 1, bias: 2 }

export const convAttributes: Readonly<Record<string, AttributeSpec>> = {
  auto_pad: { kind: 'string', default: 'NOTSET' },
  dilations: { kind: 'ints' },
  group: { kind: 'int', default: 1 },
  kernel_shape: { kind: 'ints' },
  pads: { kind: 'ints' },
  strides: { kind: 'ints' },
}

export interface ConvGeometry {
  readonly x: Shape // [batch, channels, ...spatial]
  readonly w: Shape // [outChannels, channels / group, ...kernel]
  readonly group: number
  readonly window: Window
  readonly out: Shape
}

/** Reads and checks the shapes of a convolution. */
export function convGeometry(call: Call, at: ConvOperands = CONV_OPERANDS): ConvGeometry {
  const x = operandOfRank(call, at.x, 3, true).shape
  const w = operandOfRank(call, at.w, x.length).shape
  const bias = at.bias !== null && optional(call, at.bias) ? operandOfRank(call, at.bias, 1).shape[0]! : null
  const group = getInt(call.attributes, 'group', 1)
  const kernel = kernelOf(call, w)
  const window = windowOf(call, kernel)
  if (typeof x[1] === 'number' && typeof w[1] === 'number' && x[1] !== w[1] * group)
    reject(call, `${w[1] * group} channels (weights ${shapeText(w)}, group ${group})`, shapeText(x))
  if (typeof w[0] === 'number' && w[0] % group !== 0)
    reject(call, `output channels divisible by ${group}`, String(w[0]))
  if (typeof bias === 'number' && typeof w[0] === 'number' && bias !== w[0])
    reject(call, `a bias of ${w[0]} channels`, String(bias))
  return { x, w, group, window, out: [x[0]!, w[0]!, ...windowSizes(x.slice(2), window)] }
}

function kernelOf(call: Call, w: Shape): readonly Dim[] {
  const said = getInts(call.attributes, 'kernel_shape', null)
  if (!said) return w.slice(2)
  if (said.length !== w.length - 2) reject(call, `kernel_shape of ${w.length - 2} sizes`, `[${said}]`)
  return said.map((k, i) => unify(call, w[i + 2]!, k, 'kernel sizes'))
}

/** Axis map of a convolution over the inputs of the call; inputs other than x, w and bias do not vary. */
export function convAxes(call: Call, at: ConvOperands = CONV_OPERANDS): AxisMap {
  const g = convGeometry(call, at)
  return g.out.map((dim, axis) =>
    call.inputs.map((type, i): AxisSource => {
      if (!type) return 'broadcast'
      if (i === at.x) return xSource(g, axis)
      if (axis !== 1) return 'broadcast'
      if (i === at.w) return axisOfSize(dim, 0)
      return i === at.bias ? axisOfSize(dim, 0) : 'broadcast'
    }),
  )
}

/** One channel in and one out per group. */
export function isDepthwise(g: ConvGeometry): boolean {
  return g.group > 1 && g.w[1] === 1 && g.w[0] === g.group
}

function xSource(g: ConvGeometry, axis: number): AxisSource {
  if (axis === 0) return axisOfSize(g.x[0]!, 0)
  if (axis === 1) return g.group === 1 ? 'broadcast' : isDepthwise(g) ? 1 : 'mixed'
  if (g.x[axis] === 1 && dimEquals(g.out[axis]!, 1) && isPointwise(g.window, axis - 2)) return 'broadcast'
  return isPointwise(g.window, axis - 2) ? axis : 'mixed'
}

/** A depthwise convolution has as many groups as it has channels. */
export function resizeConv(call: Call, axis: number, size: Dim, at: ConvOperands = CONV_OPERANDS): Attributes | null {
  if (axis !== 1 || convGeometry(call, at).group === 1) return call.attributes
  return typeof size === 'number' ? { ...call.attributes, group: int(size) } : null
}

/** Multiply-adds count two; a bias counts one per element of the output. */
export function convFlops(call: ConcreteCall, at: ConvOperands = CONV_OPERANDS): number {
  const { w, out } = convGeometry(call, at) as { w: ConcreteShape; out: ConcreteShape }
  const perElement = 2 * elementCount(w.slice(1))
  const bias = at.bias !== null && optional(call, at.bias) ? 1 : 0
  return elementCount(out) * (perElement + bias)
}

/** Output positions gathered at once; bounds the memory of the im2col matrix. */
const TILE = 4096

/** x: [batch, c, ...], w: [m, c / group, ...], bias: [m] or null -> [batch, m, ...]; all in float64. */
export function convolve(
  x: NdArray,
  w: NdArray,
  bias: NdArray | null | undefined,
  g: ConvGeometry,
): { readonly shape: ConcreteShape; readonly data: Float64Array } {
  const shape = g.out as ConcreteShape
  const spatial = x.shape.slice(2)
  const taps = tapsOf(spatial, shape.slice(2), g.window)
  const data = new Float64Array(elementCount(shape))
  const perGroup = { in: w.shape[1]!, out: w.shape[0]! / g.group }
  const inner = perGroup.in * taps.kernelCount
  const area = elementCount(spatial)
  for (let block = 0; block < shape[0]! * g.group; block++) {
    const group = block % g.group
    for (let start = 0; start < taps.outCount; start += TILE) {
      const count = Math.min(TILE, taps.outCount - start)
      const columns = gatherColumns(x.data, block * perGroup.in * area, area, perGroup.in, taps, start, count)
      const product = new Float64Array(perGroup.out * count)
      const weights = group * perGroup.out * inner
      matmulInto(product, w.data, columns, perGroup.out, inner, count, { a: weights, b: 0, out: 0 })
      for (let m = 0; m < perGroup.out; m++) {
        const to = (block * perGroup.out + m) * taps.outCount + start
        data.set(product.subarray(m * count, (m + 1) * count), to)
      }
    }
  }
  if (bias) addChannels(data, bias.data, taps.outCount)
  return { shape, data }
}

/** im2col: [channels * kernel positions, count] for the output positions from `start`. */
function gatherColumns(
  x: Float64Array,
  from: number,
  area: number,
  channels: number,
  taps: Taps,
  start: number,
  count: number,
): Float64Array {
  const columns = new Float64Array(channels * taps.kernelCount * count)
  let to = 0
  for (let c = 0; c < channels; c++) {
    const plane = from + c * area
    for (let k = 0; k < taps.kernelCount; k++) {
      const row = k * taps.outCount + start
      for (let o = 0; o < count; o++, to++) {
        const tap = taps.offsets[row + o]!
        if (tap >= 0) columns[to] = x[plane + tap]!
      }
    }
  }
  return columns
}

/** data: [batch, channels, area] += values[channel]. */
export function addChannels(data: Float64Array, values: Float64Array, area: number): void {
  for (let i = 0, plane = 0; i < data.length; plane++) {
    const value = values[plane % values.length]!
    for (const end = i + area; i < end; i++) data[i] = data[i]! + value
  }
}

const convTypes = (call: Call): TensorType[] => [
  { dtype: operandOfRank(call, 0, 3, true).dtype, shape: convGeometry(call).out },
]

const conv: Op = {
  name: 'Conv',
  domain: '',
  sinceOpset: 1,
  attributes: convAttributes,
  infer: convTypes,
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    return [{ dtype: x.dtype, ...convolve(x, arrayOf(call, inputs, 1), inputs[2], convGeometry(call)) }]
  },
  axes: (call) => convAxes(call),
  // With a bias it is affine in X, and linear only in W and B together.
  linearIn: (call) => (optional(call, 2) ? [] : [0, 1]),
  resize: (call, axis, size) => resizeConv(call, axis, size),
  work: (call) => workOf(call, convTypes(call), convFlops(call)),
}

const INTEGER_OPERANDS: ConvOperands = { x: 0, w: 1, bias: null }

const minus = (x: NdArray, zero: NdArray | null | undefined, inner: number): NdArray =>
  zero ? { ...x, data: x.data.map((v, i) => v - zero.data[Math.floor(i / inner) % zero.data.length]!) } : x

/** Convolution of integers less their zero points: padding counts as the zero point. w's may be one per output channel. */
export function convolveInteger(
  x: NdArray,
  w: NdArray,
  xZero: NdArray | null | undefined,
  wZero: NdArray | null | undefined,
  bias: NdArray | null | undefined,
  g: ConvGeometry,
): { readonly shape: ConcreteShape; readonly data: Float64Array } {
  return convolve(minus(x, xZero, x.data.length), minus(w, wZero, elementCount(w.shape.slice(1))), bias, g)
}

/** Zero points and scales of the weights may be one per output channel. */
export function quantizedConvAxes(call: Call, at: ConvOperands, perChannel: readonly number[]): AxisMap {
  const channels = convGeometry(call, at).w[0]!
  return convAxes(call, at).map((sources, axis) =>
    sources.map((source, i): AxisSource => {
      const varies = perChannel.includes(i) && (optional(call, i)?.shape ?? []).some((d) => d !== 1)
      return axis === 1 && varies ? axisOfSize(channels, 0) : source
    }),
  )
}

const convInteger: Op = {
  name: 'ConvInteger',
  domain: '',
  sinceOpset: 10,
  attributes: convAttributes,
  infer: (call) => [{ dtype: 'int32', shape: convGeometry(call, INTEGER_OPERANDS).out }],
  evaluate: (call, inputs) => {
    const geometry = convGeometry(call, INTEGER_OPERANDS)
    const [x, w] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
    return [{ dtype: 'int32', ...convolveInteger(x, w, inputs[2], inputs[3], null, geometry) }]
  },
  axes: (call) => quantizedConvAxes(call, INTEGER_OPERANDS, [3]),
  linearIn: (call) => [0, 1].filter((i) => !optional(call, i + 2)),
  resize: (call, axis, size) => resizeConv(call, axis, size, INTEGER_OPERANDS),
  work: (call) => {
    const shape = concrete({ dtype: 'int32', shape: convGeometry(call, INTEGER_OPERANDS).out })
    return workOf(call, [{ dtype: 'int32', shape }], convFlops(call, INTEGER_OPERANDS))
  },
}

export const convOps: readonly Op[] = [conv, convInteger]
