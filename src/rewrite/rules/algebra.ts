// Element-wise algebra and what monotone functions allow.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInts, int, ints } from '../../ir/attribute.ts'
import { type Dim, dimEquals } from '../../ir/dim.ts'
import { isFloat } from '../../ir/dtype.ts'
import { axesOf, type ChildAxes, recordOf, resizedOp } from '../properties.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { operandPairs } from './scale.ts'

/** x + x g = x (1 + g); x y + x z = x (y + z) */
function* factor(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  for (const [x, c] of operandPairs(t, n))
    for (const m of t.nodes(c, 'Mul'))
      for (const [y, g] of operandPairs(t, m))
        if (y === x && !t.isConstant(x)) yield t.mul(x, t.add(g, t.scalar(1, t.rank(g), t.type(g)!.dtype)))
  for (const p of t.nodes(a, 'Mul'))
    for (const q of t.nodes(b, 'Mul'))
      for (const [x, y] of operandPairs(t, p))
        for (const [z, w] of operandPairs(t, q))
          if (x === z && !t.isConstant(x))
            yield sameShape(t, y, w) ? t.mul(x, t.add(y, w)) : refuse('the other factors have different shapes')
}

/** -x + -y = -(x + y) */
function* sumOfNegations(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  for (const p of t.nodes(a, 'Neg'))
    for (const q of t.nodes(b, 'Neg')) yield t.onnx('Neg', [t.add(t.child(p, 0), t.child(q, 0))])
}

const sameShape = (t: TensorEGraph, a: ClassId, b: ClassId): boolean =>
  t.shape(a).every((d, i) => dimEquals(d, t.shape(b)[i]!))

/** An operand of a sum, a difference or a product. */
interface Term {
  readonly of: ClassId
  readonly isSubtracted: boolean
}

const isOnnx = (t: TensorEGraph, n: NodeId, name: string): boolean => {
  const op = t.op(n)
  return op.kind === 'onnx' && op.op === name
}

/** [term, the other], both ways round. */
function termPairs(t: TensorEGraph, n: NodeId): readonly (readonly [Term, Term])[] {
  const [first, second] = t.children(n) as [ClassId, ClassId]
  const [a, b] = [
    { of: first, isSubtracted: false },
    { of: second, isSubtracted: isOnnx(t, n, 'Sub') },
  ]
  return [
    [a, b],
    [b, a],
  ]
}

/** Both in one. */
function joined(t: TensorEGraph, family: 'Add' | 'Mul', a: Term, b: Term): Term {
  const make = (op: string, x: Term, y: Term) => t.must(t.elementwise(op, [x.of, y.of]))
  if (a.isSubtracted === b.isSubtracted) return { of: make(family, a, b), isSubtracted: a.isSubtracted }
  return { of: a.isSubtracted ? make('Sub', b, a) : make('Sub', a, b), isSubtracted: false }
}

/** (x + y) + z = x + (y + z), where y and z are repeated along one axis; differences and products, too */
function* smallFirst(t: TensorEGraph, n: NodeId): Results {
  const whole = t.egraph.classOf(n)
  if (!isFloat(t.type(whole)!.dtype)) return
  const family = isOnnx(t, n, 'Mul') ? 'Mul' : 'Add'
  for (const [inner, z] of termPairs(t, n).filter(([first]) => !first.isSubtracted))
    for (const m of family === 'Mul'
      ? t.nodes(inner.of, 'Mul')
      : [...t.nodes(inner.of, 'Add'), ...t.nodes(inner.of, 'Sub')])
      for (const [x, y] of termPairs(t, m)) {
        if (t.isConstant(y.of) && t.isConstant(z.of)) continue
        const sum = repeatTogether(t, y.of, z.of, whole) && joined(t, family, x, joined(t, family, y, z))
        if (!sum) yield refuse('the two smaller ones are repeated along different axes')
        else if (!sum.isSubtracted) yield sum.of
      }
}

/** True if some axis of the whole repeats both. */
const repeatTogether = (t: TensorEGraph, y: ClassId, z: ClassId, whole: ClassId): boolean =>
  t.shape(whole).some((d, i) => d !== 1 && t.shape(y)[i] === 1 && t.shape(z)[i] === 1)

/** Elements of a table beyond which only a matrix product is worth another table (16 MB of float32). */
const LARGE_TABLE = 2 ** 22

/** f(E[ids]) = f(E)[ids], E a constant table */
function* mapTable(t: TensorEGraph, n: NodeId) {
  const record = recordOf(t.op(n))
  if (!record || record.deterministic === false) return
  const children = t.children(n)
  const varying = children.filter((c) => !t.isConstant(c))
  if (varying.length !== 1 || t.type(varying[0]!) === null) return
  for (const g of t.nodes(varying[0]!, 'Gather')) {
    const gather = t.op(g)
    const [table, ids] = t.children(g) as [ClassId, ClassId]
    if (gather.kind !== 'onnx' || !t.isConstant(table) || t.isConstant(ids) || axisOfGather(t, g) !== 0) continue
    if (t.op(n).kind !== 'lin' && t.constantElements(table) > LARGE_TABLE) {
      yield refuse('the table is large, and a second one costs more than the operator')
      continue
    }
    const mapped = record.elementwise ? mapElements(t, n, table) : mapRows(t, n, table, t.rank(ids))
    if (mapped !== null && t.isConstant(mapped)) yield t.make(gather, [mapped, ids])
  }
}

