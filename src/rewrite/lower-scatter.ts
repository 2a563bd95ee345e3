// Lowering of a scatter: the ONNX operator that it was, into zeros; and ScatterElements as if all were one axis, which ONNX Runtime
// does 3 to 5 times as fast, since it counts coordinates element by element.
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { int, text } from '../ir/attribute.ts'
import { elementCount, elementCountDim, isConcrete } from '../ir/shape.ts'
import { ndarray } from '../ir/tensor.ts'
import { zerosLike } from './canonical-scatter.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import { scatterAttributes } from './tensor-op.ts'

export function* spellScatter(t: TensorEGraph, n: NodeId) {
  const zeros = zerosLike(t, t.egraph.classOf(n))
  const whole = zeros && scatterInto(t, n, zeros)
  const flat = zeros && scatterFlat(t, n, zeros)
  if (whole) yield whole
  if (flat) yield flat
}

/** What the scatter `n` writes, into `data` instead of zeros; null where the positions cannot be repeated. */
export function scatterInto(t: TensorEGraph, n: NodeId, data: ClassId): ClassId | null {
  const op = t.op(n)
  const [x, at] = t.children(n) as [ClassId, ClassId]
  if (op.kind !== 'scatter') return null
  const positions = op.spelling === 'ScatterND' ? t.reshape(at, [t.shape(at)[0]!, 1]) : t.expand(at, t.shape(x))
  return positions && t.onnx(op.spelling, [data, positions, x], scatterAttributes(op))
}

/** Row i of rows of k elements is elements k i to k i + k - 1; the same counted from the end. */
function scatterFlat(t: TensorEGraph, n: NodeId, data: ClassId): ClassId | null {
  const op = t.op(n)
  const [x, at] = t.children(n) as [ClassId, ClassId]
  const row = t.shape(x).slice(1)
  if (op.kind !== 'scatter' || op.spelling !== 'ScatterElements' || op.axis !== 0) return null
  if (t.type(at)!.dtype !== 'int64' || row.length === 0 || !isConcrete(row)) return null
  const size = elementCount(row)
  const within = ndarray(
    'int64',
    [1, ...row],
    Float64Array.from({ length: size }, (_, i) => i),
  )
  const first = t.mul(at, t.literal(ndarray('int64', [1, ...row.map(() => 1)], [size])))
  const flat = [data, t.add(first, t.literal(within)), x].map((c) => t.reshape(c, [elementCountDim(t.shape(c))]))
  if (flat.includes(null)) return null
  const reduction = op.reduction === 'none' ? {} : { reduction: text(op.reduction) }
  const written = t.onnx('ScatterElements', flat as ClassId[], { axis: int(0), ...reduction })
  return t.reshape(written, t.shape(t.egraph.classOf(n)))
}
