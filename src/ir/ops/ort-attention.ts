// Attention as ONNX Runtime's own operators do it (domain com.microsoft): with the projection inside, over packed operands,
// with caches and masks. Shapes and work in full; values for the unmasked, uncached form of MultiHeadAttention.
// Source: onnxruntime/core/graph/contrib_ops/bert_defs.cc (ONNX Runtime 1.30).
import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getInt, getInts } from '../attribute.ts'
import { addDims, type Dim, mulDims } from '../dim.ts'
import { attend, mergeHeads, splitHeads } from '../kernels/attention.ts'
import type { Stack } from '../kernels/stacked.ts'
import type { Call, ConcreteCall, Op } from '../op.ts'
import { elementCount, type Shape, shapeText } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { TRANSCENDENTAL_FLOPS } from './define.ts'
import { arrayOf, equalShare, operand, operandOfRank, optional, reject, workOf } from './operands.ts'
import { MICROSOFT } from './ort-fused.ts'

export const notEvaluated = (call: Call, what = ''): never => {
  throw new UnsupportedError(`evaluating ${call.domain}:${call.op}${what}`)
}

export const headsOf = (call: Call): number => getInt(call.attributes, 'num_heads', 0)

/** Both products and a softmax step for every score. */
export function attentionFlops(batch: Dim, heads: Dim, queries: Dim, keys: Dim, size: Dim, valueSize: Dim): number {
  const scores = elementCount([batch, heads, queries, keys] as number[])
  return scores * (2 * (size as number) + 2 * (valueSize as number) + TRANSCENDENTAL_FLOPS + 4)
}

// --- Attention: projection inside ---------------------------------------------------------------------------------------

interface Projected {
  readonly x: Shape // [batch, length, input]
  /** Widths of the projected queries, keys and values. */
  readonly widths: readonly [Dim, Dim, Dim]
  readonly past: Shape | null // [2, batch, heads, past, size]
}

function projectedOf(call: Call, pastIndex: number): Projected {
  const x = operandOfRank(call, 0, 3).shape
  const w = operandOfRank(call, 1, 2).shape
  const sizes = getInts(call.attributes, 'qkv_hidden_sizes', null)
  const even = () => equalShare(call, w[1]!, 3)
  const widths = (sizes?.length === 3 ? sizes : [even(), even(), even()]) as unknown as [Dim, Dim, Dim]
  return { x, widths, past: optional(call, pastIndex)?.shape ?? null }
}

function projectedTypes(call: Call, pastIndex: number): TensorType[] {
  const { x, widths, past } = projectedOf(call, pastIndex)
  // Quantised attention computes on integers, and answers in the dtype of its bias.
  const { dtype } = optional(call, 2) ?? operand(call, 0)
  const shared = getInt(call.attributes, 'past_present_share_buffer', 0) !== 0
  const total = shared && past ? past[3]! : addDims(past?.[3] ?? 0, x[1]!)
  const present = [2, x[0]!, headsOf(call), total, equalShare(call, widths[1], headsOf(call))]
  return [
    { dtype, shape: [x[0]!, x[1]!, widths[2]] },
    { dtype, shape: present },
  ].slice(0, call.outputCount)
}

function projectedFlops(call: ConcreteCall, pastIndex: number): number {
  const { x, widths, past } = projectedOf(call, pastIndex)
  const [batch, length, input] = x as [number, number, number]
  const heads = headsOf(call)
  const projection = 2 * batch * length * input * widths.reduce<number>((sum, w) => sum + (w as number), 0)
  const keys = addDims(past?.[3] ?? 0, length)
  return (
    projection +
    attentionFlops(batch, heads, length, keys, (widths[0] as number) / heads, (widths[2] as number) / heads)
  )
}

const projectionAttributes: Op['attributes'] = {
  num_heads: { kind: 'int' },
  do_rotary: { kind: 'int', default: 0 },
  mask_filter_value: { kind: 'float', default: -10000 },
  past_present_share_buffer: { kind: 'int' },
  qkv_hidden_sizes: { kind: 'ints' },
  rotary_embedding_dim: { kind: 'int' },
  scale: { kind: 'float' },
  unidirectional: { kind: 'int', default: 0 },
}

const projectedAttention = (name: string, pastIndex: number): Op => ({
  name,
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: projectionAttributes,
  infer: (call) => projectedTypes(call, pastIndex),
  evaluate: (call) => notEvaluated(call),
  work: (call) => workOf(call, projectedTypes(call, pastIndex), projectedFlops(call, pastIndex)),
})

// --- MultiHeadAttention -------------------------------------------------------------------------------------------------

interface MultiHead {
  readonly batch: Dim
  readonly queries: Dim
  readonly heads: number
  readonly size: Dim
  readonly valueSize: Dim
  /** Keys of this call, without the cache. */
  readonly keys: Dim
}

