// Products of matrices. Their axis maps (rows from the left operand, columns from the right, stack axes from both) and their
// linearity in each operand are what most algebraic rules derive from. Einsum has a file of its own.
import { getFloat, getInt } from '../attribute.ts'
import { dimEquals } from '../dim.ts'
import { type DType, isFloat } from '../dtype.ts'
import { matmulStacked, type Stack, transposeLast } from '../kernels/stacked.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { broadcastShapes, elementCount, type Shape, shapeText } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { storeAs } from './define.ts'
import {
  arrayOf,
  axisOfSize,
  broadcastSource,
  concrete,
  operand,
  operandOfRank,
  optional,
  reject,
  unify,
  workOf,
} from './operands.ts'

/** Sums as the dtype holds them: integers wrap. */
export function stored(dtype: DType, x: Stack): NdArray {
  return { dtype, shape: x.shape, data: isFloat(dtype) ? x.data : x.data.map((v) => storeAs(dtype, v)) }
}

/** Shape of a product of stacked matrices (NumPy's matmul). */
export function productShape(call: Call, a: Shape, b: Shape): Shape {
  if (a.length === 0 || b.length === 0)
    reject(call, 'operands of rank 1 or more', `${shapeText(a)} and ${shapeText(b)}`)
  unify(call, a.at(-1)!, b.at(-2) ?? b[0]!, 'inner dimensions')
  const stack = broadcastShapes(a.slice(0, -2), b.slice(0, -2))
  if (!stack) reject(call, 'stacks that broadcast', `${shapeText(a)} and ${shapeText(b)}`)
  return [...stack, ...(a.length === 1 ? [] : [a.at(-2)!]), ...(b.length === 1 ? [] : [b.at(-1)!])]
}

/** Axis map of a product, per output axis: [source in a, source in b]. */
export function productAxes(a: Shape, b: Shape, out: Shape): [AxisSource, AxisSource][] {
  const rows = a.length === 1 ? 0 : 1
  const columns = b.length === 1 ? 0 : 1
  const stack = out.slice(0, out.length - rows - columns)
  return out.map((dim, axis) => {
    if (axis < stack.length) {
      return [broadcastSource(a.slice(0, -2), stack, axis), broadcastSource(b.slice(0, -2), stack, axis)]
    }
    const isRow = rows === 1 && axis === stack.length
    return isRow ? [axisOfSize(dim, a.length - 2), 'broadcast'] : ['broadcast', axisOfSize(dim, b.length - 1)]
  })
}

/** Multiply-adds of a product of stacked matrices, two flops each. */
export function productFlops(a: Shape, out: Shape): number {
  return 2 * elementCount(out as number[]) * (a.at(-1) as number)
}

/** Shape with the last two axes swapped. */
export function transposedShape(shape: Shape, transpose: boolean): Shape {
  return transpose ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape
}

function matmulTypes(call: Call, dtype = operand(call, 0).dtype): TensorType[] {
  return [{ dtype, shape: productShape(call, operand(call, 0).shape, operand(call, 1).shape) }]
}

function matmulAxes(call: Call): AxisMap {
  const [a, b] = [operand(call, 0).shape, operand(call, 1).shape]
  return productAxes(a, b, productShape(call, a, b))
}

const matmul: Op = {
  name: 'MatMul',
  domain: '',
  sinceOpset: 1,
  attributes: {},
  torch: { target: 'torch.matmul' },
  infer: (call) => matmulTypes(call),
  evaluate: (call, inputs) => {
    const product = matmulStacked(arrayOf(call, inputs, 0), arrayOf(call, inputs, 1))
    return [stored(operand(call, 0).dtype, product)]
  },
  axes: matmulAxes,
  linearIn: () => [0, 1],
  work: (call) => workOf(call, matmulTypes(call), productFlops(operand(call, 0).shape, matmulTypes(call)[0]!.shape)),
}

interface GemmFlags {
  readonly alpha: number
  readonly beta: number
  readonly transA: boolean
  readonly transB: boolean
}

export function gemmFlags(call: Call): GemmFlags {
  return {
    alpha: getFloat(call.attributes, 'alpha', 1),
    beta: getFloat(call.attributes, 'beta', 1),
    transA: getInt(call.attributes, 'transA', 0) !== 0,
    transB: getInt(call.attributes, 'transB', 0) !== 0,
  }
}

/** [m, n] of alpha A' B' + beta C; C must broadcast to it. */
export function gemmTypes(call: Call): TensorType[] {
  const { transA, transB } = gemmFlags(call)
  const a = transposedShape(operandOfRank(call, 0, 2).shape, transA)
  const b = transposedShape(operandOfRank(call, 1, 2).shape, transB)
  unify(call, a[1]!, b[0]!, 'inner dimensions')
  const shape = [a[0]!, b[1]!]
  const c = optional(call, 2)
  if (c && (c.shape.length > 2 || !broadcastShapes(c.shape, shape)))
    reject(call, `a third operand that broadcasts to ${shapeText(shape)}`, shapeText(c.shape))
  return [{ dtype: operand(call, 0).dtype, shape }]
}

export function gemmAxes(call: Call): AxisMap {
  const { transA, transB } = gemmFlags(call)
  const [m, n] = gemmTypes(call)[0]!.shape as [number, number]
  const c = (axis: number): AxisSource => broadcastSource(optional(call, 2)?.shape ?? null, [m, n], axis)
  return [
    [axisOfSize(m, transA ? 1 : 0), 'broadcast', c(0)],
    ['broadcast', axisOfSize(n, transB ? 0 : 1), c(1)],
  ].map((sources) => sources.slice(0, call.inputs.length) as AxisSource[])
}

