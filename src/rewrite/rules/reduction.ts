// Reductions, and what they need not wait for. Sums and means over rows or columns of a product, which then is never made: sum (X Y) =
// (sum X) Y over rows, X (sum Y) over columns; the normaliser of linear attention is one. Sums over weighted rows that a bias was added
// to: the mean of those that a mask keeps. Reductions before transposes instead of after them. Sums over branches that were stacked.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInts } from '../../ir/attribute.ts'
import { dimEquals } from '../../ir/dim.ts'
import { isFloat } from '../../ir/dtype.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { reduce } from '../canonical.ts'
import { range } from '../index-vector.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { withConstant } from './constant.ts'
import { operandPairs, varyingAxes } from './scale.ts'

/** sum (X Y) = (sum X) Y over rows, = X (sum Y) over columns; the same for the mean */
function* intoProduct(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  const x = t.child(n, 0)
  const axes = axesOfReduction(t, n)
  if (op.kind !== 'onnx' || axes?.length !== 1) return
  const rank = t.rank(x)
  for (const p of t.nodes(x, 'MatMul')) {
    const [a, b] = t.children(p) as [ClassId, ClassId]
    if (t.rank(a) !== rank || t.rank(b) !== rank) yield refuse('the operands have different ranks')
    else if (axes[0] === rank - 2) yield t.onnx('MatMul', [reduce(t, op.op, a, axes), b])
    else if (axes[0] === rank - 1) yield t.onnx('MatMul', [a, reduce(t, op.op, b, axes)])
    else yield refuse('the reduction is over a batch axis')
  }
}

/** sum (x W) over what W makes = x (W 1); over other axes, too: first this one */
function* intoMatrix(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const x = t.child(n, 0)
  const axes = axesOfReduction(t, n)
  if (op.kind !== 'onnx' || !axes) return
  for (const l of t.nodes(x, 'lin')) {
    const { axis } = t.op(l) as { readonly axis: number }
    const rest = axes.filter((a) => a !== axis)
    if (rest.length === axes.length) {
      yield refuse('the reduction is over other axes than that of the map')
      continue
    }
    const mapped = t.lin(t.child(l, 0), reduce(t, op.op, t.child(l, 1), [1]), axis)
    yield rest.length === 0 ? mapped : reduce(t, op.op, mapped, rest)
  }
}

/** sum (x + c) m = sum x m + c sum m; the same for the mean */
function* weighted(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const product = t.child(n, 0)
  const axes = axesOfReduction(t, n)
  if (op.kind !== 'onnx' || !axes) return
  const shape = t.shape(product)
  for (const p of t.nodes(product, 'Mul'))
    for (const [sum, m] of operandPairs(t, p))
      for (const [x, c] of withConstant(t, sum, 'Add')) {
        if (t.isConstant(m)) continue
        if (!axes.every((a) => dimEquals(t.shape(m)[a]!, shape[a]!)))
          yield refuse('the factor is repeated where it is summed')
        else if (t.shape(m).every((d, a) => dimEquals(d, shape[a]!)))
          yield refuse('the factor is as large as the value')
        else if (varyingAxes(t, c).some((a) => axes.includes(a))) yield refuse('the constant varies where it is summed')
        else yield t.add(reduce(t, op.op, t.mul(x, m), axes), t.mul(c, reduce(t, op.op, m, axes)))
      }
}

/** reduce x' = (reduce x)', where what comes before the transpose may meet the reduction */
function* transposed(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const axes = axesOfReduction(t, n)
  if (op.kind !== 'onnx' || !axes) return
  for (const p of t.nodes(t.child(n, 0), 'transpose')) {
    const { perm } = t.op(p) as { readonly perm: readonly number[] }
    const before = axes.map((a) => perm[a]!).sort((a, b) => a - b)
    yield t.transpose(reduce(t, op.op, t.child(p, 0), before), perm)
  }
}

/** A stack of more branches stays one. */
const MOST_BRANCHES = 8

