// Attention with fewer heads of keys than of queries, and the rotation of positions that comes with it, as ONNX Runtime's own
// operators (domain com.microsoft). Source: onnxruntime/core/graph/contrib_ops/bert_defs.cc (ONNX Runtime 1.30).
import { getInt } from '../attribute.ts'
import { type Dim, maxDims, mulDims } from '../dim.ts'
import { mergeHeads, splitHeads } from '../kernels/attention.ts'
import type { Call, ConcreteCall, Op } from '../op.ts'
import { elementCount, type Shape } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { rotate } from './attention.ts'
import { arrayOf, concrete, equalShare, operand, operandOfRank, optional, workOf } from './operands.ts'
import { attentionFlops, headsOf, notEvaluated } from './ort-attention.ts'
import { MICROSOFT } from './ort-fused.ts'

interface Grouped {
  readonly q: Shape
  readonly heads: number
  readonly kvHeads: number
  readonly size: Dim
}

function groupedOf(call: Call): Grouped {
  const q = operandOfRank(call, 0, 3).shape
  const heads = headsOf(call)
  const kvHeads = getInt(call.attributes, 'kv_num_heads', heads)
  const packed = !optional(call, 1) || !optional(call, 2)
  return { q, heads, kvHeads, size: equalShare(call, q[2]!, packed ? heads + 2 * kvHeads : heads) }
}

/** Length of the cache afterwards: its buffer, or what the call says is used if that is more; null where neither is known. */
function presentLength(call: Call): Dim | null {
  const past = optional(call, 3)?.shape[2]
  const total = call.contents[6]?.[0]
  if (past !== undefined && total !== undefined) return maxDims(past, total)
  return total ?? (past === undefined || past === 0 ? null : past)
}

function groupedTypes(call: Call): (TensorType | null)[] {
  const { q, heads, kvHeads, size } = groupedOf(call)
  const { dtype } = operand(call, 0)
  const length = presentLength(call)
  const present =
    length === null ? null : { dtype: optional(call, 3)?.dtype ?? dtype, shape: [q[0]!, kvHeads, length, size] }
  const scores = length === null ? null : { dtype, shape: [q[0]!, heads, q[1]!, length] }
  return [{ dtype, shape: [q[0]!, q[1]!, mulDims(heads, size)] }, present, present, scores].slice(0, call.outputCount)
}

const groupQueryAttention: Op = {
  name: 'GroupQueryAttention',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {
    num_heads: { kind: 'int' },
    kv_num_heads: { kind: 'int' },
    causal: { kind: 'int' },
    do_rotary: { kind: 'int', default: 0 },
    local_window_size: { kind: 'int', default: -1 },
    rotary_interleaved: { kind: 'int', default: 0 },
    scale: { kind: 'float' },
    smooth_softmax: { kind: 'int' },
    softcap: { kind: 'float' },
  },
  infer: groupedTypes,
  evaluate: (call) => notEvaluated(call),
  work: (call) => {
    const { q, heads, size } = groupedOf(call)
    return workOf(
      call,
      groupedTypes(call),
      attentionFlops(q[0]!, heads, q[1]!, presentLength(call) ?? q[1]!, size, size),
    )
  },
}

// --- RotaryEmbedding ----------------------------------------------------------------------------------------------------

const sameType = (call: Call): TensorType[] => [{ dtype: operand(call, 0).dtype, shape: operand(call, 0).shape }]

/** Inputs: x, positions, cosines, sines. Positions: [1] (an offset) or [batch, length]. */
function evaluateRotary(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const [positions, cos, sin] = [1, 2, 3].map((i) => arrayOf(call, inputs, i)) as [NdArray, NdArray, NdArray]
  const half = cos.shape.at(-1)!
  const rotated = getInt(call.attributes, 'rotary_embedding_dim', 0) || 2 * half
  const wide = x.shape.length === 4
  const rows = wide ? mergeHeads(x) : x
  const [batch, length, hidden] = rows.shape as [number, number, number]
  const heads = wide ? x.shape[1]! : headsOf(call) || hidden / (2 * half)
  const at = (b: number, s: number) =>
    positions.data.length === 1 ? positions.data[0]! + s : positions.data[b * length + s]!
  const angle = (b: number, s: number, i: number) =>
    [cos.data[at(b, s) * half + i]!, sin.data[at(b, s) * half + i]!] as const
  const interleaved = getInt(call.attributes, 'interleaved', 0) !== 0
  const data = rotate({ shape: [batch, length, heads, hidden / heads], data: rows.data }, angle, rotated, interleaved)
  return [{ dtype: x.dtype, shape: x.shape, data: wide ? splitHeads({ shape: rows.shape, data }, heads).data : data }]
}

const rotaryEmbedding: Op = {
  name: 'RotaryEmbedding',
  domain: MICROSOFT,
  sinceOpset: 1,
  attributes: {
    interleaved: { kind: 'int', default: 0 },
    is_packed_batching: { kind: 'int', default: 0 },
    num_heads: { kind: 'int', default: 0 },
    rotary_embedding_dim: { kind: 'int', default: 0 },
    scale: { kind: 'float', default: 1 },
  },
  infer: sameType,
  evaluate: evaluateRotary,
  linearIn: () => [0],
  work: (call) => workOf(call, sameType(call), 3 * elementCount(concrete(operand(call, 0)))),
}

export const ortGroupAttentionOps: readonly Op[] = [groupQueryAttention, rotaryEmbedding]
