// Changes of element type: Cast, CastLike; Identity and inference-time Dropout, which change nothing.

import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getInt } from '../attribute.ts'
import { DTYPES, type DType, dtypeFromOnnx, isFloat } from '../dtype.ts'
import type { AttributeSpec, Call, Op } from '../op.ts'
import type { NdArray } from '../tensor.ts'
import { scalarOf } from './contents.ts'
import { storeAs, unary } from './define.ts'
import { arrayOf, operand, optional, reject, workOf } from './operands.ts'

/** Types under 8 bits and float8 are not computed with. */
function convert(x: NdArray, to: DType): NdArray {
  const { kind } = DTYPES[to]
  if (kind !== 'float' && kind !== 'int' && kind !== 'bool') throw new UnsupportedError(`Cast to dtype ${to}`)
  return { dtype: to, shape: x.shape, data: x.data.map((v) => storeAs(to, v)) }
}

/** A change of type keeps the axes, and between floats the values. Contents that are whole numbers stay what they are. */
function castOp(
  name: string,
  since: number,
  attributes: Readonly<Record<string, AttributeSpec>>,
  target: (call: Call) => DType,
): Op {
  const infer: Op['infer'] = (call) => [{ dtype: target(call), shape: operand(call, 0).shape }]
  const betweenFloats = (call: Call) => isFloat(operand(call, 0).dtype) && isFloat(target(call))
  const toBool = (call: Call) => target(call) === 'bool' && operand(call, 0).dtype !== 'bool'
  return {
    name,
    domain: '',
    sinceOpset: since,
    attributes,
    laws: ['zero-preserving'],
    conditionalLaws: (call) => (betweenFloats(call) ? ['monotone'] : []),
    torch: { target: '.to' },
    infer,
    inferContents: (call) => [toBool(call) || DTYPES[target(call)].bits < 32 ? null : (call.contents[0] ?? null)],
    evaluate: (call, inputs) => [convert(arrayOf(call, inputs, 0), target(call))],
    work: (call) => workOf(call, infer(call), 0),
    axes: (call) =>
      operand(call, 0).shape.map((_, axis) => [axis, ...call.inputs.slice(1).map(() => 'broadcast' as const)]),
    linearIn: (call) => (betweenFloats(call) ? [0] : []),
  }
}

/** Before opset 6 the target is a name such as FLOAT. */
function castTarget(call: Call): DType {
  const to = call.attributes.to
  if (to?.kind === 'string') return LEGACY_NAMES[to.value] ?? reject(call, 'the name of a dtype', to.value)
  const code = getInt(call.attributes, 'to', 0)
  return dtypeFromOnnx(code) ?? reject(call, 'the number of a dtype as attribute to', String(code))
}

const LEGACY_NAMES: Readonly<Record<string, DType>> = {
  FLOAT: 'float32',
  DOUBLE: 'float64',
  FLOAT16: 'float16',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  BOOL: 'bool',
  STRING: 'string',
}

const saturate: AttributeSpec = { kind: 'int', default: 1 }
const roundMode: AttributeSpec = { kind: 'string', default: 'up' }

const identity = unary({
  name: 'Identity',
  since: 1,
  accepts: 'any',
  flops: 0,
  laws: ['idempotent', 'involution', 'monotone', 'zero-preserving'],
  torch: { target: '.clone' },
  linearIn: (call) => (isFloat(operand(call, 0).dtype) ? [0] : []),
  dims: (x) => x!,
  compute: () => (x) => x,
})

/** Dropout as inference runs it. In training mode (an input from opset 12) it is random, and nothing is said of it. */
const dropout: Op = {
  name: 'Dropout',
  domain: '',
  sinceOpset: 1,
  attributes: {
    ratio: { kind: 'float', default: 0.5 },
    is_test: { kind: 'int', default: 0 },
    seed: { kind: 'int' },
  },
  infer: (call) => {
    const x = operand(call, 0)
    return [x, { dtype: call.opset < 10 ? x.dtype : 'bool', shape: x.shape }]
  },
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const training = inputs[2] ? inputs[2].data[0] !== 0 : trains(call)
    const ratio = inputs[1]?.data[0] ?? getFloat(call.attributes, 'ratio', 0.5)
    if (training && ratio !== 0) throw new UnsupportedError('Dropout in training mode: its values are random')
    const dtype = call.opset < 10 ? x.dtype : 'bool'
    return [x, { dtype, shape: x.shape, data: x.data.map(() => 1) }]
  },
  axes: (call) =>
    trains(call)
      ? null
      : operand(call, 0).shape.map((_, axis) => call.inputs.map((_, i) => (i === 0 ? axis : 'broadcast'))),
  linearIn: (call) => (trains(call) ? [] : [0]),
}

/** False only where it is known. */
function trains(call: Call): boolean {
  if (call.opset < 7) return getInt(call.attributes, 'is_test', 0) === 0
  return call.opset >= 12 && optional(call, 2) !== null && scalarOf(call, 2) !== 0
}

export const elementwiseCast: readonly Op[] = [
  castOp('Cast', 1, { to: { kind: 'int' }, saturate, round_mode: roundMode }, castTarget),
  castOp('CastLike', 15, { saturate, round_mode: roundMode }, (call) => operand(call, 1).dtype),
  identity,
  dropout,
]
