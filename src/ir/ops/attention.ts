// Attention (opset 23 to 25) and RotaryEmbedding. Batch is point-wise; queries are point-wise in Q unless masks or windows
// look at positions; V enters linearly.
import { getFloat, getInt } from '../attribute.ts'
import { addDims, type Dim, mulDims } from '../dim.ts'
import { appendCache, attend, mergeHeads, splitHeads } from '../kernels/attention.ts'
import type { Stack } from '../kernels/stacked.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { TRANSCENDENTAL_FLOPS } from './define.ts'
import {
  arrayOf,
  axisOfSize,
  concrete,
  equalShare,
  operand,
  operandOfRank,
  optional,
  reject,
  workOf,
} from './operands.ts'

interface Geometry {
  readonly packed: boolean // 3-D operands: [batch, length, heads * size]
  readonly batch: Dim
  readonly heads: Dim
  readonly kvHeads: Dim
  readonly queries: Dim
  readonly headSize: Dim
  readonly valueSize: Dim
  /** Keys with the cache. */
  readonly keys: Dim
}

function geometryOf(call: Call): Geometry {
  const q = operand(call, 0).shape
  const [k, v] = [operandOfRank(call, 1, q.length).shape, operandOfRank(call, 2, q.length).shape]
  const past = optional(call, 4) ? operandOfRank(call, 4, 4).shape[2]! : 0
  if (q.length === 4) {
    const [batch, heads, queries, headSize] = q as [Dim, Dim, Dim, Dim]
    return {
      packed: false,
      batch,
      heads,
      kvHeads: k[1]!,
      queries,
      headSize,
      valueSize: v[3]!,
      keys: addDims(past, k[2]!),
    }
  }
  const heads = getInt(call.attributes, 'q_num_heads', null)
  const kvHeads = getInt(call.attributes, 'kv_num_heads', null)
  if (q.length !== 3 || heads === null || kvHeads === null)
    return reject(call, 'operands of rank 4, or of rank 3 with q_num_heads and kv_num_heads', `rank ${q.length}`)
  return {
    packed: true,
    batch: q[0]!,
    heads,
    kvHeads,
    queries: q[1]!,
    headSize: equalShare(call, q[2]!, heads),
    valueSize: equalShare(call, v[2]!, kvHeads),
    keys: addDims(past, k[1]!),
  }
}

function typesOf(call: Call): TensorType[] {
  const g = geometryOf(call)
  const { dtype } = operand(call, 0)
  const y = g.packed ? [g.batch, g.queries, mulDims(g.heads, g.valueSize)] : [g.batch, g.heads, g.queries, g.valueSize]
  const presentKey = [g.batch, g.kvHeads, g.keys, g.headSize]
  const presentValue = [g.batch, g.kvHeads, g.keys, g.valueSize]
  return [
    { dtype, shape: y },
    { dtype: operand(call, 1).dtype, shape: presentKey },
    { dtype: operand(call, 2).dtype, shape: presentValue },
    { dtype, shape: [g.batch, g.heads, g.queries, g.keys] },
  ].slice(0, call.outputCount)
}

/** Value that the mask adds for one score: masks broadcast from the right; keys beyond a short mask are masked. */
function maskBias(mask: NdArray | null | undefined): (b: number, h: number, i: number, j: number) => number {
  if (!mask) return () => 0
  const [batch, heads, queries, keys] = [...new Array<number>(4 - mask.shape.length).fill(1), ...mask.shape] as [
    number,
    number,
    number,
    number,
  ]
  const at = (x: number, size: number) => (size === 1 ? 0 : x)
  return (b, h, i, j) => {
    if (keys !== 1 && j >= keys) return -Infinity
    const row = (at(b, batch) * heads + at(h, heads)) * queries + at(i, queries)
    const value = mask.data[row * keys + at(j, keys)]!
    if (mask.dtype !== 'bool') return value
    return value === 0 ? -Infinity : 0
  }
}

