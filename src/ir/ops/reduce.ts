// Reductions along axes: Reduce*, ArgMax, ArgMin. Axes are an attribute until opset 13 (ReduceSum) or 18 (the others), then
// an input. Reducing nothing gives the reduction's own neutral value.
import { getInt } from '../attribute.ts'
import { addDims, type Dim, maxDims, minDims, mulDims } from '../dim.ts'
import { DTYPES, type DType, isFloat } from '../dtype.ts'
import type { AxisMap, Call, Law, Op } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { operandOf, storeAs, TRANSCENDENTAL_FLOPS, withContents } from './define.ts'
import { normalizeAxes, ofFirst, permute, readNumbers } from './layout.ts'
import { axisAttribute } from './layout-reshape.ts'
import { arrayOf, operand, reject, workOf } from './operands.ts'

interface Reduction {
  /** The reduced value of elements x[start], .., x[start + count - 1]. */
  readonly reduce: (x: Float64Array, start: number, count: number, dtype: DType) => number
  readonly torch?: string
  /** Opset from which axes are an input. */
  readonly axesInputSince?: number
  readonly linear?: boolean
  readonly laws?: readonly Law[]
  readonly dims?: (a: Dim, b: Dim) => Dim
  readonly flops?: number
  readonly boolean?: boolean
}

interface Axes {
  readonly rank: number
  readonly axes: readonly number[]
  readonly keep: boolean
}

/** The reduced axes, or null where they are not known. */
function axesOf(call: Call, inputSince: number): Axes | null {
  const rank = operand(call, 0).shape.length
  const keep = getInt(call.attributes, 'keepdims', 1) === 1
  const given = readNumbers(call, { attribute: 'axes', index: 1, inputSince })
  if (given === null) return null
  const all = Array.from({ length: rank }, (_, i) => i)
  if (given && given.length > 0) return { rank, keep, axes: normalizeAxes(call, given, rank) }
  return { rank, keep, axes: getInt(call.attributes, 'noop_with_empty_axes', 0) ? [] : all }
}

function reducedShape(x: Shape, { axes, keep }: Axes): Shape {
  return keep ? x.map((d, i) => (axes.includes(i) ? 1 : d)) : x.filter((_, i) => !axes.includes(i))
}

/** Every kept axis from its own; a reduced one that stays with size 1 is mixed. */
function reducedAxes(call: Call, { rank, axes, keep }: Axes): AxisMap {
  const all = Array.from({ length: rank }, (_, i) => i)
  const left = keep ? all : all.filter((i) => !axes.includes(i))
  return left.map((i) => ofFirst(call, axes.includes(i) ? 'mixed' : i))
}

/** x with the reduced axes last and flattened to one run each. */
function inRuns(
  x: NdArray,
  axes: readonly number[],
): { readonly data: Float64Array; readonly count: number; readonly runs: number } {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const count = elementCount(axes.map((a) => x.shape[a]!))
  const runs = elementCount(kept.map((a) => x.shape[a]!))
  return { data: permute(x, [...kept, ...[...axes].sort((a, b) => a - b)]).data, count, runs }
}

function reduction(name: string, r: Reduction): Op {
  const inputSince = r.axesInputSince ?? 18
  const accepts = (call: Call) =>
    r.boolean && operand(call, 0).dtype === 'bool' ? operand(call, 0) : operandOf(call, 0, 'number')
  const typeOf = (call: Call): TensorType | null => {
    const { dtype, shape } = accepts(call)
    const axes = axesOf(call, inputSince)
    return axes && { dtype, shape: reducedShape(shape, axes) }
  }
  return {
    name,
    domain: '',
    sinceOpset: 1,
    attributes: {
      axes: { kind: 'ints' },
      keepdims: { kind: 'int', default: 1 },
      noop_with_empty_axes: { kind: 'int', default: 0 },
    },
    ...(r.torch && { torch: { target: r.torch } }),
    ...(r.laws && { laws: r.laws }),
    infer: (call) => [typeOf(call)],
    inferContents: (call) => [reduceContents(call, r, axesOf(call, inputSince))],
    evaluate: (call, inputs) => {
      const x = arrayOf(call, inputs, 0)
      const axes = axesOf(withContents(call, inputs), inputSince)!
      const { data, count, runs } = inRuns(x, axes.axes)
      const out = Float64Array.from({ length: runs }, (_, i) =>
        storeAs(x.dtype, r.reduce(data, i * count, count, x.dtype)),
      )
      return [{ dtype: x.dtype, shape: reducedShape(x.shape, axes) as ConcreteShape, data: out }]
    },
    work: (call) =>
      workOf(call, [typeOf(call)], (r.flops ?? 1) * elementCount(operand(call, 0).shape as ConcreteShape)),
    axes: (call) => {
      const axes = axesOf(call, inputSince)
      return axes && reducedAxes(call, axes)
    },
    linearIn: (call) => (r.linear && isFloat(operand(call, 0).dtype) ? [0] : []),
  }
}

