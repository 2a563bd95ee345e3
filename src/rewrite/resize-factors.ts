// By what a Resize multiplies each axis, and whether ONNX Runtime takes it into its blocked layout: whole factors, and coordinates
// that it has kernels for.
import type { NodeId } from '../egraph/egraph.ts'
import { getInt, getInts, getText } from '../ir/attribute.ts'
import { dimEquals } from '../ir/dim.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import type { OnnxOp } from './tensor-op.ts'

/** Factors of all axes; null where one is not known. */
export function resizeFactors(t: TensorEGraph, n: NodeId, op: OnnxOp): readonly number[] | null {
  const [x, given] = t.children(n)
  if (x === undefined || given === undefined || t.children(n).length !== 2) return null
  if (getText(op.attributes, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch') return null
  const [from, to] = [t.shape(x), t.shape(t.egraph.classOf(n))]
  const id = op.present[2] ? t.constantOf(given) : null
  const scales = id === null ? null : t.constants.array(id).data
  const axes = getInts(op.attributes, 'axes', null)
  const factors = from.map((d, axis) => {
    const scale = scales?.[axes === null ? axis : axes.indexOf(axis)]
    if (scale !== undefined) return scale
    if (typeof d === 'number' && typeof to[axis] === 'number') return to[axis] / d
    return dimEquals(d, to[axis]!) ? 1 : null
  })
  return factors.every((f) => f !== null) ? factors : null
}

/** Larger by whole factors. */
export const areWhole = (factors: readonly number[]): boolean => factors.every((f) => Number.isInteger(f) && f >= 1)

/** Ways to round that a half-pixel coordinate does not tell apart where it is never half-way. */
const HALF_PIXEL = ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel']
const ROUNDED = ['round_prefer_floor', 'round_prefer_ceil']

/** Whether it repeats pixels where it is larger by whole factors: coordinates lie within half a step of the element that is repeated. */
export function repeatsPixels({ attributes }: OnnxOp): boolean {
  const coordinates = getText(attributes, 'coordinate_transformation_mode', 'half_pixel')
  const rounding = getText(attributes, 'nearest_mode', 'round_prefer_floor')
  if (getText(attributes, 'mode', 'nearest') !== 'nearest') return false
  if (HALF_PIXEL.includes(coordinates)) return ROUNDED.includes(rounding)
  return ['asymmetric', 'tf_half_pixel_for_nn'].includes(coordinates) && rounding === 'floor'
}

const LINEAR_IN_BLOCKS = ['half_pixel', 'asymmetric', 'align_corners']

/** Whether the runtime resizes pictures in its blocked layout so, where they are there. */
export function isResizedInBlocks(t: TensorEGraph, n: NodeId, op: OnnxOp): boolean {
  const factors = resizeFactors(t, n, op)
  if (factors === null || !areWhole(factors) || factors[0] !== 1 || factors[1] !== 1) return false
  const coordinates = getText(op.attributes, 'coordinate_transformation_mode', 'half_pixel')
  const mode = getText(op.attributes, 'mode', 'nearest')
  if (mode === 'linear') return LINEAR_IN_BLOCKS.includes(coordinates) && getInt(op.attributes, 'antialias', 0) === 0
  const rounding = getText(op.attributes, 'nearest_mode', 'round_prefer_floor')
  return mode === 'nearest' && coordinates === 'asymmetric' && rounding === 'floor'
}
