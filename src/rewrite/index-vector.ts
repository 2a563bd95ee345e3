// Which positions of an axis a `select` takes, in order: an arithmetic range (sizes may be symbolic) or a list.
import { addDims, type Dim, dimEquals, dimKey, mulDims, subDims } from '../ir/dim.ts'

export type IndexVector =
  | { readonly kind: 'range'; readonly start: Dim; readonly step: number; readonly count: Dim }
  | { readonly kind: 'list'; readonly indices: readonly number[] }

/** A range, as the canonical form of those positions. */
export function range(start: Dim, count: Dim, step = 1): IndexVector {
  return { kind: 'range', start, step: count === 1 || count === 0 ? 1 : step, count }
}

/** The positions `indices`; a range where they are one. */
export function positions(indices: readonly number[]): IndexVector {
  if (indices.length === 1) return range(indices[0]!, 1)
  const step = indices.length > 1 ? indices[1]! - indices[0]! : 1
  const even = step !== 0 && indices.every((x, i) => x === indices[0]! + i * step)
  return even && indices.length > 0 ? range(indices[0]!, indices.length, step) : { kind: 'list', indices }
}

export function indexCount(v: IndexVector): Dim {
  return v.kind === 'range' ? v.count : v.indices.length
}

export function indexKey(v: IndexVector): string {
  return v.kind === 'range' ? `${dimKey(v.start)}:${v.step}:${dimKey(v.count)}` : `[${v.indices.join(',')}]`
}

/** True if it takes all `size` positions in order. */
export function isIdentity(v: IndexVector, size: Dim): boolean {
  return v.kind === 'range' && v.start === 0 && v.step === 1 && dimEquals(v.count, size)
}

/** Positions of `outer` taken from the positions of `inner`: inner[outer[i]]; null where sizes are not known enough. */
export function composeIndices(inner: IndexVector, outer: IndexVector): IndexVector | null {
  if (inner.kind === 'range' && outer.kind === 'range') {
    const start = addDims(inner.start, mulDims(outer.start, inner.step))
    return range(start, outer.count, inner.step * outer.step)
  }
  const i = indexList(inner)
  const o = indexList(outer)
  if (!i || !o) return null
  return positions(o.map((x) => i[x]!))
}

/** The positions as numbers, or null if symbolic. */
export function indexList(v: IndexVector): readonly number[] | null {
  if (v.kind === 'list') return v.indices
  const { start, step, count } = v
  if (typeof start !== 'number' || typeof count !== 'number') return null
  return Array.from({ length: count }, (_, i) => start + i * step)
}

/** The same positions counted from `offset` on. */
export function shiftIndices(v: IndexVector, offset: Dim): IndexVector | null {
  if (v.kind === 'range') return { ...v, start: subDims(v.start, offset) }
  return typeof offset === 'number' ? positions(v.indices.map((x) => x - offset)) : null
}

/** First and last position plus one, of a list or a step-1 range; null where unknown. */
export function indexBounds(v: IndexVector): { readonly from: Dim; readonly to: Dim } | null {
  if (v.kind === 'range' && v.step === 1) return { from: v.start, to: addDims(v.start, v.count) }
  const list = indexList(v)
  if (!list || list.length === 0) return null
  return { from: Math.min(...list), to: Math.max(...list) + 1 }
}
