// Selections of positions, derived from axis maps: they move down through whatever computes each position by itself. First-token heads,
// unused columns and split(concat) are this; and the one position that the model itself looks for, as the end of a text.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, int } from '../../ir/attribute.ts'
import type { Dim } from '../../ir/dim.ts'
import { isWritable } from '../decode-structure.ts'
import { type IndexVector, indexBounds, indexCount, indexKey, range, shiftIndices } from '../index-vector.ts'
import { replaceAxis } from '../infer-op.ts'
import { axesOf, resizedOp } from '../properties.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { isOfRuntime } from '../tensor-op.ts'

/** Positions along an axis: known ones, or those that a vector holds. */
interface Selection {
  readonly key: string
  readonly count: Dim
  take(x: ClassId, axis: number): ClassId
  /** Whether it can be written of an axis of that size. */
  fits(size: Dim): boolean
  /** Of parts side by side along the axis; null where they are not told apart. */
  ofConcat(parts: readonly ClassId[], axis: number): ClassId | null
}

const known = (t: TensorEGraph, index: IndexVector): Selection => ({
  key: indexKey(index),
  count: indexCount(index),
  take: (x, axis) => t.select(x, axis, index),
  fits: (size) => isWritable(index, size),
  ofConcat: (parts, axis) => selectOfConcat(t, parts, axis, index),
})

const held = (t: TensorEGraph, ids: ClassId): Selection => ({
  key: `held by ${t.egraph.find(ids)}`,
  count: t.shape(ids)[0]!,
  take: (x, axis) => t.onnx('Gather', [x, ids], { axis: int(axis) }),
  fits: () => true,
  ofConcat: () => null,
})

/** How far one application follows a selection; the rest is left to the next iteration. */
const DEPTH = 100

/** Selections that one application has followed: once each, since every residual sum doubles the paths to what lies below. */
type Followed = Set<string>

/** E-nodes that selections have moved through in this iteration, with axis and positions. */
const movedThrough = new WeakMap<TensorEGraph, { readonly generation: number; readonly keys: Set<string> }>()

function movedNow(t: TensorEGraph): Set<string> {
  const { generation } = t.egraph
  const known = movedThrough.get(t)
  if (known?.generation === generation) return known.keys
  const keys = new Set<string>()
  movedThrough.set(t, { generation, keys })
  return keys
}

/** The selection along `axis` of x, moved down as far as it goes; all forms on the way are equal. */
function selectDown(
  t: TensorEGraph,
  x: ClassId,
  axis: number,
  selection: Selection,
  depth: number,
  followed: Followed,
): ClassId {
  const selected = selection.take(x, axis)
  if (depth === 0 || t.isConstant(selected)) return selected
  const key = `${t.egraph.find(x)}:${axis}@${selection.key}`
  if (followed.has(key)) return selected
  followed.add(key)
  for (const moved of moveThroughAll(t, x, axis, selection, depth - 1, followed))
    if (moved !== null) t.egraph.union(selected, moved)
  return selected
}

/** The classes that a selection of the e-nodes of x is, where it has not moved through them before; null for those that it
 * cannot move through. */
function* moveThroughAll(
  t: TensorEGraph,
  x: ClassId,
  axis: number,
  selection: Selection,
  depth: number,
  followed: Followed,
): Iterable<ClassId | null> {
  const done = movedNow(t)
  for (const n of t.egraph.nodesOf(x)) {
    const key = `${n}:${axis}@${selection.key}`
    if (done.has(key) || !t.isTyped(n)) continue
    const moved = selectThrough(t, n, axis, selection, depth, followed)
    if (moved !== null) done.add(key)
    yield moved
  }
}

