// Normalisation over channels and planes, and without parameters: subtract a mean, divide by a deviation or a norm. Every axis
// that no statistic runs over is point-wise; given the input, the result is linear in scale and bias together.
import { type Attributes, getFloat, getInt, getInts, int } from '../attribute.ts'
import type { Dim } from '../dim.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { TRANSCENDENTAL_FLOPS } from './define.ts'
import { elementsOf, epsilonSpec, momentsOfRows, NORMALIZE_FLOPS, sameType, standardize } from './moments.ts'
import { arrayOf, axisOfSize, normalizeAxis, operand, operandOfRank, unify, workOf } from './operands.ts'

/** x * scale[group] + bias[group] with one parameter per run of `area` elements, repeating. */
function perPlane(x: NdArray, area: number, scale: Float64Array, bias: Float64Array): NdArray {
  return {
    ...x,
    data: x.data.map((v, i) => {
      const plane = Math.floor(i / area) % scale.length
      return v * scale[plane]! + bias[plane]!
    }),
  }
}

const areaOf = (x: NdArray): number => elementCount(x.shape.slice(2))

function instanceTypes(call: Call): TensorType[] {
  const { shape } = operandOfRank(call, 0, 2, true)
  for (const i of [1, 2]) unify(call, shape[1]!, operandOfRank(call, i, 1).shape[0]!, 'channels')
  return [sameType(call)]
}

const instanceNormalization: Op = {
  name: 'InstanceNormalization',
  domain: '',
  sinceOpset: 1,
  attributes: { epsilon: epsilonSpec, consumed_inputs: { kind: 'ints' } },
  infer: instanceTypes,
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const moments = momentsOfRows(x.data, x.shape[0]! * x.shape[1]!)
    const y = { ...x, data: standardize(x.data, moments, getFloat(call.attributes, 'epsilon', 1e-5)) }
    return [perPlane(y, areaOf(x), arrayOf(call, inputs, 1).data, arrayOf(call, inputs, 2).data)]
  },
  axes: (call) =>
    operand(call, 0).shape.map((dim, axis): AxisSource[] => {
      if (axis === 1) return [axisOfSize(dim, 1), axisOfSize(dim, 0), axisOfSize(dim, 0)]
      return [axis === 0 ? axisOfSize(dim, 0) : 'mixed', 'broadcast', 'broadcast']
    }),
  jointlyLinear: true,
  linearIn: () => [1, 2],
  work: (call) => workOf(call, instanceTypes(call), NORMALIZE_FLOPS * elementsOf(call)),
}

/** Scale and bias have one entry per group in opset 18, one per channel since 21. */
function groupParameters(parameter: NdArray, channels: number): Float64Array {
  const run = channels / parameter.data.length
  return Float64Array.from({ length: channels }, (_, c) => parameter.data[Math.floor(c / run)]!)
}

/** Every group one channel. */
const groupsAreChannels = (call: Call): boolean =>
  operand(call, 0).shape[1] === getInt(call.attributes, 'num_groups', 0)

function resizeGroups(call: Call, axis: number, size: Dim): Attributes | null {
  if (axis !== 1) return call.attributes
  return typeof size === 'number' ? { ...call.attributes, num_groups: int(size) } : null
}

const groupNormalization: Op = {
  name: 'GroupNormalization',
  domain: '',
  sinceOpset: 18,
  attributes: { epsilon: epsilonSpec, num_groups: { kind: 'int' }, stash_type: { kind: 'int', default: 1 } },
  infer: (call) => [{ ...sameType(call), shape: operandOfRank(call, 0, 2, true).shape }],
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const moments = momentsOfRows(x.data, x.shape[0]! * getInt(call.attributes, 'num_groups', 1))
    const y = { ...x, data: standardize(x.data, moments, getFloat(call.attributes, 'epsilon', 1e-5)) }
    const [scale, bias] = [1, 2].map((i) => groupParameters(arrayOf(call, inputs, i), x.shape[1]!)) as [
      Float64Array,
      Float64Array,
    ]
    return [perPlane(y, areaOf(x), scale, bias)]
  },
  axes: (call) =>
    operand(call, 0).shape.map((dim, axis): AxisSource[] => {
      if (axis === 1 && groupsAreChannels(call)) return [axisOfSize(dim, 1), axisOfSize(dim, 0), axisOfSize(dim, 0)]
      if (axis === 1) return ['mixed', 'mixed', 'mixed']
      return [axis === 0 ? axisOfSize(dim, 0) : 'mixed', 'broadcast', 'broadcast']
    }),
  resize: resizeGroups,
  jointlyLinear: true,
  linearIn: () => [1, 2],
  work: (call) => workOf(call, [sameType(call)], NORMALIZE_FLOPS * elementsOf(call)),
}

// --- without parameters -------------------------------------------------------------------------------------------------

