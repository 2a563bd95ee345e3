// Movement along point-wise axes, derived from axis maps: a selection of positions moves down through whatever computes each
// position by itself; a repetition moves up. First-token heads, unused columns, split(concat), expanded user vectors are all this.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { addDims, type Dim, dimEquals, subDims } from '../../ir/dim.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { isWritable } from '../decode-structure.ts'
import { type IndexVector, indexBounds, indexCount, indexKey, range, shiftIndices } from '../index-vector.ts'
import { replaceAxis } from '../infer-op.ts'
import { axesOf, recordOf, resizedOp } from '../properties.ts'
import { type Rule, refuse } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'

const SOURCE = 'axis maps of the operators (docs/rules.md, movement)'
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

/** The selection of `index` along `axis` of x, moved down as far as it goes; all forms on the way are equal. */
function selectDown(
  t: TensorEGraph,
  x: ClassId,
  axis: number,
  index: IndexVector,
  depth: number,
  followed: Followed,
): ClassId {
  const selected = t.select(x, axis, index)
  if (depth === 0 || t.isConstant(selected)) return selected
  const key = `${t.egraph.find(x)}:${axis}@${indexKey(index)}`
  if (followed.has(key)) return selected
  followed.add(key)
  for (const moved of moveThroughAll(t, x, axis, index, depth - 1, followed))
    if (moved !== null) t.egraph.union(selected, moved)
  return selected
}

/** The classes that a selection of the e-nodes of x is, where it has not moved through them before; null for those that it
 * cannot move through. */
function* moveThroughAll(
  t: TensorEGraph,
  x: ClassId,
  axis: number,
  index: IndexVector,
  depth: number,
  followed: Followed,
): Iterable<ClassId | null> {
  const done = movedNow(t)
  for (const n of t.egraph.nodesOf(x)) {
    const key = `${n}:${axis}@${indexKey(index)}`
    if (done.has(key) || !t.isTyped(n)) continue
    const moved = selectThrough(t, n, axis, index, depth, followed)
    if (moved !== null) done.add(key)
    yield moved
  }
}

