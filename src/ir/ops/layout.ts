// What operators that only move elements share: reading axes, integer lists that are attributes in one opset and inputs in
// the next, copying by offsets, and which axes survive a reshape.
import { getInts } from '../attribute.ts'
import { type Dim, dimEquals, mulDims } from '../dim.ts'
import type { AxisMap, AxisSource, Call } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { contentsOf } from './contents.ts'
import { extendOffsets } from './define.ts'
import { normalizeAxis, operand, reject } from './operands.ts'

/** A list that is an attribute before `inputSince` and input `index` from then on. `undefined`: left out; null: not known. */
export interface ListParameter {
  readonly attribute: string
  readonly index: number
  readonly inputSince: number
}

export function readList(call: Call, p: ListParameter): readonly Dim[] | null | undefined {
  if (call.opset < p.inputSince) return getInts(call.attributes, p.attribute, null) ?? undefined
  return call.inputs[p.index] == null ? undefined : contentsOf(call, p.index)
}

/** The same where every entry must be a number to be known. */
export function readNumbers(call: Call, p: ListParameter): readonly number[] | null | undefined {
  const list = readList(call, p)
  return list?.every((d) => typeof d === 'number') ? (list as readonly number[]) : list && null
}

/** Axes, counted from 0, each at most once. */
export function normalizeAxes(call: Call, axes: readonly number[], rank: number): number[] {
  const out = axes.map((a) => normalizeAxis(call, a, rank))
  if (new Set(out).size !== out.length) reject(call, 'each axis once', `[${axes}]`)
  return out
}

/** For each element of `shape`, row-major, `base` plus its coordinates times `steps`. */
export function stridedOffsets(shape: ConcreteShape, steps: readonly number[], base = 0): Int32Array {
  let offsets: Int32Array = Int32Array.of(base)
  shape.forEach((size, axis) => {
    offsets = extendOffsets(offsets, size, steps[axis]!)
  })
  return offsets
}

/** The elements of x at these offsets. */
export function takeOffsets(x: NdArray, shape: ConcreteShape, offsets: Int32Array): NdArray {
  return { dtype: x.dtype, shape, data: Float64Array.from(offsets, (at) => x.data[at]!) }
}

/** Elements of x along one axis at these positions, in this order; a negative position gives `fill`. */
export function takeAlong(x: NdArray, axis: number, positions: readonly number[], fill = 0): NdArray {
  const inner = elementCount(x.shape.slice(axis + 1))
  const outer = elementCount(x.shape.slice(0, axis))
  const size = x.shape[axis]!
  const shape = x.shape.map((d, i) => (i === axis ? positions.length : d))
  const data = new Float64Array(elementCount(shape))
  let to = 0
  for (let o = 0; o < outer; o++)
    for (const at of positions) {
      if (at < 0) data.fill(fill, to, to + inner)
      else data.set(x.data.subarray((o * size + at) * inner, (o * size + at + 1) * inner), to)
      to += inner
    }
  return { dtype: x.dtype, shape, data }
}

/** x with its axes permuted: axis i of the result is axis perm[i] of x. */
export function permute(x: NdArray, perm: readonly number[]): NdArray {
  const strides = stridesOf(x.shape)
  const shape = perm.map((p) => x.shape[p]!)
  return takeOffsets(
    x,
    shape,
    stridedOffsets(
      shape,
      perm.map((p) => strides[p]!),
    ),
  )
}

/** Every axis from its own, except those that `mixed` names. */
export function ownAxes(call: Call, mixed: (axis: number) => boolean): AxisMap {
  return operand(call, 0).shape.map((_, axis) => ofFirst(call, mixed(axis) ? 'mixed' : axis))
}

/** One row of an axis map: input 0 as given, every other input used whole. */
export function ofFirst(call: Call, source: AxisSource): AxisSource[] {
  return call.inputs.map((_, i) => (i === 0 ? source : 'broadcast'))
}

/** Where the axes of `to` come from when a tensor of shape `from` is read as `to`, both row-major: those that survive whole. */
export function reshapeSources(from: Shape, to: Shape): AxisSource[] {
  const before = prefixProducts(from)
  return prefixProducts(to).map((product, axis) => {
    const size = to[axis]!
    const at = from.findIndex((d, j) => dimEquals(d, size) && dimEquals(before[j]!, product))
    return at >= 0 ? at : size === 1 ? 'broadcast' : 'mixed'
  })
}

function prefixProducts(shape: Shape): Dim[] {
  let product: Dim = 1
  return shape.map((d) => {
    const before = product
    product = mulDims(product, d)
    return before
  })
}

/** Contents of a result of rank 0 or 1 that holds the same elements in the same order. */
export function sameContents(call: Call, out: TensorType | null): readonly Dim[] | null {
  return out && out.shape.length <= 1 ? (call.contents[0] ?? null) : null
}
