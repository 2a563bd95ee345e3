// Rows that a tensor of positions picks: what works row by row works on the rows that are there, before some of them are picked
// several times. A graph network computes what depends on one node for each node and not for each edge.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, int } from '../../ir/attribute.ts'
import { type Dim, dimEquals } from '../../ir/dim.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { replaceAxis } from '../infer-op.ts'
import { axesOf, onAxis, targetAxes } from '../properties.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { operandPairs } from './scale.ts'

/** x[ids] along an axis, ids a vector. */
interface Gathered {
  readonly x: ClassId
  readonly ids: ClassId
  readonly axis: number
}

/** The readings of a class as what positions pick that are not constant, from what is not constant. */
function gathers(t: TensorEGraph, c: ClassId): Gathered[] {
  return t.nodes(c, 'Gather').flatMap((g) => {
    const op = t.op(g)
    const [x, ids] = t.children(g) as [ClassId, ClassId]
    if (op.kind !== 'onnx' || t.rank(ids) !== 1 || t.isConstant(ids) || t.isConstant(x)) return []
    const axis = getInt(op.attributes, 'axis', 0)
    return [{ x, ids, axis: axis < 0 ? axis + t.rank(x) : axis }]
  })
}

/** f(x[ids], y[ids], z) = f(x, y, z)[ids] */
function* gatherUp(t: TensorEGraph, n: NodeId): Results {
  const { kind } = t.op(n)
  const children = t.children(n)
  const found = kind === 'lin' ? [] : children.flatMap((c, k) => gathers(t, c).map((g) => ({ g, k })))
  const axes = found.length === 0 ? null : axesOf(t, n)
  if (axes === null) return
  for (const { g, k } of found) {
    const axis = targetAxes(axes, k, t.rank(children[k]!))[g.axis]
    if (axis == null) {
      yield refuse('the operator mixes the rows')
      continue
    }
    const rows = t.shape(g.x)[g.axis]!
    const count = t.shape(g.ids)[0]!
    if (typeof rows === 'number' && typeof count === 'number' && rows >= count) {
      yield refuse('no fewer rows are there than are picked')
      continue
    }
    const before = children.map((c, i) => {
      const source = axes[axis]![i]
      if (i === k) return g.x
      if (source === 'broadcast') return c
      const alike = (other: Gathered) => other.ids === g.ids && other.axis === source
      return gathers(t, c).find((o) => alike(o) && dimEquals(t.shape(o.x)[o.axis]!, rows))?.x ?? null
    })
    const whole = before.includes(null) ? null : onAxis(t, n, before as ClassId[], axis, rows)
    yield whole === null
      ? refuse('another operand varies along the axis, and is not picked by the same positions')
      : t.onnx('Gather', [whole, g.ids], { axis: int(axis) })
  }
}

/** x[ids] * (y[ids] * z) = (x * y)[ids] * z; the factors may have met in a vector */
function* factorToRow(t: TensorEGraph, n: NodeId): Results {
  for (const [c, p] of operandPairs(t, n))
    for (const g of gathers(t, c))
      for (const [a, z] of factorsOf(t, p)) {
        const row = rowFactor(t, a, g, t.shape(p))
        const rest = t.reshape(z, t.shape(p))
        if (row === null || rest === null) yield refuse('no factor is picked by the same positions')
        else yield t.mul(t.onnx('Gather', [t.mul(g.x, row), g.ids], { axis: int(g.axis) }), rest)
      }
}

/** What the positions of g pick `a` from, as a factor of what they pick the other from; `shape`: of the factors together. */
function rowFactor(t: TensorEGraph, a: ClassId, g: Gathered, shape: readonly Dim[]): ClassId | null {
  const rows = t.shape(g.x)[g.axis]!
  if (!dimEquals(shape[g.axis]!, t.shape(g.ids)[0]!)) return null
  const isAlike = (o: Gathered) => o.ids === g.ids && (t.rank(a) === 1 || o.axis === g.axis)
  const y = gathers(t, a).find((o) => isAlike(o) && dimEquals(t.shape(o.x)[o.axis]!, rows))
  return y ? t.reshape(y.x, replaceAxis(shape, g.axis, rows)) : null
}

/** The ways to read a class as a product of two, each as large as it, or as a column of such. */
function factorsOf(t: TensorEGraph, p: ClassId): (readonly [ClassId, ClassId])[] {
  const columns = t.nodes(p, 'reshape').map((r) => t.child(r, 0))
  return [p, ...columns.filter((v) => t.rank(v) === 1)].flatMap((v) =>
    t
      .nodes(v, 'Mul')
      .flatMap((m) => operandPairs(t, m))
      .filter((pair) => pair.every((f) => shapeEquals(t.shape(f), t.shape(v)))),
  )
}

/** scatter(0, ids, x * y[ids]) = scatter(0, ids, x) * y */
function* factorFromScatter(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  if (op.kind !== 'scatter') return
  const [c, at] = t.children(n) as [ClassId, ClassId]
  for (const m of t.nodes(c, 'Mul'))
    for (const [x, s] of operandPairs(t, m)) {
      const y = gathers(t, s).find((g) => {
        const isAlong = g.axis === op.axis && dimEquals(t.shape(g.x)[g.axis]!, op.size)
        return isAlong && t.existing(() => t.reshape(g.ids, t.shape(at)) ?? g.ids) === at
      })
      yield y && shapeEquals(t.shape(x), t.shape(c))
        ? t.mul(t.make(op, [x, at]), y.x)
        : refuse('the factor is not picked by the positions that it is written to')
    }
}

const rule = ruleMaker({ source: 'axis maps of the operators (docs/rules.md, movement)' })

export const gatherRules: readonly Rule[] = [
  rule(
    'gather-up',
    'f(x[ids], y[ids], z) = f(x, y, z)[ids]',
    'all',
    gatherUp,
    'f computes each row by itself; fewer rows are there than are picked; neither x nor ids is constant',
    { exactness: 'exact' },
  ),
  rule(
    'factor-to-row',
    'x[ids] * (y[ids] * z) = (x * y)[ids] * z',
    ['Mul'],
    factorToRow,
    'as for gather-up; y is one number a row',
  ),
  rule(
    'factor-from-scatter',
    'scatter(0, ids, x * y[ids]) = scatter(0, ids, x) * y',
    ['scatter'],
    factorFromScatter,
    'y has as many rows as are written to',
    { exactness: 'finite' },
  ),
]
