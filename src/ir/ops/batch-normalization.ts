// BatchNormalization: with fixed statistics one multiply-add per element, point-wise in every axis; in training the
// statistics come from the batch and are returned. All opset versions, also per-activation ones (`spatial` 0, before 9).
import { getFloat, getInt } from '../attribute.ts'
import type { AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { arrayOf, axisOfSize, concrete, operand, operandOfRank, unify, workOf } from './operands.ts'

/** Parameters are indexed by axis 1, or (spatial 0) by all axes but the first. */
const perActivation = (call: Call): boolean => call.opset < 9 && getInt(call.attributes, 'spatial', 1) === 0

function isTraining(call: Call): boolean {
  if (call.opset >= 14) return getInt(call.attributes, 'training_mode', 0) !== 0
  return call.opset < 7 ? getInt(call.attributes, 'is_test', 0) === 0 && call.outputCount > 1 : call.outputCount > 1
}

function typesOf(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 2, true)
  for (let i = 1; i < 5; i++) unify(call, shape[1]!, operand(call, i).shape[0]!, 'channels')
  const statistic = { dtype: operand(call, 3).dtype, shape: operand(call, 3).shape }
  return [{ dtype, shape }, ...new Array<TensorType>(4).fill(statistic)].slice(0, call.outputCount)
}

/** Mean and biased variance of each channel over batch and space. */
function batchMoments(x: NdArray, groups: number, area: number): { mean: Float64Array; variance: Float64Array } {
  const count = x.data.length / groups
  const mean = new Float64Array(groups)
  const variance = new Float64Array(groups)
  const group = (i: number) => Math.floor(i / area) % groups
  for (let i = 0; i < x.data.length; i++) mean[group(i)]! += x.data[i]! / count
  for (let i = 0; i < x.data.length; i++) variance[group(i)]! += (x.data[i]! - mean[group(i)]!) ** 2 / count
  return { mean, variance }
}

function evaluate(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => arrayOf(call, inputs, i).data) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const area = perActivation(call) ? 1 : elementCount(x.shape.slice(2))
  const training = isTraining(call)
  const used = training ? batchMoments(x, scale.length, area) : { mean, variance }
  const epsilon = getFloat(call.attributes, 'epsilon', 1e-5)
  const factor = scale.map((s, c) => s / Math.sqrt(used.variance[c]! + epsilon))
  const shift = bias.map((b, c) => b - used.mean[c]! * factor[c]!)
  const data = x.data.map((v, i) => {
    const c = Math.floor(i / area) % factor.length
    return v * factor[c]! + shift[c]!
  })
  const outputs = [{ dtype: x.dtype, shape: x.shape, data }, ...(training ? runningOutputs(call, inputs, used) : [])]
  return outputs.slice(0, call.outputCount)
}

/** Running statistics after this batch, then (before opset 14) those of the batch itself. */
function runningOutputs(
  call: ConcreteCall,
  inputs: readonly (NdArray | null)[],
  used: { readonly mean: Float64Array; readonly variance: Float64Array },
): NdArray[] {
  const momentum = getFloat(call.attributes, 'momentum', 0.9)
  const { dtype, shape } = arrayOf(call, inputs, 3)
  const blend = (old: Float64Array, batch: Float64Array) => old.map((v, c) => v * momentum + batch[c]! * (1 - momentum))
  const mean = blend(arrayOf(call, inputs, 3).data, used.mean)
  const variance = blend(arrayOf(call, inputs, 4).data, used.variance)
  return [mean, variance, used.mean, used.variance].map((data) => ({ dtype, shape, data }))
}

function sourcesOf(call: Call, axis: number): AxisSource[] {
  const dim = operand(call, 0).shape[axis]!
  const indexed = perActivation(call) ? axis >= 1 : axis === 1
  const parameter = indexed ? axisOfSize(dim, axis - 1) : 'broadcast'
  const own = isTraining(call) && axis !== 1 ? 'mixed' : axisOfSize(dim, axis)
  return [own, parameter, parameter, parameter, parameter]
}

const batchNormalization: Op = {
  name: 'BatchNormalization',
  domain: '',
  sinceOpset: 1,
  attributes: {
    epsilon: { kind: 'float', default: 1e-5 },
    momentum: { kind: 'float', default: 0.9 },
    training_mode: { kind: 'int', default: 0 },
    spatial: { kind: 'int', default: 1 },
    is_test: { kind: 'int', default: 0 },
    consumed_inputs: { kind: 'ints' },
  },
  infer: typesOf,
  evaluate,
  axes: (call) => operand(call, 0).shape.map((_, axis) => sourcesOf(call, axis)),
  jointlyLinear: true,
  linearIn: () => [1, 2],
  work: (call) => {
    const perElement = isTraining(call) ? 8 : 2
    return workOf(call, typesOf(call), perElement * elementCount(concrete(call.inputs[0])))
  },
}

export const batchNormalizationOps: readonly Op[] = [batchNormalization]