/** f(.., x, ..) selected = f(.., x selected, ..), or null where the axis is not computed position by position. */
function selectThrough(
  t: TensorEGraph,
  n: NodeId,
  axis: number,
  selection: Selection,
  depth: number,
  followed: Followed,
): ClassId | null {
  const op = t.op(n)
  if (op.kind === 'select' || isOfRuntime(op)) return null
  if (op.kind === 'concat' && op.axis === axis) return selection.ofConcat(t.children(n), axis)
  const row = axesOf(t, n)?.[axis]
  if (!row || row.includes('mixed')) return null
  const resized = replaceAxis(t.shape(t.egraph.classOf(n)), axis, selection.count)
  if (op.kind === 'expand' && op.sizes[axis] != null)
    return typeof selection.count === 'number' ? t.expand(t.child(n, 0), resized) : null
  if (!row.some((source) => typeof source === 'number')) return null
  const writable = t
    .children(n)
    .every((c, i) => typeof row[i] !== 'number' || selection.fits(t.shape(c)[row[i] as number]!))
  if (!writable) return null
  const children = t
    .children(n)
    .map((c, i) => (typeof row[i] === 'number' ? selectDown(t, c, row[i] as number, selection, depth, followed) : c))
  if (op.kind === 'reshape') return t.reshape(children[0]!, resized)
  if (op.kind === 'expand') return t.expand(children[0]!, resized)
  const cut = resizedOp(t, n, axis, selection.count)
  return cut && t.rebuild(cut, children)
}

/** Positions of a concatenation, taken from the parts that they lie in. */
function selectOfConcat(t: TensorEGraph, parts: readonly ClassId[], axis: number, index: IndexVector): ClassId | null {
  const bounds = indexBounds(index)
  const sizes = parts.map((p) => t.shape(p)[axis]!)
  if (
    !bounds ||
    sizes.some((s) => typeof s !== 'number') ||
    typeof bounds.from !== 'number' ||
    typeof bounds.to !== 'number'
  )
    return null
  const pieces: ClassId[] = []
  let start = 0
  for (const [i, size] of (sizes as number[]).entries()) {
    const from = Math.max(bounds.from, start)
    const to = Math.min(bounds.to, start + size)
    const whole = bounds.from >= start && bounds.to <= start + size
    if (whole) {
      const inside = shiftIndices(index, start)
      return inside && t.select(parts[i]!, axis, inside)
    }
    if (from < to) pieces.push(t.select(parts[i]!, axis, range(from - start, to - from)))
    start += size
  }
  return index.kind === 'range' && index.step === 1 ? t.concat(pieces, axis) : null
}

function* selectionDown(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  if (op.kind !== 'select') return
  const x = t.child(n, 0)
  if (t.type(x) === null) return yield refuse('the type of the input is unknown')
  for (const moved of moveThroughAll(t, x, op.axis, known(t, op.index), DEPTH, new Set())) yield moved ?? MIXES
}

/** Of few positions, which are no constant. */
function* gatherDown(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [x, ids] = t.children(n) as [ClassId, ClassId]
  if (op.kind !== 'onnx' || t.rank(ids) > 1 || t.isConstant(ids) || t.isConstant(x)) return
  const axis = getInt(op.attributes, 'axis', 0)
  const along = axis < 0 ? axis + t.rank(x) : axis
  const vector = t.reshape(ids, [t.shape(ids)[0] ?? 1])!
  const positions = held(t, vector)
  const size = t.shape(x)[along]!
  const isFewer = typeof positions.count === 'number' && (typeof size !== 'number' || positions.count < size)
  if (!isFewer || positions.count === 0) return yield refuse('it does not pick fewer positions than there are')
  for (const moved of moveThroughAll(t, x, along, positions, DEPTH, new Set()))
    yield moved === null ? MIXES : t.reshape(moved, t.shape(t.egraph.classOf(n)))!
}

const MIXES = refuse('the operator mixes positions of the axis')

const rule = ruleMaker({ source: 'axis maps of the operators (docs/rules.md, movement)' })
const EXACT = { exactness: 'exact' } as const

export const selectRules: readonly Rule[] = [
  rule(
    'select-down',
    'select(f(x, y)) = f(select x, select y)',
    ['select'],
    selectionDown,
    'f computes each position of the axis by itself',
    EXACT,
  ),
  rule(
    'gather-down',
    'f(x, y)[i] = f(x[i], y[i])',
    ['Gather'],
    gatherDown,
    'f computes each position of the axis by itself; i holds fewer positions than there are',
    EXACT,
  ),
]