/** f(.., x, ..) selected = f(.., x selected, ..), or null where the axis is not computed position by position. */
function selectThrough(
  t: TensorEGraph,
  n: NodeId,
  axis: number,
  index: IndexVector,
  depth: number,
  followed: Followed,
): ClassId | null {
  const op = t.op(n)
  if (op.kind === 'select' || op.kind === 'fused-conv' || op.kind.startsWith('reorder')) return null
  if (op.kind === 'concat' && op.axis === axis) return selectOfConcat(t, t.children(n), axis, index)
  const row = axesOf(t, n)?.[axis]
  if (!row || row.includes('mixed')) return null
  if (op.kind === 'expand' && op.sizes[axis] != null) {
    const count = indexCount(index)
    return typeof count === 'number'
      ? t.expand(t.child(n, 0), replaceAxis(t.shape(t.egraph.classOf(n)), axis, count))
      : null
  }
  if (!row.some((source) => typeof source === 'number')) return null
  const writable = t
    .children(n)
    .every((c, i) => typeof row[i] !== 'number' || isWritable(index, t.shape(c)[row[i] as number]!))
  if (!writable) return null
  const children = t
    .children(n)
    .map((c, i) => (typeof row[i] === 'number' ? selectDown(t, c, row[i] as number, index, depth, followed) : c))
  if (op.kind === 'reshape')
    return t.reshape(children[0]!, replaceAxis(t.shape(t.egraph.classOf(n)), axis, indexCount(index)))
  if (op.kind === 'expand')
    return t.expand(children[0]!, replaceAxis(t.shape(t.egraph.classOf(n)), axis, indexCount(index)))
  const cut = resizedOp(t, n, axis, indexCount(index))
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

/** Neighbouring ranges of one value, side by side again. */
function* concatOfSelects(t: TensorEGraph, n: NodeId): Iterable<ClassId> {
  const op = t.op(n)
  if (op.kind !== 'concat') return
  const parts = t.children(n)
  for (const first of t.nodes(parts[0]!, 'select')) {
    const x = t.child(first, 0)
    let end: Dim | null = null
    const joined = parts.every((part, i) => {
      // A part may be several ranges of x: the first one is the range from which the others are counted.
      const ranges = i === 0 ? [first] : t.nodes(part, 'select')
      const next = ranges.find((s) => continues(t, s, x, op.axis, end))
      const index = next === undefined ? null : t.op(next)
      if (index?.kind !== 'select' || index.index.kind !== 'range') return false
      end = addDims(index.index.start, index.index.count)
      return true
    })
    const start = t.op(first)
    if (joined && end !== null && start.kind === 'select' && start.index.kind === 'range') {
      const whole = range(start.index.start, subDims(end, start.index.start))
      if (isWritable(whole, t.shape(x)[op.axis]!)) yield t.select(x, op.axis, whole)
    }
  }
}

function continues(t: TensorEGraph, s: NodeId, x: ClassId, axis: number, end: Dim | null): boolean {
  const op = t.op(s)
  if (op.kind !== 'select' || op.axis !== axis || op.index.kind !== 'range' || op.index.step !== 1) return false
  return t.egraph.find(t.child(s, 0)) === t.egraph.find(x) && (end === null || dimEquals(op.index.start, end))
}

/** f(expand x, y) = expand f(x, y) where y does not vary along the repeated axis; = f(x, y) where y varies along it. */
function* expandUp(t: TensorEGraph, n: NodeId): Iterable<ClassId> {
  const op = t.op(n)
  if (op.kind === 'expand' || op.kind === 'fused-conv') return
  const axes = axesOf(t, n)
  if (!axes) return
  const out = t.shape(t.egraph.classOf(n))
  for (const [k, c] of t.children(n).entries())
    for (const e of t.nodes(c, 'expand')) {
      const expand = t.op(e)
      const x = t.child(e, 0)
      if (expand.kind !== 'expand') continue
      const repeated = expand.sizes.flatMap((s, j) => (s === null ? [] : [j]))
      const targets = repeated.map((j) => axes.findIndex((row) => row[k] === j))
      const pointwise = targets.every(
        (a, i) => a >= 0 && !axes[a]!.includes('mixed') && axes.filter((row) => row[k] === repeated[i]).length === 1,
      )
      if (!pointwise) continue
      const children = t.children(n).map((other, i) => (i === k ? x : other))
      const small = rebuildSmall(t, n, children, out, targets)
      if (small !== null) yield* restored(t, small, out)
    }
}

/** The same operator on the unrepeated child: element-wise ones as they are, others only if nothing else varies there. */
function rebuildSmall(
  t: TensorEGraph,
  n: NodeId,
  children: readonly ClassId[],
  out: readonly Dim[],
  targets: readonly number[],
): ClassId | null {
  const op = t.op(n)
  if (recordOf(op)?.elementwise) return t.rebuild(op, children)
  const axes = axesOf(t, n)!
  const alone = targets.every((a) => axes[a]!.filter((source) => typeof source === 'number').length === 1)
  if (!alone) return null
  if (op.kind === 'reshape')
    return t.reshape(
      children[0]!,
      out.map((d, a) => (targets.includes(a) ? 1 : d)),
    )
  return t.rebuild(op, children)
}

function* restored(t: TensorEGraph, small: ClassId, out: readonly Dim[]): Iterable<ClassId> {
  if (t.type(small) === null) return
  if (shapeEquals(t.shape(small), out)) yield small
  else {
    const whole = t.expand(small, out)
    if (whole !== null) yield whole
  }
}

/** [f(x, c), f(y, d)] = f([x, y], [c, d]), f element by element */
function* concatUp(t: TensorEGraph, n: NodeId): Iterable<ClassId> {
  const op = t.op(n)
  if (op.kind !== 'concat') return
  const parts = t.children(n)
  for (const first of t.egraph.nodesOf(parts[0]!).filter((m) => t.isTyped(m) && isVaryingElementwise(t, m))) {
    const same = parts.map((p) =>
      t.egraph.nodesOf(p).find((m) => t.egraph.opOf(m) === t.egraph.opOf(first) && t.isTyped(m)),
    )
    if (same.includes(undefined)) continue
    const columns = operandColumns(t, same as NodeId[], parts)
    const joined = columns.map((column) => joinOperands(t, column, parts, op.axis))
    const whole = joined.includes(null) ? null : t.rebuild(t.op(first), joined as ClassId[])
    if (whole !== null) yield whole
  }
}

function isVaryingElementwise(t: TensorEGraph, n: NodeId): boolean {
  const record = recordOf(t.op(n))
  return record?.elementwise === true && record.deterministic !== false && !t.isConstant(t.egraph.classOf(n))
}

/** { f(x[a]), f(x[b]) } = parts of f(x): the other way than `select-down`, where several parts are mapped alike */
function* selectUp(t: TensorEGraph, n: NodeId): Iterable<ClassId> {
  if (!isVaryingElementwise(t, n)) return
  const [c, ...rest] = t.children(n) as [ClassId, ...ClassId[]]
  if (!rest.every((k) => t.isConstant(k) && t.constantElements(k) === 1)) return
  for (const s of t.nodes(c, 'select')) {
    const op = t.op(s)
    const x = t.child(s, 0)
    if (op.kind !== 'select' || mappedParts(t, x, op.axis, n) < 2) continue
    const whole = t.rebuild(t.op(n), [x, ...rest])
    if (whole !== null) yield t.select(whole, op.axis, op.index)
  }
}

/** How many parts of x along the axis the operator of `n` is applied to. */
function mappedParts(t: TensorEGraph, x: ClassId, axis: number, n: NodeId): number {
  const parts = t.egraph.parentsOf(x).filter((s) => {
    const op = t.op(s)
    return op.kind === 'select' && op.axis === axis
  })
  const isMapped = (c: ClassId) => t.egraph.parentsOf(c).some((m) => t.egraph.opOf(m) === t.egraph.opOf(n))
  return new Set(parts.map((s) => t.egraph.classOf(s)).filter(isMapped)).size
}

/** The operands of each position over all parts, constants in the same position where the order does not matter. */
function operandColumns(t: TensorEGraph, nodes: readonly NodeId[], parts: readonly ClassId[]): ClassId[][] {
  const record = recordOf(t.op(nodes[0]!))!
  const rows = nodes.map((m) => {
    const children = t.children(m)
    const ordered = record.laws?.includes('commutative') && children.length === 2 && t.isConstant(children[0]!)
    return ordered ? [children[1]!, children[0]!] : children
  })
  return rows[0]!.map((_, i) => parts.map((_, p) => rows[p]![i]!))
}

/** The operands of one position side by side, or the one operand of all parts where it does not vary along the axis. */
function joinOperands(
  t: TensorEGraph,
  column: readonly ClassId[],
  parts: readonly ClassId[],
  axis: number,
): ClassId | null {
  const full = column.map((c, p) => wholeAlong(t, c, parts[p]!, axis))
  const others = (c: ClassId) => replaceAxis(t.shape(c), axis, 0)
  if (full.every((c) => c !== null && shapeEquals(others(c), others(full[0]!))))
    return t.concat(full as ClassId[], axis)
  const [first] = column
  const own = t.shape(first!)
  const size = own[axis - (t.rank(parts[0]!) - own.length)] ?? 1 // operands of fewer axes have the last ones
  return column.every((c) => c === first) && size === 1 ? first! : null
}

/** The operand with the size of its part along the axis: constants may be repeated for it. */
function wholeAlong(t: TensorEGraph, c: ClassId, part: ClassId, axis: number): ClassId | null {
  if (t.rank(c) !== t.rank(part)) return null
  const size = t.shape(part)[axis]!
  if (dimEquals(t.shape(c)[axis]!, size)) return c
  return t.isConstant(c) ? t.expand(c, replaceAxis(t.shape(c), axis, size)) : null
}

export const movementRules: readonly Rule[] = [
  {
    name: 'select-down',
    law: 'select(f(x, y)) = f(select x, select y)',
    condition: 'f computes each position of the axis by itself',
    source: SOURCE,
    exactness: 'exact',
    families: ['select'],
    *apply(t, n) {
      const op = t.op(n)
      if (op.kind !== 'select') return
      const x = t.child(n, 0)
      if (t.type(x) === null) return yield refuse('the type of the input is unknown')
      const followed: Followed = new Set()
      for (const moved of moveThroughAll(t, x, op.axis, op.index, DEPTH, followed))
        yield moved ?? refuse('the operator mixes positions of the axis')
    },
  },
  {
    name: 'concat-of-selects',
    law: '[x[a:b], x[b:c]] = x[a:c]',
    condition: '',
    source: SOURCE,
    exactness: 'exact',
    families: ['concat'],
    apply: concatOfSelects,
  },
  {
    name: 'concat-up',
    law: '[f(x, c), f(y, d)] = f([x, y], [c, d])',
    condition: 'f works element by element',
    source: SOURCE,
    exactness: 'exact',
    families: ['concat'],
    apply: concatUp,
  },
  {
    name: 'select-up',
    law: '{f(x[a]), f(x[b])} = parts of f(x)',
    condition: 'f works element by element, its other operands are single numbers',
    source: SOURCE,
    exactness: 'exact',
    families: 'all',
    depth: Number.POSITIVE_INFINITY,
    apply: selectUp,
  },
  {
    name: 'expand-up',
    law: 'f(expand x, y) = expand f(x, y)',
    condition: 'f computes each position of the repeated axis by itself',
    source: SOURCE,
    exactness: 'exact',
    families: 'all',
    apply: expandUp,
  },
]