function reduceContents(call: Call, r: Reduction, axes: Axes | null): readonly Dim[] | null {
  const contents = call.contents[0]
  if (!r.dims || !contents || !axes || contents.length === 0) return null
  return axes.axes.length === 0 ? contents : [contents.reduce(r.dims)]
}

type Fold = (total: number, x: number) => number
const folding = (start: number, f: Fold) => (x: Float64Array, from: number, count: number) => {
  let total = start
  for (let i = from; i < from + count; i++) total = f(total, x[i]!)
  return total
}

const sum = folding(0, (t, x) => t + x)
const sumSquare = folding(0, (t, x) => t + x * x)
const l1 = folding(0, (t, x) => t + Math.abs(x))
const largest = folding(Number.NEGATIVE_INFINITY, Math.max)
const smallest = folding(Number.POSITIVE_INFINITY, Math.min)
const product = folding(1, (t, x) => t * x)

/** Reducing no elements of an integer type gives the type's own extreme. */
const extreme = (f: typeof largest, sign: 1 | -1) => (x: Float64Array, from: number, count: number, dtype: DType) =>
  count > 0 || isFloat(dtype) ? f(x, from, count) : sign * integerLimit(dtype, sign)

function integerLimit(dtype: DType, sign: 1 | -1): number {
  const { bits, kind } = DTYPES[dtype]
  if (kind === 'bool') return sign > 0 ? 1 : 0
  if (dtype.startsWith('u')) return sign > 0 ? 2 ** bits - 1 : 0
  return sign > 0 ? 2 ** (bits - 1) - 1 : 2 ** (bits - 1)
}

function logSumExp(x: Float64Array, from: number, count: number): number {
  const top = largest(x, from, count)
  if (!Number.isFinite(top)) return top
  let total = 0
  for (let i = from; i < from + count; i++) total += Math.exp(x[i]! - top)
  return top + Math.log(total)
}

interface Choice {
  readonly name: string
  readonly better: (candidate: number, best: number) => boolean
}

/** Position of the best element along one axis. */
function argOp({ name, better }: Choice): Op {
  const axisOf = (call: Call) => axisAttribute(call, 0, operandOf(call, 0, 'number').shape.length)
  const axesOfCall = (call: Call): Axes => ({
    rank: operand(call, 0).shape.length,
    axes: [axisOf(call)],
    keep: getInt(call.attributes, 'keepdims', 1) === 1,
  })
  return {
    name,
    domain: '',
    sinceOpset: 1,
    attributes: {
      axis: { kind: 'int', default: 0 },
      keepdims: { kind: 'int', default: 1 },
      select_last_index: { kind: 'int', default: 0 },
    },
    torch: { target: `torch.${name.toLowerCase()}` },
    infer: (call) => [{ dtype: 'int64', shape: reducedShape(operand(call, 0).shape, axesOfCall(call)) }],
    evaluate: (call, inputs) => {
      const x = arrayOf(call, inputs, 0)
      const axes = axesOfCall(call)
      const last = getInt(call.attributes, 'select_last_index', 0) !== 0
      const { data, count, runs } = inRuns(x, axes.axes)
      if (count === 0) reject(call, 'an axis of at least one element', 'none')
      const best = (start: number) => {
        let at = 0
        for (let i = 1; i < count; i++) {
          const [candidate, current] = [data[start + i]!, data[start + at]!]
          if (better(candidate, current) || (last && candidate === current)) at = i
        }
        return at
      }
      const out = Float64Array.from({ length: runs }, (_, i) => best(i * count))
      return [{ dtype: 'int64', shape: reducedShape(x.shape, axes) as ConcreteShape, data: out }]
    },
    axes: (call) => reducedAxes(call, axesOfCall(call)),
  }
}

export const reductions: readonly Op[] = [
  reduction('ReduceSum', { reduce: sum, axesInputSince: 13, linear: true, dims: addDims, torch: 'torch.sum' }),
  reduction('ReduceMean', {
    reduce: (x, from, count) => sum(x, from, count) / count,
    linear: true,
    torch: 'torch.mean',
  }),
  reduction('ReduceMax', { reduce: extreme(largest, -1), dims: maxDims, torch: 'torch.amax', boolean: true }),
  reduction('ReduceMin', { reduce: extreme(smallest, 1), dims: minDims, torch: 'torch.amin', boolean: true }),
  reduction('ReduceProd', { reduce: product, dims: mulDims, torch: 'torch.prod' }),
  reduction('ReduceSumSquare', { reduce: sumSquare, flops: 2 }),
  reduction('ReduceL1', { reduce: l1, flops: 2 }),
  reduction('ReduceL2', { reduce: (x, from, count) => Math.sqrt(sumSquare(x, from, count)), flops: 2 }),
  reduction('ReduceLogSum', { reduce: (x, from, count) => Math.log(sum(x, from, count)) }),
  reduction('ReduceLogSumExp', { reduce: logSumExp, flops: TRANSCENDENTAL_FLOPS, torch: 'torch.logsumexp' }),
  argOp({ name: 'ArgMax', better: (candidate, best) => candidate > best }),
  argOp({ name: 'ArgMin', better: (candidate, best) => candidate < best }),
]