/** Position limits: causal, window, and how many keys of each sample count. */
function positionAllowed(call: Call, past: number, queries: number, valid: NdArray | null | undefined) {
  const causal = getInt(call.attributes, 'is_causal', 0) !== 0
  const left = getInt(call.attributes, 'left_window_size', -1)
  const right = getInt(call.attributes, 'right_window_size', -1)
  return (b: number, i: number, j: number): boolean => {
    const count = valid?.data[b]
    const at = i + (count === undefined ? past : count - queries)
    if (count !== undefined && j >= count) return false
    if (causal && j > at) return false
    return (left < 0 || j >= at - left) && (right < 0 || j <= at + right)
  }
}

function evaluate(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const g = geometryOf(call)
  const split = (index: number, heads: Dim): Stack => {
    const x = arrayOf(call, inputs, index)
    return g.packed ? splitHeads(x, heads as number) : x
  }
  const q = split(0, g.heads)
  const k = appendCache(inputs[4], split(1, g.kvHeads))
  const v = appendCache(inputs[5], split(2, g.kvHeads))
  const mask = maskBias(inputs[3])
  const allowed = positionAllowed(call, inputs[4]?.shape[2] ?? 0, q.shape[2]!, inputs[6])
  const attended = attend(q, k, v, {
    scale: getFloat(call.attributes, 'scale', null) ?? 1 / Math.sqrt(g.headSize as number),
    softcap: getFloat(call.attributes, 'softcap', 0),
    bias: (b, h, i, j) => (allowed(b, i, j) ? mask(b, h, i, j) : -Infinity),
  })
  const y = g.packed ? mergeHeads(attended.y) : attended.y
  const modes = [attended.raw, attended.capped, attended.biased, attended.probabilities]
  const shown = modes[qkMode(call)] ?? reject(call, 'qk_matmul_output_mode 0 to 3', String(qkMode(call)))
  const types = typesOf(call)
  return [y, k, v, shown]
    .slice(0, call.outputCount)
    .map(({ data }, i) => ({ dtype: types[i]!.dtype, shape: concrete(types[i]), data }))
}

const qkMode = (call: Call): number => getInt(call.attributes, 'qk_matmul_output_mode', 0)

/** Queries are independent of their position: no causal or window mask. */
function positionFree(call: Call): boolean {
  const windows = ['left_window_size', 'right_window_size'].some((name) => getInt(call.attributes, name, -1) >= 0)
  return getInt(call.attributes, 'is_causal', 0) === 0 && !windows
}

function axesOf(call: Call): AxisMap {
  const g = geometryOf(call)
  const y = typesOf(call)[0]!.shape
  const maskAxis = (fromRight: number): AxisSource => {
    const mask = optional(call, 3)?.shape
    const axis = mask ? mask.length - fromRight : -1
    return axis < 0 ? 'broadcast' : axisOfSize(mask![axis]!, axis)
  }
  const queryAxis = g.packed ? 1 : 2
  return y.map((dim, axis): AxisSource[] => {
    if (axis === 0)
      return call.inputs.map((type, i) => (i === 3 ? maskAxis(4) : type ? axisOfSize(dim, 0) : 'broadcast'))
    if (axis === queryAxis && positionFree(call))
      return call.inputs.map((_, i) => (i === 0 ? axisOfSize(dim, axis) : i === 3 ? maskAxis(2) : 'broadcast'))
    if (axis === 3) return call.inputs.map((_, i) => (i === 2 || i === 5 ? axisOfSize(dim, 3) : 'broadcast'))
    return call.inputs.map(() => 'mixed')
  })
}

/** Both products, and one softmax step per score. */
function flopsOf(call: ConcreteCall): number {
  const g = geometryOf(call)
  const scores = elementCount([g.batch, g.heads, g.queries, g.keys] as number[])
  return scores * (2 * (g.headSize as number) + 2 * (g.valueSize as number) + TRANSCENDENTAL_FLOPS + 4)
}

const attention: Op = {
  name: 'Attention',
  domain: '',
  sinceOpset: 23,
  attributes: {
    is_causal: { kind: 'int', default: 0 },
    kv_num_heads: { kind: 'int' },
    left_window_size: { kind: 'int', default: -1 },
    q_num_heads: { kind: 'int' },
    qk_matmul_output_mode: { kind: 'int', default: 0 },
    right_window_size: { kind: 'int', default: -1 },
    scale: { kind: 'float' },
    softcap: { kind: 'float', default: 0 },
    softmax_precision: { kind: 'int' },
  },
  infer: typesOf,
  evaluate,
  axes: axesOf,
  // Jointly with the cached values where there are any.
  linearIn: (call) => (optional(call, 5) ? [2, 5] : [2]),
  jointlyLinear: true,
  work: (call) => workOf(call, typesOf(call), flopsOf(call)),
}

