// Pooling: a window (or the whole plane) of each channel becomes one number. Batch and channel are point-wise; averages are
// linear. Sources: ONNX MaxPool, AveragePool, LpPool and their Global forms; corner cases as ONNX Runtime answers them.
import { getInt, getInts } from '../attribute.ts'
import type { AttributeSpec, AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { arrayOf, axisOfSize, concrete, operandOfRank, reject, workOf } from './operands.ts'
import { beginPads, isPointwise, type Taps, tapsOf, type Window, windowOf, windowSizes } from './window.ts'

const windowAttributes: Readonly<Record<string, AttributeSpec>> = {
  auto_pad: { kind: 'string', default: 'NOTSET' },
  ceil_mode: { kind: 'int', default: 0 },
  dilations: { kind: 'ints' },
  kernel_shape: { kind: 'ints' },
  pads: { kind: 'ints' },
  strides: { kind: 'ints' },
}

interface PoolGeometry {
  readonly x: Shape
  readonly window: Window
  readonly out: Shape
}

export function poolGeometry(call: Call): PoolGeometry {
  const x = operandOfRank(call, 0, 3, true).shape
  const kernel = getInts(call.attributes, 'kernel_shape', null) ?? reject(call, 'kernel_shape', 'none')
  if (kernel.length !== x.length - 2) reject(call, `kernel_shape of ${x.length - 2} sizes`, `[${kernel}]`)
  const window = windowOf(call, kernel)
  return { x, window, out: [x[0]!, x[1]!, ...windowSizes(x.slice(2), window)] }
}

export function poolTypes(call: Call): TensorType[] {
  const { out } = poolGeometry(call)
  const value: TensorType = { dtype: operandOfRank(call, 0, 3, true).dtype, shape: out }
  return call.outputCount > 1 ? [value, { dtype: 'int64', shape: out }] : [value]
}

function poolAxes(call: Call): AxisMap {
  const { x, window } = poolGeometry(call)
  return x.map((dim, axis): AxisSource[] => [
    axis < 2 || isPointwise(window, axis - 2) ? axisOfSize(dim, axis) : 'mixed',
  ])
}

/** One flop per tap. */
const poolFlops = (call: ConcreteCall): number => {
  const { out, window } = poolGeometry(call)
  return elementCount(out as ConcreteShape) * elementCount(window.kernel as ConcreteShape)
}

interface Plane {
  readonly x: Float64Array
  readonly start: number
  readonly taps: Taps
}

/** Calls `reduce` for every output element and returns what it answered. */
function reducePlanes(
  call: ConcreteCall,
  x: NdArray,
  reduce: (plane: Plane, position: number, to: number) => number,
): NdArray {
  const { out, window } = poolGeometry(call)
  const shape = out as ConcreteShape
  const spatial = x.shape.slice(2)
  const taps = tapsOf(spatial, shape.slice(2), window)
  const area = elementCount(spatial)
  const data = new Float64Array(elementCount(shape))
  for (let plane = 0, to = 0; to < data.length; plane++) {
    const p: Plane = { x: x.data, start: plane * area, taps }
    for (let o = 0; o < taps.outCount; o++, to++) data[to] = reduce(p, o, to)
  }
  return { dtype: x.dtype, shape, data }
}

/** Folds the taps of one window; the padding is skipped. */
function foldWindow(p: Plane, o: number, start: number, step: (sum: number, x: number) => number): number {
  let sum = start
  for (let k = o; k < p.taps.offsets.length; k += p.taps.outCount) {
    const tap = p.taps.offsets[k]!
    if (tap >= 0) sum = step(sum, p.x[p.start + tap]!)
  }
  return sum
}

/** Tap of the first largest element of the window, or -1 if all of it is padding. */
function argMaxWindow(p: Plane, o: number): number {
  let best = -1
  for (let k = o; k < p.taps.offsets.length; k += p.taps.outCount) {
    const tap = p.taps.offsets[k]!
    if (tap >= 0 && (best < 0 || p.x[p.start + tap]! > p.x[p.start + best]!)) best = tap
  }
  return best
}

/** Position in a plane counted with the first spatial axis fastest (storage_order 1). */
function columnMajor(tap: number, spatial: ConcreteShape): number {
  const strides = stridesOf(spatial)
  const back = stridesOf([...spatial].reverse()).reverse()
  return spatial.reduce((sum, size, axis) => sum + (Math.floor(tap / strides[axis]!) % size) * back[axis]!, 0)
}

function evaluateMaxPool(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const byColumns = getInt(call.attributes, 'storage_order', 0) === 1
  const spatial = x.shape.slice(2)
  const indices = new Float64Array(elementCount(concrete(poolTypes(call)[0])))
  const values = reducePlanes(call, x, (p, o, to) => {
    const best = argMaxWindow(p, o)
    indices[to] = best < 0 ? -1 : p.start + (byColumns ? columnMajor(best, spatial) : best)
    return best < 0 ? -Infinity : p.x[p.start + best]!
  })
  return call.outputCount > 1 ? [values, { dtype: 'int64', shape: values.shape, data: indices }] : [values]
}

const maxPool: Op = {
  name: 'MaxPool',
  domain: '',
  sinceOpset: 1,
  attributes: { ...windowAttributes, storage_order: { kind: 'int', default: 0 } },
  infer: poolTypes,
  evaluate: evaluateMaxPool,
  axes: poolAxes,
  work: (call) => workOf(call, poolTypes(call), poolFlops(call)),
}

/** How many kernel positions of each window lie inside the explicitly padded input; more only through ceil_mode. */
function paddedCounts(spatial: ConcreteShape, out: ConcreteShape, w: Window): Float64Array {
  const begin = beginPads(spatial, out, w)
  const same = w.autoPad === 'SAME_UPPER' || w.autoPad === 'SAME_LOWER'
  let counts = new Float64Array([1])
  out.forEach((size, axis) => {
    const limit = same ? Infinity : spatial[axis]! + w.end[axis]!
    const along = Float64Array.from({ length: size }, (_, o) => {
      const first = o * w.strides[axis]! - begin[axis]!
      const room = Math.ceil((limit - first) / w.dilations[axis]!)
      return Math.min(w.kernel[axis] as number, room)
    })
    counts = Float64Array.from(
      { length: counts.length * size },
      (_, i) => counts[Math.floor(i / size)]! * along[i % size]!,
    )
  })
  return counts
}

function evaluateAveragePool(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const { out, window } = poolGeometry(call)
  const includePadding = getInt(call.attributes, 'count_include_pad', 0) !== 0
  const counts = includePadding ? paddedCounts(x.shape.slice(2), out.slice(2) as ConcreteShape, window) : null
  const count = (p: Plane, o: number) => counts?.[o] ?? foldWindow(p, o, 0, (n) => n + 1)
  return [reducePlanes(call, x, (p, o) => foldWindow(p, o, 0, (sum, v) => sum + v) / count(p, o))]
}

const averagePool: Op = {
  name: 'AveragePool',
  domain: '',
  sinceOpset: 1,
  attributes: { ...windowAttributes, count_include_pad: { kind: 'int', default: 0 } },
  infer: poolTypes,
  evaluate: evaluateAveragePool,
  axes: poolAxes,
  linearIn: () => [0],
  work: (call) => workOf(call, poolTypes(call), poolFlops(call)),
}

/** The exponent: an int since opset 2, a float in opset 1. */
function exponentOf(call: Call): number {
  const p = call.attributes.p
  return p?.kind === 'float' || p?.kind === 'int' ? Number(p.value) : 2
}

const lpPool: Op = {
  name: 'LpPool',
  domain: '',
  sinceOpset: 1,
  attributes: { ...windowAttributes, p: { kind: 'int', default: 2 } },
  infer: poolTypes,
  evaluate: (call, inputs) => {
    const p = exponentOf(call)
    const power = (plane: Plane, o: number) => foldWindow(plane, o, 0, (sum, v) => sum + Math.abs(v) ** p)
    return [reducePlanes(call, arrayOf(call, inputs, 0), (plane, o) => power(plane, o) ** (1 / p))]
  },
  axes: poolAxes,
  work: (call) => workOf(call, poolTypes(call), 2 * poolFlops(call)),
}

/** [batch, channels, 1, ...]. */
export function globalPoolTypes(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 2, true)
  return [{ dtype, shape: shape.map((d, axis) => (axis < 2 ? d : 1)) }]
}

