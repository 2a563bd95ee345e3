// Normalisations as ONNX Runtime fuses them (domain com.microsoft): with the sum before them, with the embeddings that feed
// them, and over groups of channels that are last. Source: contrib_ops/bert_defs.cc, diffusion_defs.cc (ONNX Runtime 1.30).
import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getInt } from '../attribute.ts'
import { bytesOf } from '../dtype.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op, Work } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { broadcastTo, TRANSCENDENTAL_FLOPS } from './define.ts'
import { layerNormalize, rmsNormalize, scaleAndShift } from './layer-normalization.ts'
import { NORMALIZE_FLOPS, sameType } from './moments.ts'
import { arrayOf, axisOfSize, broadcastSource, concrete, operand, operandOfRank, optional, workOf } from './operands.ts'
import { MICROSOFT } from './ort-fused.ts'

const epsilonOf = (call: Call): number => getFloat(call.attributes, 'epsilon', 1e-12)
const epsilonAttribute = { epsilon: { kind: 'float', default: 1e-12 } } as const

// --- sum, then normalise ------------------------------------------------------------------------------------------------

/** output, mean, reciprocal deviation, sum of the inputs. */
function skipTypes(call: Call): TensorType[] {
  const y = { dtype: operand(call, 0).dtype, shape: operandOfRank(call, 0, 2, true).shape }
  const statistic: TensorType = { dtype: 'float32', shape: [...y.shape.slice(0, -1), 1] }
  return [y, statistic, statistic, y].slice(0, call.outputCount)
}

/** Every axis but the last; `skip` may broadcast. */
function skipAxes(call: Call): AxisMap {
  const { shape } = operand(call, 0)
  return shape.map((dim, axis) =>
    call.inputs.map((type, i): AxisSource => {
      if (axis === shape.length - 1) return 'mixed'
      if (i === 0) return axisOfSize(dim, axis)
      return i === 1 && type ? broadcastSource(type.shape, shape, axis) : 'broadcast'
    }),
  )
}

interface SkipForm {
  readonly name: string
  /** Positions of its optional beta and bias among the inputs. */
  readonly beta: number | null
  readonly bias: number
  normalize(
    call: ConcreteCall,
    x: NdArray,
  ): { readonly y: NdArray; readonly mean: NdArray | null; readonly inverse: NdArray }
}

function evaluateSkip(form: SkipForm, call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const terms = [arrayOf(call, inputs, 1), inputs[form.bias]].flatMap((t) => (t ? [broadcastTo(t, x.shape)] : []))
  const sum: NdArray = { ...x, data: x.data.map((v, i) => terms.reduce((total, t) => total + t[i]!, v)) }
  const { y, mean, inverse } = form.normalize(call, sum)
  const scaled = scaleAndShift(y, arrayOf(call, inputs, 2), form.beta === null ? null : inputs[form.beta])
  return [scaled, mean ?? { ...inverse, data: inverse.data.map(() => 0) }, inverse, sum].slice(0, call.outputCount)
}

const skipOp = (form: SkipForm): Op => ({
  name: form.name,
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: epsilonAttribute,
  infer: skipTypes,
  evaluate: (call, inputs) => evaluateSkip(form, call, inputs),
  axes: skipAxes,
  work: (call) => {
    const terms = 1 + (optional(call, form.bias) ? 1 : 0)
    return workOf(call, skipTypes(call), (NORMALIZE_FLOPS + terms) * elementCount(concrete(operand(call, 0))))
  },
})

const skipForms: readonly SkipForm[] = [
  {
    name: 'SkipLayerNormalization',
    beta: 3,
    bias: 4,
    normalize: (call, x) => {
      const { y, statistics } = layerNormalize(call, x, epsilonOf(call))
      return { y, mean: statistics[0]!, inverse: statistics[1]! }
    },
  },
  {
    name: 'SkipSimplifiedLayerNormalization',
    beta: null,
    bias: 3,
    normalize: (call, x) => {
      const { y, statistic } = rmsNormalize(call, x, epsilonOf(call))
      return { y, mean: null, inverse: statistic }
    },
  },
]

// --- embeddings, then normalise -----------------------------------------------------------------------------------------

