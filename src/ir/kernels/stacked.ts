// Stacks of matrices in float64: products with broadcasting over the stack, and transposition of the last two axes.
import { broadcastShapes, type ConcreteShape, elementCount, stridesOf } from '../shape.ts'
import { matmulInto } from './matmul.ts'

/** Row-major numbers with their shape. */
export interface Stack {
  readonly shape: ConcreteShape
  readonly data: Float64Array
}

/** Product as NumPy's matmul: [...batch, m, k] by [...batch, k, n] -> [...batch, m, n]; a vector is a row on the left, a
 * column on the right, and loses that axis again. The shapes must fit. */
export function matmulStacked(a: Stack, b: Stack): Stack {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  const [m, k, n] = [left.at(-2)!, left.at(-1)!, right.at(-1)!]
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2)) as ConcreteShape
  const data = new Float64Array(elementCount(batch) * m * n)
  const fromA = matrixStarts(left.slice(0, -2), batch, m * k)
  const fromB = matrixStarts(right.slice(0, -2), batch, k * n)
  for (let i = 0; i < fromA.length; i++)
    matmulInto(data, a.data, b.data, m, k, n, { a: fromA[i]!, b: fromB[i]!, out: i * m * n })
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])]
  return { shape, data }
}

/** Where each matrix of the broadcast stack starts in an operand whose own stack has shape `own`. */
function matrixStarts(own: ConcreteShape, batch: ConcreteShape, size: number): number[] {
  const strides = stridesOf(own)
  const skip = batch.length - own.length
  const count = elementCount(batch)
  const starts = new Array<number>(count)
  for (let i = 0; i < count; i++) {
    let rest = i
    let start = 0
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      const at = rest % batch[axis]!
      rest = Math.floor(rest / batch[axis]!)
      if (axis >= skip && own[axis - skip] !== 1) start += at * strides[axis - skip]!
    }
    starts[i] = start * size
  }
  return starts
}

/** The same numbers with axes reordered: axis i of the result is axis `order[i]` of the input. */
export function permute(a: Stack, order: readonly number[]): Stack {
  const strides = stridesOf(a.shape)
  const shape = order.map((axis) => a.shape[axis]!)
  return {
    shape,
    data: gather(
      a.data,
      shape,
      order.map((axis) => strides[axis]!),
    ),
  }
}

/** Last two axes swapped. */
export function transposeLast(a: Stack): Stack {
  const rank = a.shape.length
  return permute(a, [...a.shape.keys()].slice(0, rank - 2).concat(rank - 1, rank - 2))
}

/** A dense array of `shape` read from `data` with these strides (0 repeats). */
export function gather(data: Float64Array, shape: ConcreteShape, strides: readonly number[]): Float64Array {
  const out = new Float64Array(elementCount(shape))
  const at = new Array<number>(shape.length).fill(0)
  const last = shape.length - 1
  const inner = shape[last] ?? 1
  const step = strides[last] ?? 0
  let from = 0
  for (let to = 0; to < out.length; ) {
    for (let i = 0; i < inner; i++) out[to++] = data[from + i * step]!
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++at[axis]! < shape[axis]!) break
      from -= strides[axis]! * shape[axis]!
      at[axis] = 0
    }
  }
  return out
}
