// Operators along one axis that keep it: Softmax, LogSoftmax, Hardmax (before opset 13 over all axes from one on), CumSum,
// CumProd, TopK.
import { getInt } from '../attribute.ts'
import { minDims } from '../dim.ts'
import { isFloat } from '../dtype.ts'
import type { Call, Op } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { contentsOf, scalarOf } from './contents.ts'
import { operandOf, storeAs, TRANSCENDENTAL_FLOPS, withContents } from './define.ts'
import { ownAxes, permute } from './layout.ts'
import { axisAttribute } from './layout-reshape.ts'
import { arrayOf, normalizeAxis, operand, operandOfRank, reject, workOf } from './operands.ts'

/** Rewrites every run of `count` consecutive elements in place. */
type Normalize = (run: Float64Array) => void

function softmaxLike(name: string, target: string, normalize: Normalize, flops: number): Op {
  // Before opset 13 the input counts as a matrix whose rows are all axes from `axis` on.
  const coerces = (call: Call) => call.opset < 13
  const axisOf = (call: Call) =>
    axisAttribute(call, coerces(call) ? 1 : -1, operandOfRank(call, 0, 1, true).shape.length)
  const normalizes = (call: Call, axis: number) => (coerces(call) ? axis >= axisOf(call) : axis === axisOf(call))
  return {
    name,
    domain: '',
    sinceOpset: 1,
    attributes: { axis: { kind: 'int', default: -1 } },
    torch: { target },
    infer: (call) => {
      axisOf(call)
      return [operandOf(call, 0, 'float')]
    },
    evaluate: (call, inputs) => {
      const x = arrayOf(call, inputs, 0)
      const last = x.shape.map((_, i) => i).filter((i) => normalizes(call, i))
      return [overRuns(x, last, normalize)]
    },
    work: (call) => workOf(call, [operand(call, 0)], flops * elementCount(operand(call, 0).shape as readonly number[])),
    axes: (call) => ownAxes(call, (axis) => normalizes(call, axis)),
  }
}

/** Applies `f` to every run along these axes taken together. */
function overRuns(x: NdArray, axes: readonly number[], f: Normalize): NdArray {
  const order = [...x.shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes]
  const turned = permute(x, order)
  const count = elementCount(axes.map((a) => x.shape[a]!))
  for (let i = 0; i < turned.data.length; i += count) f(turned.data.subarray(i, i + count))
  return permute(
    turned,
    x.shape.map((_, i) => order.indexOf(i)),
  )
}

const maximum = (run: Float64Array): number => run.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)

function softmax(run: Float64Array): void {
  const top = maximum(run)
  let total = 0
  for (let i = 0; i < run.length; i++) total += run[i] = Math.exp(run[i]! - top)
  for (let i = 0; i < run.length; i++) run[i] = run[i]! / total
}

function logSoftmax(run: Float64Array): void {
  const top = maximum(run)
  const total = Math.log(run.reduce((t, x) => t + Math.exp(x - top), 0))
  for (let i = 0; i < run.length; i++) run[i] = run[i]! - top - total
}

/** 1 at the first largest element, else 0. */
function hardmax(run: Float64Array): void {
  const at = run.indexOf(maximum(run))
  run.fill(0)
  if (at >= 0) run[at] = 1
}

/** Running totals along an axis, forwards or backwards, with or without the element itself. */
function cumulative(
  name: string,
  since: number,
  start: number,
  f: (total: number, x: number) => number,
  linear: boolean,
): Op {
  const axisOf = (call: Call): number | null => {
    const axis = scalarOf(call, 1)
    return axis === null ? null : normalizeAxis(call, axis, operand(call, 0).shape.length)
  }
  return {
    name,
    domain: '',
    sinceOpset: since,
    attributes: { exclusive: { kind: 'int', default: 0 }, reverse: { kind: 'int', default: 0 } },
    torch: { target: `torch.${name.toLowerCase()}` },
    infer: (call) => [operandOf(call, 0, 'number')],
    evaluate: (call, inputs) => {
      const x = arrayOf(call, inputs, 0)
      const [exclusive, reverse] = [
        getInt(call.attributes, 'exclusive', 0) !== 0,
        getInt(call.attributes, 'reverse', 0) !== 0,
      ]
      const scan: Normalize = (run) => {
        let total = start
        for (let step = 0; step < run.length; step++) {
          const i = reverse ? run.length - 1 - step : step
          const next = storeAs(x.dtype, f(total, run[i]!))
          run[i] = exclusive ? total : next
          total = next
        }
      }
      return [overRuns(x, [axisOf(withContents(call, inputs))!], scan)]
    },
    axes: (call) => {
      const axis = axisOf(call)
      return axis === null ? null : ownAxes(call, (i) => i === axis)
    },
    linearIn: (call) => (linear && isFloat(operand(call, 0).dtype) ? [0] : []),
  }
}

