// Canonical form of what reads and writes at positions that a tensor holds. A scatter into zeros is linear in what it writes, and has
// its positions without the axes along which they are repeated. Then what moves through other linear operators moves through the
// message passing of graph networks.
import type { ClassId } from '../egraph/egraph.ts'
import { getInt, getText, int } from '../ir/attribute.ts'
import { dimEquals } from '../ir/dim.ts'
import { elementCountDim, shapeEquals } from '../ir/shape.ts'
import { ndarray, type TensorType } from '../ir/tensor.ts'
import { positions, range } from './index-vector.ts'
import { replaceAxis } from './infer-op.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import type { OnnxOp, Scatter } from './tensor-op.ts'

interface Call {
  readonly t: TensorEGraph
  readonly op: OnnxOp
  readonly inputs: readonly (ClassId | null)[]
  readonly out: TensorType
}

const FLOATS: readonly string[] = ['float32', 'float64', 'float16']

/** Only one into zeros; others are `scatter-apart`. */
export function scatter({ t, op, inputs }: Call): ClassId | null {
  return isZero(t, inputs[0]!) ? scatterIntoZeros(t, op, inputs as ClassId[]) : null
}

/** The scatter as it would be into zeros; null where it is none that only moves or adds up whole slices of floats. */
export function scatterIntoZeros(t: TensorEGraph, op: OnnxOp, inputs: readonly ClassId[]): ClassId | null {
  const [data] = inputs as [ClassId]
  const { dtype, shape } = t.type(data)!
  const reduction = getText(op.attributes, 'reduction', 'none')
  const slices = op.op === 'ScatterND' ? slicesOfNd(t, inputs) : slicesOfElements(t, op, inputs)
  if (!FLOATS.includes(dtype) || (reduction !== 'add' && reduction !== 'none') || slices === null) return null
  if (zerosLike(t, data) === null) return null
  const { axis, x, at } = slices
  const spelling = op.op as Scatter['spelling']
  return t.make({ kind: 'scatter', axis, size: shape[axis]!, reduction, spelling }, [x, at])
}

/** What is written, along which axis, and the positions there, of its rank. */
interface Slices {
  readonly axis: number
  readonly x: ClassId
  readonly at: ClassId
}

/** Updates as long as the data along all axes but one, where the positions are as many. */
function slicesOfElements(t: TensorEGraph, op: OnnxOp, inputs: readonly ClassId[]): Slices | null {
  const [data, at, x] = inputs as [ClassId, ClassId, ClassId]
  const rank = t.rank(data)
  const axis = (getInt(op.attributes, 'axis', 0) + rank) % rank
  const others = (c: ClassId) => replaceAxis(t.shape(c), axis, 1)
  if (!shapeEquals(t.shape(at), t.shape(x)) || !shapeEquals(others(data), others(x))) return null
  return { axis, x, at: unrepeated(t, at, axis) }
}

/** Whole slices along the first axis. */
function slicesOfNd(t: TensorEGraph, inputs: readonly ClassId[]): Slices | null {
  const [data, at, x] = inputs as [ClassId, ClassId, ClassId]
  const outer = t.shape(at).slice(0, -1)
  const slice = t.shape(data).slice(1)
  if (t.shape(at).at(-1) !== 1 || !shapeEquals(t.shape(x), [...outer, ...slice])) return null
  const count = elementCountDim(outer)
  const [rows, positions] = [t.reshape(x, [count, ...slice]), t.reshape(at, [count, ...slice.map(() => 1)])]
  return rows && positions && { axis: 0, x: rows, at: positions }
}

/** Zeros of that type, or null where the sizes could not be written. */
export function zerosLike(t: TensorEGraph, c: ClassId): ClassId | null {
  return t.expand(t.scalar(0, t.rank(c), t.type(c)!.dtype), t.shape(c))
}

function isZero(t: TensorEGraph, c: ClassId): boolean {
  const sources = [c, ...t.nodes(c, 'expand').map((n) => t.child(n, 0))]
  return sources.some((s) => t.isConstant(s) && t.constants.uniform(t.constantOf(s)!) === 0)
}

/** Positions of size 1 along the axes, but `axis`, along which they are repeated. */
function unrepeated(t: TensorEGraph, at: ClassId, axis: number): ClassId {
  if (t.isConstant(at)) return unrepeatedConstant(t, at, axis)
  const sources = t.nodes(at, 'expand').map((n) => t.child(n, 0))
  return sources.find((s) => dimEquals(t.shape(s)[axis]!, t.shape(at)[axis]!)) ?? at
}

/** Constants are one class if they are equal. */
function unrepeatedConstant(t: TensorEGraph, at: ClassId, axis: number): ClassId {
  return t.shape(at).reduce((c: ClassId, size, a) => {
    if (a === axis || size === 0) return c
    const first = t.select(c, a, range(0, 1))
    return t.expand(first, t.shape(c)) === c ? first : c
  }, at)
}

/** Rows by index tuples of one coordinate are rows by index; so are those of two, where the first has one thing to choose from. */
export function gatherNd({ t, op, inputs }: Call): ClassId | null {
  const [x, at] = inputs as [ClassId, ClassId]
  const [shape, sizes] = [t.shape(at), t.shape(x)]
  if (getInt(op.attributes, 'batch_dims', 0) !== 0) return null
  if (shape.at(-1) === 2 && sizes[0] === 1) {
    const [rows, second] = [t.reshape(x, sizes.slice(1)), t.select(at, shape.length - 1, positions([1]))]
    return rows && pickRows(t, rows, second)
  }
  return shape.at(-1) === 1 ? pickRows(t, x, at) : null
}

/** x[at], the last axis of at being of size 1. */
function pickRows(t: TensorEGraph, x: ClassId, at: ClassId): ClassId | null {
  const ids = t.reshape(at, t.shape(at).slice(0, -1))
  return ids && t.onnx('Gather', [x, ids], { axis: int(0) })
}

/** Equal numbers are one number, repeated. */
export function constantOfShape({ t, op, out }: Call): ClassId | null {
  const value = op.attributes.value?.kind === 'tensor' ? op.attributes.value.value : null
  const ones = out.shape.map(() => 1)
  const one = value ? t.given({ ...value, shape: ones }, '') : t.literal(ndarray('float32', ones, [0]))
  return t.expand(one, out.shape)
}