export function evaluateGemm(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray {
  const { alpha, beta, transA, transB } = gemmFlags(call)
  const turned = (x: Stack, transpose: boolean) => (transpose ? transposeLast(x) : x)
  const product = matmulStacked(turned(arrayOf(call, inputs, 0), transA), turned(arrayOf(call, inputs, 1), transB))
  const [m, n] = product.shape as [number, number]
  const data = product.data.map((x) => alpha * x)
  const c = inputs[2]
  if (c) addBroadcast(data, c, m, n, beta)
  return stored(operand(call, 0).dtype, { shape: [m, n], data })
}

/** data[m, n] += scale * c, where c has rank 0 to 2 and broadcasts. */
function addBroadcast(data: Float64Array, c: Stack, m: number, n: number, scale: number): void {
  const columns = c.shape.at(-1) ?? 1
  const rows = c.shape.at(-2) ?? 1
  const rowStep = rows === 1 ? 0 : columns
  const columnStep = columns === 1 ? 0 : 1
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) data[i * n + j] = data[i * n + j]! + scale * c.data[i * rowStep + j * columnStep]!
  }
}

/** Products, one multiply-add more per element for C. */
export function gemmFlops(call: ConcreteCall): number {
  const out = elementCount(concrete(gemmTypes(call)[0]))
  const a = concrete(operand(call, 0))
  return out * (2 * a[gemmFlags(call).transA ? 0 : 1]! + (optional(call, 2) ? 2 : 0))
}

export const gemmAttributes = {
  alpha: { kind: 'float', default: 1 },
  beta: { kind: 'float', default: 1 },
  transA: { kind: 'int', default: 0 },
  transB: { kind: 'int', default: 0 },
} as const

const gemm: Op = {
  name: 'Gemm',
  domain: '',
  sinceOpset: 1,
  // `broadcast` said in opset 1 and 6 that C may be smaller; since 7 it always may.
  attributes: { ...gemmAttributes, broadcast: { kind: 'int', default: 0 } },
  infer: gemmTypes,
  evaluate: (call, inputs) => [evaluateGemm(call, inputs)],
  axes: gemmAxes,
  // With a C it is affine in A and in B.
  linearIn: (call) => (optional(call, 2) ? [] : [0, 1]),
  work: (call) => workOf(call, gemmTypes(call), gemmFlops(call)),
}

/** Rows of `a` less a zero point that is a scalar, one per row, or a full column of them. */
function shiftRows(a: NdArray, zero: NdArray | null | undefined): NdArray {
  if (!zero) return a
  const columns = a.shape.at(-1)!
  const count = zero.data.length
  return { ...a, data: a.data.map((x, i) => x - zero.data[count === 1 ? 0 : Math.floor(i / columns) % count]!) }
}

/** Columns of `b` less a zero point that is a scalar or one per column (per matrix of the stack where it has as many). */
function shiftColumns(b: NdArray, zero: NdArray | null | undefined): NdArray {
  if (!zero) return b
  const columns = b.shape.at(-1)!
  const size = columns * (b.shape.at(-2) ?? 1)
  const perMatrix = zero.data.length > columns
  const at = (i: number) => (perMatrix ? Math.floor(i / size) * columns : 0) + (i % columns)
  return { ...b, data: b.data.map((x, i) => x - zero.data[zero.data.length === 1 ? 0 : at(i)]!) }
}

/** (a - aZero) (b - bZero), exact while sums stay under 2^53. Shapes as MatMulInteger-10. */
export function matmulInteger(a: NdArray, b: NdArray, aZero?: NdArray | null, bZero?: NdArray | null): Stack {
  return matmulStacked(shiftRows(a, aZero), shiftColumns(b, bZero))
}

/** Zero points of a product: one per row of a (input `aZero`) and per column of b (input `bZero`), or scalars. */
export function integerProductAxes(call: Call, a: number, b: number, aZero: number, bZero: number): AxisMap {
  const [left, right] = [operand(call, a).shape, operand(call, b).shape]
  const out = productShape(call, left, right)
  return productAxes(left, right, out).map(([fromA, fromB], axis) =>
    call.inputs.map((type, i): AxisSource => {
      if (i === a) return fromA
      if (i === b) return fromB
      if (!type || isScalarLike(type.shape)) return 'broadcast'
      const row = axis === out.length - (right.length > 1 ? 2 : 1) && left.length > 1
      const column = axis === out.length - 1 && right.length > 1
      if (type.shape.length !== 1) return 'mixed'
      if (i === aZero) return row && dimEquals(type.shape[0]!, out[axis]!) ? 0 : 'broadcast'
      if (i === bZero) return column && dimEquals(type.shape[0]!, out[axis]!) ? 0 : 'broadcast'
      return 'mixed'
    }),
  )
}

const isScalarLike = (shape: Shape): boolean => shape.every((d) => d === 1)

const matmulIntegerOp: Op = {
  name: 'MatMulInteger',
  domain: '',
  sinceOpset: 10,
  attributes: {},
  infer: (call) => matmulTypes(call, 'int32'),
  evaluate: (call, inputs) => [
    stored('int32', matmulInteger(arrayOf(call, inputs, 0), arrayOf(call, inputs, 1), inputs[2], inputs[3])),
  ],
  axes: (call) => integerProductAxes(call, 0, 1, 2, 3),
  linearIn: (call) => [0, 1].filter((i) => !optional(call, i + 2)),
  work: (call) => workOf(call, matmulTypes(call), productFlops(operand(call, 0).shape, matmulTypes(call)[0]!.shape)),
}

export const linearOps: readonly Op[] = [matmul, gemm, matmulIntegerOp]
