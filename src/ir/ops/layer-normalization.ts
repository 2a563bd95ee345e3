// Normalisation over the last axes: LayerNormalization and RMSNormalization. The axes before are point-wise; given the input,
// the result is linear in scale and bias together.
import { getFloat, getInt } from '../attribute.ts'
import type { Dim } from '../dim.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, shapeText, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { elementsOf, epsilonSpec, momentsOfRows, NORMALIZE_FLOPS, sameType, standardize } from './moments.ts'
import {
  arrayOf,
  axisOfSize,
  concrete,
  normalizeAxis,
  operand,
  operandOfRank,
  optional,
  reject,
  workOf,
} from './operands.ts'

/** For each element of `shape`, the element of a parameter that broadcasts to it, aligned at the last axis. */
function parameterAt(parameter: NdArray, shape: ConcreteShape): (i: number) => number {
  const inner = elementCount(shape) === 0 ? 1 : parameter.data.length
  const trailing = parameter.shape.every((d, i) => d === shape[i + shape.length - parameter.shape.length])
  if (trailing) return (i) => parameter.data[i % inner]!
  const strides = stridesOf(shape)
  const own = stridesOf(parameter.shape)
  const skip = shape.length - parameter.shape.length
  const step = own.map((s, axis) => (parameter.shape[axis] === 1 ? 0 : s))
  return (i) => {
    const offset = step.reduce(
      (sum, s, axis) => sum + (Math.floor(i / strides[axis + skip]!) % shape[axis + skip]!) * s,
      0,
    )
    return parameter.data[offset]!
  }
}

/** x * scale + bias, both broadcasting as parameters of the last axes do. */
export function scaleAndShift(
  x: NdArray,
  scale: NdArray | null | undefined,
  bias: NdArray | null | undefined,
): NdArray {
  const times = scale ? parameterAt(scale, x.shape) : () => 1
  const plus = bias ? parameterAt(bias, x.shape) : () => 0
  return { ...x, data: x.data.map((v, i) => v * times(i) + plus(i)) }
}

const firstNormalized = (call: Call): number =>
  normalizeAxis(call, getInt(call.attributes, 'axis', -1), operandOfRank(call, 0, 1, true).shape.length)

/** Statistics keep the rank; the normalised axes have size 1. */
function statisticType(call: Call): TensorType {
  const first = firstNormalized(call)
  const shape = operand(call, 0).shape.map((d, axis) => (axis < first ? d : 1))
  const { dtype } = operand(call, 0)
  return { dtype: getInt(call.attributes, 'stash_type', 1) === 1 && dtype !== 'float64' ? 'float32' : dtype, shape }
}

export function lastAxesTypes(call: Call): TensorType[] {
  for (const parameter of call.inputs.slice(1)) if (parameter) checkParameter(call, parameter.shape)
  const statistic = statisticType(call)
  return [sameType(call), statistic, statistic].slice(0, call.outputCount)
}

function checkParameter(call: Call, own: Shape): void {
  const { shape } = operand(call, 0)
  const clashes = (d: Dim, i: number) => {
    const size = shape[i + shape.length - own.length]
    return size === undefined ? d !== 1 : d !== 1 && typeof d === 'number' && typeof size === 'number' && d !== size
  }
  if (own.some(clashes)) reject(call, `a parameter that broadcasts to ${shapeText(shape)}`, shapeText(own))
}

/** Axes before `axis` are point-wise; parameters are aligned at the last axis. */
export function lastAxesMap(call: Call): AxisMap {
  const shape = operand(call, 0).shape
  const first = firstNormalized(call)
  return shape.map((dim, axis) =>
    call.inputs.map((type, i): AxisSource => {
      if (i === 0) return axis < first ? axisOfSize(dim, axis) : 'mixed'
      return parameterSource(type?.shape ?? null, shape, axis)
    }),
  )
}

