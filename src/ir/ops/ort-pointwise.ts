// Point-wise operators, softmax and dropout as ONNX Runtime fuses them (domain com.microsoft), and the copies between host and
// device that it inserts. Source: onnxruntime/core/graph/contrib_ops/contrib_defs.cc, bert_defs.cc (ONNX Runtime 1.30).
import { getFloat, getInt } from '../attribute.ts'
import { softmax } from '../kernels/attention.ts'
import type { AxisSource, Call, Op } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { TensorType } from '../tensor.ts'
import { binary, broadcastTo, many, TRANSCENDENTAL_FLOPS, unary } from './define.ts'
import {
  arrayOf,
  axisOfSize,
  broadcastSource,
  concrete,
  equalShare,
  normalizeAxis,
  operand,
  reject,
  workOf,
} from './operands.ts'
import { fastGelu, gelu, quickGelu } from './ort-activation.ts'
import { MICROSOFT } from './ort-fused.ts'

const sameType = (call: Call): TensorType => ({ dtype: operand(call, 0).dtype, shape: operand(call, 0).shape })

const geluFlops = TRANSCENDENTAL_FLOPS + 4

const pointwise: readonly Op[] = [
  unary({
    name: 'Gelu',
    domain: MICROSOFT,
    since: 1,
    laws: ['zero-preserving'],
    flops: geluFlops,
    compute: () => gelu,
  }),
  unary({
    name: 'QuickGelu',
    domain: MICROSOFT,
    since: 1,
    attributes: { alpha: { kind: 'float', default: 1.702 } },
    laws: ['zero-preserving'],
    flops: geluFlops,
    compute: (call) => quickGelu(getFloat(call.attributes, 'alpha', 1.702)),
  }),
  binary({ name: 'BiasGelu', domain: MICROSOFT, since: 1, flops: geluFlops + 1, compute: () => (x, b) => gelu(x + b) }),
  many({
    name: 'FastGelu',
    domain: MICROSOFT,
    since: 1,
    flops: geluFlops + 4,
    compute:
      () =>
      ([x, b]) =>
        fastGelu(x! + (b === undefined || Number.isNaN(b) ? 0 : b)),
  }),
  many({
    name: 'BiasAdd',
    domain: MICROSOFT,
    since: 1,
    flops: 2,
    jointlyLinear: true,
    linearIn: () => [0, 1, 2],
    compute:
      () =>
      ([x, b, skip]) =>
        x! + b! + skip!,
  }),
]

/** Softmax over the axes from `axis` on, taken as one, of data plus a bias that broadcasts to it. */
const biasSoftmax: Op = {
  name: 'BiasSoftmax',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: { axis: { kind: 'int', default: 1 }, is_inner_broadcast: { kind: 'int' } },
  infer: (call) => [sameType(call)],
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const bias = broadcastTo(arrayOf(call, inputs, 1), x.shape)
    const sum = x.data.map((v, i) => v + bias[i]!)
    const run = elementCount(x.shape.slice(softmaxAxis(call)))
    const data = new Float64Array(sum.length)
    for (let at = 0; at < data.length; at += run) data.set(softmax(sum.subarray(at, at + run)), at)
    return [{ ...x, data }]
  },
  axes: (call) => {
    const { shape } = operand(call, 0)
    return shape.map((dim, axis): AxisSource[] =>
      axis < softmaxAxis(call)
        ? [axisOfSize(dim, axis), broadcastSource(operand(call, 1).shape, shape, axis)]
        : ['mixed', 'mixed'],
    )
  },
  work: (call) => workOf(call, [sameType(call)], (TRANSCENDENTAL_FLOPS + 4) * elementCount(concrete(operand(call, 0)))),
}

const softmaxAxis = (call: Call): number =>
  normalizeAxis(call, getInt(call.attributes, 'axis', 1), operand(call, 0).shape.length)

/** (x + bias) split in halves along the last axis: the first times the gelu of the second. */
const biasSplitGelu: Op = {
  name: 'BiasSplitGelu',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {},
  infer: (call) => [splitType(call)],
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const bias = arrayOf(call, inputs, 1).data
    const shape = concrete(splitType(call))
    const half = shape.at(-1)!
    const data = Float64Array.from({ length: elementCount(shape) }, (_, i) => {
      const [row, column] = [Math.floor(i / half) * 2 * half, i % half]
      return (x.data[row + column]! + bias[column]!) * gelu(x.data[row + column + half]! + bias[column + half]!)
    })
    return [{ dtype: x.dtype, shape, data }]
  },
  work: (call) => workOf(call, [splitType(call)], (geluFlops + 3) * elementCount(concrete(splitType(call)))),
}

function splitType(call: Call): TensorType {
  const { dtype, shape } = operand(call, 0)
  const half = equalShare(call, shape.at(-1) ?? reject(call, 'a last axis', 'none'), 2)
  return { dtype, shape: [...shape.slice(0, -1), half] }
}

/** Outside training: data + bias + residual, and a mask that keeps everything. */
const biasDropout: Op = {
  name: 'BiasDropout',
  domain: MICROSOFT,
  sinceOpset: 1,
  deterministic: false,
  attributes: { seed: { kind: 'int' } },
  infer: (call) => [sameType(call), { dtype: 'bool' as const, shape: sameType(call).shape }].slice(0, call.outputCount),
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const training = (inputs[4]?.data[0] ?? 0) !== 0 && (inputs[3]?.data[0] ?? 0.5) !== 0
    if (training) reject(call, 'inference: a training mode of false', 'true')
    const [bias, residual] = [inputs[1], inputs[2]].map((a) => (a ? broadcastTo(a, x.shape) : null))
    const data = x.data.map((v, i) => v + (bias?.[i] ?? 0) + (residual?.[i] ?? 0))
    const kept = { dtype: 'bool' as const, shape: x.shape, data: new Float64Array(data.length).fill(1) }
    return [{ ...x, data }, kept].slice(0, call.outputCount)
  },
}

const copy = (name: string): Op => ({
  name,
  domain: '',
  sinceOpset: 1,
  attributes: {},
  infer: (call) => [sameType(call)],
  evaluate: (call, inputs) => [arrayOf(call, inputs, 0)],
  axes: (call) => sameType(call).shape.map((dim, axis): AxisSource[] => [axisOfSize(dim, axis)]),
  linearIn: () => [0],
  work: (call) => workOf(call, [sameType(call)], 0),
})

export const ortPointwiseOps: readonly Op[] = [
  ...pointwise,
  biasSoftmax,
  biasSplitGelu,
  biasDropout,
  copy('MemcpyFromHost'),
  copy('MemcpyToHost'),
]
