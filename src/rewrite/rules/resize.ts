// Resize by interpolation along each axis is a linear map of that axis, by a constant where its sizes are known. ONNX Runtime's
// cubic kernel computes weights and neighbours for every element: as two products it is up to 59 times as fast. Linear
// interpolation has a kernel for pictures, which products overtake at large factors only. And where factors are whole, the coordinates
// that it has fast kernels for give the same as others. Run once, after the search, which moves the Resize itself.
import { UnsupportedError } from '../../base/errors.ts'
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { type Attributes, getInts, getText, ints, text } from '../../ir/attribute.ts'
import { type NdArray, ndarray } from '../../ir/tensor.ts'
import { evaluateOp } from '../evaluate-op.ts'
import { areWhole, repeatsPixels, resizeFactors } from '../resize-factors.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import type { OnnxOp } from '../tensor-op.ts'

/** Elements of one map. */
const LARGEST_MAP = 2 ** 22

function* resizeAsMaps(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [x, given] = t.children(n) as [ClassId, ClassId?]
  if (op.kind !== 'onnx' || !['linear', 'cubic'].includes(getText(op.attributes, 'mode', 'nearest'))) return
  const axes = getInts(op.attributes, 'axes', null)
  const id = given === undefined || t.children(n).length !== 2 ? null : t.constantOf(given)
  if (!axes || id === null || axes.some((a) => a < 0)) return yield refuse('its scales or sizes are not constant')
  const numbers = t.constants.array(id)
  let y = x
  for (const [i, axis] of axes.entries()) {
    const [size, wanted] = [t.shape(x)[axis]!, t.shape(t.egraph.classOf(n))[axis]!]
    if (typeof size !== 'number' || typeof wanted !== 'number') return yield refuse('a size is open')
    if (size * wanted > LARGEST_MAP) return yield refuse('the map would be too large')
    const map = mapOf(op, size, ndarray(numbers.dtype, [1], [numbers.data[i]!]))
    if (map === null) return yield refuse('this interpolation is not known')
    y = t.lin(y, t.literal({ ...map, dtype: t.type(x)!.dtype }), axis)
  }
  yield y
}

/** The map of one axis, [size, new size]: what the identity is resized to. */
function mapOf(op: OnnxOp, size: number, given: NdArray): NdArray | null {
  const identity = ndarray(
    'float32',
    [size, size],
    Array.from({ length: size * size }, (_, i) => (i % (size + 1) ? 0 : 1)),
  )
  try {
    return evaluateOp({ ...op, attributes: { ...op.attributes, axes: ints([1]) } }, [identity, given])
  } catch (error) {
    if (error instanceof UnsupportedError) return null
    throw error
  }
}

/** Coordinates of linear interpolation that are `half_pixel` where nothing is smaller. */
const LIKE_HALF_PIXEL = ['half_pixel_symmetric', 'pytorch_half_pixel']

function* usualCoordinates(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  if (op.kind !== 'onnx') return
  const coordinates = getText(op.attributes, 'coordinate_transformation_mode', 'half_pixel')
  const isLinear = getText(op.attributes, 'mode', 'nearest') === 'linear'
  const wanted: Attributes | null =
    repeatsPixels(op) && coordinates !== 'asymmetric'
      ? { coordinate_transformation_mode: text('asymmetric'), nearest_mode: text('floor') }
      : isLinear && LIKE_HALF_PIXEL.includes(coordinates)
        ? { coordinate_transformation_mode: text('half_pixel') }
        : null
  if (wanted === null) return
  const factors = resizeFactors(t, n, op)
  if (factors === null || !areWhole(factors)) return yield refuse('it is not larger by whole factors')
  yield t.make({ ...op, attributes: { ...op.attributes, ...wanted } }, t.children(n))
}

const rule = ruleMaker({ source: 'Allotrope, measured' })

export const resizeRules: readonly Rule[] = [
  rule(
    'resize-as-maps',
    'Resize(x) = A x B, along each axis that it changes',
    ['Resize'],
    resizeAsMaps,
    'linear or cubic; sizes are known',
  ),
  rule(
    'usual-coordinates',
    'Resize of half-pixel coordinates = Resize of those that the runtime has fast kernels for',
    ['Resize'],
    usualCoordinates,
    'nearest or linear, larger by whole factors',
    { exactness: 'exact' },
  ),
]
