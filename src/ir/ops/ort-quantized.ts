// Quantised products of ONNX Runtime's own (domain com.microsoft): on integers with an answer in floats, on weights of a few
// bits, and convolution in either layout. Source: contrib_ops/quantization_defs.cc, contrib_defs.cc (1.30).
import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getInt } from '../attribute.ts'
import { matmulStacked, type Stack, transposeLast } from '../kernels/stacked.ts'
import type { Call, ConcreteCall, Op } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { channelsLast } from './channels-last.ts'
import { broadcastTo } from './define.ts'
import { gemmTypes, matmulInteger, productFlops, productShape } from './linear.ts'
import { arrayOf, concrete, operand, operandOfRank, optional, workOf } from './operands.ts'
import { MICROSOFT } from './ort-fused.ts'
import {
  dequantizeLinear,
  dynamicParameters,
  integerRange,
  quantized,
  quantizeLinear,
  quantizeOps,
} from './quantize.ts'

export type Inputs = readonly (NdArray | null)[]

// --- products that answer in floats -------------------------------------------------------------------------------------

/** (A - aZero) (B - bZero) scaled by a scale and by one per column of B, plus a bias. */
function scaledProduct(
  product: Stack,
  aScale: number,
  bScale: Float64Array,
  bias: NdArray | null | undefined,
): NdArray {
  const columns = product.shape.at(-1)!
  const data = product.data.map((v, i) => {
    const column = i % columns
    const scale = aScale * bScale[bScale.length === 1 ? 0 : column % bScale.length]!
    return v * scale + (bias ? bias.data[column]! : 0)
  })
  return { dtype: 'float32', shape: product.shape, data }
}

const floatProductTypes = (call: Call): TensorType[] => [
  { dtype: 'float32', shape: productShape(call, operand(call, 0).shape, operand(call, 1).shape) },
]

const floatProduct = (name: string, evaluate: (call: ConcreteCall, inputs: Inputs) => NdArray): Op => ({
  name,
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {},
  infer: floatProductTypes,
  evaluate: (call, inputs) => [evaluate(call, inputs)],
  work: (call) => {
    const out = concrete(floatProductTypes(call)[0])
    return workOf(call, floatProductTypes(call), productFlops(operand(call, 0).shape, out) + 3 * elementCount(out))
  },
})

/** A in floats is quantised on the way, with one scale for all of it. Inputs: A, B, bScale, bZero?, bias?. */
function dynamicQuantizeMatMul(call: ConcreteCall, inputs: Inputs): NdArray {
  const a = arrayOf(call, inputs, 0)
  const { scale, zero } = dynamicParameters(a.data)
  const whole: NdArray = { ...a, data: a.data.map((v) => quantized(v, scale, zero, [0, 255]) - zero) }
  const product = matmulInteger(whole, arrayOf(call, inputs, 1), null, inputs[3])
  return scaledProduct(product, scale, arrayOf(call, inputs, 2).data, inputs[4])
}

/** Inputs: A, B, aScale, bScale, aZero?, bZero?, bias?. */
function matmulIntegerToFloat(call: ConcreteCall, inputs: Inputs): NdArray {
  const product = matmulInteger(arrayOf(call, inputs, 0), arrayOf(call, inputs, 1), inputs[4], inputs[5])
  return scaledProduct(product, arrayOf(call, inputs, 2).data[0]!, arrayOf(call, inputs, 3).data, inputs[6])
}

// --- weights of a few bits ----------------------------------------------------------------------------------------------

/** A: [..., K] by weights packed in blocks of K, B: [N, blocks, bytes] -> [..., N]. */
function nBitsTypes(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 1, true)
  return [{ dtype, shape: [...shape.slice(0, -1), getInt(call.attributes, 'N', 0)] }]
}

/** Row-major [N, K] weights: (packed - zero) * scale, a scale and a zero per row and block; low bits come first. */
function unpackWeights(call: ConcreteCall, inputs: Inputs): Stack {
  const [n, k] = [getInt(call.attributes, 'N', 0), getInt(call.attributes, 'K', 0)]
  const bits = getInt(call.attributes, 'bits', 4)
  const block = getInt(call.attributes, 'block_size', 32)
  const blocks = Math.ceil(k / block)
  const packed = arrayOf(call, inputs, 1).data
  const scales = arrayOf(call, inputs, 2).data
  const perByte = 8 / bits
  const read = (data: Float64Array, row: number, width: number, i: number) =>
    Math.floor(data[row * Math.ceil(width / perByte) + Math.floor(i / perByte)]! / 2 ** (bits * (i % perByte))) %
    2 ** bits
  const zeros = inputs[3]
  const zeroOf = (row: number, b: number) => (zeros ? read(zeros.data, row, blocks, b) : 2 ** (bits - 1))
  const data = Float64Array.from({ length: n * k }, (_, at) => {
    const [row, b, i] = [Math.floor(at / k), Math.floor((at % k) / block), (at % k) % block]
    return (read(packed, row * blocks + b, block, i) - zeroOf(row, b)) * scales[row * blocks + b]!
  })
  return { shape: [n, k], data }
}

