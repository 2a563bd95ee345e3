// Canonical forms: how each ONNX operator that has one is written in the six canonical operators and plain arithmetic. Used
// once, while a graph is encoded; what has no entry stays as it is. Returning null also means: stays as it is.
import type { ClassId } from '../egraph/egraph.ts'
import { getFloat, getInt, getInts, getText, int, ints } from '../ir/attribute.ts'
import { addDims, type Dim, dimEquals } from '../ir/dim.ts'
import { DTYPES } from '../ir/dtype.ts'
import { elementCount, isConcrete } from '../ir/shape.ts'
import type { TensorType } from '../ir/tensor.ts'
import { alongChannels, conv, convTranspose } from './canonical-conv.ts'
import { einsum } from './canonical-einsum.ts'
import { constantOfShape, gatherNd, scatter } from './canonical-scatter.ts'
import { isWritable } from './decode-structure.ts'
import { positions, range } from './index-vector.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import type { OnnxOp } from './tensor-op.ts'

/** One call to bring into canonical form. `inputs[i]` is null where left out; all types are known; `out` is the output's. */
export interface Usage {
  readonly t: TensorEGraph
  readonly op: OnnxOp
  readonly inputs: readonly (ClassId | null)[]
  readonly out: TensorType
}
type Canonical = (u: Usage) => ClassId | null

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)
const input = (u: Usage, i: number): ClassId => u.inputs[i]!
const numbers = (u: Usage, i: number): readonly number[] | null => {
  const c = u.inputs[i]
  const contents = c == null ? null : u.t.fact(c).contents
  return contents?.every((d) => typeof d === 'number') ? (contents as number[]) : null
}

const elementwise = (u: Usage): ClassId | null => u.t.elementwise(u.op.op, u.inputs as ClassId[], u.op.attributes)
const toShape = (u: Usage): ClassId | null => u.t.reshape(input(u, 0), u.out.shape)

function subtract({ t, inputs }: Usage): ClassId | null {
  const [a, b] = inputs as [ClassId, ClassId]
  if (!t.isConstant(b) || !isAlgebraic(t, b)) return t.elementwise('Sub', [a, b])
  return t.elementwise('Add', [a, t.mul(b, t.scalar(-1, t.rank(b), t.type(b)!.dtype))])
}

/** Division by a constant or by something smaller than the result is a multiplication by its reciprocal. */
function divide({ t, inputs, out }: Usage): ClassId | null {
  const [a, b] = inputs as [ClassId, ClassId]
  const smaller =
    t.isConstant(b) ||
    (isConcrete(t.shape(b)) && isConcrete(out.shape) && elementCount(t.shape(b) as number[]) < elementCount(out.shape))
  if (!isAlgebraic(t, b) || !(smaller || t.shape(b).includes(1))) return t.elementwise('Div', [a, b])
  return t.elementwise('Mul', [a, t.onnx('Reciprocal', [b])])
}

const isAlgebraic = (t: TensorEGraph, c: ClassId): boolean =>
  ['float32', 'float64', 'float16'].includes(t.type(c)!.dtype)

function sum(u: Usage): ClassId {
  return (u.inputs as ClassId[]).reduce((a, b) => u.t.add(a, b))
}

function matmul({ t, inputs }: Usage): ClassId | null {
  const [a, b] = inputs as [ClassId, ClassId]
  const [ra, rb] = [t.rank(a), t.rank(b)]
  if (t.isConstant(b) && rb === 2 && ra >= 2) return t.lin(a, b, ra - 1)
  if (t.isConstant(a) && ra === 2 && rb >= 2) return t.lin(b, t.transpose(a, [1, 0]), rb - 2)
  if (ra < 2 || rb < 2 || ra === rb) return null
  const rank = Math.max(ra, rb)
  return t.onnx('MatMul', [t.raise(a, rank), t.raise(b, rank)])
}

function gemm({ t, op, inputs }: Usage): ClassId | null {
  const attributes = op.attributes
  const turn = (c: ClassId, flag: string) => (getInt(attributes, flag, 0) ? t.transpose(c, [1, 0]) : c)
  const scale = (c: ClassId, name: string) => {
    const s = getFloat(attributes, name, 1)
    return s === 1 ? c : t.mul(c, t.scalar(s, t.rank(c), t.type(c)!.dtype))
  }
  const a = turn(input({ t, op, inputs } as Usage, 0), 'transA')
  const b = turn(inputs[1]!, 'transB')
  if (!isAlgebraic(t, a)) return null
  const product = t.isConstant(b)
    ? t.lin(a, b, 1)
    : t.isConstant(a)
      ? t.lin(b, t.transpose(a, [1, 0]), 0)
      : t.onnx('MatMul', [a, b])
  const c = inputs[2]
  const scaled = scale(product, 'alpha')
  return c == null ? scaled : t.add(scaled, scale(c, 'beta'))
}