/** Inputs: ids, segments?, word table, position table, segment table?, gamma, beta, mask?, positions?. */
function embedTypes(call: Call): TensorType[] {
  const ids = operandOfRank(call, 0, 2)
  const table = operandOfRank(call, 2, 2)
  const y: TensorType = { dtype: table.dtype, shape: [...ids.shape, table.shape[1]!] }
  const maskIndex: TensorType = { dtype: 'int32', shape: [ids.shape[0]!] }
  return [y, maskIndex, y].slice(0, call.outputCount)
}

function evaluateEmbed(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const [y, maskIndex] = embedTypes(call)
  const ids = arrayOf(call, inputs, 0)
  const [batch, length] = ids.shape as [number, number]
  const hidden = concrete(y).at(-1)!
  const sum = new Float64Array(batch * length * hidden)
  const addRow = (to: number, table: NdArray, row: number) => {
    for (let i = 0; i < hidden; i++) sum[to * hidden + i]! += table.data[row * hidden + i]!
  }
  const positions = inputs[8]
  for (let at = 0; at < batch * length; at++) {
    addRow(at, arrayOf(call, inputs, 2), ids.data[at]!)
    addRow(at, arrayOf(call, inputs, 3), positions ? positions.data[at % positions.data.length]! : at % length)
    if (inputs[4]) addRow(at, inputs[4], inputs[1]?.data[at] ?? 0)
  }
  const embedded: NdArray = { dtype: y!.dtype, shape: concrete(y), data: sum }
  const normalized = layerNormalize(
    { ...call, inputs: [{ dtype: embedded.dtype, shape: embedded.shape }] },
    embedded,
    epsilonOf(call),
  ).y
  const output = scaleAndShift(normalized, arrayOf(call, inputs, 5), arrayOf(call, inputs, 6))
  const counts = Float64Array.from({ length: batch }, (_, b) => countMask(inputs[7], b, length))
  return [output, { dtype: 'int32' as const, shape: concrete(maskIndex ?? y), data: counts }, embedded].slice(
    0,
    call.outputCount,
  )
}

/** How many positions of a sample the mask keeps; 0 without a mask. */
function countMask(mask: NdArray | null | undefined, b: number, length: number): number {
  let count = 0
  for (let s = 0; mask && s < length; s++) count += mask.data[b * length + s] === 1 ? 1 : 0
  return count
}

const embedLayerNormalization: Op = {
  name: 'EmbedLayerNormalization',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: { ...epsilonAttribute, mask_index_type: { kind: 'int' } },
  infer: embedTypes,
  evaluate: evaluateEmbed,
  work: embedWork,
}

/** Of each table only the rows that are looked up are read. */
function embedWork(call: ConcreteCall): Work {
  const out = concrete(embedTypes(call)[0])
  const work = workOf(call, embedTypes(call), (NORMALIZE_FLOPS + 2) * elementCount(out))
  const untouched = (i: number) => {
    const table = optional(call, i)
    return table ? Math.max(0, bytesOf(table.dtype, elementCount(concrete(table)) - elementCount(out))) : 0
  }
  const tables = [2, 3, 4]
  const total = (indices: readonly number[]) => indices.reduce((sum, i) => sum + untouched(i), 0)
  return {
    ...work,
    bytesRead: work.bytesRead - total(tables),
    weightBytes: work.weightBytes - total(tables.filter((i) => call.constants[i])),
  }
}

// --- groups of channels -------------------------------------------------------------------------------------------------

const groupAttributes: Op['attributes'] = {
  epsilon: { kind: 'float', default: 1e-5 },
  groups: { kind: 'int' },
  /** 1: followed by x sigmoid(x). */
  activation: { kind: 'int' },
  channels_last: { kind: 'int', default: 1 },
}

const groupNorm = (name: string, outputs: (call: Call) => TensorType[]): Op => ({
  name,
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: groupAttributes,
  infer: outputs,
  evaluate: (call) => {
    throw new UnsupportedError(`evaluating ${call.domain}:${call.op}`)
  },
  work: (call) => {
    const silu = getInt(call.attributes, 'activation', 0) === 1 ? TRANSCENDENTAL_FLOPS : 0
    return workOf(call, outputs(call), (NORMALIZE_FLOPS + silu) * elementCount(concrete(operand(call, 0))))
  },
})

export const ortNormalizeOps: readonly Op[] = [
  ...skipForms.map(skipOp),
  embedLayerNormalization,
  groupNorm('GroupNorm', (call) => [sameType(call)]),
  groupNorm('SkipGroupNorm', (call) => [sameType(call), sameType(call)].slice(0, call.outputCount)),
]
