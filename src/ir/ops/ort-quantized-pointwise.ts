// Point-wise operators, concatenation and pools that take and give quantised values (domain com.microsoft of ONNX Runtime):
// out of the quantisation, the operation, and back. Source: contrib_ops/quantization_defs.cc (ONNX Runtime 1.30).
import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getInt, getInts } from '../attribute.ts'
import { addDims, type Dim } from '../dim.ts'
import { softmax } from '../kernels/attention.ts'
import type { AttributeSpec, Call, ConcreteCall, Op } from '../op.ts'
import { broadcastShapes, type ConcreteShape, elementCount, type Shape, shapeText } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { channelsLast } from './channels-last.ts'
import { broadcastTo, TRANSCENDENTAL_FLOPS } from './define.ts'
import { arrayOf, concrete, normalizeAxis, operand, reject, workOf } from './operands.ts'
import { MICROSOFT } from './ort-fused.ts'
import { CONVERSION_FLOPS, dequantized, type Inputs, requantize } from './ort-quantized.ts'
import { poolOps } from './pool.ts'

const sameType = (call: Call, index = 0): TensorType => ({
  dtype: operand(call, index).dtype,
  shape: operand(call, index).shape,
})

interface Quantised {
  readonly name: string
  readonly attributes?: Readonly<Record<string, AttributeSpec>>
  /** Per element of the output, or of the whole call. */
  readonly flops: number | ((call: ConcreteCall) => number)
  infer(call: Call): TensorType
  evaluate(call: ConcreteCall, inputs: Inputs): NdArray
}
const quantised = (spec: Quantised): Op => ({
  name: spec.name,
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: spec.attributes ?? {},
  infer: (call) => [spec.infer(call)],
  evaluate: (call, inputs) => [spec.evaluate(call, inputs)],
  work: (call) => {
    const type = spec.infer(call)
    const flops = typeof spec.flops === 'number' ? spec.flops * elementCount(concrete(type)) : spec.flops(call)
    return workOf(call, [type], flops)
  },
})

function broadcast(call: Call, a: Shape, b: Shape): Shape {
  return broadcastShapes(a, b) ?? reject(call, 'shapes that broadcast', `${shapeText(a)} and ${shapeText(b)}`)
}

/** Inputs: A, scale, zero, B, scale, zero, scale and zero of the result. */
const quantisedBinary = (name: string, f: (x: number, y: number) => number): Op => {
  const infer = (call: Call): TensorType => ({
    dtype: operand(call, 0).dtype,
    shape: broadcast(call, operand(call, 0).shape, operand(call, 3).shape),
  })
  return quantised({
    name,
    flops: CONVERSION_FLOPS + 3,
    infer,
    evaluate: (call, inputs) => {
      const { dtype, shape } = infer(call)
      const [a, b] = [dequantized(call, inputs, 0), dequantized(call, inputs, 3)].map((x) =>
        broadcastTo(x, shape as ConcreteShape),
      )
      const sum: NdArray = { dtype, shape: shape as ConcreteShape, data: a!.map((x, i) => f(x, b![i]!)) }
      return requantize(call, inputs, sum, 6, 7)
    },
  })
}

/** Inputs: X, scale, zero, scale and zero of the result. */
const quantisedUnary = (
  name: string,
  flops: number,
  attributes: Op['attributes'],
  f: (call: Call) => (x: number) => number,
): Op =>
  quantised({
    name,
    attributes,
    flops: CONVERSION_FLOPS + flops,
    infer: (call) => sameType(call),
    evaluate: (call, inputs) => {
      const x = dequantized(call, inputs, 0)
      return requantize(call, inputs, { ...x, data: x.data.map(f(call)) }, 3, 4)
    },
  })

const where = quantised({
  name: 'QLinearWhere',
  flops: CONVERSION_FLOPS,
  infer: (call) => {
    const [condition, x, y] = [0, 1, 4].map((i) => operand(call, i).shape) as [Shape, Shape, Shape]
    return { dtype: operand(call, 1).dtype, shape: broadcast(call, broadcast(call, condition, x), y) }
  },
  evaluate: (call, inputs) => {
    const shape = concrete(where.infer(call)[0])
    const condition = broadcastTo(arrayOf(call, inputs, 0), shape)
    const [x, y] = [dequantized(call, inputs, 1), dequantized(call, inputs, 4)].map((v) => broadcastTo(v, shape))
    const data = condition.map((c, i) => (c !== 0 ? x![i]! : y![i]!))
    return requantize(call, inputs, { dtype: operand(call, 1).dtype, shape, data }, 7, 8)
  },
})