/** y = (x - mean) * scale / sqrt(var + eps) + B, all constants: a product and a sum per channel. */
function batchNormalization(u: Usage): ClassId | null {
  const { t } = u
  const [x, scale, bias, mean, variance] = u.inputs as ClassId[]
  if (getInt(u.op.attributes, 'training_mode', 0) || ![scale, bias, mean, variance].every((c) => t.isConstant(c!)))
    return null
  const epsilon = getFloat(u.op.attributes, 'epsilon', 1e-5)
  const dtype = t.type(variance!)!.dtype
  const deviation = t.onnx('Sqrt', [t.add(variance!, t.scalar(epsilon, 1, dtype))])
  const factor = t.mul(scale!, t.onnx('Reciprocal', [deviation]))
  const shift = t.add(bias!, t.mul(t.mul(mean!, factor), t.scalar(-1, 1, dtype)))
  const [gain, offset] = [factor, shift].map((c) => alongChannels(t, c, x!))
  return !gain || !offset ? null : t.add(t.mul(x!, gain), offset)
}

function transpose({ t, op, inputs }: Usage): ClassId {
  const rank = t.rank(inputs[0]!)
  const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i)
  return t.transpose(inputs[0]!, getInts(op.attributes, 'perm', reversed))
}

function concat({ t, op, inputs }: Usage): ClassId {
  return t.concat(inputs as ClassId[], axisOf(getInt(op.attributes, 'axis', 0), t.rank(inputs[0]!)))
}

/** Slice with known starts and steps; the ends only where they matter. Counts come from the inferred output shape. */
function slice(u: Usage): ClassId | null {
  const { t, out } = u
  const x = input(u, 0)
  const rank = t.rank(x)
  const starts = u.inputs[1] == null ? getInts(u.op.attributes, 'starts', null) : u.t.fact(input(u, 1)).contents
  const given = u.inputs[3] == null ? getInts(u.op.attributes, 'axes', null) : numbers(u, 3)
  if (!starts || (u.inputs[3] != null && !given)) return null
  const axes = (given ?? starts.map((_, i) => i)).map((a) => axisOf(a, rank))
  const steps = u.inputs[4] == null ? starts.map(() => 1) : numbers(u, 4)
  if (!steps || steps.some((s) => s < 1)) return null
  let result: ClassId = x
  for (const [i, axis] of axes.entries()) {
    const size = t.shape(x)[axis]!
    const start = startOf(starts[i]!, size)
    const index = start === null ? null : range(start, out.shape[axis]!, steps[i]!)
    if (index === null || !isWritable(index, size)) return null
    result = t.select(result, axis, index)
  }
  return result
}

/** First position, clamped as ONNX does; null where that is unknown. */
function startOf(start: Dim, size: Dim): Dim | null {
  if (typeof start !== 'number') return null
  if (start >= 0) return typeof size === 'number' ? Math.min(start, size) : start
  return typeof size === 'number' ? Math.max(0, size + start) : addDims(size, start)
}

/** Gather by a constant of any rank is a select followed by a reshape. */
function gather(u: Usage): ClassId | null {
  const { t, out } = u
  const x = input(u, 0)
  const indices = numbers(u, 1)
  const axis = axisOf(getInt(u.op.attributes, 'axis', 0), t.rank(x))
  const size = t.shape(x)[axis]!
  if (!indices || indices.length > 4096) return null
  if (typeof size !== 'number' && indices.some((i) => i < 0)) {
    if (indices.length !== 1) return null
    return t.reshape(t.select(x, axis, range(addDims(size, indices[0]!), 1)), out.shape)
  }
  const positive = indices.map((i) => (i < 0 ? i + (size as number) : i))
  return t.reshape(t.select(x, axis, positions(positive)), out.shape)
}

/** One output of a Split: a range that starts where the outputs before it end. */
function split(u: Usage): ClassId | null {
  const { t, op } = u
  const x = input(u, 0)
  const axis = axisOf(getInt(op.attributes, 'axis', 0), t.rank(x))
  const size = t.shape(x)[axis]!
  const given = u.inputs[1] == null ? getInts(op.attributes, 'split', null) : numbers(u, 1)
  if (u.inputs[1] != null && !given) return null
  const even = typeof size === 'number' ? Math.ceil(size / op.outputCount) : null
  if (!given && even === null) return null
  const start = given ? given.slice(0, op.output).reduce((a, b) => a + b, 0) : even! * op.output
  return t.select(x, axis, range(start, u.out.shape[axis]!))
}

/** A reduction over known axes keeps them at size 1; dropping them is a reshape. */
function reduction(u: Usage): ClassId | null {
  const { t, op } = u
  const x = input(u, 0)
  const rank = t.rank(x)
  const given = u.inputs[1] == null ? getInts(op.attributes, 'axes', null) : numbers(u, 1)
  if (u.inputs[1] != null && !given) return null
  if (!given?.length && getInt(op.attributes, 'noop_with_empty_axes', 0)) return null
  const axes = (given?.length ? given : Array.from({ length: rank }, (_, i) => i))
    .map((a) => axisOf(a, rank))
    .sort((a, b) => a - b)
  if (axes.length === 0) return null
  return t.reshape(reduce(t, op.op, x, axes), u.out.shape)
}

