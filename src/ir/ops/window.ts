// Sliding windows: the geometry that convolution and pooling share. Output sizes are symbolic; the taps (which input element
// each kernel position reads) need numbers. Source: ONNX Conv, MaxPool, AveragePool; rounding as ONNX Runtime does it.
import { getInt, getInts, getText } from '../attribute.ts'
import { addDims, ceilDivDims, type Dim, floorDivDims, mulDims, subDims } from '../dim.ts'
import type { Call } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, stridesOf } from '../shape.ts'
import { reject } from './operands.ts'

export type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER'
const AUTO_PADS: readonly string[] = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER']

/** A window over the spatial axes; every list has one entry per spatial axis. */
export interface Window {
  readonly kernel: readonly Dim[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly autoPad: AutoPad
  /** Explicit padding; zero unless autoPad is NOTSET. */
  readonly begin: readonly number[]
  readonly end: readonly number[]
  readonly ceil: boolean
}

/** Reads the window attributes of a call; `kernel` comes from kernel_shape or the shape of the weights. */
export function windowOf(call: Call, kernel: readonly Dim[]): Window {
  const rank = kernel.length
  const strides = getInts(call.attributes, 'strides', null) ?? new Array<number>(rank).fill(1)
  const dilations = getInts(call.attributes, 'dilations', null) ?? new Array<number>(rank).fill(1)
  const autoPad = autoPadOf(call)
  const explicit = autoPad === 'NOTSET' ? getInts(call.attributes, 'pads', null) : null
  const pads = explicit ?? new Array<number>(2 * rank).fill(0)
  if (strides.length !== rank || dilations.length !== rank || pads.length !== 2 * rank)
    reject(call, `strides, dilations and pads for ${rank} spatial axes`, `[${strides}], [${dilations}], [${pads}]`)
  if (strides.some((s) => s < 1) || dilations.some((d) => d < 1))
    reject(call, 'strides and dilations of at least 1', `[${strides}], [${dilations}]`)
  const ceil = getInt(call.attributes, 'ceil_mode', 0) !== 0
  return { kernel, strides, dilations, autoPad, begin: pads.slice(0, rank), end: pads.slice(rank), ceil }
}

export function autoPadOf(call: Call): AutoPad {
  const name = getText(call.attributes, 'auto_pad', 'NOTSET')
  if (!AUTO_PADS.includes(name)) reject(call, `auto_pad to be one of ${AUTO_PADS.join(', ')}`, name)
  return name as AutoPad
}

/** Sizes of the output along the spatial axes. */
export function windowSizes(spatial: Shape, w: Window): Dim[] {
  return spatial.map((x, axis) => windowSize(x, w, axis))
}

function windowSize(x: Dim, w: Window, axis: number): Dim {
  const stride = w.strides[axis]!
  if (w.autoPad === 'SAME_UPPER' || w.autoPad === 'SAME_LOWER') return ceilDivDims(x, stride)
  const begin = w.begin[axis]!
  const end = w.end[axis]!
  const extent = extentOf(w, axis)
  const room = subDims(addDims(x, begin + end), extent)
  if (!w.ceil) return addDims(floorDivDims(room, stride), 1)
  // Rounding up may start the last window inside the end padding: that window is dropped, so the overhang is capped.
  if (typeof extent !== 'number') return addDims(ceilDivDims(room, stride), 1)
  const overhang = Math.min(end - extent + stride, 0)
  return ceilDivDims(addDims(x, begin + overhang), stride)
}

/** Elements from the first to the last tap of the kernel, both included. */
function extentOf(w: Window, axis: number): Dim {
  return addDims(mulDims(subDims(w.kernel[axis]!, 1), w.dilations[axis]!), 1)
}

/** Padding before the first element of each spatial axis, at concrete sizes. */
export function beginPads(spatial: ConcreteShape, out: ConcreteShape, w: Window): number[] {
  return spatial.map((x, axis) => {
    if (w.autoPad !== 'SAME_UPPER' && w.autoPad !== 'SAME_LOWER') return w.begin[axis]!
    const total = Math.max((out[axis]! - 1) * w.strides[axis]! + Number(extentOf(w, axis)) - x, 0)
    return w.autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
  })
}

/** Where the windows read. `taps[k * outCount + o]` is the row-major spatial offset that kernel position k reads for output
 * position o, or -1 in the padding. */
export interface Taps {
  readonly kernelCount: number
  readonly outCount: number
  readonly offsets: Int32Array
}

export interface TapGeometry {
  readonly spatial: ConcreteShape
  readonly kernel: ConcreteShape
  readonly out: ConcreteShape
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly begin: readonly number[]
}

export function windowTaps(g: TapGeometry): Taps {
  const kernelCount = elementCount(g.kernel)
  const outCount = elementCount(g.out)
  const offsets = new Int32Array(kernelCount * outCount)
  const inputStrides = stridesOf(g.spatial)
  for (let axis = 0; axis < g.spatial.length; axis++) addAxis(offsets, g, axis, inputStrides[axis]!)
  return { kernelCount, outCount, offsets }
}

/** Adds one axis' share to every offset; -1 once any axis is outside. */
function addAxis(offsets: Int32Array, g: TapGeometry, axis: number, inputStride: number): void {
  const size = g.spatial[axis]!
  const outInner = elementCount(g.out.slice(axis + 1))
  const kernelInner = elementCount(g.kernel.slice(axis + 1))
  const outCount = elementCount(g.out)
  const kernelCount = elementCount(g.kernel)
  for (let k = 0; k < kernelCount; k++) {
    const kernelAt = Math.floor(k / kernelInner) % g.kernel[axis]!
    const shift = kernelAt * g.dilations[axis]! - g.begin[axis]!
    for (let o = 0; o < outCount; o++) {
      const at = (Math.floor(o / outInner) % g.out[axis]!) * g.strides[axis]! + shift
      const to = k * outCount + o
      if (offsets[to]! >= 0) offsets[to] = at < 0 || at >= size ? -1 : offsets[to]! + at * inputStride
    }
  }
}

/** The taps of a call at concrete sizes. */
export function tapsOf(spatial: ConcreteShape, out: ConcreteShape, w: Window): Taps {
  const begin = beginPads(spatial, out, w)
  return windowTaps({
    spatial,
    kernel: w.kernel as ConcreteShape,
    out,
    strides: w.strides,
    dilations: w.dilations,
    begin,
  })
}

/** Whether the window reads exactly the element at its own output position along this axis. */
export function isPointwise(w: Window, axis: number): boolean {
  const unpadded = w.begin[axis] === 0 && w.end[axis] === 0
  return w.kernel[axis] === 1 && w.strides[axis] === 1 && unpadded
}
