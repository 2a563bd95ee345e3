// Resize (opset 10 to 19) and Upsample: resampling, axis by axis. Linear in X; an axis that keeps its size is point-wise.
// Sizes come from `scales` or `sizes`; without knowing them the shape is unknown.
import { getFloat, getInt, getInts, getText } from '../attribute.ts'
import { type Dim, dimEquals, floorDivDims, mulDims } from '../dim.ts'
import { isFloat } from '../dtype.ts'
import {
  type AxisResize,
  applyTaps,
  axisTaps,
  type Coordinates,
  type Interpolation,
  type Nearest,
} from '../kernels/interpolate.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape } from '../shape.ts'
import { type NdArray, type TensorType, toNdArray } from '../tensor.ts'
import { storeAs, withContents } from './define.ts'
import { arrayOf, axisOfSize, concrete, normalizeAxis, operand, reject, workOf } from './operands.ts'

/** Values of an input, or null where they are not known (or the input is left out or empty). */
type Values = (index: number) => readonly Dim[] | null

const constantValues =
  (call: Call): Values =>
  (index) => {
    const tensor = call.constants[index]
    return tensor ? Array.from(toNdArray(tensor).data) : (call.contents[index] ?? null)
  }

/** Inputs that hold numbers, by version: [X, scales] up to opset 10, [X, roi, scales, sizes] since 11. */
function parameter(call: Call, values: Values, name: 'roi' | 'scales' | 'sizes'): readonly Dim[] | null {
  if (call.op === 'Upsample') return name === 'scales' ? upsampleScales(call, values) : null
  const at = call.opset < 11 ? { roi: null, scales: 1, sizes: null } : { roi: 1, scales: 2, sizes: 3 }
  const index = at[name]
  const found = index === null ? null : values(index)
  return found && found.length > 0 ? found : null
}

function upsampleScales(call: Call, values: Values): readonly Dim[] | null {
  const a = call.attributes
  if (a.scales?.kind === 'floats') return a.scales.value
  const [height, width] = [getFloat(a, 'height_scale', null), getFloat(a, 'width_scale', null)]
  return height !== null && width !== null ? [1, 1, height, width] : values(1)
}

/** Axes that scales, sizes and roi speak of, in order. */
function axesOf(call: Call, rank: number): readonly number[] {
  const axes = getInts(call.attributes, 'axes', null)
  return axes ? axes.map((axis) => normalizeAxis(call, axis, rank)) : Array.from({ length: rank }, (_, axis) => axis)
}

interface AxisPlan {
  readonly out: Dim
  /** null: not a number yet. */
  readonly scale: number | null
  readonly roi: readonly [number, number]
}
type Scaled = Pick<AxisPlan, 'out' | 'scale'>

/** What becomes of every axis, or null where that hangs on unknown values. */
function planOf(call: Call, values: Values): readonly AxisPlan[] | null {
  const x = operand(call, 0).shape
  const axes = axesOf(call, x.length)
  const scales = parameter(call, values, 'scales')
  const sizes = parameter(call, values, 'sizes')
  const crops = coordinatesOf(call) === 'tf_crop_and_resize'
  const roi = crops ? parameter(call, values, 'roi') : null
  if ((!scales && !sizes) || (crops && !roi)) return null
  const count = (scales ?? sizes)!.length
  if (count !== axes.length) reject(call, `${axes.length} scales or sizes`, String(count))
  const wanted = scales ? axes.map((axis, i) => byScale(call, x[axis]!, scales[i]!)) : bySizes(call, axes, x, sizes!)
  const plan: AxisPlan[] = x.map((out) => ({ out, scale: 1, roi: [0, 1] }))
  for (const [i, axis] of axes.entries()) {
    const scaled = wanted?.[i]
    if (!scaled) return null
    const region: [number, number] = roi ? [Number(roi[i]), Number(roi[i + axes.length])] : [0, 1]
    plan[axis] = { ...(crops && scales ? cropped(x[axis]!, scaled, region) : scaled), roi: region }
  }
  return plan
}

