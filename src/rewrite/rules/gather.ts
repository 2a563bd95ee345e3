// Rows that a tensor of positions picks: what works row by row works on the rows that are there, before some of them are picked
// several times. A graph network computes what depends on one node for each node and not for each edge.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, int } from '../../ir/attribute.ts'
import { dimEquals } from '../../ir/dim.ts'
import { axesOf, onAxis, targetAxes } from '../properties.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'

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

export const gatherRules: readonly Rule[] = [
  ruleMaker({ source: 'axis maps of the operators (docs/rules.md, movement)' })(
    'gather-up',
    'f(x[ids], y[ids], z) = f(x, y, z)[ids]',
    'all',
    gatherUp,
    'f computes each row by itself; fewer rows are there than are picked; neither x nor ids is constant',
    { exactness: 'exact' },
  ),
]
