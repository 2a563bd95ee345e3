// A constant that is another's elements in another order, transposed or regrouped, with none of them copied: where each
// element lies is said by a stride for each axis.
import { extendOffsets } from '../ir/ops/define.ts'
import { type ConcreteShape, elementCount } from '../ir/shape.ts'
import type { NdArray } from '../ir/tensor.ts'
import { type Gather, type Rows, sizesOf } from './constant-rows.ts'

export interface StridedView {
  readonly shape: ConcreteShape
  /** In elements; 0 along axes of size 1 and along those that repeat. */
  readonly strides: readonly number[]
}

/** All elements, in their order. */
export function wholeView(shape: ConcreteShape): StridedView {
  return broadcastView(shape, shape)
}

/** The elements of `shape` broadcasting to `to`. */
export function broadcastView(shape: ConcreteShape, to: ConcreteShape): StridedView {
  const own = [...new Array<number>(to.length - shape.length).fill(1), ...shape]
  const strides = own.map((d, i) => (d === 1 ? 0 : elementCount(own.slice(i + 1))))
  return { shape: to, strides }
}

export function transposedView({ shape, strides }: StridedView, perm: readonly number[]): StridedView {
  return { shape: perm.map((p) => shape[p]!), strides: perm.map((p) => strides[p]!) }
}

/** The same elements, in row-major order, under another shape of as many; null where no strides say that. */
export function reshapedView(v: StridedView, shape: ConcreteShape): StridedView | null {
  const runs = runsOf(v)
  const strides: number[] = []
  let run = runs.pop()
  for (const d of [...shape].reverse()) {
    if (d === 1) strides.unshift(0)
    else if (run === undefined || run.size % d !== 0) return null
    else {
      strides.unshift(run.stride)
      run = run.size === d ? runs.pop() : { size: run.size / d, stride: run.stride * d }
    }
  }
  return run === undefined ? { shape, strides } : null
}

interface Run {
  readonly size: number
  readonly stride: number
}

/** Axes of more than one element, neighbours that lie one inside the other taken together. */
function runsOf({ shape, strides }: StridedView): Run[] {
  const runs: Run[] = []
  for (const [i, size] of shape.entries()) {
    if (size === 1) continue
    const stride = strides[i]!
    const outer = runs.at(-1)
    if (outer?.stride === size * stride) runs[runs.length - 1] = { size: outer.size * size, stride }
    else runs.push({ size, stride })
  }
  return runs
}

/** Views of one thing are the same if their keys are. */
export const viewKey = ({ shape, strides }: StridedView): string => `[${shape}]/${strides}`

/** A value for each axis along which the view does not repeat. */
export function compacted(a: NdArray, { shape, strides }: StridedView): NdArray {
  const own = shape.map((d, i) => (strides[i] === 0 ? 1 : d))
  const offsets = offsetsOf(own, strides)
  return { dtype: a.dtype, shape: own, data: Float64Array.from(offsets, (at) => a.data[at]!) }
}

const offsetsOf = (shape: ConcreteShape, strides: readonly number[]): Int32Array =>
  shape.reduce<Int32Array>((outer, size, axis) => extendOffsets(outer, size, strides[axis]!), new Int32Array(1))

/** The elements of a view, of which `read` copies those at a start and some offsets from there. */
export function rowsOfView({ shape, strides }: StridedView, read: Gather): Rows {
  const { rows, columns, leading } = sizesOf(shape)
  let places: { readonly starts: Int32Array; readonly offsets: Int32Array } | null = null
  const fill = (row: number, out: Float64Array) => {
    places ??= {
      starts: offsetsOf(shape.slice(0, leading), strides),
      offsets: offsetsOf(shape.slice(leading), strides.slice(leading)),
    }
    read(places.starts[row]!, places.offsets, out)
  }
  return { rows, columns, fill }
}
