// Products and convolutions as ONNX Runtime fuses them (domain com.microsoft): scale, transposes, sum, bias and activation in
// one kernel. Source: onnxruntime/core/graph/contrib_ops/contrib_defs.cc (ONNX Runtime 1.30).
import { getFloat, getInt } from '../attribute.ts'
import { matmulStacked, permute, type Stack } from '../kernels/stacked.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { elementCount, type Shape } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { CONV_OPERANDS, convAttributes, convAxes, convFlops, convGeometry, convolve, resizeConv } from './conv.ts'
import {
  evaluateGemm,
  gemmAttributes,
  gemmAxes,
  gemmFlops,
  gemmTypes,
  productAxes,
  productFlops,
  productShape,
} from './linear.ts'
import { arrayOf, axisOfSize, concrete, operand, operandOfRank, optional, reject, workOf } from './operands.ts'
import { type Activation, activationFlops, activationOf, fastGelu } from './ort-activation.ts'

export const MICROSOFT = 'com.microsoft'

const activationAttributes: Op['attributes'] = {
  activation: { kind: 'string' },
  activation_params: { kind: 'floats' },
  activation_alpha: { kind: 'float' },
  activation_beta: { kind: 'float' },
  activation_gamma: { kind: 'float' },
}

const activated = (x: NdArray, activation: Activation | null): NdArray =>
  activation ? { ...x, data: x.data.map(activation) } : x

// --- Conv ---------------------------------------------------------------------------------------------------------------

/** Input added to the result before the activation; it has the output's shape. */
const SUM = 3

const fusedConvTypes = (call: Call): TensorType[] => [
  { dtype: operandOfRank(call, 0, 3, true).dtype, shape: convGeometry(call).out },
]

function evaluateFusedConv(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const { shape, data } = convolve(x, arrayOf(call, inputs, 1), inputs[2], convGeometry(call))
  const sum = inputs[SUM]
  const total = sum ? data.map((v, i) => v + sum.data[i]!) : data
  return [activated({ dtype: x.dtype, shape, data: total }, activationOf(call))]
}

const fusedConv: Op = {
  name: 'FusedConv',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: { ...convAttributes, ...activationAttributes },
  infer: fusedConvTypes,
  evaluate: evaluateFusedConv,
  axes: (call) =>
    convAxes(call).map((sources, axis) =>
      sources.map((s, i) => (i === SUM && optional(call, SUM) ? axisOfSize(convGeometry(call).out[axis]!, axis) : s)),
    ),
  resize: (call, axis, size) => resizeConv(call, axis, size),
  work: (call) => {
    const out = elementCount(concrete(fusedConvTypes(call)[0]))
    const extra = activationFlops(call) + (optional(call, SUM) ? 1 : 0)
    return workOf(call, fusedConvTypes(call), convFlops(call, CONV_OPERANDS) + extra * out)
  },
}

// --- MatMul -------------------------------------------------------------------------------------------------------------

/** Order of axes that an operand is read in: `transBatch` moves the first axis before the last, `trans` swaps the last two. */
function operandOrder(call: Call, side: 'A' | 'B', rank: number): number[] {
  const order = Array.from({ length: rank }, (_, axis) => axis)
  const batch = getInt(call.attributes, `transBatch${side}`, 0) !== 0 && rank > 2
  const moved = batch ? [...order.slice(1, -1), 0, rank - 1] : order
  const swap = getInt(call.attributes, `trans${side}`, 0) !== 0 && rank > 1
  return swap ? [...moved.slice(0, -2), moved.at(-1)!, moved.at(-2)!] : moved
}

const orderOf = (call: Call, index: 0 | 1): number[] =>
  operandOrder(call, index === 0 ? 'A' : 'B', operand(call, index).shape.length)

const readShape = (call: Call, index: 0 | 1): Shape => {
  const { shape } = operand(call, index)
  return orderOf(call, index).map((axis) => shape[axis]!)
}

const fusedMatMulTypes = (call: Call): TensorType[] => [
  { dtype: operand(call, 0).dtype, shape: productShape(call, readShape(call, 0), readShape(call, 1)) },
]

function fusedMatMulAxes(call: Call): AxisMap {
  const sources = productAxes(readShape(call, 0), readShape(call, 1), fusedMatMulTypes(call)[0]!.shape)
  return sources.map((pair) =>
    pair.map((s, i): AxisSource => (typeof s === 'number' ? orderOf(call, i as 0 | 1)[s]! : s)),
  )
}

function evaluateFusedMatMul(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const [a, b] = ([0, 1] as const).map((i) => permute(arrayOf(call, inputs, i), orderOf(call, i))) as [Stack, Stack]
  const alpha = getFloat(call.attributes, 'alpha', 1)
  const product = matmulStacked(a, b)
  const scaled = { dtype: operand(call, 0).dtype, shape: product.shape, data: product.data.map((x) => alpha * x) }
  return [activated(scaled, activationOf(call))]
}

