// Forms that ONNX Runtime can keep in its blocked layout (NCHWc), where the usual ones leave it. Run once, after the search: they
// are other ways to write what was found, and lead to nothing new. Whether they pay, extraction and the runtime's own lowering say.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { text } from '../../ir/attribute.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { ndarray } from '../../ir/tensor.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { onnxOp } from '../tensor-op.ts'
import { lineRules } from './line-as-picture.ts'
import { padRules } from './pad-channels.ts'
import { operandPairs } from './scale.ts'

/** Resize knows asymmetric coordinates since this opset. */
const RESIZE_OPSET = 11

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
  ...padRules,
  ...lineRules,
]
