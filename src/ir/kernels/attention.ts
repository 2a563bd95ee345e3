// Scaled dot-product attention over heads in float64, step by step, so that every intermediate that ONNX can ask for exists.
import { gather, matmulStacked, permute, type Stack, transposeLast } from './stacked.ts'

export interface AttentionOptions {
  readonly scale: number
  /** softcap * tanh(scores / softcap) where above 0. */
  readonly softcap: number
  /** Added to the score of query i and key j; -Infinity masks. */
  bias(batch: number, head: number, i: number, j: number): number
}

/** y: [batch, heads, queries, v head size]; the others: [batch, heads, queries, keys]. */
export interface Attended {
  readonly y: Stack
  readonly raw: Stack
  readonly capped: Stack
  readonly biased: Stack
  readonly probabilities: Stack
}

/** q: [batch, heads, queries, d], k: [batch, kv heads, keys, d], v: [batch, kv heads, keys, e]; heads is a multiple of kv
 * heads. A query that may attend no key gets zeros. ONNX Attention-25. */
export function attend(q: Stack, k: Stack, v: Stack, options: AttentionOptions): Attended {
  const heads = q.shape[1]!
  const product = matmulStacked(q, transposeLast(repeatHeads(k, heads)))
  const raw: Stack = { shape: product.shape, data: product.data.map((x) => x * options.scale) }
  const cap = options.softcap
  const capped: Stack = cap > 0 ? { ...raw, data: raw.data.map((x) => cap * Math.tanh(x / cap)) } : raw
  const { biased, probabilities } = softmaxRows(capped, options)
  return { y: matmulStacked(probabilities, repeatHeads(v, heads)), raw, capped, biased, probabilities }
}

/** Each head of [batch, own, length, size] repeated in place until there are `heads`. */
function repeatHeads(x: Stack, heads: number): Stack {
  const [batch, own, length, size] = x.shape as [number, number, number, number]
  if (own === heads) return x
  const shape = [batch, own, heads / own, length * size]
  const data = gather(x.data, shape, [own * length * size, length * size, 0, 1])
  return { shape: [batch, heads, length, size], data }
}

function softmaxRows(scores: Stack, { bias }: AttentionOptions): { biased: Stack; probabilities: Stack } {
  const [batch, heads, queries, keys] = scores.shape as [number, number, number, number]
  const biased = new Float64Array(scores.data.length)
  const probabilities = new Float64Array(scores.data.length)
  for (let row = 0; row < batch * heads * queries; row++) {
    const [b, h, i] = [Math.floor(row / (heads * queries)), Math.floor(row / queries) % heads, row % queries]
    let open = false
    for (let j = 0; j < keys; j++) {
      const shift = bias(b, h, i, j)
      if (shift !== -Infinity) open = true
      biased[row * keys + j] = scores.data[row * keys + j]! + shift
    }
    if (open) probabilities.set(softmax(biased.subarray(row * keys, (row + 1) * keys)), row * keys)
  }
  return { biased: { shape: scores.shape, data: biased }, probabilities: { shape: scores.shape, data: probabilities } }
}

/** exp(x - max) / sum. */
export function softmax(x: Float64Array): Float64Array {
  const max = x.reduce((best, v) => Math.max(best, v), -Infinity)
  const exps = x.map((v) => Math.exp(v - max))
  const sum = exps.reduce((total, v) => total + v, 0)
  return exps.map((v) => v / sum)
}

/** [batch, length, heads * size] -> [batch, heads, length, size]. */
export function splitHeads(x: Stack, heads: number): Stack {
  const [batch, length, hidden] = x.shape as [number, number, number]
  return permute({ shape: [batch, length, heads, hidden / heads], data: x.data }, [0, 2, 1, 3])
}

/** [batch, heads, length, size] -> [batch, length, heads * size]. */
export function mergeHeads(x: Stack): Stack {
  const [batch, heads, length, size] = x.shape as [number, number, number, number]
  return { shape: [batch, length, heads * size], data: permute(x, [0, 2, 1, 3]).data }
}

/** [batch, heads, past, size] and [batch, heads, length, size] -> [batch, heads, past + length, size]. */
export function appendCache(past: Stack | null | undefined, x: Stack): Stack {
  if (!past) return x
  const [batch, heads, length, size] = x.shape as [number, number, number, number]
  const before = past.shape[2]!
  const data = new Float64Array(past.data.length + x.data.length)
  const [step, pastStep] = [length * size, before * size]
  for (let row = 0, to = 0; row < batch * heads; row++, to += step + pastStep) {
    data.set(past.data.subarray(row * pastStep, (row + 1) * pastStep), to)
    data.set(x.data.subarray(row * step, (row + 1) * step), to + pastStep)
  }
  return { shape: [batch, heads, before + length, size], data }
}
