// Pooling over regions of interest: RoiAlign samples bins bilinearly, MaxRoiPool takes the largest element of whole ones.
// Sources: ONNX RoiAlign-16, MaxRoiPool-1.
import { getFloat, getInt, getInts, getText } from '../attribute.ts'
import { bilinear, type Tap } from '../kernels/bilinear.ts'
import type { AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { elementCount, type Shape } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { arrayOf, axisOfSize, concrete, operandOfRank, reject, workOf } from './operands.ts'

/** X: [batch, channels, h, w], rois: [regions, 4] -> [regions, channels, height, width]. */
function roiAlignTypes(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 4)
  const regions = operandOfRank(call, 1, 2).shape[0]!
  const size = ['output_height', 'output_width'].map((name) => getInt(call.attributes, name, 1))
  return [{ dtype, shape: [regions, shape[1]!, ...size] }]
}

interface Bin {
  readonly taps: readonly Tap[][]
  readonly count: number
}

/** Sample points of every bin of one region. */
function binsOf(
  call: Call,
  roi: readonly number[],
  height: number,
  width: number,
  out: readonly [number, number],
): Bin[] {
  const scale = getFloat(call.attributes, 'spatial_scale', 1)
  const halfPixel =
    call.opset >= 16 && getText(call.attributes, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel'
  const [x1, y1, x2, y2] = roi.map((v) => v * scale - (halfPixel ? 0.5 : 0)) as [number, number, number, number]
  const least = halfPixel ? -Infinity : 1
  const binHeight = Math.max(y2 - y1, least) / out[0]
  const binWidth = Math.max(x2 - x1, least) / out[1]
  const ratio = getInt(call.attributes, 'sampling_ratio', 0)
  const [rows, columns] = [binHeight, binWidth].map((size) => (ratio > 0 ? ratio : Math.ceil(size))) as [number, number]
  return Array.from({ length: out[0] * out[1] }, (_, bin) => {
    const [top, left] = [y1 + Math.floor(bin / out[1]) * binHeight, x1 + (bin % out[1]) * binWidth]
    const taps = Array.from({ length: Math.max(rows * columns, 0) }, (_, s) => {
      const y = top + ((Math.floor(s / columns) + 0.5) * binHeight) / rows
      const x = left + (((s % columns) + 0.5) * binWidth) / columns
      if (y < -1 || y > height || x < -1 || x > width) return []
      return bilinear(Math.min(Math.max(y, 0), height - 1), Math.min(Math.max(x, 0), width - 1), height, width)
    })
    return { taps, count: Math.max(rows * columns, 1) }
  })
}

/** The mean over a bin's samples, or the largest weighted neighbour, which is what ONNX means by max. */
function poolBin(bin: Bin, x: Float64Array, plane: number, max: boolean): number {
  const terms = (taps: readonly Tap[]) => taps.map((t) => t.weight * x[plane + t.at]!)
  if (!max) return bin.taps.reduce((sum, taps) => sum + terms(taps).reduce((a, b) => a + b, 0), 0) / bin.count
  // A neighbour of weight zero counts as zero.
  const samples = bin.taps.map((taps) => Math.max(...terms(taps), ...(taps.length < 4 ? [0] : [])))
  return samples.length === 0 ? 0 : Math.max(...samples)
}

function evaluateRoiAlign(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const [x, rois, batches] = [0, 1, 2].map((i) => arrayOf(call, inputs, i)) as [NdArray, NdArray, NdArray]
  const shape = concrete(roiAlignTypes(call)[0])
  const [regions, channels, outHeight, outWidth] = shape as [number, number, number, number]
  const [height, width] = x.shape.slice(2) as [number, number]
  const max = getText(call.attributes, 'mode', 'avg') === 'max'
  const area = outHeight * outWidth
  const data = new Float64Array(elementCount(shape))
  for (let r = 0; r < regions; r++) {
    const bins = binsOf(call, Array.from(rois.data.subarray(4 * r, 4 * r + 4)), height, width, [outHeight, outWidth])
    for (let c = 0; c < channels; c++) {
      const plane = (batches.data[r]! * channels + c) * height * width
      bins.forEach((bin, i) => {
        data[(r * channels + c) * area + i] = poolBin(bin, x.data, plane, max)
      })
    }
  }
  return [{ dtype: x.dtype, shape, data }]
}

/** A channel is point-wise in X, a region in the regions. */
const roiSources = (out: Shape, axis: number, inputs: number): AxisSource[] => {
  const dim = out[axis]!
  const sources: AxisSource[] =
    axis === 0
      ? ['broadcast', axisOfSize(dim, 0), axisOfSize(dim, 0)]
      : axis === 1
        ? [axisOfSize(dim, 1), 'broadcast', 'broadcast']
        : ['mixed', 'mixed', 'mixed']
  return sources.slice(0, inputs)
}

const SAMPLES_WITHOUT_RATIO = 4

const roiAlign: Op = {
  name: 'RoiAlign',
  domain: '',
  sinceOpset: 10,
  attributes: {
    coordinate_transformation_mode: { kind: 'string', default: 'half_pixel' },
    mode: { kind: 'string', default: 'avg' },
    output_height: { kind: 'int', default: 1 },
    output_width: { kind: 'int', default: 1 },
    sampling_ratio: { kind: 'int', default: 0 },
    spatial_scale: { kind: 'float', default: 1 },
  },
  infer: roiAlignTypes,
  evaluate: evaluateRoiAlign,
  axes: (call) => roiAlignTypes(call)[0]!.shape.map((_, axis, out) => roiSources(out, axis, call.inputs.length)),
  linearIn: (call) => (getText(call.attributes, 'mode', 'avg') === 'avg' ? [0] : []),
  work: (call) => {
    const ratio = getInt(call.attributes, 'sampling_ratio', 0)
    const samples = ratio > 0 ? ratio * ratio : SAMPLES_WITHOUT_RATIO
    return workOf(call, roiAlignTypes(call), 8 * samples * elementCount(concrete(roiAlignTypes(call)[0])))
  },
}

/** X: [batch, channels, h, w], rois: [regions, 5] -> [regions, channels, ...pooled_shape]. */
function maxRoiTypes(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 4)
  const size = getInts(call.attributes, 'pooled_shape', null) ?? reject(call, 'pooled_shape', 'none')
  return [{ dtype, shape: [operandOfRank(call, 1, 2).shape[0]!, shape[1]!, ...size] }]
}