/** ReduceMean, ReduceSum .. over `axes`, which stay with size 1. */
export function reduce(t: TensorEGraph, op: string, x: ClassId, axes: readonly number[]): ClassId {
  const asInput = t.opset >= (op === 'ReduceSum' ? 13 : 18)
  if (asInput) return t.onnx(op, [x, t.int64s(axes)], { keepdims: int(1) })
  return t.onnx(op, [x], { axes: ints(axes), keepdims: int(1) })
}

/** Expand, or a Tile of axes of one element, to sizes that are numbers or those of inputs; others stay with the value that they are
 * computed from. */
const expand = (u: Usage): ClassId | null => u.t.expand(input(u, 0), u.out.shape)

/** Softmax and its kin with a positive axis; before opset 13 the axis meant something else. */
function axisOperator(sinceOpset: number): Canonical {
  return ({ t, op, inputs }) => {
    if (op.opset < sinceOpset) return null
    const axis = axisOf(getInt(op.attributes, 'axis', -1), t.rank(inputs[0]!))
    return t.make(
      { ...op, attributes: { ...op.attributes, axis: int(axis) } },
      inputs.filter((c) => c !== null) as ClassId[],
    )
  }
}

/** A resize of only the axes that change, so that it says nothing of the others (opset 18); one that changes none vanishes. */
function resize(u: Usage): ClassId | null {
  const { t, op, out } = u
  const x = input(u, 0)
  const shape = t.shape(x)
  const changed = shape.flatMap((d, i) => (dimEquals(d, out.shape[i]!) ? [] : [i]))
  const mode = getText(op.attributes, 'coordinate_transformation_mode', 'half_pixel')
  if (
    mode === 'tf_crop_and_resize' ||
    op.attributes.axes ||
    getText(op.attributes, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch'
  )
    return null
  if (changed.length === 0) return x
  if (op.opset < 18) return null
  const attributes = { ...op.attributes, axes: ints(changed) }
  const [scales, sizes] = [u.inputs[2], u.inputs[3]]
  const cut = (c: ClassId) => t.select(c, 0, positions(changed))
  if (sizes != null) return t.make({ ...op, attributes, present: [true, false, false, true] }, [x, cut(sizes)])
  if (scales == null || !t.isConstant(scales)) return null
  return t.make({ ...op, attributes, present: [true, false, true] }, [x, cut(scales)])
}

function cast(u: Usage): ClassId | null {
  return u.t.type(input(u, 0))!.dtype === u.out.dtype ? input(u, 0) : null
}

/** A cast to a dtype that is known. */
function castLike({ t, op, inputs, out }: Usage): ClassId | null {
  const x = inputs[0]!
  if (t.type(x)!.dtype === out.dtype) return x
  return t.onnx('Cast', [x], { ...op.attributes, to: int(DTYPES[out.dtype].onnx) })
}

function dropout(u: Usage): ClassId | null {
  const training = u.inputs[2]
  const off = training == null || (u.t.isConstant(training) && numbers(u, 2)?.[0] === 0)
  return u.op.output === 0 && off ? input(u, 0) : null
}

/** A pad of nothing vanishes. */
function pad(u: Usage): ClassId | null {
  const pads = u.inputs[1] == null ? getInts(u.op.attributes, 'pads', null) : numbers(u, 1)
  return pads?.every((p) => p === 0) ? input(u, 0) : null
}

/** x^1 is x; other powers stay. */
function power(u: Usage): ClassId | null {
  const { t, inputs } = u
  const [x, e] = inputs as [ClassId, ClassId]
  const id = t.constantOf(e)
  const exponent = id !== null && t.constantElements(e) === 1 ? t.constants.array(id).data[0]! : null
  if (exponent === 1 && t.rank(e) <= t.rank(x)) return x
  return t.elementwise('Pow', [x, e])
}

const WHOLE_REDUCTIONS =
  'ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp'

export const canonicalForms: Readonly<Record<string, Canonical>> = {
  ...Object.fromEntries(
    'Add Mul Max Min Where And Or Xor Equal Greater Less GreaterOrEqual LessOrEqual Mod'
      .split(' ')
      .map((op) => [op, elementwise]),
  ),
  ...Object.fromEntries(WHOLE_REDUCTIONS.split(' ').map((op) => [op, reduction])),
  Sub: subtract,
  Div: divide,
  Pow: power,
  Sum: sum,
  MatMul: matmul,
  Einsum: ({ t, op, inputs }) => einsum(t, getText(op.attributes, 'equation', ''), inputs as ClassId[]),
  Gemm: gemm,
  Conv: conv,
  ConvTranspose: convTranspose,
  BatchNormalization: batchNormalization,
  Reshape: toShape,
  Flatten: toShape,
  Squeeze: toShape,
  Unsqueeze: toShape,
  Cast: cast,
  CastLike: castLike,
  Dropout: dropout,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Gather: gather,
  GatherND: gatherNd,
  ScatterElements: scatter,
  ScatterND: scatter,
  ConstantOfShape: constantOfShape,
  Split: split,
  Expand: expand,
  Tile: expand,
  Resize: resize,
  Pad: pad,
  Softmax: axisOperator(13),
  LogSoftmax: axisOperator(13),
  LayerNormalization: axisOperator(17),
}