/** Sums over some axes, keeping them with size 1: answers, for element i of `shape`, the index of its run. */
function runIndex(shape: ConcreteShape, axes: readonly number[]): { readonly count: number; at(i: number): number } {
  const kept = shape.map((d, axis) => (axes.includes(axis) ? 1 : d))
  const strides = stridesOf(shape)
  const own = stridesOf(kept).map((s, axis) => (axes.includes(axis) ? 0 : s))
  const at = (i: number) =>
    own.reduce((sum, s, axis) => (s === 0 ? sum : sum + (Math.floor(i / strides[axis]!) % shape[axis]!) * s), 0)
  return { count: elementCount(kept), at }
}

/** Sum of f(x) over the runs that `axes` span. */
function sumRuns(x: NdArray, axes: readonly number[], f: (v: number, i: number) => number): (i: number) => number {
  const runs = runIndex(x.shape, axes)
  const sums = new Float64Array(runs.count)
  x.data.forEach((v, i) => {
    sums[runs.at(i)]! += f(v, i)
  })
  return (i) => sums[runs.at(i)]!
}

const allBut = (call: Call, mixed: (axis: number) => boolean): AxisMap =>
  operand(call, 0).shape.map((dim, axis): AxisSource[] => [mixed(axis) ? 'mixed' : axisOfSize(dim, axis)])

const lpAxis = (call: Call): number =>
  normalizeAxis(call, getInt(call.attributes, 'axis', -1), operand(call, 0).shape.length)

const lpNormalization: Op = {
  name: 'LpNormalization',
  domain: '',
  sinceOpset: 1,
  attributes: { axis: { kind: 'int', default: -1 }, p: { kind: 'int', default: 2 } },
  infer: (call) => [sameType(call)],
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const p = getInt(call.attributes, 'p', 2)
    const power = sumRuns(x, [lpAxis(call)], (v) => Math.abs(v) ** p)
    // A row of zeros has norm zero and stays zero.
    return [{ ...x, data: x.data.map((v, i) => (power(i) === 0 ? 0 : v / power(i) ** (1 / p))) }]
  },
  axes: (call) => allBut(call, (axis) => axis === lpAxis(call)),
  work: (call) => workOf(call, [sameType(call)], 3 * elementsOf(call)),
}

/** y = x / (bias + alpha / size * sum of x^2 over `size` neighbouring channels)^beta. */
function localResponse(call: ConcreteCall, x: NdArray): NdArray {
  const size = getInt(call.attributes, 'size', 1)
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
  const alpha = getFloat(call.attributes, 'alpha', 1e-4) / size
  const beta = getFloat(call.attributes, 'beta', 0.75)
  const bias = getFloat(call.attributes, 'bias', 1)
  const [channels, area] = [x.shape[1]!, areaOf(x)]
  const data = x.data.map((v, i) => {
    const c = Math.floor(i / area) % channels
    let squares = 0
    for (let k = Math.max(0, c - before); k <= Math.min(channels - 1, c + after); k++)
      squares += x.data[i + (k - c) * area]! ** 2
    return v / (bias + alpha * squares) ** beta
  })
  return { ...x, data }
}

const lrn: Op = {
  name: 'LRN',
  domain: '',
  sinceOpset: 1,
  attributes: {
    alpha: { kind: 'float', default: 1e-4 },
    beta: { kind: 'float', default: 0.75 },
    bias: { kind: 'float', default: 1 },
    size: { kind: 'int' },
  },
  infer: (call) => [{ ...sameType(call), shape: operandOfRank(call, 0, 2, true).shape }],
  evaluate: (call, inputs) => [localResponse(call, arrayOf(call, inputs, 0))],
  axes: (call) => allBut(call, (axis) => axis === 1),
  work: (call) => {
    const perElement = 2 * getInt(call.attributes, 'size', 1) + TRANSCENDENTAL_FLOPS + 3
    return workOf(call, [sameType(call)], perElement * elementsOf(call))
  },
}

const mvnAxes = (call: Call): number[] =>
  getInts(call.attributes, 'axes', [0, 2, 3]).map((axis) => normalizeAxis(call, axis, operand(call, 0).shape.length))

const meanVarianceNormalization: Op = {
  name: 'MeanVarianceNormalization',
  domain: '',
  sinceOpset: 9,
  attributes: { axes: { kind: 'ints', default: [0, 2, 3] } },
  infer: (call) => [sameType(call)],
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const axes = mvnAxes(call)
    const count = elementCount(axes.map((axis) => x.shape[axis]!))
    const sum = sumRuns(x, axes, (v) => v)
    const squares = sumRuns(x, axes, (v, i) => (v - sum(i) / count) ** 2)
    // The function body of the operator adds 1e-9 to the deviation.
    const data = x.data.map((v, i) => (v - sum(i) / count) / (Math.sqrt(squares(i) / count) + 1e-9))
    return [{ ...x, data }]
  },
  axes: (call) => allBut(call, (axis) => mvnAxes(call).includes(axis)),
  work: (call) => workOf(call, [sameType(call)], NORMALIZE_FLOPS * elementsOf(call)),
}

export const normalizeOps: readonly Op[] = [
  instanceNormalization,
  groupNormalization,
  lpNormalization,
  lrn,
  meanVarianceNormalization,
]
