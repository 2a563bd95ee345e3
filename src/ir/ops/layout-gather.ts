// Operators that read or write at positions held in a tensor: Gather, GatherElements, GatherND, ScatterElements (and its
// older name Scatter), ScatterND. Negative positions count from the end.
import { getInt, getText } from '../attribute.ts'
import { type Dim, dimEquals } from '../dim.ts'
import type { AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, shapeText, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { numbersOf } from './contents.ts'
import { storeAs } from './define.ts'
import { stridedOffsets } from './layout.ts'
import { axisAttribute } from './layout-reshape.ts'
import { arrayOf, operand, operandOfRank, reject, workOf } from './operands.ts'

const axisOf = (call: Call): number => axisAttribute(call, 0, operandOfRank(call, 0, 1, true).shape.length)

/** A position counted from the front. */
function frontPosition(call: Call, at: number, size: number): number {
  if (at < -size || at >= size) reject(call, `a position in [-${size}, ${size})`, String(at))
  return at < 0 ? at + size : at
}

function gatherType(call: Call): TensorType {
  const { dtype, shape } = operand(call, 0)
  const axis = axisOf(call)
  return { dtype, shape: [...shape.slice(0, axis), ...operand(call, 1).shape, ...shape.slice(axis + 1)] }
}

/** Short runs element by element: a view of each would take longer than the copy. */
function copyRun(from: Float64Array, start: number, to: Float64Array, at: number, count: number): void {
  if (count >= 16) to.set(from.subarray(start, start + count), at)
  else for (let i = 0; i < count; i++) to[at + i] = from[start + i]!
}

const gather: Op = {
  name: 'Gather',
  domain: '',
  sinceOpset: 1,
  attributes: { axis: { kind: 'int', default: 0 } },
  torch: { target: 'torch.index_select' },
  infer: (call) => [gatherType(call)],
  inferContents: (call) => {
    const [contents, at] = [call.contents[0], numbersOf(call, 1)]
    if (!contents || !at || operand(call, 0).shape.length !== 1) return [null]
    return [at.map((i) => contents[frontPosition(call, i, contents.length)]!)]
  },
  evaluate: (call, inputs) => {
    const [x, at] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
    const { dtype, shape } = gatherType(call) as NdArray
    const axis = axisOf(call)
    const size = x.shape[axis]!
    const rows = Array.from(at.data, (i) => frontPosition(call, i, size))
    const data = new Float64Array(elementCount(shape))
    const [outer, inner] = [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis + 1))]
    for (let o = 0, to = 0; o < outer; o++)
      for (const row of rows) {
        copyRun(x.data, (o * size + row) * inner, data, to, inner)
        to += inner
      }
    return [{ dtype, shape, data }]
  },
  work: (call) => movesItsOutput(call, gatherType(call)),
  axes: (call) => {
    const axis = axisOf(call)
    const [rank, picked] = [operand(call, 0).shape.length, operand(call, 1).shape.length]
    const source = (i: number): AxisSource[] => {
      if (i < axis) return [i, 'broadcast']
      return i < axis + picked ? ['broadcast', i - axis] : [i - picked + 1, 'broadcast']
    }
    return Array.from({ length: rank - 1 + picked }, (_, i) => source(i))
  },
  linearIn: () => [0],
}

/** Reads as much as it writes, and the positions; not the whole table. */
function movesItsOutput(call: ConcreteCall, out: TensorType) {
  const read = call.inputs.map((type, i) =>
    i === 0 ? (out as { dtype: TensorType['dtype']; shape: ConcreteShape }) : type,
  )
  return workOf({ ...call, inputs: read }, [out], 0)
}

/** True where it is certain. */
const differs = (a: Dim, b: Dim): boolean => typeof a === 'number' && typeof b === 'number' && a !== b

const sameSize = (a: Dim, b: Dim, axis: number): AxisSource => (dimEquals(a, b) ? axis : 'mixed')

