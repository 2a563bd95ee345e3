// Constants read row by row in float64, without an array of the whole: weights of millions of elements that are a scaled
// or shifted copy of others are never held, only known by their signature, until a written model needs them.
import { bytesOf } from '../ir/dtype.ts'
import { broadcastOffsets } from '../ir/ops/define.ts'
import { type ConcreteShape, elementCount } from '../ir/shape.ts'
import { type NdArray, type Tensor, toNdArray, typedView } from '../ir/tensor.ts'
import type { ChangeOp } from './changes.ts'

/** The elements of a constant as a matrix [rows, columns], the columns being its last axes (`sizesOf`). */
export interface Rows {
  readonly rows: number
  readonly columns: number
  /** All rows, where they lie in memory. */
  readonly data?: Float64Array | Float32Array
  /** Writes one row into the first `columns` elements of `out`. */
  fill(row: number, out: Float64Array): void
}

export function rowsOfArray(a: NdArray): Rows {
  return rowsOfData(a.data, a.shape)
}

export function rowsOfTensor(t: Tensor): Rows {
  if (t.dtype !== 'float32' && t.dtype !== 'float64') return rowsOfArray(toNdArray(t))
  const isAligned = t.bytes.byteOffset % bytesOf(t.dtype, 1) === 0
  return isAligned ? rowsOfData(typedView(t) as Float32Array, t.shape) : rowsOfBytes(t, t.dtype)
}

function rowsOfData(data: Float64Array | Float32Array, shape: ConcreteShape): Rows {
  const { rows, columns } = sizesOf(shape)
  return { rows, columns, data, fill: (row, out) => out.set(data.subarray(row * columns, (row + 1) * columns)) }
}

/** The elements of a tensor or an array at any places. */
export function gatherOf(source: Tensor | NdArray): Gather {
  if ('data' in source) return gatherFrom(source.data)
  const { dtype, bytes } = source
  if (dtype !== 'float32') return gatherOf(toNdArray(source))
  if (bytes.byteOffset % 4 === 0) return gatherFrom(typedView(source) as Float32Array)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (start, offsets, out) => {
    for (let i = 0; i < offsets.length; i++) out[i] = view.getFloat32(4 * (start + offsets[i]!), true)
  }
}

/** Copies the elements at some offsets from a start. */
export type Gather = (start: number, offsets: Int32Array, out: Float64Array) => void

function gatherFrom(data: Float64Array | Float32Array): Gather {
  return (start, offsets, out) => {
    for (let i = 0; i < offsets.length; i++) out[i] = data[start + offsets[i]!]!
  }
}

/** Numbers that lie in a file at any byte are copied row by row, never as a whole. */
function rowsOfBytes({ bytes, shape }: Tensor, dtype: 'float32' | 'float64'): Rows {
  const { rows, columns } = sizesOf(shape)
  const aligned = dtype === 'float32' ? new Float32Array(columns) : new Float64Array(columns)
  const [target, length] = [new Uint8Array(aligned.buffer), aligned.byteLength]
  const fill = (row: number, out: Float64Array) => {
    target.set(bytes.subarray(row * length, (row + 1) * length))
    out.set(aligned)
  }
  return { rows, columns, fill }
}

/** Rows are at least this long, where there are as many elements: the kernels of a convolution have few in their last axis. */
const SHORTEST_ROW = 32

/** How the elements of a shape are rows and columns; `leading`: how many axes the rows are. */
export function sizesOf(shape: ConcreteShape): { rows: number; columns: number; leading: number } {
  let leading = Math.max(0, shape.length - 1)
  while (leading > 0 && elementCount(shape.slice(leading)) < SHORTEST_ROW) leading--
  const columns = elementCount(shape.slice(leading))
  return { rows: columns === 0 ? 0 : elementCount(shape) / columns, columns, leading }
}

/** x * small or x + small, the small one broadcasting to `shape`, which is that of x. */
export function changedRows(op: ChangeOp, x: Rows, small: NdArray, shape: ConcreteShape): Rows {
  const { leading } = sizesOf(shape)
  const own = [...new Array<number>(shape.length - small.shape.length).fill(1), ...small.shape]
  const ones = (n: number) => new Array<number>(n).fill(1)
  const starts = broadcastOffsets(own, [...shape.slice(0, leading), ...ones(shape.length - leading)])
  const offsets = broadcastOffsets(own.slice(leading), shape.slice(leading))
  const change = op === 'Mul' ? multiply : add
  const fill = (row: number, out: Float64Array) => {
    x.fill(row, out)
    change(out, small.data, starts[row]!, offsets)
  }
  return { rows: x.rows, columns: x.columns, fill }
}

type Change = (out: Float64Array, small: Float64Array, start: number, offsets: Int32Array) => void

const multiply: Change = (out, small, start, offsets) => {
  for (let i = 0; i < offsets.length; i++) out[i] = out[i]! * small[start + offsets[i]!]!
}
const add: Change = (out, small, start, offsets) => {
  for (let i = 0; i < offsets.length; i++) out[i] = out[i]! + small[start + offsets[i]!]!
}

/** x times w, x: [outer, K] in `data`, w: [K, N]; a few rows of x want each row of w once. */
export function rowsTimes(data: Float64Array, outer: number, w: Rows): Float64Array {
  const out = new Float64Array(outer * w.columns)
  const row = new Float64Array(w.columns)
  for (let k = 0; k < w.rows; k++) {
    w.fill(k, row)
    for (let o = 0; o < outer; o++) addScaled(out, o * w.columns, row, data[o * w.rows + k]!)
  }
  return out
}

function addScaled(out: Float64Array, at: number, row: Float64Array, factor: number): void {
  for (let i = 0; i < row.length; i++) out[at + i] = out[at + i]! + factor * row[i]!
}

/** All rows in one array. */
export function collectRows(x: Rows, to: Float64Array | Float32Array): void {
  const row = new Float64Array(x.columns)
  for (let r = 0; r < x.rows; r++) {
    x.fill(r, row)
    to.set(row, r * x.columns)
  }
}

/** Smaller ones are not worth it. */
const LARGE = 2 ** 16

/** True for shapes where reading by rows saves more than it costs. */
export const isLarge = (shape: ConcreteShape): boolean => elementCount(shape) >= LARGE