/** f(E) element by element, its other operands constant along the positions. */
function mapElements(t: TensorEGraph, n: NodeId, table: ClassId): ClassId | null {
  const children = t.children(n)
  const varying = children.find((c) => !t.isConstant(c))!
  const rest = t.rank(table) - 1
  if (t.rank(varying) !== t.rank(t.egraph.classOf(n))) return null
  const operands = children.map((c) => (c === varying ? table : alongRows(t, c, rest)))
  const mapped = operands.includes(null) ? null : t.rebuild(t.op(n), operands as ClassId[])
  return mapped !== null && t.rank(mapped) === rest + 1 ? mapped : null
}

/** f(E) row by row: f on as many axes as it had, of which those of the positions but one are of size 1. */
function mapRows(t: TensorEGraph, n: NodeId, table: ClassId, positions: number): ClassId | null {
  const children = t.children(n)
  const k = children.findIndex((c) => !t.isConstant(c))
  const axes = axesOf(t, n)
  if (positions === 0 || !axes || !isRowWise(axes, k, positions)) return null
  const [rows, ...row] = t.shape(table) as [Dim, ...Dim[]]
  const ones = new Array<Dim>(positions - 1).fill(1)
  const spread = t.reshape(table, [...ones, rows, ...row])
  const op = t.op(n)
  if (spread === null || resizedOp(t, n, positions - 1, rows) !== op) return null
  const mapped = t.rebuild(
    op,
    children.map((c, i) => (i === k ? spread : c)),
  )
  return mapped && t.reshape(mapped, [rows, ...t.shape(mapped).slice(positions)])
}

/** True if output axes below `positions` are child k's same axes, and nothing else depends on those. */
function isRowWise(axes: ChildAxes, k: number, positions: number): boolean {
  return axes.every((row, a) =>
    a < positions
      ? row.every((source, i) => (i === k ? source === a : source === 'broadcast'))
      : typeof row[k] !== 'number' || row[k] >= positions,
  )
}

function axisOfGather(t: TensorEGraph, g: NodeId): number {
  const op = t.op(g)
  return op.kind === 'onnx' && op.attributes.axis?.kind === 'int' ? Number(op.attributes.axis.value) : 0
}

/** A constant that does not vary along the positions, with one axis for the table's rows. */
function alongRows(t: TensorEGraph, c: ClassId, rest: number): ClassId | null {
  const shape = t.shape(c)
  if (shape.length === 0) return c
  const leading = shape.slice(0, shape.length - rest)
  return leading.every((d) => d === 1) ? t.reshape(c, [1, ...shape.slice(shape.length - rest)]) : null
}

/** Mean over the positions of a picture, both spellings; a runtime may have a better kernel for one, and none in float64. */
function* globalPool(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const x = t.child(n, 0)
  if (op.kind !== 'onnx' || t.type(x) === null || t.rank(x) !== 4) return
  const axes =
    t.children(n)[1] === undefined ? getInts(op.attributes, 'axes', []) : (t.fact(t.child(n, 1)).contents ?? [])
  const keeps = op.attributes.keepdims?.kind !== 'int' || Number(op.attributes.keepdims.value) === 1
  if (!keeps || axes.join() !== '2,3' || axesOf(t, n) === null) return
  yield t.type(x)!.dtype === 'float64' ? refuse('the runtime has no pool in float64') : t.onnx('GlobalAveragePool', [x])
}

function* meanOfPool(t: TensorEGraph, n: NodeId) {
  const x = t.child(n, 0)
  if (t.type(x) === null || t.rank(x) !== 4) return
  if (t.opset >= 18) yield t.onnx('ReduceMean', [x, t.int64s([2, 3])], { keepdims: int(1) })
  else yield t.onnx('ReduceMean', [x], { axes: ints([2, 3]), keepdims: int(1) })
}

const rule = ruleMaker({ source: 'element-wise algebra (docs/rules.md, algebra)' })

const EXACT = { exactness: 'exact' } as const

export const algebraRules: readonly Rule[] = [
  rule('factor', 'x + x g = x (1 + g); x y + x z = x (y + z)', ['Add'], factor),
  rule('sum-of-negations', '-x + -y = -(x + y)', ['Add'], sumOfNegations, '', EXACT),
  rule(
    'small-first',
    '(x + y) + z = x + (y + z); differences and products too',
    ['Add', 'Sub', 'Mul'],
    smallFirst,
    'y and z are repeated along one axis of the sum, and not both constant',
  ),
  rule(
    'map-table',
    'f(E[ids]) = f(E)[ids]',
    'all',
    mapTable,
    'E is constant, f is element-wise or computes each row by itself, and E is not large',
    EXACT,
  ),
  rule('mean-as-pool', 'mean over the picture = GlobalAveragePool', ['ReduceMean'], globalPool, 'not float64'),
  rule('pool-as-mean', 'GlobalAveragePool = mean over the picture', ['GlobalAveragePool'], meanOfPool),
]
