// Lowering of what the canonical form takes apart: a division, a reduction that drops its axes, one position of an axis. Each is one ONNX node again
// where that is cheaper.
import type { NodeId } from '../egraph/egraph.ts'
import { getInt, getInts, int } from '../ir/attribute.ts'
import { shapeEquals } from '../ir/shape.ts'
import { ndarray } from '../ir/tensor.ts'
import { indexList } from './index-vector.ts'
import { operandPairs } from './rules/scale.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import type { OnnxOp } from './tensor-op.ts'

/** x * (1 / y) = x / y */
export function* divide(t: TensorEGraph, n: NodeId) {
  for (const [x, inverse] of operandPairs(t, n))
    for (const r of t.nodes(inverse, 'Reciprocal')) yield t.onnx('Div', [x, t.child(r, 0)])
}

/** A reduction, or one position of an axis, whose axes of size 1 are dropped. */
export function* dropAxes(t: TensorEGraph, n: NodeId) {
  const whole = t.child(n, 0)
  for (const m of t.egraph.nodesOf(whole).filter((x) => t.isTyped(x))) {
    const op = t.op(m)
    if (op.kind === 'select' && drops(t, n, [op.axis]) && t.shape(whole)[op.axis] === 1) {
      const [position] = indexList(op.index) ?? []
      const index = position === undefined ? null : t.literal(ndarray('int64', [], [position]))
      if (index !== null) yield t.onnx('Gather', [t.child(m, 0), index], { axis: int(op.axis) })
    }
    const axes = op.kind === 'onnx' ? reducedAxes(t, m, op) : null
    if (op.kind === 'onnx' && axes && drops(t, n, axes))
      yield t.make({ ...op, attributes: { ...op.attributes, keepdims: int(0) } }, t.children(m))
  }
}

/** Lowering made reshapes of its own; two in a row are one. */
export function* joinReshapes(t: TensorEGraph, n: NodeId) {
  const joined = t.reshape(t.child(n, 0), t.shape(t.egraph.classOf(n)))
  if (joined !== null) yield joined
}

/** True if the reshape drops just these axes. */
function drops(t: TensorEGraph, n: NodeId, axes: readonly number[]): boolean {
  const kept = t.shape(t.child(n, 0)).filter((_, i) => !axes.includes(i))
  return shapeEquals(kept, t.shape(t.egraph.classOf(n)))
}

/** Axes of a reduction that keeps them with size 1; null if it is none. */
function reducedAxes(t: TensorEGraph, n: NodeId, op: OnnxOp): readonly number[] | null {
  if (op.domain !== '' || !op.op.startsWith('Reduce') || getInt(op.attributes, 'keepdims', 1) !== 1) return null
  if (t.children(n).length === 1) return getInts(op.attributes, 'axes', null)
  const contents = t.fact(t.child(n, 1)).contents
  return contents?.every((a) => typeof a === 'number') ? contents : null
}
