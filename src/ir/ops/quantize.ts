// Quantisation to integers and back, and products on quantised operands. Scales and zero points are scalars, one per index of
// an axis, or one per block along it. Values exist for 8, 16 and 32-bit integers; types under 8 bits and float8 are shapes only.
import { UnsupportedError } from '../../base/errors.ts'
import { getInt } from '../attribute.ts'
import { type Dim, dimEquals } from '../dim.ts'
import { DTYPES, type DType, dtypeFromOnnx } from '../dtype.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import {
  type ConvOperands,
  convAttributes,
  convFlops,
  convGeometry,
  convolveInteger,
  quantizedConvAxes,
  resizeConv,
} from './conv.ts'
import { roundHalfEven } from './elementwise-math.ts'
import { integerProductAxes, matmulInteger, productFlops, productShape } from './linear.ts'
import { arrayOf, axisOfSize, concrete, normalizeAxis, operand, optional, workOf } from './operands.ts'

/** Smallest and largest value of an integer dtype that values can be computed in. */
export function integerRange(dtype: DType): readonly [number, number] {
  const { kind, bits } = DTYPES[dtype]
  if (kind !== 'int') throw new UnsupportedError(`quantising to ${dtype}`)
  return dtype.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
}

/** Rounds half to even, shifts, saturates. */
export function quantized(x: number, scale: number, zero: number, [low, high]: readonly [number, number]): number {
  return Math.min(Math.max(roundHalfEven(x / scale) + zero, low), high)
}

const axisOf = (call: Call): number => {
  const { length } = operand(call, 0).shape
  const axis = getInt(call.attributes, 'axis', 1)
  return length === 0 || (length === 1 && axis === 1) ? 0 : normalizeAxis(call, axis, length)
}

/** For element i of x, the index of its scale: scalar, per axis, or per block along the axis. */
function parameterIndex(call: Call, x: ConcreteShape, parameter: ConcreteShape): (i: number) => number {
  if (elementCount(parameter) === 1) return () => 0
  const axis = axisOf(call)
  const strides = stridesOf(x)
  const along = (i: number) => Math.floor(i / strides[axis]!) % x[axis]!
  if (parameter.length === 1) return along
  const block = getInt(call.attributes, 'block_size', 0) || Math.ceil(x[axis]! / parameter[axis]!)
  const inner = strides[axis]!
  return (i) => {
    const outer = Math.floor(i / (inner * x[axis]!))
    return (outer * parameter[axis]! + Math.floor(along(i) / block)) * inner + (i % inner)
  }
}

/** Scale and zero point of x[i]; x is input 0, its scale input 1, its zero point (0 if left out) input 2. */
function parametersOf(
  call: ConcreteCall,
  inputs: readonly (NdArray | null)[],
): (i: number) => readonly [number, number] {
  const scale = arrayOf(call, inputs, 1)
  const index = parameterIndex(call, arrayOf(call, inputs, 0).shape, scale.shape)
  return (i) => [scale.data[index(i)]!, inputs[2]?.data[index(i)] ?? 0]
}

/** The dtype that `output_dtype` asks for, else that of the zero point, else uint8. */
function quantizedDtype(call: Call): DType {
  const asked = dtypeFromOnnx(getInt(call.attributes, 'output_dtype', 0))
  return asked ?? optional(call, 2)?.dtype ?? 'uint8'
}

/** Scales vary along the axis, or along every axis when they are per block. */
function quantizeAxes(call: Call): AxisMap {
  const { shape } = operand(call, 0)
  return shape.map((dim, axis) =>
    call.inputs.map(
      (type, i): AxisSource => (i === 0 ? axisOfSize(dim, axis) : parameterSource(call, type, dim, axis)),
    ),
  )
}

function parameterSource(call: Call, type: TensorType | null, dim: Dim, axis: number): AxisSource {
  if (!type || type.shape.every((d) => d === 1)) return 'broadcast'
  if (type.shape.length === 1) return axis === axisOf(call) ? axisOfSize(dim, 0) : 'broadcast'
  const own = type.shape[axis]
  return own !== undefined && dimEquals(own, dim) ? axisOfSize(dim, axis) : 'mixed'
}

const quantizeTypes = (call: Call): TensorType[] => [{ dtype: quantizedDtype(call), shape: operand(call, 0).shape }]

