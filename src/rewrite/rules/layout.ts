// Forms that ONNX Runtime can keep in its blocked layout (NCHWc), where the usual ones leave it. Run once, after the search: they
// are other ways to write what was found, and lead to nothing new. Whether they pay, extraction and the runtime's own lowering say.
// Source: the conditions of ONNX Runtime's NchwcTransformer: products and sums of equal shapes only; channels that a convolution
// reads are a multiple of 4.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, text } from '../../ir/attribute.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { ndarray } from '../../ir/tensor.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { onnxOp } from '../tensor-op.ts'
import { operandPairs } from './scale.ts'

/** Resize knows asymmetric coordinates since this opset. */
const RESIZE_OPSET = 11
const CHANNEL_ALIGNMENT = 4
/** Fewer channels than the smallest block are read as they are, in any layout. */
const SMALLEST_BLOCK = 8

/** x * g = x * Resize(g), where g has one number per channel: as the gate of squeeze-and-excite. */
function* stretch(t: TensorEGraph, n: NodeId): Results {
  const shape = t.shape(t.egraph.classOf(n))
  if (shape.length !== 4 || t.type(t.egraph.classOf(n))!.dtype !== 'float32' || t.opset < RESIZE_OPSET) return
  const op = t.op(n)
  for (const [x, g] of operandPairs(t, n)) {
    if (op.kind !== 'onnx' || t.isConstant(x) || t.isConstant(g)) continue
    if (!shapeEquals(t.shape(x), shape) || !shapeEquals(t.shape(g), [shape[0]!, shape[1]!, 1, 1])) continue
    const [height, width] = [shape[2]!, shape[3]!]
    if (typeof height !== 'number' || typeof width !== 'number') yield refuse('the size of the picture is open')
    else if (height * width > 1) yield t.onnx(op.op, [x, stretched(t, g, height, width)])
  }
}

function stretched(t: TensorEGraph, g: ClassId, height: number, width: number): ClassId {
  const attributes = {
    mode: text('nearest'),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  }
  const resize = { ...onnxOp('Resize', 3, t.opset, attributes), present: [true, false, true] }
  return t.make(resize, [g, t.literal(ndarray('float32', [4], [1, 1, height, width]))])
}

/** conv(act(conv(x, W)), V) with more channels in between: rows of zeros in W, columns of zeros in V. */
function* padInner(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [y, v] = t.children(n) as [ClassId, ClassId]
  const inputAxis = op.kind === 'lin' ? 0 : 1
  if (t.rank(y) !== 4 || !isKernel(t, n)) return
  const channels = t.shape(v)[inputAxis] as number
  if (channels < SMALLEST_BLOCK || channels % CHANNEL_ALIGNMENT === 0) return
  const more = CHANNEL_ALIGNMENT - (channels % CHANNEL_ALIGNMENT)
  const wider = widened(t, y, more, INNER_DEPTH)
  if (wider !== null) yield t.make(op, [wider, extended(t, v, inputAxis, more)])
}

/** An activation, a bias, a convolution. */
const INNER_DEPTH = 3
/** All are finite at 0. */
const ACTIVATIONS = ['Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'HardSigmoid', 'HardSwish']

/** y with `more` channels, whatever these hold; null where y is not made by a convolution, near enough. */
function widened(t: TensorEGraph, y: ClassId, more: number, depth: number): ClassId | null {
  for (const m of [...t.nodes(y, 'lin'), ...t.nodes(y, 'Conv')]) {
    const [x, w] = t.children(m) as [ClassId, ClassId]
    if (isKernel(t, m)) return t.make(t.op(m), [x, extended(t, w, t.op(m).kind === 'lin' ? 1 : 0, more)])
  }
  if (depth === 0) return null
  for (const m of t.nodes(y, 'Add'))
    for (const [x, b] of operandPairs(t, m)) {
      const isBias = t.isConstant(b) && isPerChannel(t, b) && shapeEquals(t.shape(x), t.shape(y))
      const wider = isBias ? widened(t, x, more, depth - 1) : null
      if (wider !== null) return t.add(wider, t.shape(b)[1] === 1 ? b : extended(t, b, 1, more))
    }
  for (const m of ACTIVATIONS.flatMap((name) => t.nodes(y, name))) {
    const wider = widened(t, t.child(m, 0), more, depth - 1)
    if (wider !== null) return t.make(t.op(m), [wider])
  }
  return null
}

/** A linear map of channels by constant weights: lin, or a convolution of one group. */
function isKernel(t: TensorEGraph, n: NodeId): boolean {
  const op = t.op(n)
  const [x, w] = t.children(n) as [ClassId, ClassId]
  if (t.children(n).length !== 2 || !t.isConstant(w) || t.type(w)!.dtype !== 'float32' || t.rank(x) !== 4) return false
  return op.kind === 'lin' ? op.axis === 1 : op.kind === 'onnx' && getInt(op.attributes, 'group', 1) === 1
}

const isPerChannel = (t: TensorEGraph, b: ClassId): boolean =>
  t.rank(b) === 4 && t.shape(b).every((d, axis) => d === 1 || axis === 1)

/** The constant, continued by zeros along `axis`. */
function extended(t: TensorEGraph, w: ClassId, axis: number, more: number): ClassId {
  const shape = t.shape(w).map((d, i) => (i === axis ? more : (d as number)))
  const zeros = ndarray('float32', shape, new Float64Array(shape.reduce((a, b) => a * b, 1)))
  return t.concat([w, t.literal(zeros)], axis)
}

const rule = ruleMaker({ source: "ONNX Runtime's NchwcTransformer" })

export const layoutRules: readonly Rule[] = [
  rule(
    'stretch-operand',
    'x * g = x * Resize(g); the same for +',
    ['Mul', 'Add'],
    stretch,
    'g [N, C, 1, 1] is not constant; float32; sizes of the picture are known',
    { exactness: 'exact' },
  ),
  rule(
    'pad-inner',
    'conv(f(conv(x, [W]) + b), [V]) = conv(f(conv(x, [W; 0]) + [b; 0]), [V | 0])',
    ['lin', 'Conv'],
    padInner,
    'channels in between are 9 or more and no multiple of 4; float32; one group',
    { exactness: 'finite', depth: 4 },
  ),
]