function byScale(call: Call, dim: Dim, scale: Dim): Scaled | null {
  if (typeof scale !== 'number' || !(scale > 0)) return reject(call, 'scales above 0', String(scale))
  const out = scaledDim(dim, scale)
  return out === null ? null : { out, scale }
}

/** The size that is asked for is that of the region of interest. */
function cropped(dim: Dim, scaled: Scaled, [start, end]: readonly [number, number]): Scaled {
  return typeof dim === 'number' ? { ...scaled, out: Math.floor(dim * (end - start) * scaled.scale!) } : scaled
}

const LARGEST_DENOMINATOR = 16
const TRUSTED_SIZE = 4096

/** floor(dim * scale) in float32; symbolic where the scale is a fraction, else null. */
function scaledDim(dim: Dim, scale: number): Dim | null {
  const product = (x: number) => Math.floor(Math.fround(Math.fround(scale) * x))
  if (typeof dim === 'number') return product(dim)
  for (let q = 1; q <= LARGEST_DENOMINATOR; q++) {
    const p = Math.round(scale * q)
    if (Math.fround(p / q) !== Math.fround(scale)) continue
    for (let x = 1; x <= TRUSTED_SIZE; x++) if (product(x) !== Math.floor((x * p) / q)) return null
    return floorDivDims(mulDims(dim, p), q)
  }
  return null
}

/** Sizes as given, or fitted to keep the aspect ratio. */
function bySizes(call: Call, axes: readonly number[], x: Shape, sizes: readonly Dim[]): readonly Scaled[] | null {
  const ratio = (i: number) => {
    const [from, to] = [x[axes[i]!]!, sizes[i]!]
    return typeof from === 'number' && typeof to === 'number' ? to / from : dimEquals(from, to) ? 1 : null
  }
  const policy = getText(call.attributes, 'keep_aspect_ratio_policy', 'stretch')
  if (policy === 'stretch') return sizes.map((out, i) => ({ out, scale: ratio(i) }))
  const ratios = sizes.map((_, i) => ratio(i))
  if (ratios.includes(null)) return null
  const scale = policy === 'not_larger' ? Math.min(...(ratios as number[])) : Math.max(...(ratios as number[]))
  return axes.map((axis) => ({ out: Math.floor(scale * (x[axis] as number) + 0.5), scale }))
}

function coordinatesOf(call: Call): Coordinates {
  if (call.op === 'Upsample' || call.opset < 11) return 'asymmetric'
  return getText(call.attributes, 'coordinate_transformation_mode', 'half_pixel') as Coordinates
}

function interpolationOf(call: Call): Interpolation {
  const mode = getText(call.attributes, 'mode', 'nearest')
  const legacy = call.op === 'Upsample' || call.opset < 11
  return {
    // Upsample-1 and -7 also say bilinear.
    mode: mode === 'bilinear' ? 'linear' : (mode as Interpolation['mode']),
    coordinates: coordinatesOf(call),
    nearest: legacy ? 'simple' : (getText(call.attributes, 'nearest_mode', 'round_prefer_floor') as Nearest),
    cubicA: getFloat(call.attributes, 'cubic_coeff_a', -0.75),
    excludeOutside: getInt(call.attributes, 'exclude_outside', 0) !== 0,
    antialias: getInt(call.attributes, 'antialias', 0) !== 0,
  }
}

function typesOf(call: Call, values: Values = constantValues(call)): (TensorType | null)[] {
  const plan = planOf(call, values)
  return [plan && { dtype: operand(call, 0).dtype, shape: plan.map((p) => p.out) }]
}

/** An axis whose elements stay where they are. */
const keepsAxis = (call: Call, dim: Dim, plan: AxisPlan): boolean =>
  plan.scale === 1 && dimEquals(dim, plan.out) && coordinatesOf(call) !== 'tf_crop_and_resize'

function axisMapOf(call: Call): AxisMap | null {
  const plan = planOf(call, constantValues(call))
  if (!plan) return null
  return operand(call, 0).shape.map((dim, axis) => {
    const source = keepsAxis(call, dim, plan[axis]!) ? axisOfSize(dim, axis) : 'mixed'
    return call.inputs.map((_, i): AxisSource => (i === 0 ? source : 'broadcast'))
  })
}

