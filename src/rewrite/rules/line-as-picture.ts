// Lines as pictures of one row: [N, C, L] as [N, C, 1, L]. ONNX Runtime has its blocked layout, and its fast depthwise
// convolution, for pictures only. Convolutions are lifted wherever they are; what works point by point, or channel by channel, is
// lifted after them, so that a chain stays a picture and only its ends are reshaped, which costs nothing.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { type Attributes, getInt, getInts, ints } from '../../ir/attribute.ts'
import { type Results, type Rule, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import type { OnnxOp } from '../tensor-op.ts'

const LINE = 3
const BINARY = 'Add Sub Mul Div Max Min'.split(' ')
const UNARY = (
  'Relu LeakyRelu Sigmoid Tanh HardSigmoid HardSwish Gelu Elu Selu Celu Softplus Softsign Mish Clip Abs Neg Exp Log Sqrt ' +
  'Reciprocal Erf Sin Cos'
).split(' ')
const POOLS = ['MaxPool', 'AveragePool', 'GlobalMaxPool', 'GlobalAveragePool', 'ReduceMean']

const isLine = (t: TensorEGraph, c: ClassId): boolean => t.type(c)?.dtype === 'float32' && t.rank(c) === LINE

function asPicture(t: TensorEGraph, c: ClassId): ClassId {
  const [n, channels, size] = t.shape(c)
  return t.reshape(c, [n!, channels!, 1, size!])!
}

/** True if the picture is more than a line that was reshaped. */
const isMade = (t: TensorEGraph, picture: ClassId): boolean =>
  t.egraph.nodesOf(picture).some((n) => t.op(n).kind !== 'reshape')

/** Attributes of a window over a line as those over a picture of one row. */
function windowed(attributes: Attributes): Attributes {
  const lifted = { ...attributes }
  for (const name of ['kernel_shape', 'strides', 'dilations'] as const) {
    const [size] = getInts(attributes, name, [])
    if (size !== undefined) lifted[name] = ints([1, size])
  }
  const [before, after] = getInts(attributes, 'pads', [])
  if (before !== undefined) lifted.pads = ints([0, before, 0, after!])
  return lifted
}

/** conv(x) as a convolution of a picture. */
function* liftConv(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const c = t.egraph.classOf(n)
  const [x, w, ...rest] = t.children(n) as [ClassId, ClassId, ...ClassId[]]
  if (op.kind !== 'onnx' || rest.length > 0 || !isLine(t, c) || !isLine(t, x) || !t.isConstant(w)) return
  const picture = t.make({ ...op, attributes: windowed(op.attributes) }, [asPicture(t, x), asPicture(t, w)])
  yield t.reshape(picture, t.shape(c))!
}

/** f(x) as of a picture, where x is one already. */
function* liftOther(t: TensorEGraph, n: NodeId): Results {
  const c = t.egraph.classOf(n)
  if (!isLine(t, c)) return
  const operands = t.children(n)
  const lines = operands.filter((x) => isLine(t, x))
  const pictures = new Map(lines.map((x) => [x, asPicture(t, x)]))
  if (!lines.some((x) => !t.isConstant(x) && isMade(t, pictures.get(x)!))) return
  const lifted = liftedNode(
    t,
    n,
    operands.map((x) => pictures.get(x) ?? x),
  )
  if (lifted !== null) yield t.reshape(lifted, t.shape(c))!
}

function liftedNode(t: TensorEGraph, n: NodeId, operands: readonly ClassId[]): ClassId | null {
  const op = t.op(n)
  if (op.kind === 'lin') return op.axis === 1 ? t.make(op, operands) : null
  if (op.kind === 'concat') return op.axis === 1 ? t.concat(operands, 1) : null
  if (op.kind !== 'onnx' || op.domain !== '' || op.outputCount !== 1) return null
  if (BINARY.includes(op.op)) return t.elementwise(op.op, operands, op.attributes)
  if (UNARY.includes(op.op)) return t.make(op, operands)
  return POOLS.includes(op.op) ? liftedPool(t, op, operands) : null
}

function liftedPool(t: TensorEGraph, op: OnnxOp, operands: readonly ClassId[]): ClassId | null {
  if (op.op !== 'ReduceMean') return t.make({ ...op, attributes: windowed(op.attributes) }, operands)
  const [x, axes] = operands as [ClassId, ClassId?]
  const given = axes === undefined ? getInts(op.attributes, 'axes', null) : t.fact(axes).contents
  const isOfLine = given?.length === 1 && Number(given[0]) === LINE - 1 && getInt(op.attributes, 'keepdims', 1) === 1
  return isOfLine ? t.onnx('GlobalAveragePool', [x]) : null
}

const rule = ruleMaker({ source: 'Allotrope, measured', exactness: 'reassociates', depth: Number.POSITIVE_INFINITY })

export const lineRules: readonly Rule[] = [
  rule(
    'line-as-picture',
    'conv(x [N, C, L]) = conv(x [N, C, 1, L])',
    ['Conv'],
    liftConv,
    'float32; weights are constant',
  ),
  rule(
    'stay-picture',
    'f(x [N, C, L]) = f(x [N, C, 1, L]), f point by point, by channels or a pool',
    ['lin', 'concat', ...BINARY, ...UNARY, ...POOLS],
    liftOther,
    'x is a picture already; float32',
  ),
]
