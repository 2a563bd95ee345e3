// Largest and smallest elements: a function that never falls takes the largest to the largest, so that it need not be computed of
// the others. Rounding never falls either: nothing changes but where numbers are infinite or none.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { type Attributes, getInts, getText } from '../../ir/attribute.ts'
import { isFloat } from '../../ir/dtype.ts'
import { lawsOf } from '../../ir/op.ts'
import { callOfOnnx } from '../infer-op.ts'
import { recordOf } from '../properties.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { axesOfReduction } from './reduction.ts'
import { operandPairs } from './scale.ts'

/** Functions that are not defined for all numbers: what the largest is among results that are none, is the runtime's own choice. */
const PARTIAL = new Set(['Sqrt', 'Log', 'Asin', 'Acosh', 'Atanh'])

/** An element-wise function of one operand that never falls, and keeps the dtype. */
function isMonotone(t: TensorEGraph, n: NodeId): boolean {
  const op = t.op(n)
  const record = recordOf(op)
  const children = t.children(n)
  if (op.kind !== 'onnx' || !record?.elementwise || children.length !== 1 || PARTIAL.has(op.op)) return false
  if (t.type(children[0]!)?.dtype !== t.type(t.egraph.classOf(n))?.dtype) return false
  const call = callOfOnnx(op, [t.fact(children[0]!)], t.constants)
  return lawsOf(record, call).includes('monotone')
}

/** The largest of nothing is -infinity, and f of that is another number. */
function mayMissInput(attributes: Attributes): boolean {
  const kernel = getInts(attributes, 'kernel_shape', [])
  const pads = getInts(attributes, 'pads', [])
  const isDilated = getInts(attributes, 'dilations', []).some((d) => d > 1)
  if (isDilated && getText(attributes, 'auto_pad', 'NOTSET').startsWith('SAME')) return true
  return pads.some((pad, i) => pad > 0 && (isDilated || pad >= kernel[i % kernel.length]!))
}

/** max f(x) = f(max x), over windows, axes or a picture; min too */
function* ofMonotone(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  if (op.kind !== 'onnx' || op.outputCount !== 1 || op.output !== 0) return
  const [c, ...rest] = t.children(n) as [ClassId, ...ClassId[]]
  if (mayMissInput(op.attributes)) return yield refuse('a window of the pool may lie in the padding alone')
  if (t.type(c) === null || t.shape(c).includes(0)) return yield refuse('there is nothing to choose from')
  for (const f of t.egraph.nodesOf(c).filter((x) => t.isTyped(x)))
    yield isMonotone(t, f)
      ? t.make(t.op(f), [t.make(op, [t.child(f, 0), ...rest])])
      : refuse('the operator before it is not monotone')
}

/** max (x + s) = max x + s; max (x d) = d max x for d > 0; min too */
function* ofTerms(t: TensorEGraph, n: NodeId): Results {
  const axes = axesOfExtreme(t, n)
  const [c, ...rest] = t.children(n) as [ClassId, ...ClassId[]]
  if (axes === null || !isFloat(t.type(c)!.dtype) || t.shape(c).includes(0)) return
  for (const family of ['Add', 'Mul'] as const)
    for (const m of t.nodes(c, family))
      for (const [x, s] of operandPairs(t, m)) {
        if (axes.some((a) => t.shape(s)[a] !== 1)) yield refuse('the other operand varies where the largest is chosen')
        else if (family === 'Mul' && !isPositive(t, s)) yield refuse('the factor is not known to be positive')
        else yield t.must(t.elementwise(family, [t.make(t.op(n), [x, ...rest]), s]))
      }
}

/** Over which axes, all of which stay with size 1. */
function axesOfExtreme(t: TensorEGraph, n: NodeId): readonly number[] | null {
  const op = t.op(n)
  if (op.kind !== 'onnx' || op.op !== 'GlobalMaxPool') return axesOfReduction(t, n)
  const c = t.child(n, 0)
  return (
    t.type(c) &&
    t
      .shape(c)
      .map((_, a) => a)
      .slice(2)
  )
}

/** Larger ones are not looked through. */
const MOST_FACTORS = 2 ** 16

function isPositive(t: TensorEGraph, c: ClassId): boolean {
  const id = t.constantOf(c)
  return id !== null && t.constantElements(c) <= MOST_FACTORS && t.constants.array(id).data.every((x) => x > 0)
}

const rule = ruleMaker({ source: 'the largest of values that a function never brings down (docs/rules.md, extremes)' })

export const extremeRules: readonly Rule[] = [
  rule(
    'pool-of-monotone',
    'max f(x) = f(max x), over windows, axes or a picture; min too',
    ['MaxPool', 'GlobalMaxPool', 'ReduceMax', 'ReduceMin'],
    ofMonotone,
    'f is monotone; no window lies in the padding alone',
    { exactness: 'exact' },
  ),
  rule(
    'max-of-terms',
    'max (x + s) = max x + s; max (x d) = d max x; min too',
    ['GlobalMaxPool', 'ReduceMax', 'ReduceMin'],
    ofTerms,
    's and d do not vary where the largest is chosen; d is constant and positive',
    { exactness: 'finite' },
  ),
]
