// An upper bound of every value of a class, as far as its operators tell: where an exponential cannot overflow.
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import type { TensorEGraph } from './tensor-egraph.ts'

const DEPTH = 4
const AT_MOST_ONE = new Set(['Sigmoid', 'Tanh', 'HardSigmoid', 'Softmax', 'Softsign', 'Erf', 'Sin', 'Cos'])
const NOT_NEGATIVE = new Set([
  'Relu',
  'Abs',
  'Exp',
  'Sigmoid',
  'Softplus',
  'Sqrt',
  'HardSigmoid',
  'Softmax',
  'ReduceL2',
])

/** No value of c is above it; infinite where nothing is known. */
export function upperBound(t: TensorEGraph, c: ClassId, depth = DEPTH): number {
  const id = t.constantOf(c)
  if (id !== null) return t.constants.array(id).data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  if (depth === 0) return Number.POSITIVE_INFINITY
  const bounds = t.egraph
    .nodesOf(c)
    .filter((n) => t.isTyped(n))
    .map((n) => boundAt(t, n, depth - 1))
  return Math.min(Number.POSITIVE_INFINITY, ...bounds)
}

function boundAt(t: TensorEGraph, n: NodeId, depth: number): number {
  const op = t.op(n)
  const children = t.children(n)
  const above = (i: number) => upperBound(t, children[i]!, depth)
  if (['reshape', 'transpose', 'select', 'expand', 'concat'].includes(op.kind))
    return Math.max(...children.map((_, i) => above(i)))
  if (op.kind !== 'onnx' || op.domain !== '' || op.output !== 0) return Number.POSITIVE_INFINITY
  if (AT_MOST_ONE.has(op.op)) return 1
  if (op.op === 'Neg') return isNotNegative(t, children[0]!) ? 0 : Number.POSITIVE_INFINITY
  if (op.op === 'Add') return above(0) + above(1)
  if (op.op === 'Min') return Math.min(...children.map((_, i) => above(i)))
  if (op.op === 'Clip' && op.present.length === 3 && op.present.every(Boolean)) return above(2)
  const shrinks =
    op.op === 'Mul' && children.some((c, i) => t.isConstant(c) && above(i) <= 0 && isNotNegative(t, children[1 - i]!))
  return shrinks ? 0 : Number.POSITIVE_INFINITY
}

function isNotNegative(t: TensorEGraph, c: ClassId): boolean {
  return t.egraph.nodesOf(c).some((n) => {
    const op = t.op(n)
    if (op.kind !== 'onnx' || op.domain !== '') return false
    return NOT_NEGATIVE.has(op.op) || (op.op === 'Mul' && t.child(n, 0) === t.child(n, 1))
  })
}
