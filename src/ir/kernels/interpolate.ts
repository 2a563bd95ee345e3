// Resampling along one axis: for every output coordinate, which input coordinates count and how much. Resize is separable, so
// these maps are all there is to it. Source: ONNX Resize-19; coordinates in float32 steps, as ONNX Runtime computes them, since
// nearest neighbours hang on the last bit.

export type Coordinates =
  | 'half_pixel'
  | 'half_pixel_symmetric'
  | 'pytorch_half_pixel'
  | 'align_corners'
  | 'asymmetric'
  | 'tf_half_pixel_for_nn'
  | 'tf_crop_and_resize'
export type Nearest = 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil' | 'simple'

/** How one axis is resampled. */
export interface AxisResize {
  readonly from: number
  readonly to: number
  readonly scale: number
  readonly roi: readonly [number, number]
}
export interface Interpolation {
  readonly mode: 'nearest' | 'linear' | 'cubic'
  readonly coordinates: Coordinates
  readonly nearest: Nearest
  readonly cubicA: number
  readonly excludeOutside: boolean
  readonly antialias: boolean
}

/** Input coordinates and weights of one output coordinate; null where it lies outside the region of interest. */
export interface Tap {
  readonly indices: readonly number[]
  readonly weights: readonly number[]
}

const f = Math.fround

/** The input coordinate that output coordinate x stands for. */
export function sourceCoordinate(x: number, axis: AxisResize, kind: Coordinates): number {
  const { from, to, roi } = axis
  const scale = f(axis.scale)
  const halfPixel = () => f(f(f(x + 0.5) / scale) - 0.5)
  switch (kind) {
    case 'half_pixel':
      return halfPixel()
    case 'half_pixel_symmetric': {
      const adjustment = f(to / f(scale * from))
      return f(f(f(from / 2) * f(1 - adjustment)) + halfPixel())
    }
    case 'pytorch_half_pixel':
      return to > 1 ? halfPixel() : 0
    case 'align_corners':
      return to === 1 ? 0 : f(f(x * (from - 1)) / (to - 1))
    case 'asymmetric':
      return f(x / scale)
    case 'tf_half_pixel_for_nn':
      return f(f(x + 0.5) / scale)
    case 'tf_crop_and_resize': {
      const [start, end] = roi
      if (to <= 1) return f(0.5 * f(start + end) * (from - 1))
      return f(f(start * (from - 1)) + f(f(x * f(end - start) * (from - 1)) / (to - 1)))
    }
    default:
      return kind satisfies never
  }
}

/** Taps of every output coordinate along an axis. */
export function axisTaps(axis: AxisResize, how: Interpolation): (Tap | null)[] {
  const identity = axis.from === axis.to && axis.scale === 1 && how.coordinates !== 'tf_crop_and_resize'
  return Array.from({ length: axis.to }, (_, x) => {
    if (identity) return { indices: [x], weights: [1] }
    const at = sourceCoordinate(x, axis, how.coordinates)
    if (how.coordinates === 'tf_crop_and_resize' && (at < 0 || at > axis.from - 1)) return null
    if (how.mode === 'nearest') return { indices: [nearestIndex(at, axis, how.nearest)], weights: [1] }
    return how.mode === 'linear' ? linearTap(at, axis, how) : cubicTap(at, axis, how)
  })
}

const clamp = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1)

function nearestIndex(at: number, axis: AxisResize, rounding: Nearest): number {
  const floor = Math.floor(at)
  const round = () => {
    if (rounding === 'floor') return floor
    if (rounding === 'ceil') return Math.ceil(at)
    // Before opset 11: down when growing, up when shrinking.
    if (rounding === 'simple') return axis.scale < 1 ? Math.ceil(at) : Math.trunc(at)
    return at === floor + 0.5 && rounding === 'round_prefer_floor' ? floor : Math.floor(at + 0.5)
  }
  return clamp(round(), axis.from)
}

/** Filter width grows with the reduction when antialiasing. */
const stretch = (axis: AxisResize, how: Interpolation): number => (how.antialias ? Math.min(axis.scale, 1) : 1)

function linearTap(at: number, axis: AxisResize, how: Interpolation): Tap {
  const scale = stretch(axis, how)
  return filterTap(at, axis, 1 / scale, how.excludeOutside, (d) => Math.max(0, 1 - Math.abs(d * scale)))
}

/** Keys' cubic convolution kernel. */
function cubicWeight(d: number, a: number): number {
  const x = Math.abs(d)
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
}

function cubicTap(at: number, axis: AxisResize, how: Interpolation): Tap {
  const scale = stretch(axis, how)
  return filterTap(at, axis, 2 / scale, how.excludeOutside, (d) => cubicWeight(d * scale, how.cubicA))
}

/** Weights within `radius` of a coordinate, normalised to sum 1; indices outside are clamped, or dropped. */
function filterTap(
  at: number,
  axis: AxisResize,
  radius: number,
  dropOutside: boolean,
  weight: (distance: number) => number,
): Tap {
  const indices: number[] = []
  const weights: number[] = []
  for (let i = Math.floor(at - radius) + 1; i < at + radius; i++) {
    if (dropOutside && (i < 0 || i >= axis.from)) continue
    indices.push(clamp(i, axis.from))
    weights.push(weight(i - at))
  }
  const total = weights.reduce((sum, w) => sum + w, 0)
  return { indices, weights: weights.map((w) => w / total) }
}

/** Replaces an axis of data [outer, from, inner] by its taps: [outer, taps.length, inner]; `outside` fills what has none. */
export function applyTaps(
  data: Float64Array,
  outer: number,
  from: number,
  inner: number,
  taps: readonly (Tap | null)[],
  outside: number,
): Float64Array {
  const out = new Float64Array(outer * taps.length * inner)
  for (let o = 0, to = 0; o < outer; o++) {
    for (const tap of taps) {
      if (!tap) out.fill(outside, to, to + inner)
      else addRows(out, to, data, o * from, inner, tap)
      to += inner
    }
  }
  return out
}

function addRows(out: Float64Array, to: number, data: Float64Array, row: number, inner: number, tap: Tap): void {
  tap.indices.forEach((index, t) => {
    const weight = tap.weights[t]!
    const start = (row + index) * inner
    for (let i = 0; i < inner; i++) out[to + i] = out[to + i]! + weight * data[start + i]!
  })
}
