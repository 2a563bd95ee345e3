// What every normalisation shares: moments of runs of elements, and their price.
import type { Call, ConcreteCall } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { TensorType } from '../tensor.ts'
import { concrete, operand } from './operands.ts'

export const epsilonSpec = { kind: 'float', default: 1e-5 } as const

export interface Moments {
  readonly mean: Float64Array
  readonly variance: Float64Array
}

/** Mean and (biased) variance of `rows` equal runs. */
export function momentsOfRows(data: Float64Array, rows: number): Moments {
  const inner = rows === 0 ? 0 : data.length / rows
  const mean = new Float64Array(rows)
  const variance = new Float64Array(rows)
  for (let r = 0; r < rows; r++) {
    const from = r * inner
    let sum = 0
    for (let i = 0; i < inner; i++) sum += data[from + i]!
    mean[r] = sum / inner
    let squares = 0
    for (let i = 0; i < inner; i++) squares += (data[from + i]! - mean[r]!) ** 2
    variance[r] = squares / inner
  }
  return { mean, variance }
}

/** (x - mean) / sqrt(variance + epsilon), run by run. */
export function standardize(data: Float64Array, m: Moments, epsilon: number): Float64Array {
  const inner = data.length / m.mean.length
  const inverse = m.variance.map((v) => 1 / Math.sqrt(v + epsilon))
  return data.map((x, i) => {
    const row = Math.floor(i / inner)
    return (x - m.mean[row]!) * inverse[row]!
  })
}

/** Flops per element: two passes for the moments, one to standardise, scale and shift. */
export const NORMALIZE_FLOPS = 8
export const elementsOf = (call: ConcreteCall): number => elementCount(concrete(call.inputs[0]))

export const sameType = (call: Call): TensorType => ({ dtype: operand(call, 0).dtype, shape: operand(call, 0).shape })