/** Rotates pairs of features by an angle that the caches give. x: [batch, length, heads, size]. */
export function rotate(
  x: Stack,
  angle: (b: number, s: number, i: number) => readonly [cos: number, sin: number],
  rotated: number,
  interleaved: boolean,
): Float64Array {
  const [batch, length, heads, size] = x.shape as [number, number, number, number]
  const data = x.data.slice()
  const half = rotated / 2
  for (let row = 0; row < batch * length * heads; row++) {
    const b = Math.floor(row / (length * heads))
    const s = Math.floor(row / heads) % length
    for (let i = 0; i < half; i++) {
      const [first, second] = interleaved ? [2 * i, 2 * i + 1] : [i, i + half]
      const [a, c] = [x.data[row * size + first]!, x.data[row * size + second]!]
      const [cos, sin] = angle(b, s, i)
      data[row * size + first] = cos * a - sin * c
      data[row * size + second] = sin * a + cos * c
    }
  }
  return data
}

function evaluateRotary(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const [cos, sin] = [arrayOf(call, inputs, 1), arrayOf(call, inputs, 2)]
  const positions = inputs[3]
  const half = cos.shape.at(-1)!
  const wide = x.shape.length === 4
  const heads = wide ? x.shape[1]! : getInt(call.attributes, 'num_heads', 0)
  if (heads < 1) reject(call, 'num_heads with an input of rank 3', String(heads))
  // [batch, length, heads, size], whichever way it came
  const rows = wide ? mergeHeads(x) : x
  const [batch, length, hidden] = rows.shape as [number, number, number]
  const size = hidden / heads
  const rotated = getInt(call.attributes, 'rotary_embedding_dim', 0) || size
  const angle = (b: number, s: number, i: number) => {
    const row = positions ? positions.data[b * length + s]! : b * length + s
    return [cos.data[row * half + i]!, sin.data[row * half + i]!] as const
  }
  const interleaved = getInt(call.attributes, 'interleaved', 0) !== 0
  const data = rotate({ shape: [batch, length, heads, size], data: rows.data }, angle, rotated, interleaved)
  return [{ dtype: x.dtype, shape: x.shape, data: wide ? splitHeads({ shape: rows.shape, data }, heads).data : data }]
}

/** Batch and position; positions index the caches, or the caches have both axes themselves. */
function rotaryAxes(call: Call): AxisMap {
  const { shape } = operand(call, 0)
  const length = shape.length === 4 ? 2 : 1
  return shape.map((dim, axis): AxisSource[] => {
    const positioned = optional(call, 3) !== null
    const at = axis === 0 ? 0 : axis === length ? 1 : null
    if (at === null)
      return call.inputs.map((_, i) =>
        i === 0 ? (axis === 1 && length === 2 ? axisOfSize(dim, 1) : 'mixed') : 'broadcast',
      )
    const cache: AxisSource = positioned ? 'broadcast' : axisOfSize(dim, at)
    return [axisOfSize(dim, axis), cache, cache, positioned ? axisOfSize(dim, at) : 'broadcast'].slice(
      0,
      call.inputs.length,
    ) as AxisSource[]
  })
}

const sameType = (call: Call): TensorType[] => [{ dtype: operand(call, 0).dtype, shape: operand(call, 0).shape }]

const rotaryEmbedding: Op = {
  name: 'RotaryEmbedding',
  domain: '',
  sinceOpset: 23,
  attributes: {
    interleaved: { kind: 'int', default: 0 },
    num_heads: { kind: 'int' },
    rotary_embedding_dim: { kind: 'int', default: 0 },
  },
  infer: sameType,
  evaluate: evaluateRotary,
  axes: rotaryAxes,
  linearIn: () => [0],
  work: (call) => workOf(call, sameType(call), 3 * elementCount(concrete(operand(call, 0)))),
}

export const attentionOps: readonly Op[] = [attention, rotaryEmbedding]
