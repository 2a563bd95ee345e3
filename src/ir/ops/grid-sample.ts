// Sampling at given positions: GridSample (any number of spatial axes), and AffineGrid, which makes such positions.
// Linear in X; batch and channel are point-wise, and so is every output position in the grid. Source: ONNX GridSample-20.
import { getInt, getText } from '../attribute.ts'
import type { AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { contentsOf } from './contents.ts'
import { withContents } from './define.ts'
import { roundHalfEven } from './elementwise-math.ts'
import { arrayOf, axisOfSize, concrete, operandOfRank, reject, unify, workOf } from './operands.ts'

type Padding = 'zeros' | 'border' | 'reflection'
interface Sampling {
  readonly mode: 'nearest' | 'linear' | 'cubic'
  readonly padding: Padding
  readonly alignCorners: boolean
}

function samplingOf(call: Call): Sampling {
  const names: Readonly<Record<string, Sampling['mode']>> = { bilinear: 'linear', bicubic: 'cubic' }
  const mode = getText(call.attributes, 'mode', 'linear')
  return {
    mode: names[mode] ?? (mode as Sampling['mode']),
    padding: getText(call.attributes, 'padding_mode', 'zeros') as Padding,
    alignCorners: getInt(call.attributes, 'align_corners', 0) !== 0,
  }
}

/** X: [batch, channels, ...d], grid: [batch, ...out, rank of d] -> [batch, channels, ...out]. */
function typesOf(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 3, true)
  const grid = operandOfRank(call, 1, shape.length).shape
  const batch = unify(call, shape[0]!, grid[0]!, 'batch sizes')
  unify(call, grid.at(-1)!, shape.length - 2, 'coordinates per position')
  return [{ dtype, shape: [batch, shape[1]!, ...grid.slice(1, -1)] }]
}

/** Reflects at the borders until inside; a border may lie half a pixel outside. */
function reflect(x: number, low: number, high: number): number {
  const range = high - low
  if (range === 0) return low
  const outside = x < low ? low - x : x - high
  if (outside <= 0) return x
  const turns = Math.trunc(outside / range)
  const rest = outside - turns * range
  return x < low === (turns % 2 === 0) ? low + rest : high - rest
}

interface Axis {
  readonly size: number
  readonly low: number
  readonly high: number
}

function axisOf(size: number, alignCorners: boolean): Axis {
  return alignCorners ? { size, low: 0, high: size - 1 } : { size, low: -0.5, high: size - 0.5 }
}

/** Position in elements of a coordinate in [-1, 1]. */
function denormalize(n: number, { size }: Axis, { alignCorners }: Sampling): number {
  return Math.fround(alignCorners ? ((n + 1) / 2) * (size - 1) : ((n + 1) * size - 1) / 2)
}

/** A whole position inside the axis, or -1 for padding that counts as zero. */
function inside(i: number, axis: Axis, padding: Padding): number {
  if (i >= 0 && i < axis.size) return i
  if (padding === 'zeros') return -1
  if (padding === 'border') return Math.min(Math.max(i, 0), axis.size - 1)
  return Math.trunc(reflect(i, axis.low, axis.high))
}

/** Keys' cubic convolution with a = -0.75, at the taps -1, 0, 1, 2 around a fraction t. */
function cubicWeights(t: number): number[] {
  const a = -0.75
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1
  return [far(t + 1), near(t), near(1 - t), far(2 - t)]
}

interface Weighted {
  readonly index: number
  readonly weight: number
}

/** Taps along one axis. */
function axisTaps(normalized: number, axis: Axis, how: Sampling): Weighted[] {
  let x = denormalize(normalized, axis, how)
  if (how.mode === 'nearest') x = roundHalfEven(x)
  // Cubic looks up its four taps one by one instead, as PyTorch and ONNX Runtime do.
  if (how.mode !== 'cubic' && (x < axis.low || x > axis.high)) {
    if (how.padding === 'border') x = Math.min(Math.max(x, 0), axis.size - 1)
    else if (how.padding === 'reflection') x = reflect(x, axis.low, axis.high)
  }
  if (how.mode === 'nearest') return [{ index: inside(Math.trunc(x), axis, how.padding), weight: 1 }]
  const floor = Math.floor(x)
  const first = how.mode === 'linear' ? floor : floor - 1
  const weights = how.mode === 'linear' ? [1 - (x - floor), x - floor] : cubicWeights(x - floor)
  return weights.map((weight, k) => ({ index: inside(first + k, axis, how.padding), weight }))
}