/** sum ([x; y] w) over what was stacked = x w[0] + y w[1]; the same for the mean */
function* ofStack(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [axis, ...others] = axesOfReduction(t, n) ?? []
  if (op.kind !== 'onnx' || axis === undefined || others.length > 0 || !isFloat(t.type(t.child(n, 0))!.dtype)) return
  const branch = (c: ClassId) =>
    t.reshape(
      c,
      t.shape(c).filter((_, i) => i !== axis),
    )!
  for (const { parts, factor } of stacks(t, t.child(n, 0), axis)) {
    if (parts.length > MOST_BRANCHES) yield refuse(`more than ${MOST_BRANCHES} branches`)
    else {
      const terms = parts.map((x, i) =>
        factor === null ? branch(x) : t.mul(branch(x), branch(t.select(factor, axis, range(i, 1)))),
      )
      const sum = terms.reduce((a, b) => t.add(a, b))
      const mean = op.op === 'ReduceSum' ? sum : t.mul(sum, t.scalar(1 / parts.length, t.rank(sum), t.type(sum)!.dtype))
      yield t.reshape(mean, t.shape(t.egraph.classOf(n)))!
    }
  }
}

interface Stack {
  readonly parts: readonly ClassId[]
  readonly factor: ClassId | null
}

/** How `x` is a stack along `axis`, alone or with a factor for each branch. */
function* stacks(t: TensorEGraph, x: ClassId, axis: number): Generator<Stack> {
  for (const parts of stacked(t, x, axis)) yield { parts, factor: null }
  for (const m of t.nodes(x, 'Mul'))
    for (const [z, factor] of operandPairs(t, m)) {
      if (!shapeEquals(t.shape(z), t.shape(x)) || !dimEquals(t.shape(factor)[axis]!, t.shape(x)[axis]!)) continue
      for (const parts of stacked(t, z, axis)) yield { parts, factor }
    }
}

function stacked(t: TensorEGraph, x: ClassId, axis: number): readonly (readonly ClassId[])[] {
  return t.nodes(x, 'concat').flatMap((n) => {
    const op = t.op(n)
    const parts = t.children(n)
    return op.kind === 'concat' && op.axis === axis && parts.every((c) => t.shape(c)[axis] === 1) ? [parts] : []
  })
}

/** Axes of a reduction in canonical form, which keeps them at size 1; null of any other. */
export function axesOfReduction(t: TensorEGraph, n: NodeId): readonly number[] | null {
  const op = t.op(n)
  const [x, given] = t.children(n) as [ClassId, ClassId?]
  if (op.kind !== 'onnx' || t.type(x) === null || t.rank(x) !== t.rank(t.egraph.classOf(n))) return null
  const axes =
    given === undefined ? getInts(op.attributes, 'axes', null) : (t.fact(given).contents as readonly number[] | null)
  return axes?.every((a) => a >= 0) ? axes : null
}

const rule = ruleMaker({ source: 'linearity of the product (docs/rules.md, linear maps)' })

export const reductionRules: readonly Rule[] = [
  rule(
    'reduce-transposed',
    "reduce x' = (reduce x)'",
    ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL2', 'ReduceSumSquare'],
    transposed,
    'its axes are known',
  ),
  rule(
    'reduce-product',
    'sum (X Y) = (sum X) Y over rows, X (sum Y) over columns',
    ['ReduceSum', 'ReduceMean'],
    intoProduct,
    'one axis, which is no batch axis; equal ranks',
  ),
  rule('reduce-map', 'sum (x W) = x (W 1)', ['ReduceSum', 'ReduceMean'], intoMatrix, 'the sum is over what W makes'),
  rule(
    'reduce-stack',
    'sum ([x; y] w) = x w[0] + y w[1] over what was stacked',
    ['ReduceSum', 'ReduceMean'],
    ofStack,
    'one axis, along which each part has size 1; at most 8 parts; floats',
    { depth: 4 },
  ),
  rule(
    'reduce-weighted',
    'sum (x + c) m = sum x m + c sum m',
    ['ReduceSum', 'ReduceMean'],
    weighted,
    'c is constant and does not vary where it is summed; m is smaller than x, but not there',
  ),
]