function globalPoolAxes(call: Call): AxisMap {
  const { shape } = operandOfRank(call, 0, 2, true)
  return shape.map((dim, axis): AxisSource[] => [axis < 2 || dim === 1 ? axisOfSize(dim, axis) : 'mixed'])
}

function evaluateGlobal(call: ConcreteCall, x: NdArray, reduce: (plane: Float64Array) => number): NdArray[] {
  const shape = concrete(globalPoolTypes(call)[0])
  const area = elementCount(x.shape.slice(2))
  const data = Float64Array.from({ length: elementCount(shape) }, (_, i) =>
    reduce(x.data.subarray(i * area, (i + 1) * area)),
  )
  return [{ dtype: x.dtype, shape, data }]
}

interface GlobalPool {
  readonly name: string
  readonly linear: boolean
  readonly attributes: Readonly<Record<string, AttributeSpec>>
  reduce(plane: Float64Array, call: Call): number
}

const globalPool = (spec: GlobalPool): Op => ({
  name: spec.name,
  domain: '',
  sinceOpset: 1,
  attributes: spec.attributes,
  infer: globalPoolTypes,
  evaluate: (call, inputs) => evaluateGlobal(call, arrayOf(call, inputs, 0), (plane) => spec.reduce(plane, call)),
  axes: globalPoolAxes,
  linearIn: () => (spec.linear ? [0] : []),
  work: (call) => workOf(call, globalPoolTypes(call), elementCount(concrete(call.inputs[0]))),
})

const sum = (plane: Float64Array): number => plane.reduce((total, x) => total + x, 0)

export const poolOps: readonly Op[] = [
  maxPool,
  averagePool,
  lpPool,
  globalPool({ name: 'GlobalAveragePool', linear: true, attributes: {}, reduce: (plane) => sum(plane) / plane.length }),
  globalPool({
    name: 'GlobalMaxPool',
    linear: false,
    attributes: {},
    reduce: (plane) => plane.reduce((best, x) => (x > best || Number.isNaN(x) ? x : best), -Infinity),
  }),
  globalPool({
    name: 'GlobalLpPool',
    linear: false,
    attributes: { p: { kind: 'int', default: 2 } },
    reduce: (plane, call) => {
      const p = exponentOf(call)
      return plane.reduce((total, x) => total + Math.abs(x) ** p, 0) ** (1 / p)
    },
  }),
]
