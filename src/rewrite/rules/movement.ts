// Movement along point-wise axes, derived from axis maps: a repetition moves up, past whatever computes each position by itself, and so
// do concatenations and selections of parts that are treated alike. Expanded user vectors, split(concat) are this.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { addDims, type Dim, dimEquals, subDims } from '../../ir/dim.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { isWritable } from '../decode-structure.ts'
import { range } from '../index-vector.ts'
import { replaceAxis } from '../infer-op.ts'
import { axesOf, recordOf } from '../properties.ts'
import type { Rule } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'

const SOURCE = 'axis maps of the operators (docs/rules.md, movement)'
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