const gatherElements: Op = {
  name: 'GatherElements',
  domain: '',
  sinceOpset: 11,
  attributes: { axis: { kind: 'int', default: 0 } },
  torch: { target: 'torch.gather' },
  infer: (call) => {
    axisOf(call)
    const at = operandOfRank(call, 1, operand(call, 0).shape.length)
    return [{ dtype: operand(call, 0).dtype, shape: at.shape }]
  },
  evaluate: (call, inputs) => {
    const [x, at] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
    const offsets = elementOffsets(call, x.shape, at, axisOf(call))
    return [{ dtype: x.dtype, shape: at.shape, data: Float64Array.from(offsets, (i) => x.data[i]!) }]
  },
  axes: (call) => {
    const [axis, x, at] = [axisOf(call), operand(call, 0).shape, operand(call, 1).shape]
    return x.map((d, i) => [i === axis ? 'broadcast' : sameSize(d, at[i]!, i), i])
  },
  linearIn: () => [0],
}

/** For each entry of `at`, the offset in a tensor of `shape` of its own coordinates with the one along `axis` replaced by it. */
function elementOffsets(call: Call, shape: ConcreteShape, at: NdArray, axis: number): Int32Array {
  const strides = stridesOf(shape)
  const offsets = stridedOffsets(
    at.shape,
    strides.map((s, i) => (i === axis ? 0 : s)),
  )
  return offsets.map((offset, i) => offset + frontPosition(call, at.data[i]!, shape[axis]!) * strides[axis]!)
}

interface Tuples {
  readonly batch: number
  /** Coordinates per index tuple. */
  readonly depth: number
}

/** Null where the depth is not known. */
function tuplesOf(call: Call): Tuples | null {
  const x = operandOfRank(call, 0, 1, true).shape
  const at = operandOfRank(call, 1, 1, true).shape
  const batch = getInt(call.attributes, 'batch_dims', 0)
  const depth = at.at(-1)
  if (typeof depth !== 'number') return null
  if (batch < 0 || batch >= at.length || batch + depth > x.length)
    reject(call, `index tuples that fit ${shapeText(x)}`, `${depth} coordinates after ${batch} batch axes`)
  return { batch, depth }
}

function gatherNdType(call: Call): TensorType | null {
  const t = tuplesOf(call)
  const { dtype, shape } = operand(call, 0)
  return t && { dtype, shape: [...operand(call, 1).shape.slice(0, -1), ...shape.slice(t.batch + t.depth)] }
}

/** For each index tuple, the offset of the first element that it points at. */
function tupleOffsets(call: Call, shape: ConcreteShape, at: NdArray, { batch, depth }: Tuples): number[] {
  const strides = stridesOf(shape)
  const perBatch = elementCount(at.shape.slice(batch, -1))
  const batchStride = elementCount(shape.slice(batch))
  return Array.from({ length: elementCount(at.shape.slice(0, -1)) }, (_, tuple) => {
    let offset = Math.floor(tuple / perBatch) * batchStride
    for (let i = 0; i < depth; i++)
      offset += frontPosition(call, at.data[tuple * depth + i]!, shape[batch + i]!) * strides[batch + i]!
    return offset
  })
}

const gatherNd: Op = {
  name: 'GatherND',
  domain: '',
  sinceOpset: 11,
  attributes: { batch_dims: { kind: 'int', default: 0 } },
  infer: (call) => [gatherNdType(call)],
  evaluate: (call, inputs) => {
    const [x, at] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
    const t = tuplesOf(call)!
    const { dtype, shape } = gatherNdType(call) as NdArray
    const inner = elementCount(x.shape.slice(t.batch + t.depth))
    const data = new Float64Array(elementCount(shape))
    tupleOffsets(call, x.shape, at, t).forEach((from, i) => {
      data.set(x.data.subarray(from, from + inner), i * inner)
    })
    return [{ dtype, shape, data }]
  },
  work: (call) => movesItsOutput(call, gatherNdType(call) ?? reject(call, 'index tuples of known length', 'unknown')),
  axes: (call) => {
    const t = tuplesOf(call)
    if (!t) return null
    const leading = operand(call, 1).shape.length - 1
    const source = (i: number): AxisSource[] => {
      if (i < t.batch) return [i, i]
      return i < leading ? ['broadcast', i] : [i - leading + t.batch + t.depth, 'broadcast']
    }
    return gatherNdType(call)!.shape.map((_, i) => source(i))
  },
  linearIn: () => [0],
}