const topKAxis = (call: Call): number => axisAttribute(call, -1, operandOfRank(call, 0, 1, true).shape.length)

/** The k largest or smallest along an axis, best first, ties in order of position; and their positions. */
const topK: Op = {
  name: 'TopK',
  domain: '',
  sinceOpset: 1,
  attributes: {
    axis: { kind: 'int', default: -1 },
    k: { kind: 'int' },
    largest: { kind: 'int', default: 1 },
    sorted: { kind: 'int', default: 1 },
  },
  torch: { target: 'torch.topk' },
  infer: (call) => {
    const { dtype, shape } = operandOf(call, 0, 'number')
    const axis = topKAxis(call)
    const k = call.opset < 10 ? getInt(call.attributes, 'k', null) : contentsOf(call, 1)?.[0]
    if (k == null) return [null, null]
    if (typeof k === 'number' && minDims(k, shape[axis]!) !== k && typeof shape[axis] === 'number')
      reject(call, `k of at most ${shape[axis]}`, String(k))
    const out = shape.map((d, i) => (i === axis ? k : d))
    return [
      { dtype, shape: out },
      { dtype: 'int64', shape: out },
    ] satisfies TensorType[]
  },
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const axis = topKAxis(call)
    const k = call.opset < 10 ? getInt(call.attributes, 'k', 0) : arrayOf(call, inputs, 1).data[0]!
    const sign = getInt(call.attributes, 'largest', 1) !== 0 ? -1 : 1
    return bestAlong(x, axis, k, sign)
  },
  axes: (call) => ownAxes(call, (axis) => axis === topKAxis(call)),
}

function bestAlong(x: NdArray, axis: number, k: number, sign: number): readonly NdArray[] {
  const order = [...x.shape.map((_, i) => i).filter((i) => i !== axis), axis]
  const turned = permute(x, order)
  const count = x.shape[axis]!
  const runs = turned.data.length / Math.max(count, 1)
  const values = new Float64Array(runs * k)
  const positions = new Float64Array(runs * k)
  for (let r = 0; r < runs; r++) {
    const run = turned.data.subarray(r * count, (r + 1) * count)
    const best = Array.from(run.keys()).sort((a, b) => sign * (run[a]! - run[b]!) || a - b)
    for (let i = 0; i < k; i++) {
      positions[r * k + i] = best[i]!
      values[r * k + i] = run[best[i]!]!
    }
  }
  const back = x.shape.map((_, i) => order.indexOf(i))
  const shape = [...order.slice(0, -1).map((i) => x.shape[i]!), k]
  return [
    permute({ dtype: x.dtype, shape, data: values }, back),
    permute({ dtype: 'int64', shape, data: positions }, back),
  ]
}

export const axisWise: readonly Op[] = [
  softmaxLike('Softmax', 'torch.softmax', softmax, TRANSCENDENTAL_FLOPS + 3),
  softmaxLike('LogSoftmax', 'torch.log_softmax', logSoftmax, TRANSCENDENTAL_FLOPS + 3),
  softmaxLike('Hardmax', 'torch.nn.functional.one_hot', hardmax, 2),
  cumulative('CumSum', 11, 0, (total, x) => total + x, true),
  cumulative('CumProd', 26, 1, (total, x) => total * x, false),
  topK,
]