/** Softmax over one axis (opset 13 on) or over all axes from it on. Inputs: X, scale, zero, scale and zero of the result. */
const qlinearSoftmax = quantised({
  name: 'QLinearSoftmax',
  attributes: { axis: { kind: 'int', default: -1 }, opset: { kind: 'int' } },
  flops: CONVERSION_FLOPS + TRANSCENDENTAL_FLOPS + 4,
  infer: (call) => sameType(call),
  evaluate: (call, inputs) => {
    const x = dequantized(call, inputs, 0)
    const axis = normalizeAxis(call, getInt(call.attributes, 'axis', -1), x.shape.length)
    const last = getInt(call.attributes, 'opset', 13) < 13 || axis === x.shape.length - 1
    if (!last) throw new UnsupportedError(`evaluating ${call.domain}:${call.op} along an inner axis`)
    const run = elementCount(x.shape.slice(axis))
    const data = new Float64Array(x.data.length)
    for (let at = 0; at < data.length; at += run) data.set(softmax(x.data.subarray(at, at + run)), at)
    return requantize(call, inputs, { ...x, data }, 3, 4)
  },
})

// --- joining and reducing -----------------------------------------------------------------------------------------------

/** Inputs: scale and zero of the result, then value, scale and zero of each part. */
const concat = quantised({
  name: 'QLinearConcat',
  attributes: { axis: { kind: 'int' } },
  flops: CONVERSION_FLOPS,
  infer: (call) => {
    const parts = call.inputs.flatMap((type, i) => (type && i >= 2 && (i - 2) % 3 === 0 ? [type] : []))
    const first = parts[0] ?? reject(call, 'at least one part', 'none')
    const axis = normalizeAxis(call, getInt(call.attributes, 'axis', 0), first.shape.length)
    if (parts.some((part) => part.shape.length !== first.shape.length)) reject(call, 'parts of one rank', 'several')
    const size = parts.reduce<Dim>((sum, part) => addDims(sum, part.shape[axis]!), 0)
    return { dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? size : d)) }
  },
  evaluate: (call, inputs) => {
    const type = concat.infer(call)[0]!
    const axis = normalizeAxis(call, getInt(call.attributes, 'axis', 0), type.shape.length)
    const parts = inputs.flatMap((x, i) => (x && i >= 2 && (i - 2) % 3 === 0 ? [dequantized(call, inputs, i)] : []))
    return requantize(call, inputs, { dtype: type.dtype, shape: concrete(type), data: joinAlong(parts, axis) }, 0, 1)
  },
})

function joinAlong(parts: readonly NdArray[], axis: number): Float64Array {
  const out = new Float64Array(parts.reduce((n, p) => n + p.data.length, 0))
  const outer = elementCount(parts[0]!.shape.slice(0, axis))
  for (let o = 0, to = 0; o < outer; o++) {
    for (const { data } of parts) {
      const run = data.length / outer
      out.set(data.subarray(o * run, (o + 1) * run), to)
      to += run
    }
  }
  return out
}

const reduceMean = quantised({
  name: 'QLinearReduceMean',
  attributes: { axes: { kind: 'ints' }, keepdims: { kind: 'int', default: 1 } },
  flops: (call) => CONVERSION_FLOPS * elementCount(concrete(operand(call, 0))),
  infer: (call) => {
    const { dtype, shape } = operand(call, 0)
    const axes = getInts(call.attributes, 'axes', []).map((axis) => normalizeAxis(call, axis, shape.length))
    const keep = getInt(call.attributes, 'keepdims', 1) === 1
    return { dtype, shape: shape.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d])) }
  },
  evaluate: (call) => {
    throw new UnsupportedError(`evaluating ${call.domain}:${call.op}`)
  },
})

/** Inputs: X, scale, zero, scale and zero of the result; channels first or last. */
function pooled(base: Op): Op {
  const form = (call: Call): Op =>
    getInt(call.attributes, 'channels_last', 0) !== 0 ? channelsLast(base, base.name, MICROSOFT) : base
  const bare = <C extends Call>(call: C): C => ({ ...call, inputs: call.inputs.slice(0, 1), outputCount: 1 })
  const infer = (call: Call): TensorType => form(call).infer(bare(call))[0]!
  return quantised({
    name: `QLinear${base.name}`,
    attributes: { ...base.attributes, channels_last: { kind: 'int', default: 0 } },
    flops: (call) =>
      (form(call).work?.(bare(call)).flops ?? 0) + CONVERSION_FLOPS * elementCount(concrete(infer(call))),
    infer,
    evaluate: (call, inputs) => {
      const y = form(call).evaluate(bare(call), [dequantized(call, inputs, 0)])[0]!
      return requantize(call, inputs, y, 3, 4)
    },
  })
}

export const ortQuantizedPointwiseOps: readonly Op[] = [
  quantisedBinary('QLinearAdd', (x, y) => x + y),
  quantisedBinary('QLinearMul', (x, y) => x * y),
  quantisedUnary('QLinearSigmoid', TRANSCENDENTAL_FLOPS, {}, () => (x) => 1 / (1 + Math.exp(-x))),
  quantisedUnary('QLinearLeakyRelu', 2, { alpha: { kind: 'float', default: 0.01 } }, (call) => {
    const alpha = getFloat(call.attributes, 'alpha', 0.01)
    return (x) => (x < 0 ? alpha * x : x)
  }),
  where,
  qlinearSoftmax,
  concat,
  reduceMean,
  ...poolOps.filter((op) => op.name === 'AveragePool' || op.name === 'GlobalAveragePool').map(pooled),
]