/** Query [b, s, h] with key and value [b, l, h] or [b, n, l, d]; query [b, s, n, 3, d] alone; or key [b, l, n, 2, d]. */
function multiHeadOf(call: Call): MultiHead {
  const q = operand(call, 0).shape
  const heads = headsOf(call)
  const [key, value] = [optional(call, 1)?.shape, optional(call, 2)?.shape]
  if (q.length === 5) return { batch: q[0]!, queries: q[1]!, heads, size: q[4]!, valueSize: q[4]!, keys: q[1]! }
  if (q.length !== 3) return reject(call, 'a query of rank 3 or 5', shapeText(q))
  const size = equalShare(call, key || value ? q[2]! : equalShare(call, q[2]!, 3), heads)
  const base = { batch: q[0]!, queries: q[1]!, heads, size }
  const ranks = [key, value].map((t) => t?.length)
  const fits =
    ranks[0] === 5 ||
    ranks.every((r) => r === undefined) ||
    (ranks[0] === ranks[1] && (ranks[0] === 3 || ranks[0] === 4))
  if (!fits) reject(call, 'key and value of rank 3 or 4, or a packed key of rank 5', `ranks ${ranks}`)
  if (key?.length === 5) return { ...base, valueSize: size, keys: key[1]! }
  if (!key || !value) return { ...base, valueSize: size, keys: q[1]! }
  const valueSize = value.length === 4 ? value[3]! : equalShare(call, value[2]!, heads)
  return { ...base, valueSize, keys: key.length === 4 ? key[2]! : key[1]! }
}

interface CacheInputs {
  readonly pastKey: number
  readonly pastLength: number
}

function multiHeadTypes(call: Call, at: CacheInputs): TensorType[] {
  const g = multiHeadOf(call)
  const { dtype } = operand(call, 0)
  const past = optional(call, at.pastKey)?.shape
  const sharesBuffer =
    getInt(call.attributes, 'past_present_share_buffer', 0) !== 0 || optional(call, at.pastLength) !== null
  const total = past && sharesBuffer ? past[2]! : addDims(past?.[2] ?? 0, g.keys)
  return [
    { dtype, shape: [g.batch, g.queries, mulDims(g.heads, g.valueSize)] },
    { dtype, shape: [g.batch, g.heads, total, g.size] },
    { dtype, shape: [g.batch, g.heads, total, g.valueSize] },
    { dtype, shape: [g.batch, g.heads, g.queries, total] },
  ].slice(0, call.outputCount)
}

function evaluateMultiHead(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const plain = inputs[0]?.shape.length === 3 && inputs[1]?.shape.length === 3 && inputs[2]?.shape.length === 3
  const extras = inputs.some((x, i) => x && i > 3 && i !== 5) || getInt(call.attributes, 'unidirectional', 0) !== 0
  if (!plain || extras || call.outputCount > 1)
    return notEvaluated(call, ' with packed operands, caches or padding masks')
  const g = multiHeadOf(call)
  const [q, k, v] = projections(call, inputs).map((x) => splitHeads(x, g.heads)) as [Stack, Stack, Stack]
  const bias = inputs[5]
  const size = g.size as number
  const attended = attend(q, k, v, {
    scale: getFloat(call.attributes, 'scale', 0) || 1 / Math.sqrt(size),
    softcap: 0,
    bias: (b, h, i, j) => {
      if (!bias) return 0
      const [batch, heads, queries, keys] = bias.shape as [number, number, number, number]
      return bias.data[(((b % batch) * heads + (h % heads)) * queries + i) * keys + j]!
    },
  })
  return [{ dtype: operand(call, 0).dtype, ...mergeHeads(attended.y) }]
}

/** Query, key and value with their parts of the joint bias added. */
function projections(call: Call, inputs: readonly (NdArray | null)[]): Stack[] {
  let from = 0
  return [0, 1, 2].map((i) => {
    const x = arrayOf(call, inputs, i)
    const width = x.shape[2]!
    const start = from
    from += width
    const bias = inputs[3]
    return bias ? { shape: x.shape, data: x.data.map((v, at) => v + bias.data[start + (at % width)]!) } : x
  })
}

const multiHead = (name: string, at: CacheInputs, attributes: Op['attributes'], evaluate: Op['evaluate']): Op => ({
  name,
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {
    num_heads: { kind: 'int' },
    mask_filter_value: { kind: 'float', default: -10000 },
    scale: { kind: 'float' },
    ...attributes,
  },
  infer: (call) => multiHeadTypes(call, at),
  evaluate,
  work: (call) => {
    const g = multiHeadOf(call)
    const keys = addDims(optional(call, at.pastKey)?.shape[2] ?? 0, g.keys)
    const flops = attentionFlops(g.batch, g.heads, g.queries, keys, g.size, g.valueSize)
    return workOf(call, multiHeadTypes(call, at), flops)
  },
})

export const ortAttentionOps: readonly Op[] = [
  projectedAttention('Attention', 4),
  projectedAttention('QAttention', 8),
  multiHead(
    'MultiHeadAttention',
    { pastKey: 6, pastLength: 8 },
    { unidirectional: { kind: 'int', default: 0 } },
    evaluateMultiHead,
  ),
  multiHead(
    'DecoderMaskedMultiHeadAttention',
    { pastKey: 5, pastLength: 7 },
    { past_present_share_buffer: { kind: 'int' }, output_qk: { kind: 'int', default: 0 } },
    (call) => notEvaluated(call),
  ),
]
