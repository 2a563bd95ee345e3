// Sums and means over rows or columns of a product, which then is never made: sum (X Y) = (sum X) Y over rows, X (sum Y) over columns.
// The normaliser of linear attention is one of them.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInts } from '../../ir/attribute.ts'
import { reduce } from '../canonical.ts'
import { type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'

/** sum (X Y) = (sum X) Y over rows, = X (sum Y) over columns; the same for the mean */
function* intoProduct(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  const x = t.child(n, 0)
  const axes = axesOfReduction(t, n)
  if (op.kind !== 'onnx' || t.type(x) === null || axes?.length !== 1) return
  const rank = t.rank(x)
  for (const p of t.nodes(x, 'MatMul')) {
    const [a, b] = t.children(p) as [ClassId, ClassId]
    if (t.rank(a) !== rank || t.rank(b) !== rank) yield refuse('the operands have different ranks')
    else if (axes[0] === rank - 2) yield t.onnx('MatMul', [reduce(t, op.op, a, axes), b])
    else if (axes[0] === rank - 1) yield t.onnx('MatMul', [a, reduce(t, op.op, b, axes)])
    else yield refuse('the reduction is over a batch axis')
  }
}

/** Axes of a reduction in canonical form, which keeps them at size 1. */
function axesOfReduction(t: TensorEGraph, n: NodeId): readonly number[] | null {
  const op = t.op(n)
  const given = t.children(n)[1]
  if (given !== undefined) return t.fact(given).contents as readonly number[] | null
  return op.kind === 'onnx' ? getInts(op.attributes, 'axes', null) : null
}

const rule = ruleMaker({ source: 'linearity of the product (docs/rules.md, linear maps)' })

export const reductionRules: readonly Rule[] = [
  rule(
    'reduce-product',
    'sum (X Y) = (sum X) Y over rows, X (sum Y) over columns',
    ['ReduceSum', 'ReduceMean'],
    intoProduct,
    'one axis, which is no batch axis; equal ranks',
  ),
]