const matmulNBits: Op = {
  name: 'MatMulNBits',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {
    K: { kind: 'int' },
    N: { kind: 'int' },
    bits: { kind: 'int', default: 4 },
    block_size: { kind: 'int' },
    accuracy_level: { kind: 'int', default: 0 },
    weight_prepacked: { kind: 'int', default: 0 },
  },
  infer: nBitsTypes,
  evaluate: (call, inputs) => {
    const bits = getInt(call.attributes, 'bits', 4)
    const plain = (bits === 2 || bits === 4 || bits === 8) && !inputs[4] && inputs[3]?.dtype !== 'float32'
    if (!plain)
      throw new UnsupportedError(`evaluating ${MICROSOFT}:MatMulNBits with ${bits} bits, groups or float zero points`)
    const a = arrayOf(call, inputs, 0)
    const product = matmulStacked(a, transposeLast(unpackWeights(call, inputs)))
    const bias = inputs[5]
    const data = bias ? product.data.map((v, i) => v + bias.data[i % bias.data.length]!) : product.data
    return [{ dtype: a.dtype, shape: product.shape, data }]
  },
  linearIn: (call) => (optional(call, 5) ? [] : [0]),
  work: (call) => {
    const out = elementCount(concrete(nBitsTypes(call)[0]))
    return workOf(call, nBitsTypes(call), 2 * getInt(call.attributes, 'K', 0) * out)
  },
}

// --- in and out of a quantisation -----------------------------------------------------------------------------------------

/** Flops to take a value out of its quantisation and put it back. */
export const CONVERSION_FLOPS = 6

/** Real values of a quantised input with its scale and (optional) zero point, all scalars. */
export function dequantized(call: Call, inputs: Inputs, value: number, scale = value + 1, zero = value + 2): NdArray {
  const x = arrayOf(call, inputs, value)
  const s = arrayOf(call, inputs, scale).data[0]!
  const z = inputs[zero]?.data[0] ?? 0
  return { ...x, data: x.data.map((v) => (v - z) * s) }
}

/** Quantises real values as inputs `scale` and `zero` say. */
export function requantize(call: Call, inputs: Inputs, y: NdArray, scale: number, zero: number): NdArray {
  const range = integerRange(y.dtype)
  const s = arrayOf(call, inputs, scale).data[0]!
  const z = inputs[zero]?.data[0] ?? 0
  return { ...y, data: y.data.map((v) => quantized(v, s, z, range)) }
}

// --- Gemm and Conv ------------------------------------------------------------------------------------------------------

/** Inputs: A, scale, zero, B, scale(s), zero(s), C?, scale? and zero? of the result; floats without them. */
const gemm: Op = {
  name: 'QGemm',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {
    alpha: { kind: 'float', default: 1 },
    transA: { kind: 'int', default: 0 },
    transB: { kind: 'int', default: 0 },
  },
  infer: qgemmTypes,
  evaluate: (call, inputs) => {
    const turn = (x: NdArray, name: string): NdArray =>
      getInt(call.attributes, name, 0) !== 0 ? { dtype: x.dtype, ...transposeLast(x) } : x
    const [a, b] = [turn(arrayOf(call, inputs, 0), 'transA'), turn(arrayOf(call, inputs, 3), 'transB')]
    const product = matmulInteger(a, b, inputs[2], inputs[5])
    const [m, n] = product.shape as [number, number]
    const c = inputs[6] ? broadcastTo(inputs[6], [m, n]) : null
    const alpha = getFloat(call.attributes, 'alpha', 1) * arrayOf(call, inputs, 1).data[0]!
    const bScale = arrayOf(call, inputs, 4).data
    // C is quantised with the scale of the product.
    const data = product.data.map((v, i) => (v + (c?.[i] ?? 0)) * alpha * bScale[bScale.length === 1 ? 0 : i % n]!)
    const y: NdArray = { dtype: qgemmTypes(call)[0]!.dtype, shape: [m, n], data }
    return [inputs[7] ? requantize(call, inputs, y, 7, 8) : y]
  },
  work: (call) => {
    const out = elementCount(concrete(qgemmTypes(call)[0]))
    const inner = concrete(operand(call, 0))[getInt(call.attributes, 'transA', 0) !== 0 ? 0 : 1]!
    return workOf(call, qgemmTypes(call), out * (2 * inner + CONVERSION_FLOPS))
  },
}

function qgemmTypes(call: Call): TensorType[] {
  const { shape } = gemmTypes({ ...call, inputs: [operand(call, 0), operand(call, 3), optional(call, 6)] })[0]!
  return [{ dtype: optional(call, 7) ? (optional(call, 8)?.dtype ?? operand(call, 0).dtype) : 'float32', shape }]
}

/** Channels first, or last. */
function quantizedConv(base: Op): Op {
  const last = channelsLast(base, base.name, MICROSOFT)
  const form = (call: Call): Op => (getInt(call.attributes, 'channels_last', 0) !== 0 ? last : base)
  return {
    ...base,
    domain: MICROSOFT,
    sinceOpset: 1,
    attributes: { ...base.attributes, channels_last: { kind: 'int', default: 0 } },
    infer: (call) => form(call).infer(call),
    evaluate: (call, inputs) => form(call).evaluate(call, inputs),
    axes: (call) => form(call).axes!(call),
    resize: (call, axis, size) => form(call).resize!(call, axis, size),
    work: (call) => form(call).work!(call),
  }
}

export const ortQuantizedOps: readonly Op[] = [
  floatProduct('DynamicQuantizeMatMul', dynamicQuantizeMatMul),
  floatProduct('MatMulIntegerToFloat', matmulIntegerToFloat),
  matmulNBits,
  gemm,
  { ...quantizeLinear, domain: MICROSOFT, sinceOpset: 1 },
  { ...dequantizeLinear, domain: MICROSOFT, sinceOpset: 1 },
  ...quantizeOps.filter((op) => op.name === 'QLinearConv').map(quantizedConv),
]