function evaluateMaxRoi(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const [x, rois] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
  const shape = concrete(maxRoiTypes(call)[0])
  const [, channels, outHeight, outWidth] = shape as [number, number, number, number]
  const [height, width] = x.shape.slice(2) as [number, number]
  const scale = getFloat(call.attributes, 'spatial_scale', 1)
  const clip = (v: number, size: number) => Math.min(Math.max(v, 0), size)
  const data = Float64Array.from({ length: elementCount(shape) }, (_, at) => {
    const [column, row] = [at % outWidth, Math.floor(at / outWidth) % outHeight]
    const plane = Math.floor(at / (outWidth * outHeight))
    const [r, c] = [Math.floor(plane / channels), plane % channels]
    const [batch, x1, y1, x2, y2] = Array.from(rois.data.subarray(5 * r, 5 * r + 5), (v, i) =>
      i === 0 ? v : Math.round(v * scale),
    ) as [number, number, number, number, number]
    const binHeight = Math.max(y2 - y1 + 1, 1) / outHeight
    const binWidth = Math.max(x2 - x1 + 1, 1) / outWidth
    const rows = [Math.floor(row * binHeight), Math.ceil((row + 1) * binHeight)].map((v) => clip(v + y1, height))
    const columns = [Math.floor(column * binWidth), Math.ceil((column + 1) * binWidth)].map((v) => clip(v + x1, width))
    let best = -Infinity
    for (let i = rows[0]!; i < rows[1]!; i++) {
      for (let j = columns[0]!; j < columns[1]!; j++) {
        best = Math.max(best, x.data[((batch * channels + c) * height + i) * width + j]!)
      }
    }
    return best === -Infinity ? 0 : best
  })
  return [{ dtype: x.dtype, shape, data }]
}

const maxRoiPool: Op = {
  name: 'MaxRoiPool',
  domain: '',
  sinceOpset: 1,
  attributes: { pooled_shape: { kind: 'ints' }, spatial_scale: { kind: 'float', default: 1 } },
  infer: maxRoiTypes,
  evaluate: evaluateMaxRoi,
  axes: (call) => maxRoiTypes(call)[0]!.shape.map((_, axis, out) => roiSources(out, axis, call.inputs.length)),
}

export const regionOps: readonly Op[] = [roiAlign, maxRoiPool]