/** Taps over all axes as offsets into a plane; zeros are left out. */
function planeTaps(position: readonly number[], spatial: ConcreteShape, how: Sampling): Weighted[] {
  const strides = stridesOf(spatial)
  let taps: Weighted[] = [{ index: 0, weight: 1 }]
  spatial.forEach((size, axis) => {
    // The grid lists coordinates last axis first.
    const along = axisTaps(position[spatial.length - 1 - axis]!, axisOf(size, how.alignCorners), how)
    taps = taps.flatMap((tap) =>
      along.flatMap(({ index, weight }) =>
        index < 0 ? [] : [{ index: tap.index + index * strides[axis]!, weight: tap.weight * weight }],
      ),
    )
  })
  return taps
}

function evaluate(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const [x, grid] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
  const how = samplingOf(call)
  const shape = concrete(typesOf(call)[0])
  const [batch, channels] = shape as [number, number]
  const spatial = x.shape.slice(2)
  const [area, outArea] = [elementCount(spatial), elementCount(shape.slice(2))]
  const data = new Float64Array(elementCount(shape))
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outArea; o++) {
      const at = (n * outArea + o) * spatial.length
      const taps = planeTaps(Array.from(grid.data.subarray(at, at + spatial.length)), spatial, how)
      for (let c = 0; c < channels; c++) {
        const plane = (n * channels + c) * area
        const value = taps.reduce((sum, tap) => sum + tap.weight * x.data[plane + tap.index]!, 0)
        data[(n * channels + c) * outArea + o] = value
      }
    }
  }
  return [{ dtype: x.dtype, shape, data }]
}

const TAPS_PER_AXIS = { nearest: 1, linear: 2, cubic: 4 } as const

const gridSample: Op = {
  name: 'GridSample',
  domain: '',
  sinceOpset: 16,
  attributes: {
    align_corners: { kind: 'int', default: 0 },
    mode: { kind: 'string', default: 'linear' },
    padding_mode: { kind: 'string', default: 'zeros' },
  },
  infer: typesOf,
  evaluate,
  axes: (call) =>
    typesOf(call)[0]!.shape.map((dim, axis): AxisSource[] => {
      if (axis === 0) return [axisOfSize(dim, 0), axisOfSize(dim, 0)]
      if (axis === 1) return [axisOfSize(dim, 1), 'broadcast']
      return ['broadcast', axisOfSize(dim, axis - 1)]
    }),
  linearIn: () => [0],
  work: (call) => {
    const shape = concrete(typesOf(call)[0])
    const taps = TAPS_PER_AXIS[samplingOf(call).mode] ** (shape.length - 2)
    return workOf(call, typesOf(call), 2 * taps * elementCount(shape))
  },
}

/** theta: [batch, r, r + 1], size: [batch, channels, ...d] -> [batch, ...d, r]. */
function affineTypes(call: Call): (TensorType | null)[] {
  const theta = operandOfRank(call, 0, 3)
  const size = contentsOf(call, 1)
  if (!size) return [null]
  const spatial = size.slice(2)
  unify(call, theta.shape[1]!, spatial.length, 'spatial axes of theta and size')
  return [{ dtype: theta.dtype, shape: [size[0]!, ...spatial, spatial.length] }]
}

function evaluateAffine(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const theta = arrayOf(call, inputs, 0)
  const type = affineTypes(withContents(call, inputs))[0]
  if (!type) return reject(call, 'a size', 'none')
  const shape = concrete(type)
  const spatial = shape.slice(1, -1)
  const rank = spatial.length
  const corners = getInt(call.attributes, 'align_corners', 0) !== 0
  const strides = stridesOf(spatial)
  const coordinate = (o: number, axis: number) => {
    const i = Math.floor(o / strides[axis]!) % spatial[axis]!
    return corners ? -1 + (2 * i) / (spatial[axis]! - 1) : -1 + (2 * i + 1) / spatial[axis]!
  }
  const area = elementCount(spatial)
  const data = Float64Array.from({ length: elementCount(shape) }, (_, at) => {
    const [row, o, n] = [at % rank, Math.floor(at / rank) % area, Math.floor(at / (rank * area))]
    const start = (n * rank + row) * (rank + 1)
    let sum = theta.data[start + rank]!
    for (let k = 0; k < rank; k++) sum += theta.data[start + k]! * coordinate(o, rank - 1 - k)
    return sum
  })
  return [{ dtype: theta.dtype, shape, data }]
}

const affineGrid: Op = {
  name: 'AffineGrid',
  domain: '',
  sinceOpset: 20,
  attributes: { align_corners: { kind: 'int', default: 0 } },
  infer: affineTypes,
  evaluate: evaluateAffine,
  linearIn: () => [0],
  work: (call) => {
    const types = affineTypes(call)
    const out = types[0] ? elementCount(concrete(types[0])) : 0
    return workOf(call, types, 2 * (concrete(call.inputs[0])[2] ?? 0) * out)
  },
}

export const gridSampleOps: readonly Op[] = [gridSample, affineGrid]
