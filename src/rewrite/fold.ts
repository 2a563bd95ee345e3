// Constant folding: an operator applied to constants, evaluated in float64 by the operator's own record.
import { UnsupportedError } from '../base/errors.ts'
import { isFloat } from '../ir/dtype.ts'
import { findOp } from '../ir/ops/index.ts'
import { type ConcreteShape, elementCount, isConcrete, shapeEquals } from '../ir/shape.ts'
import { type NdArray, toNdArray } from '../ir/tensor.ts'
import { isLarge, rowsTimes } from './constant-rows.ts'
import type { ConstantId, ConstantTable } from './constants.ts'
import { evaluateOp, multiplyAdds } from './evaluate-op.ts'
import { constantClassFact, inferOp } from './infer-op.ts'
import { reshapedView, type StridedView, transposedView } from './strided-view.ts'
import { familyOf, isOfRuntime, payloadKey, type TensorOp } from './tensor-op.ts'

/** Multiply-adds that one folded expression may take. */
const WORK_LIMIT = 2e9

/** The constant that `op` makes of `args`, or null: not computable, random, or too much work. */
export function foldConstants(constants: ConstantTable, op: TensorOp, args: readonly ConstantId[]): ConstantId | null {
  if (!isFoldable(op)) return null
  const type = inferOp(
    op,
    args.map((id) => constantClassFact(constants, id)),
    constants,
  ).type
  if (!type || !isConcrete(type.shape)) return null
  const elements = elementCount(type.shape)
  const shapes = args.map((id) => constants.shape(id))
  if (multiplyAdds(op, shapes, elements) > WORK_LIMIT) return null
  const change = changeOf(constants, op, args, type.shape)
  if (change) return constants.changed(...change)
  const key = `${familyOf(op)}{${payloadKey(op)}}`
  const view = viewOf(constants, op, args, type.shape)
  const viewed = view && constants.viewed(key, args[0]!, view)
  if (viewed != null) return viewed
  // Where a rounding error would be a whole step, operands are as the runtime has them: rounded to their dtype.
  const steps = op.kind === 'onnx' && (STEPS.has(op.op) || !isFloat(type.dtype))
  const operand = (id: ConstantId) => (steps ? toNdArray(constants.tensor(id)) : constants.array(id))
  const compute = fewRows(constants, op, args) ?? (() => evaluateOrGiveUp(op, () => args.map(operand)))
  return constants.derive(key, args, elements, compute)
}

/** Where `op` adds or multiplies a large x of `shape` and a much smaller constant: both, in that order. */
function changeOf(
  constants: ConstantTable,
  op: TensorOp,
  args: readonly ConstantId[],
  shape: ConcreteShape,
): Parameters<ConstantTable['changed']> | null {
  if (op.kind !== 'onnx' || op.domain !== '' || (op.op !== 'Mul' && op.op !== 'Add') || !isLarge(shape)) return null
  const [a, b] = args as [ConstantId, ConstantId]
  const [x, small] = sizeOf(constants, a) >= sizeOf(constants, b) ? [a, b] : [b, a]
  const keepsShape = shapeEquals(constants.shape(x), shape)
  const isChange = keepsShape && sizeOf(constants, small) * 16 <= sizeOf(constants, x)
  return isChange && isFloat(constants.type(x).dtype) ? [op.op, x, small] : null
}

/** How a large x is seen where `op` only orders its elements in another way. */
function viewOf(
  constants: ConstantTable,
  op: TensorOp,
  [x]: readonly ConstantId[],
  shape: ConcreteShape,
): ((v: StridedView) => StridedView | null) | null {
  if (!isLarge(shape) || !VIEWED.has(constants.type(x!).dtype)) return null
  if (op.kind === 'transpose') return (v) => transposedView(v, op.perm)
  return op.kind === 'reshape' ? (v) => reshapedView(v, shape) : null
}

const VIEWED: ReadonlySet<string> = new Set(['float32', 'float64', 'float16'])

/** A few vectors through a matrix: the rows of the matrix are read once, and it need not be there as a whole. */
function fewRows(constants: ConstantTable, op: TensorOp, args: readonly ConstantId[]): (() => NdArray) | null {
  if (op.kind !== 'lin') return null
  const [x, w] = args as [ConstantId, ConstantId]
  const shape = constants.shape(x)
  const outer = elementCount(shape.slice(0, -1))
  const isByRows = isLarge(constants.shape(w)) && constants.rows(w).columns === constants.shape(w)[1]
  if (op.axis !== shape.length - 1 || outer > 4 || !isByRows) return null
  return () => {
    const { dtype, data } = constants.array(x)
    const rows = constants.rows(w)
    return { dtype, shape: [...shape.slice(0, -1), rows.columns], data: rowsTimes(data, outer, rows) }
  }
}

const sizeOf = (constants: ConstantTable, id: ConstantId): number => elementCount(constants.shape(id))

/** Functions of numbers to numbers that jump. */
const STEPS = new Set('Round Floor Ceil Sign Mod'.split(' '))

/** Null where the reference interpreter does not know how: elements under 8 bits, strings, random operators. */
function evaluateOrGiveUp(op: TensorOp, operands: () => NdArray[]): NdArray | null {
  try {
    return evaluateOp(op, operands())
  } catch (error) {
    if (error instanceof UnsupportedError) return null
    throw error
  }
}

function isFoldable(op: TensorOp): boolean {
  if (op.kind === 'input' || op.kind === 'constant' || isOfRuntime(op)) return false
  if (op.kind !== 'onnx') return true
  const record = findOp(op.domain, op.op)
  if (NEVER_FOLDED.has(op.op)) return false
  return record !== null && record.deterministic !== false && op.outputCount === 1 && op.captures.length === 0
}

/** They divide in float32 before they round, so that float64 would break ties in another way. */
const NEVER_FOLDED = new Set(['QuantizeLinear'])