/** Sizes (unlike scales) would have to change with the axis they speak of. */
function resizesBySizes(call: Call, axis: number): boolean {
  const values = constantValues(call)
  const sized = parameter(call, values, 'sizes') !== null && parameter(call, values, 'scales') === null
  return sized && axesOf(call, operand(call, 0).shape.length).includes(axis)
}

function evaluate(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const values: Values = (index) => (inputs[index] ? Array.from(inputs[index].data) : null)
  const plan = planOf(withContents(call, inputs), values)
  if (!plan) return reject(call, 'scales, sizes or (for tf_crop_and_resize) a region of interest', 'none')
  const how = interpolationOf(call)
  const outside = getFloat(call.attributes, 'extrapolation_value', 0)
  const shape = [...x.shape]
  let data = x.data
  plan.forEach((p, axis) => {
    if (keepsAxis(call, shape[axis]!, p)) return
    const resize: AxisResize = { from: shape[axis]!, to: p.out as number, scale: p.scale!, roi: p.roi }
    const [outer, inner] = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis + 1))]
    data = applyTaps(data, outer, resize.from, inner, axisTaps(resize, how), Number.NaN)
    shape[axis] = resize.to
  })
  // Outside is outside along any axis: marked by NaN on the way, so that no later axis blends it away.
  const filled = how.coordinates === 'tf_crop_and_resize' ? data.map((v) => (Number.isNaN(v) ? outside : v)) : data
  return [{ dtype: x.dtype, shape, data: storedResize(x.dtype, filled) }]
}

/** Integer outputs truncate, as ONNX Runtime's do. */
const storedResize = (dtype: NdArray['dtype'], data: Float64Array): Float64Array =>
  isFloat(dtype) ? data : data.map((v) => storeAs(dtype, v))

/** A multiply-add per tap; a nearest neighbour is a move. */
function flopsOf(call: ConcreteCall, out: ConcreteShape): number {
  const resized = operand(call, 0).shape.filter((d, axis) => d !== out[axis]).length
  const { mode } = interpolationOf(call)
  const perElement = mode === 'nearest' ? 1 : 2 * (mode === 'linear' ? 2 : 4) ** resized
  return perElement * elementCount(out)
}

const resizeRecord = (name: 'Resize' | 'Upsample', sinceOpset: number, attributes: Op['attributes']): Op => ({
  name,
  domain: '',
  sinceOpset,
  attributes: { mode: { kind: 'string', default: 'nearest' }, ...attributes },
  infer: (call) => typesOf(call),
  evaluate,
  axes: axisMapOf,
  linearIn: (call) => {
    const fills =
      coordinatesOf(call) === 'tf_crop_and_resize' && getFloat(call.attributes, 'extrapolation_value', 0) !== 0
    return fills ? [] : [0]
  },
  resize: (call, axis) => (resizesBySizes(call, axis) ? null : call.attributes),
  work: (call) => {
    const types = typesOf(call)
    return workOf(call, types, types[0] ? flopsOf(call, concrete(types[0])) : 0)
  },
})

export const resizeOps: readonly Op[] = [
  resizeRecord('Resize', 10, {
    antialias: { kind: 'int', default: 0 },
    axes: { kind: 'ints' },
    coordinate_transformation_mode: { kind: 'string', default: 'half_pixel' },
    cubic_coeff_a: { kind: 'float', default: -0.75 },
    exclude_outside: { kind: 'int', default: 0 },
    extrapolation_value: { kind: 'float', default: 0 },
    keep_aspect_ratio_policy: { kind: 'string', default: 'stretch' },
    nearest_mode: { kind: 'string', default: 'round_prefer_floor' },
  }),
  resizeRecord('Upsample', 1, {
    scales: { kind: 'floats' },
    height_scale: { kind: 'float' },
    width_scale: { kind: 'float' },
  }),
]
