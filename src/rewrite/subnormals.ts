// Numbers below the normal range of float32 (2^-126), which training leaves in weights that regularisation drives to nothing. Intel's
// processors take some hundred cycles for a product with one.
import { LANES } from '../cost/subnormal-rates.ts'
import { elementCount } from '../ir/shape.ts'
import type { NdArray } from '../ir/tensor.ts'
import type { Rows } from './constant-rows.ts'

const LEAST_NORMAL = 2 ** -126
/** What rounds to zero is no subnormal. */
const LEAST_KEPT = 2 ** -150
/** Elements that are looked at: where none of them is subnormal, what the others cost is little. */
const SAMPLE = 2 ** 15

/** Share of a constant's numbers that are subnormal as float32; of large ones every so many rows are looked at. */
export function subnormalShare({ rows, columns, fill }: Rows): number {
  const stride = Math.floor((rows * columns) / SAMPLE) | 1
  const row = new Float64Array(columns)
  let [found, seen] = [0, 0]
  for (let r = 0; r < rows; r += stride) {
    fill(r, row)
    for (let i = 0; i < columns; i++) if (isSubnormal(row[i]!)) found++
    seen += columns
  }
  return seen === 0 ? 0 : found / seen
}

/** Share of the runs of 16 numbers (`LANES`) along an axis in which some are subnormal. */
export function subnormalRuns({ data, shape }: NdArray, axis: number): number {
  const [size, inner] = [shape[axis]!, elementCount(shape.slice(axis + 1))]
  const step = size * inner
  let [found, seen] = [0, 0]
  for (let outer = 0; outer < data.length; outer += step)
    for (let i = 0; i < inner; i++)
      for (let start = 0; start < size; start += LANES, seen++)
        if (hasSubnormal(data, outer + i, inner, start, Math.min(start + LANES, size))) found++
  return seen === 0 ? 0 : found / seen
}

function hasSubnormal(data: NdArray['data'], at: number, inner: number, from: number, to: number): boolean {
  for (let k = from; k < to; k++) if (isSubnormal(data[at + k * inner]!)) return true
  return false
}

function isSubnormal(x: number): boolean {
  const size = Math.abs(x)
  return size < LEAST_NORMAL && size > LEAST_KEPT
}

/** The same with zeros in their place. */
export function flushedRows({ rows, columns, fill }: Rows): Rows {
  const flushed = (row: number, out: Float64Array) => {
    fill(row, out)
    for (let i = 0; i < columns; i++) if (Math.abs(out[i]!) < LEAST_NORMAL) out[i] = 0
  }
  return { rows, columns, fill: flushed }
}