const quantizeAttributes: Op['attributes'] = {
  axis: { kind: 'int', default: 1 },
  block_size: { kind: 'int', default: 0 },
  output_dtype: { kind: 'int', default: 0 },
}

export const quantizeLinear: Op = {
  name: 'QuantizeLinear',
  domain: '',
  sinceOpset: 10,
  attributes: { ...quantizeAttributes, precision: { kind: 'int', default: 0 }, saturate: { kind: 'int', default: 1 } },
  infer: quantizeTypes,
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const dtype = quantizedDtype(call)
    const range = integerRange(dtype)
    const parameters = parametersOf(call, inputs)
    return [{ dtype, shape: x.shape, data: x.data.map((v, i) => quantized(v, ...parameters(i), range)) }]
  },
  axes: quantizeAxes,
  work: (call) => workOf(call, quantizeTypes(call), 4 * elementCount(concrete(operand(call, 0)))),
}

function dequantizeTypes(call: Call): TensorType[] {
  const asked = dtypeFromOnnx(getInt(call.attributes, 'output_dtype', 0))
  return [{ dtype: asked ?? operand(call, 1).dtype, shape: operand(call, 0).shape }]
}

export const dequantizeLinear: Op = {
  name: 'DequantizeLinear',
  domain: '',
  sinceOpset: 10,
  attributes: quantizeAttributes,
  infer: dequantizeTypes,
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const parameters = parametersOf(call, inputs)
    const data = x.data.map((v, i) => {
      const [scale, zero] = parameters(i)
      return (v - zero) * scale
    })
    return [{ dtype: dequantizeTypes(call)[0]!.dtype, shape: x.shape, data }]
  },
  axes: quantizeAxes,
  linearIn: (call) => (optional(call, 2) ? [1] : [0, 1]),
  work: (call) => workOf(call, dequantizeTypes(call), 2 * elementCount(concrete(operand(call, 0)))),
}

// --- from the values themselves -----------------------------------------------------------------------------------------

const dynamicTypes = (call: Call): TensorType[] =>
  [
    { dtype: 'uint8' as const, shape: operand(call, 0).shape },
    { dtype: 'float32' as const, shape: [] },
    { dtype: 'uint8' as const, shape: [] },
  ].slice(0, call.outputCount)

/** Scale and zero point that map [min(0, x), max(0, x)] to 0..255; float32 steps, as the operator is defined. */
export function dynamicParameters(x: Float64Array): { readonly scale: number; readonly zero: number } {
  const low = x.reduce((m, v) => Math.min(m, v), 0)
  const high = x.reduce((m, v) => Math.max(m, v), 0)
  const scale = Math.fround(Math.fround(high - low) / 255)
  if (scale === 0) return { scale: 1, zero: 0 }
  return { scale, zero: Math.min(Math.max(roundHalfEven(Math.fround(-low / scale)), 0), 255) }
}

const dynamicQuantizeLinear: Op = {
  name: 'DynamicQuantizeLinear',
  domain: '',
  sinceOpset: 11,
  attributes: {},
  infer: dynamicTypes,
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const { scale, zero } = dynamicParameters(x.data)
    const y: NdArray = { dtype: 'uint8', shape: x.shape, data: x.data.map((v) => quantized(v, scale, zero, [0, 255])) }
    const scalar = (dtype: DType, value: number): NdArray => ({ dtype, shape: [], data: Float64Array.of(value) })
    return [y, scalar('float32', scale), scalar('uint8', zero)].slice(0, call.outputCount)
  },
  axes: (call) => operand(call, 0).shape.map((): AxisSource[] => ['mixed']),
  work: (call) => workOf(call, dynamicTypes(call), 6 * elementCount(concrete(operand(call, 0)))),
}

// --- products -----------------------------------------------------------------------------------------------------------

const PRODUCT = { a: 0, aScale: 1, aZero: 2, b: 3, bScale: 4, bZero: 5, yScale: 6, yZero: 7 } as const

const qlinearMatMulTypes = (call: Call): TensorType[] => [
  {
    dtype: optional(call, PRODUCT.yZero)?.dtype ?? operand(call, PRODUCT.a).dtype,
    shape: productShape(call, operand(call, PRODUCT.a).shape, operand(call, PRODUCT.b).shape),
  },
]