type Reduction = (old: number, update: number) => number
const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  max: Math.max,
  min: Math.min,
}

function reductionOf(call: Call): Reduction {
  const name = getText(call.attributes, 'reduction', 'none')
  return REDUCTIONS[name] ?? reject(call, `reduction ${Object.keys(REDUCTIONS).join(', ')}`, name)
}

/** Jointly linear in data and updates where values are only moved or added. */
const scatterLinear = (call: Call): readonly number[] =>
  ['none', 'add'].includes(getText(call.attributes, 'reduction', 'none')) ? [0, 2] : []

const REDUCTION = { kind: 'string', default: 'none' } as const

function scatterElements(name: string, since: number): Op {
  return {
    name,
    domain: '',
    sinceOpset: since,
    attributes: { axis: { kind: 'int', default: 0 }, ...(name !== 'Scatter' && { reduction: REDUCTION }) },
    torch: { target: 'torch.scatter' },
    infer: (call) => {
      const x = operand(call, 0)
      axisOf(call)
      const [at, updates] = [operandOfRank(call, 1, x.shape.length), operandOfRank(call, 2, x.shape.length)]
      const differ = at.shape.some((d, i) => differs(d, updates.shape[i]!))
      if (differ)
        reject(call, `updates of the shape of the positions, ${shapeText(at.shape)}`, shapeText(updates.shape))
      return [x]
    },
    evaluate: (call, inputs) => {
      const [x, at, updates] = [0, 1, 2].map((i) => arrayOf(call, inputs, i)) as [NdArray, NdArray, NdArray]
      const data = x.data.slice()
      const reduce = reductionOf(call)
      elementOffsets(call, x.shape, at, axisOf(call)).forEach((to, i) => {
        data[to] = storeAs(x.dtype, reduce(data[to]!, updates.data[i]!))
      })
      return [{ ...x, data }]
    },
    axes: (call) => {
      const [axis, x, at] = [axisOf(call), operand(call, 0).shape, operand(call, 1).shape]
      return x.map((d, i) => new Array<AxisSource>(3).fill(i === axis ? 'mixed' : sameSize(d, at[i]!, i)))
    },
    linearIn: scatterLinear,
    jointlyLinear: true,
  }
}

const scatterNd: Op = {
  name: 'ScatterND',
  domain: '',
  sinceOpset: 11,
  attributes: { reduction: REDUCTION },
  infer: (call) => {
    tuplesOf(call)
    operand(call, 2)
    return [operand(call, 0)]
  },
  evaluate: (call, inputs) => {
    const [x, at, updates] = [0, 1, 2].map((i) => arrayOf(call, inputs, i)) as [NdArray, NdArray, NdArray]
    const data = x.data.slice()
    const reduce = reductionOf(call)
    const t = tuplesOf(call)!
    const inner = elementCount(x.shape.slice(t.depth))
    tupleOffsets(call, x.shape, at, t).forEach((start, tuple) => {
      for (let i = 0; i < inner; i++)
        data[start + i] = storeAs(x.dtype, reduce(data[start + i]!, updates.data[tuple * inner + i]!))
    })
    return [{ ...x, data }]
  },
  axes: (call) => {
    const t = tuplesOf(call)
    const shape: Shape = operand(call, 0).shape
    const updates = operand(call, 2).shape.length
    return (
      t &&
      shape.map((_, i) => (i < t.depth ? ['mixed', 'mixed', 'mixed'] : [i, 'broadcast', updates - shape.length + i]))
    )
  },
  linearIn: scatterLinear,
  jointlyLinear: true,
}

export const layoutGather: readonly Op[] = [
  gather,
  gatherElements,
  gatherNd,
  scatterElements('ScatterElements', 11),
  scatterElements('Scatter', 9),
  scatterNd,
]
