// Constant folding: an operator applied to constants, evaluated in float64 by the operator's own record.
import { evaluateDim } from '../ir/dim.ts'
import type { ConcreteCall } from '../ir/op.ts'
import { findOp } from '../ir/ops/index.ts'
import { type ConcreteShape, elementCount, isConcrete, type Shape } from '../ir/shape.ts'
import { type NdArray, ndarray } from '../ir/tensor.ts'
import type { ConstantId, ConstantTable } from './constants.ts'
import { callOfOnnx, constantClassFact, inferOp, onnxSpelling } from './infer-op.ts'
import { familyOf, type OnnxOp, payloadKey, type TensorOp } from './tensor-op.ts'

/** Multiply-adds that one folded expression may take. */
const WORK_LIMIT = 2e9

/** The constant that `op` makes of `args`, or null: not computable, random, or too much work. */
export function foldConstants(constants: ConstantTable, op: TensorOp, args: readonly ConstantId[]): ConstantId | null {
  const facts = args.map((id) => constantClassFact(constants, id))
  const type = inferOp(op, facts, constants).type
  if (!type || !isConcrete(type.shape) || !isFoldable(op)) return null
  const elements = elementCount(type.shape)
  if (workOf(constants, op, args, elements) > WORK_LIMIT) return null
  const key = `${familyOf(op)}{${payloadKey(op)}}`
  return constants.derive(key, args, elements, () => evaluate(constants, op, args, type.shape as ConcreteShape))
}

function isFoldable(op: TensorOp): boolean {
  if (op.kind === 'input' || op.kind === 'constant' || op.kind === 'fused-conv') return false
  if (op.kind !== 'onnx') return op.kind !== 'reorder-in' && op.kind !== 'reorder-out'
  const record = findOp(op.domain, op.op)
  return record !== null && record.deterministic !== false && op.outputCount === 1 && op.captures.length === 0
}

function workOf(constants: ConstantTable, op: TensorOp, args: readonly ConstantId[], elements: number): number {
  const second = args[1] === undefined ? [] : constants.shape(args[1])
  if (op.kind === 'lin') return elements * second[0]!
  if (op.kind === 'onnx' && op.op === 'MatMul') return elements * (constants.shape(args[0]!).at(-1) ?? 1)
  if (op.kind === 'onnx' && op.op === 'Conv') return elements * elementCount(second.slice(1))
  return elements
}

function evaluate(constants: ConstantTable, op: TensorOp, args: readonly ConstantId[], shape: ConcreteShape): NdArray {
  const arrays = args.map((id) => constants.array(id))
  const first = arrays[0]!
  if (op.kind === 'lin') return applyLin(first, arrays[1]!, op.axis, shape)
  if (op.kind === 'reshape') return { ...first, shape }
  if (op.kind === 'onnx') return run(op, arrays, constants, args)
  const spelling = onnxSpelling(op as Parameters<typeof onnxSpelling>[0], first.shape)!
  const inputs = spelling.ints ? [first, ndarray('int64', [spelling.ints.length], spelling.ints)] : arrays
  const out = runPlain(spelling.op, inputs)
  return { ...out, shape }
}

function run(op: OnnxOp, arrays: readonly NdArray[], constants: ConstantTable, args: readonly ConstantId[]): NdArray {
  const call = callOfOnnx(op, args.map((id) => constantClassFact(constants, id)), constants) as ConcreteCall
  let next = 0
  const inputs = op.present.map((p) => (p ? arrays[next++]! : null))
  return findOp(op.domain, op.op)!.evaluate(call, inputs)[op.output]!
}

function runPlain(op: OnnxOp, arrays: readonly NdArray[]): NdArray {
  const call: ConcreteCall = {
    domain: op.domain,
    op: op.op,
    opset: op.opset,
    attributes: op.attributes,
    inputs: arrays.map((a) => ({ dtype: a.dtype, shape: a.shape })),
    outputCount: 1,
    constants: arrays.map(() => null),
    contents: arrays.map((a) => (a.dtype === 'int64' && a.shape.length <= 1 ? Array.from(a.data) : null)),
  }
  return findOp(op.domain, op.op)!.evaluate(call, arrays)[0]!
}

/** x: [outer, K, inner], w: [K, N] -> [outer, N, inner], along `axis` of x. */
export function applyLin(x: NdArray, w: NdArray, axis: number, shape: ConcreteShape): NdArray {
  const [k, n] = w.shape as [number, number]
  const outer = elementCount(x.shape.slice(0, axis))
  const inner = elementCount(x.shape.slice(axis + 1))
  const data = new Float64Array(outer * n * inner)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < k; i++) {
      if (inner === 1) addScaled(data, o * n, w.data, i * n, n, x.data[o * k + i]!)
      else for (let j = 0; j < n; j++) addScaled(data, (o * n + j) * inner, x.data, (o * k + i) * inner, inner, w.data[i * n + j]!)
    }
  return { dtype: x.dtype, shape, data }
}

function addScaled(to: Float64Array, at: number, from: Float64Array, start: number, count: number, scale: number): void {
  if (scale === 0) return
  for (let i = 0; i < count; i++) to[at + i]! += scale * from[start + i]!
}

/** True if every element is `value`. */
export function isUniform(constants: ConstantTable, id: ConstantId, value: number): boolean {
  return constants.array(id).data.every((x) => x === value)
}

/** Concrete shape of a shape that may be symbolic only in name. */
export function asConcrete(shape: Shape): ConcreteShape | null {
  const out = shape.map((d) => evaluateDim(d, new Map()))
  return out.includes(null) ? null : (out as number[])
}