function parameterSource(shape: Shape | null, out: Shape, axis: number): AxisSource {
  const at = shape ? axis - (out.length - shape.length) : -1
  return at < 0 ? 'broadcast' : axisOfSize(shape![at]!, at)
}

/** Y, mean and reciprocal deviation. */
export function layerNormalize(call: ConcreteCall, x: NdArray, epsilon: number): { y: NdArray; statistics: NdArray[] } {
  const type = statisticType(call)
  const shape = concrete(type)
  const moments = momentsOfRows(x.data, elementCount(shape))
  const inverse = moments.variance.map((v) => 1 / Math.sqrt(v + epsilon))
  const statistics = [moments.mean, inverse].map((data): NdArray => ({ dtype: type.dtype, shape, data }))
  return { y: { ...x, data: standardize(x.data, moments, epsilon) }, statistics }
}

const layerNormalization: Op = {
  name: 'LayerNormalization',
  domain: '',
  sinceOpset: 17,
  attributes: { axis: { kind: 'int', default: -1 }, epsilon: epsilonSpec, stash_type: { kind: 'int', default: 1 } },
  infer: lastAxesTypes,
  evaluate: (call, inputs) => {
    const { y, statistics } = layerNormalize(call, arrayOf(call, inputs, 0), getFloat(call.attributes, 'epsilon', 1e-5))
    return [scaleAndShift(y, inputs[1], inputs[2]), ...statistics].slice(0, call.outputCount)
  },
  axes: lastAxesMap,
  jointlyLinear: true,
  linearIn: (call) => (optional(call, 2) ? [1, 2] : [1]),
  work: (call) => workOf(call, lastAxesTypes(call), NORMALIZE_FLOPS * elementsOf(call)),
}

/** x / sqrt(mean(x^2) + epsilon) over the last axes; the statistic is the reciprocal. */
export function rmsNormalize(call: ConcreteCall, x: NdArray, epsilon: number): { y: NdArray; statistic: NdArray } {
  const type = statisticType(call)
  const shape = concrete(type)
  const rows = elementCount(shape)
  const inner = rows === 0 ? 0 : x.data.length / rows
  const data = Float64Array.from({ length: rows }, (_, r) => {
    let squares = 0
    for (let i = r * inner; i < (r + 1) * inner; i++) squares += x.data[i]! ** 2
    return 1 / Math.sqrt(squares / inner + epsilon)
  })
  const y: NdArray = { ...x, data: x.data.map((v, i) => v * data[Math.floor(i / inner)]!) }
  return { y, statistic: { dtype: type.dtype, shape, data } }
}

const rmsNormalization: Op = {
  name: 'RMSNormalization',
  domain: '',
  sinceOpset: 23,
  attributes: layerNormalization.attributes,
  infer: (call) => [sameType(call)],
  evaluate: (call, inputs) => {
    const { y } = rmsNormalize(call, arrayOf(call, inputs, 0), getFloat(call.attributes, 'epsilon', 1e-5))
    return [scaleAndShift(y, inputs[1], null)]
  },
  axes: lastAxesMap,
  linearIn: () => [1],
  work: (call) => workOf(call, [sameType(call)], 4 * elementsOf(call)),
}

/** ONNX Runtime's own RMSNormalization, which it also accepts in models: scale, then the reciprocal deviation. */
const simplifiedLayerNormalization: Op = {
  ...rmsNormalization,
  name: 'SimplifiedLayerNormalization',
  sinceOpset: 1,
  infer: (call) => [sameType(call), statisticType(call)].slice(0, call.outputCount),
  evaluate: (call, inputs) => {
    const { y, statistic } = rmsNormalize(call, arrayOf(call, inputs, 0), getFloat(call.attributes, 'epsilon', 1e-5))
    return [scaleAndShift(y, inputs[1], null), statistic].slice(0, call.outputCount)
  },
  work: (call) => workOf(call, [sameType(call), statisticType(call)], 4 * elementsOf(call)),
}

export const layerNormalizationOps: readonly Op[] = [layerNormalization, rmsNormalization, simplifiedLayerNormalization]