const fusedMatMul = (name: string, attributes: Op['attributes'], linear: boolean): Op => ({
  name,
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {
    alpha: { kind: 'float', default: 1 },
    transA: { kind: 'int', default: 0 },
    transB: { kind: 'int', default: 0 },
    ...attributes,
  },
  infer: fusedMatMulTypes,
  evaluate: evaluateFusedMatMul,
  axes: fusedMatMulAxes,
  linearIn: () => (linear ? [0, 1] : []),
  work: (call) => {
    const out = fusedMatMulTypes(call)
    const shape = concrete(out[0])
    return workOf(call, out, productFlops(readShape(call, 0), shape) + activationFlops(call) * elementCount(shape))
  },
})

const transBatch: Op['attributes'] = {
  transBatchA: { kind: 'int', default: 0 },
  transBatchB: { kind: 'int', default: 0 },
}

// --- Gemm ---------------------------------------------------------------------------------------------------------------

const fusedGemm: Op = {
  name: 'FusedGemm',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: { ...gemmAttributes, ...activationAttributes },
  infer: gemmTypes,
  evaluate: (call, inputs) => [activated(evaluateGemm(call, inputs), activationOf(call))],
  axes: gemmAxes,
  work: (call) => {
    const out = elementCount(concrete(gemmTypes(call)[0]))
    return workOf(call, gemmTypes(call), gemmFlops(call) + activationFlops(call) * out)
  },
}

const productTypes = (call: Call): TensorType[] => [
  { dtype: operand(call, 0).dtype, shape: productShape(call, operand(call, 0).shape, operand(call, 1).shape) },
]

const gemmFastGelu: Op = {
  name: 'GemmFastGelu',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {},
  infer: productTypes,
  evaluate: (call, inputs) => {
    const product = matmulStacked(arrayOf(call, inputs, 0), arrayOf(call, inputs, 1))
    const bias = inputs[2]
    const data = product.data.map((x, i) => fastGelu(x + (bias ? bias.data[i % bias.data.length]! : 0)))
    return [{ dtype: operand(call, 0).dtype, shape: product.shape, data }]
  },
  work: (call) => {
    const shape = concrete(productTypes(call)[0])
    return workOf(call, productTypes(call), productFlops(operand(call, 0).shape, shape) + 10 * elementCount(shape))
  },
}

// --- Inverse ------------------------------------------------------------------------------------------------------------

function squareTypes(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 2, true)
  if (typeof shape.at(-1) === 'number' && typeof shape.at(-2) === 'number' && shape.at(-1) !== shape.at(-2))
    reject(call, 'square matrices', String(shape))
  return [{ dtype, shape }]
}

/** Gauss-Jordan elimination with partial pivoting; a singular matrix gives infinities and NaN. */
function invert(a: Float64Array, n: number): Float64Array {
  const left = a.slice()
  const right = new Float64Array(n * n)
  for (let i = 0; i < n; i++) right[i * n + i] = 1
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let r = column + 1; r < n; r++)
      if (Math.abs(left[r * n + column]!) > Math.abs(left[pivot * n + column]!)) pivot = r
    for (const m of [left, right]) swapRows(m, n, pivot, column)
    const scale = 1 / left[column * n + column]!
    for (const m of [left, right]) for (let j = 0; j < n; j++) m[column * n + j]! *= scale
    for (let r = 0; r < n; r++) {
      const factor = r === column ? 0 : left[r * n + column]!
      if (factor === 0) continue
      for (const m of [left, right]) for (let j = 0; j < n; j++) m[r * n + j]! -= factor * m[column * n + j]!
    }
  }
  return right
}

function swapRows(m: Float64Array, n: number, a: number, b: number): void {
  const row = m.slice(a * n, (a + 1) * n)
  m.copyWithin(a * n, b * n, (b + 1) * n)
  m.set(row, b * n)
}

const inverse: Op = {
  name: 'Inverse',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {},
  infer: squareTypes,
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const n = x.shape.at(-1)!
    const data = new Float64Array(x.data.length)
    for (let at = 0; at < data.length; at += n * n) data.set(invert(x.data.subarray(at, at + n * n), n), at)
    return [{ ...x, data }]
  },
  axes: (call) =>
    operand(call, 0).shape.map((dim, axis, shape): AxisSource[] => [
      axis < shape.length - 2 ? axisOfSize(dim, axis) : 'mixed',
    ]),
  work: (call) =>
    workOf(call, squareTypes(call), 2 * elementCount(concrete(operand(call, 0))) * concrete(operand(call, 0)).at(-1)!),
}

export const ortFusedOps: readonly Op[] = [
  fusedConv,
  fusedMatMul('FusedMatMul', transBatch, true),
  fusedMatMul('TransposeMatMul', {}, true),
  fusedMatMul(
    'FusedMatMulActivation',
    { ...transBatch, ...activationAttributes, activation_axis: { kind: 'int' } },
    false,
  ),
  fusedGemm,
  gemmFastGelu,
  inverse,
]