function evaluateQLinearMatMul(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const at = (index: number) => arrayOf(call, inputs, index)
  const product = matmulInteger(at(PRODUCT.a), at(PRODUCT.b), at(PRODUCT.aZero), at(PRODUCT.bZero))
  const [aScale, bScale] = [at(PRODUCT.aScale).data, at(PRODUCT.bScale).data]
  const columns = product.shape.at(-1) ?? 1
  const rows = product.shape.at(-2) ?? 1
  const dtype = qlinearMatMulTypes(call)[0]!.dtype
  const range = integerRange(dtype)
  const [yScale, yZero] = [at(PRODUCT.yScale).data[0]!, at(PRODUCT.yZero).data[0]!]
  const pick = (values: Float64Array, i: number) => values[values.length === 1 ? 0 : i % values.length]!
  const data = product.data.map((v, i) => {
    const scale = pick(aScale, Math.floor(i / columns) % rows) * pick(bScale, i % columns)
    return quantized(v * scale, yScale, yZero, range)
  })
  return [{ dtype, shape: product.shape, data }]
}

const qlinearMatMul: Op = {
  name: 'QLinearMatMul',
  domain: '',
  sinceOpset: 10,
  attributes: {},
  infer: qlinearMatMulTypes,
  evaluate: evaluateQLinearMatMul,
  axes: (call) => {
    const rows = integerProductAxes(call, PRODUCT.a, PRODUCT.b, PRODUCT.aZero, PRODUCT.bZero)
    const scales = integerProductAxes(call, PRODUCT.a, PRODUCT.b, PRODUCT.aScale, PRODUCT.bScale)
    return rows.map((sources, axis) =>
      sources.map((s, i) => (i === PRODUCT.aScale || i === PRODUCT.bScale ? scales[axis]![i]! : s)),
    )
  },
  work: (call) => {
    const shape = concrete(qlinearMatMulTypes(call)[0])
    return workOf(call, qlinearMatMulTypes(call), productFlops(operand(call, 0).shape, shape) + 4 * elementCount(shape))
  },
}

const CONV = { x: 0, xScale: 1, xZero: 2, w: 3, wScale: 4, wZero: 5, yScale: 6, yZero: 7, bias: 8 } as const
const CONV_OPERANDS: ConvOperands = { x: CONV.x, w: CONV.w, bias: CONV.bias }

const qlinearConvTypes = (call: Call): TensorType[] => [
  { dtype: operand(call, CONV.yZero).dtype, shape: convGeometry(call, CONV_OPERANDS).out },
]

function evaluateQLinearConv(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const at = (index: number) => arrayOf(call, inputs, index)
  const g = convGeometry(call, CONV_OPERANDS)
  const sum = convolveInteger(at(CONV.x), at(CONV.w), at(CONV.xZero), at(CONV.wZero), inputs[CONV.bias], g)
  const dtype = at(CONV.yZero).dtype
  const range = integerRange(dtype)
  const [xScale, yScale, yZero] = [CONV.xScale, CONV.yScale, CONV.yZero].map((i) => at(i).data[0]!) as [
    number,
    number,
    number,
  ]
  const wScale = at(CONV.wScale).data
  const area = elementCount(sum.shape.slice(2))
  const data = sum.data.map((v, i) => {
    const channel = Math.floor(i / area) % wScale.length
    return quantized(v * xScale * wScale[channel]!, yScale, yZero, range)
  })
  return [{ dtype, shape: sum.shape, data }]
}

const qlinearConv: Op = {
  name: 'QLinearConv',
  domain: '',
  sinceOpset: 10,
  attributes: convAttributes,
  infer: qlinearConvTypes,
  evaluate: evaluateQLinearConv,
  axes: (call) => quantizedConvAxes(call, CONV_OPERANDS, [CONV.wScale, CONV.wZero]),
  resize: (call, axis, size) => resizeConv(call, axis, size, CONV_OPERANDS),
  work: (call) => {
    const out = elementCount(concrete(qlinearConvTypes(call)[0]))
    return workOf(call, qlinearConvTypes(call), convFlops(call, CONV_OPERANDS) + 4 * out)
  },
}

export const quantizeOps: readonly Op[] = [
  quantizeLinear,
  dequantizeLinear,
  dynamicQuantizeLinear,
  qlinearMatMul,
  qlinearConv,
]
