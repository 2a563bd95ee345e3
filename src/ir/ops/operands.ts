// Reading the operands of a call, counting what it moves, and refusing calls that ONNX forbids: what the records of linear
// algebra, windows, normalisation and the runtime's own operators share.
import { UserError } from '../../base/errors.ts'
import { type Dim, dimEquals, floorDivDims } from '../dim.ts'
import { bytesOf } from '../dtype.ts'
import { qualifiedName } from '../graph.ts'
import type { AxisSource, Call, ConcreteCall, Work } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, shapeText } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'

/** Refuses a call that ONNX forbids. */
export function reject(call: Call, expected: string, got: string): never {
  const where = `${qualifiedName(call.domain, call.op)}-${call.opset}`
  throw new UserError({ code: 'bad-model', where, expected, got, fix: 'mend the node or export the model again' })
}

/** Type of an input that must be there. */
export function operand(call: Call, index: number): TensorType {
  return call.inputs[index] ?? reject(call, `an input ${index}`, 'none')
}

/** Type of an optional input, or null. */
export function optional(call: Call, index: number): TensorType | null {
  return call.inputs[index] ?? null
}

/** Type of a required input of exactly or at least this rank. */
export function operandOfRank(call: Call, index: number, rank: number, orMore = false): TensorType {
  const type = operand(call, index)
  const fits = orMore ? type.shape.length >= rank : type.shape.length === rank
  if (!fits) reject(call, `input ${index} of rank ${rank}${orMore ? ' or more' : ''}`, shapeText(type.shape))
  return type
}

/** Values of an input that must be there. */
export function arrayOf(call: Call, inputs: readonly (NdArray | null)[], index: number): NdArray {
  return inputs[index] ?? reject(call, `an input ${index}`, 'none')
}

/** The more definite of two dimensions that must be equal. */
export function unify(call: Call, a: Dim, b: Dim, what: string): Dim {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) reject(call, `equal ${what}`, `${a} and ${b}`)
  return typeof a === 'number' ? a : b
}

/** A size divided in equal parts; a symbolic one is taken to divide. */
export function equalShare(call: Call, size: Dim, parts: number): Dim {
  if (typeof size === 'number' && size % parts !== 0) reject(call, `a size that ${parts} divides`, String(size))
  return floorDivDims(size, parts)
}

/** 0 <= axis < rank for an axis that may count from the end. */
export function normalizeAxis(call: Call, axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) reject(call, `an axis in [-${rank}, ${rank})`, String(axis))
  return axis < 0 ? axis + rank : axis
}

/** Where an output axis comes from in an operand that broadcasts to `out`, aligned at the last axis. */
export function broadcastSource(shape: Shape | null, out: Shape, axis: number): AxisSource {
  if (!shape) return 'broadcast'
  const at = axis - (out.length - shape.length)
  if (at < 0 || shape[at] === 1) return 'broadcast'
  return dimEquals(shape[at]!, out[axis]!) ? at : 'mixed'
}

/** The axis of an operand that is indexed by an output axis of size `dim`; size 1 does not vary. */
export function axisOfSize(dim: Dim, axis: number): AxisSource {
  return dim === 1 ? 'broadcast' : axis
}

/** Shape of a type whose dimensions are known to be numbers. */
export const concrete = (type: TensorType | null | undefined): ConcreteShape => (type?.shape ?? []) as ConcreteShape

const typeBytes = (type: TensorType | null): number => (type ? bytesOf(type.dtype, elementCount(concrete(type))) : 0)

/** Work of a call that reads every operand once and writes every output once. */
export function workOf(call: ConcreteCall, outputs: readonly (TensorType | null)[], flops: number): Work {
  const reads = call.inputs.map(typeBytes)
  const weights = reads.filter((_, i) => call.constants[i] !== null)
  const writes = outputs.slice(0, call.outputCount).map(typeBytes)
  return { flops, bytesRead: sum(reads), bytesWritten: sum(writes), weightBytes: sum(weights) }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
