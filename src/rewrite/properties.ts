// Properties of e-nodes that rules derive from: where each output axis comes from, and in which children the node is linear.
// For ONNX operators they come from the Op record; for the canonical operators they are stated here.
import { InvariantError } from '../base/errors.ts'
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { type Dim, dimEquals } from '../ir/dim.ts'
import type { AxisSource, Op } from '../ir/op.ts'
import { findOp } from '../ir/ops/index.ts'
import { insertedAxes, passingAxes } from './axis-groups.ts'
import { callOfOnnx, replaceAxis } from './infer-op.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import { isOfToday, type OnnxOp, type TensorOp } from './tensor-op.ts'

/** [output axis][child]: as `AxisMap` of an Op record, for the children of an e-node. */
export type ChildAxes = readonly (readonly AxisSource[])[]

/** Axis map of an e-node, or null where nothing is known. */
export function axesOf(t: TensorEGraph, n: NodeId): ChildAxes | null {
  const op = t.op(n)
  const children = t.children(n)
  if (op.kind === 'input' || op.kind === 'constant' || children.some((c) => t.type(c) === null)) return null
  if (t.type(t.egraph.classOf(n)) === null) return null
  return op.kind === 'onnx' ? onnxAxes(t, n, op, children) : structuralAxes(t, op, children)
}

function structuralAxes(t: TensorEGraph, op: TensorOp, children: readonly ClassId[]): ChildAxes | null {
  const rank = t.rank(children[0]!)
  const axes = Array.from({ length: rank }, (_, i) => i)
  switch (op.kind) {
    case 'lin':
      return axes.map((a) => (a === op.axis ? ['broadcast', 1] : [a, 'broadcast']))
    case 'transpose':
      return op.perm.map((p) => [p])
    case 'select':
      return axes.map((a) => [a === op.axis ? 'mixed' : a])
    case 'expand':
      return axes.map((a) => [op.sizes[a] === null ? a : 'broadcast'])
    case 'concat':
      return axes.map((a) => children.map(() => (a === op.axis ? 'mixed' : a)))
    case 'scatter':
      return axes.map(
        (a) =>
          [a, t.shape(children[1]!)[a] === 1 ? 'broadcast' : a].map((s) =>
            a === op.axis ? 'mixed' : s,
          ) as AxisSource[],
      )
    case 'reshape': {
      const inserted = insertedAxes(op.groups)
      return passingAxes(op.groups).map((p, i) => [p ?? (inserted[i] ? 'broadcast' : 'mixed')])
    }
    default:
      return null
  }
}

function onnxAxes(t: TensorEGraph, n: NodeId, op: OnnxOp, children: readonly ClassId[]): ChildAxes | null {
  const record = findOp(op.domain, op.op)
  if (!record || !isOfToday(op) || op.captures.length > 0 || op.output !== 0 || record.deterministic === false)
    return null
  const out = t.shape(t.egraph.classOf(n))
  if (record.elementwise)
    return out.map((d, axis) => children.map((c) => elementwiseSource(t, c, axis - out.length, d)))
  const map = record.axes?.(
    callOfOnnx(
      op,
      children.map((c) => t.fact(c)),
      t.constants,
    ),
  )
  if (!map) return null
  if (map.length !== out.length) throw new InvariantError(`${op.op}: axis map of ${map.length} axes for ${out.length}`)
  const at = op.present.flatMap((p, i) => (p ? [i] : []))
  return map.map((row) => at.map((i) => row[i] ?? 'mixed'))
}

function elementwiseSource(t: TensorEGraph, c: ClassId, fromEnd: number, size: Dim): AxisSource {
  const shape = t.shape(c)
  const own = shape.at(fromEnd)
  if (shape.length < -fromEnd || own === undefined) return 'broadcast'
  if (dimEquals(own, size)) return shape.length + fromEnd
  return own === 1 ? 'broadcast' : 'mixed'
}

export function recordOf(op: TensorOp): Op | null {
  return op.kind === 'onnx' ? findOp(op.domain, op.op) : null
}

/** Children in which the e-node is linear, the others held fixed. */
export function linearChildren(t: TensorEGraph, n: NodeId): readonly number[] {
  const op = t.op(n)
  switch (op.kind) {
    case 'lin':
      return [0, 1]
    case 'reshape':
    case 'transpose':
    case 'select':
    case 'expand':
    case 'scatter':
      return [0]
    case 'onnx':
      return onnxLinear(t, n, op)
    default:
      return []
  }
}

function onnxLinear(t: TensorEGraph, n: NodeId, op: OnnxOp): readonly number[] {
  const record = findOp(op.domain, op.op)
  const children = t.children(n)
  if (
    !record?.linearIn ||
    !isOfToday(op) ||
    record.jointlyLinear ||
    op.captures.length > 0 ||
    op.output !== 0 ||
    children.some((c) => t.type(c) === null)
  )
    return []
  const at = op.present.flatMap((p, i) => (p ? [i] : []))
  const linear = record.linearIn(
    callOfOnnx(
      op,
      children.map((c) => t.fact(c)),
      t.constants,
    ),
  )
  // A cast is linear, but what moves through it would change its dtype: its range, its rounding, and what it may be mixed with.
  const dtype = t.type(t.egraph.classOf(n))?.dtype
  return at.flatMap((position, child) =>
    linear.includes(position) && t.type(children[child]!)!.dtype === dtype ? [child] : [],
  )
}

/** True if the e-node is linear in all its children together: sums and concatenations. */
export function isJointlyLinear(op: TensorOp): boolean {
  if (op.kind === 'concat') return true
  return op.kind === 'onnx' && op.domain === '' && (op.op === 'Add' || op.op === 'Sub')
}

/** For each axis of child `k`, the output axis that it alone makes, or null: it is contracted, resampled or split. */
export function targetAxes(axes: ChildAxes, k: number, childRank: number): readonly (number | null)[] {
  return Array.from({ length: childRank }, (_, j) => {
    const targets = axes.flatMap((row, a) => (row[k] === j ? [a] : []))
    return targets.length === 1 ? targets[0]! : null
  })
}

/** The operator after output axis `axis`, and each child's matching axis, became `size` long; null where it cannot be. */
export function resizedOp(t: TensorEGraph, n: NodeId, axis: number, size: Dim): TensorOp | null {
  const op = t.op(n)
  const resize = recordOf(op)?.resize
  if (op.kind !== 'onnx' || !resize) return op
  const attributes = resize(
    callOfOnnx(
      op,
      t.children(n).map((c) => t.fact(c)),
      t.constants,
    ),
    axis,
    size,
  )
  return attributes && { ...op, attributes }
}

/** The e-node's operator on other children, with `size` positions along output axis `axis`; null where it cannot be. */
export function onAxis(
  t: TensorEGraph,
  n: NodeId,
  children: readonly ClassId[],
  axis: number,
  size: Dim,
): ClassId | null {
  const op = t.op(n)
  const out = replaceAxis(t.shape(t.egraph.classOf(n)), axis, size)
  if (op.kind === 'reshape') return t.reshape(children[0]!, out)
  if (op.kind === 'expand') return t.expand(children[0]!, out)
  const sized = resizedOp(t, n, axis, size)
  return sized && t.rebuild(sized, children)
}
