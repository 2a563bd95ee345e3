// Products of several inputs by one matrix, as unrolled recurrences and equal towers have them: one product of the inputs stacked.
// Only inputs stack: what is computed may depend on another of the products. The way back is `select-down`.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { range } from '../index-vector.ts'
import { replaceAxis } from '../infer-op.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'

/** Rows of all inputs together: more are bound by arithmetic, and the copy would not pay. */
const MOST_ROWS = 64

/** { x W, y W } = parts of [x; y] W */
function* stackInputs(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [x, w] = t.children(n) as [ClassId, ClassId]
  if (op.kind !== 'lin' || op.axis === 0 || !t.isConstant(w) || !isInput(t, x)) return
  const inputs = inputsOf(t, w, op.axis).filter((y) => isLike(t, x, y))
  const rows = inputs.map((y) => t.shape(y)[0]!)
  if (inputs.length < 2 || !rows.every((r) => typeof r === 'number')) return
  if (rows.reduce((a, b) => a + b) > MOST_ROWS) return yield refuse('there are too many rows for the copy to pay')
  const at = inputs.indexOf(t.egraph.find(x))
  const start = rows.slice(0, at).reduce((a, b) => a + b, 0)
  yield t.select(t.lin(t.concat(inputs, 0), w, op.axis), 0, range(start, rows[at]!))
}

const isInput = (t: TensorEGraph, c: ClassId): boolean => t.egraph.nodesOf(c).some((n) => t.op(n).kind === 'input')

/** Inputs that are mapped by w along the axis, in the order of their classes. */
function inputsOf(t: TensorEGraph, w: ClassId, axis: number): ClassId[] {
  const lins = t.egraph.parentsOf(w).filter((m) => {
    const op = t.op(m)
    return op.kind === 'lin' && op.axis === axis && t.child(m, 1) === t.egraph.find(w) && isInput(t, t.child(m, 0))
  })
  return [...new Set(lins.map((m) => t.egraph.find(t.child(m, 0))))].sort((a, b) => a - b)
}

const isLike = (t: TensorEGraph, x: ClassId, y: ClassId): boolean =>
  t.rank(x) === t.rank(y) && shapeEquals(replaceAxis(t.shape(x), 0, 1), replaceAxis(t.shape(y), 0, 1))

const rule = ruleMaker({ source: 'linearity; TENSAT and TASO, multi-pattern rules (docs/rules.md, merges)' })

export const stackRules: readonly Rule[] = [
  rule('stack-inputs', '{ x W, y W } = parts of [x; y] W', ['lin'], stackInputs, 'x and y are inputs of few rows', {
    depth: Number.POSITIVE_INFINITY,
  }),
]
