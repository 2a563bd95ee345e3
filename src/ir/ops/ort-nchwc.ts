// ONNX Runtime's blocked convolution layout, as its NchwcTransformer writes it (domain com.microsoft.nchwc): channels are
// padded to the block size of the machine, 8 or 16 floats. Shapes here are those that ONNX Runtime gives the values:
// [batch, padded channels, ...spatial]. Only ReorderInput needs to know the block size, and no attribute says it:
// `withNchwcBlock` (../nchwc.ts) finds it out and writes it into the nodes as `block_size`.
// Source: onnxruntime/core/graph/contrib_ops/nchwc_schema_defs.cc, core/optimizer/nchwc_transformer.cc (ONNX Runtime 1.30).
import { UnsupportedError } from '../../base/errors.ts'
import { getInt, getInts } from '../attribute.ts'
import { ceilDivDims, type Dim, mulDims } from '../dim.ts'
import type { Call, ConcreteCall, Op } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { TensorType } from '../tensor.ts'
import { convAttributes } from './conv.ts'
import { concrete, operand, operandOfRank, optional, reject, workOf } from './operands.ts'
import { activationFlops } from './ort-activation.ts'
import { globalPoolTypes, poolTypes } from './pool.ts'
import { windowOf, windowSizes } from './window.ts'

export const NCHWC_DOMAIN = 'com.microsoft.nchwc'
/** Attribute under which `withNchwcBlock` notes the block size. */
export const BLOCK_SIZE = 'block_size'

const notEvaluated = (call: ConcreteCall): never => {
  throw new UnsupportedError(`evaluating ${call.domain}:${call.op}: it exists only inside ONNX Runtime`)
}

const record = (
  name: string,
  attributes: Op['attributes'],
  infer: (call: Call) => (TensorType | null)[],
  flops: (call: ConcreteCall, out: number) => number,
): Op => ({
  name,
  domain: NCHWC_DOMAIN,
  sinceOpset: 1,
  attributes,
  infer,
  evaluate: notEvaluated,
  work: (call) => workOf(call, infer(call), flops(call, elementCount(concrete(infer(call)[0])))),
})

/** Weights come padded: their first axis is the number of padded output channels. */
function convTypes(call: Call): TensorType[] {
  const x = operandOfRank(call, 0, 3, true)
  const w = operandOfRank(call, 1, x.shape.length).shape
  const window = windowOf(call, w.slice(2))
  return [{ dtype: x.dtype, shape: [x.shape[0]!, w[0]!, ...windowSizes(x.shape.slice(2), window)] }]
}

/** Every tap of the padded weights, the bias, the sum and the activation. */
function convFlops(call: ConcreteCall, out: number): number {
  const taps = elementCount(concrete(operand(call, 1)).slice(1))
  const extra = [2, 3].filter((i) => optional(call, i)).length
  return out * (2 * taps + extra + activationFlops(call))
}

const poolAttributes: Op['attributes'] = {
  auto_pad: { kind: 'string', default: 'NOTSET' },
  ceil_mode: { kind: 'int', default: 0 },
  dilations: { kind: 'ints' },
  kernel_shape: { kind: 'ints' },
  pads: { kind: 'ints' },
  strides: { kind: 'ints' },
}
const poolFlops = (call: ConcreteCall, out: number): number =>
  out * elementCount(getInts(call.attributes, 'kernel_shape', []))
const inputCount = (call: ConcreteCall): number => elementCount(concrete(operand(call, 0)))

/** Block size divides 16: a channel count that 16 divides is padded by neither. */
function paddedChannels(call: Call, channels: Dim): Dim | null {
  const block = getInt(call.attributes, BLOCK_SIZE, null)
  if (block !== null) return mulDims(ceilDivDims(channels, block), block)
  return typeof channels === 'number' && channels % 16 === 0 ? channels : null
}

function reorderInputTypes(call: Call): (TensorType | null)[] {
  const { dtype, shape } = operandOfRank(call, 0, 2, true)
  const last = getInt(call.attributes, 'channels_last', 0) !== 0
  const channels = paddedChannels(call, last ? shape.at(-1)! : shape[1]!)
  if (channels === null) return [null]
  return [{ dtype, shape: [shape[0]!, channels, ...(last ? shape.slice(1, -1) : shape.slice(2))] }]
}

function reorderOutputTypes(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 2, true)
  const channels = getInt(call.attributes, 'channels', 0)
  if (channels <= 0) reject(call, 'channels above 0', String(channels))
  const last = getInt(call.attributes, 'channels_last', 0) !== 0
  const spatial = shape.slice(2)
  return [{ dtype, shape: last ? [shape[0]!, ...spatial, channels] : [shape[0]!, channels, ...spatial] }]
}

function upsampleTypes(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 3, true)
  const scales = getInts(call.attributes, 'scales', null) ?? shape.map(() => 1)
  if (scales.length !== shape.length) reject(call, `${shape.length} scales`, `[${scales}]`)
  return [{ dtype, shape: shape.map((d, axis) => mulDims(d, scales[axis]!)) }]
}

/** Nearest moves; linear blends four neighbours. */
const upsampleFlops = (call: ConcreteCall, out: number): number => {
  const mode = call.attributes.mode
  return mode?.kind === 'string' && mode.value === 'linear' ? 8 * out : out
}

export const ortNchwcOps: readonly Op[] = [
  record(
    'Conv',
    { ...convAttributes, activation: { kind: 'string' }, activation_params: { kind: 'floats' } },
    convTypes,
    convFlops,
  ),
  record('MaxPool', { ...poolAttributes, storage_order: { kind: 'int', default: 0 } }, poolTypes, poolFlops),
  record('AveragePool', { ...poolAttributes, count_include_pad: { kind: 'int', default: 0 } }, poolTypes, poolFlops),
  record('GlobalMaxPool', {}, globalPoolTypes, inputCount),
  record('GlobalAveragePool', {}, globalPoolTypes, inputCount),
  record(
    'Upsample',
    {
      scales: { kind: 'ints' },
      mode: { kind: 'string', default: 'nearest' },
      coordinate_transformation_mode: { kind: 'string', default: 'asymmetric' },
    },
    upsampleTypes,
    upsampleFlops,
  ),
  record('ReorderInput', { channels_last: { kind: 'int', default: 0 } }, reorderInputTypes, () => 0),
  record(
    'ReorderOutput',
    { channels: { kind: 'int', default: 0 }, channels_last: { kind: 'int', default: 0 } },
    reorderOutputTypes,
    () => 0,
  ),
]
