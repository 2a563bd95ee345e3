// Slice: every axis cut to start, start + step, .. before end; negative positions count from the end; all clamped to the axis.
import { addDims, ceilDivDims, type Dim, dimEquals, maxDims, minDims, subDims } from '../dim.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../shape.ts'
import type { NdArray } from '../tensor.ts'
import { withContents } from './define.ts'
import { type ListParameter, normalizeAxes, ownAxes, readList, readNumbers, takeAlong } from './layout.ts'
import { arrayOf, operand, reject, workOf } from './operands.ts'

const STARTS: ListParameter = { attribute: 'starts', index: 1, inputSince: 10 }
const ENDS: ListParameter = { attribute: 'ends', index: 2, inputSince: 10 }
const AXES: ListParameter = { attribute: 'axes', index: 3, inputSince: 10 }
const STEPS: ListParameter = { attribute: 'steps', index: 4, inputSince: 10 }

/** Positions beyond any size: exporters write INT_MAX, INT64_MAX and the like for "to the end". */
const FAR = 2 ** 31 - 1

interface Cut {
  readonly axis: number
  readonly start: Dim
  readonly end: Dim
  readonly step: number
}

/** The cuts of a call, positions not yet clamped, or null where they are not known. */
function cutsOf(call: Call): readonly Cut[] | null {
  const rank = operand(call, 0).shape.length
  const [starts, ends] = [readList(call, STARTS), readList(call, ENDS)]
  const [axes, steps] = [readNumbers(call, AXES), readNumbers(call, STEPS)]
  if (starts === undefined || ends === undefined) reject(call, 'starts and ends', 'none')
  if (!starts || !ends || axes === null || steps === null) return null
  const at = normalizeAxes(call, axes ?? starts.map((_, i) => i), rank)
  if (ends.length !== starts.length || at.length !== starts.length || (steps && steps.length !== starts.length))
    reject(
      call,
      'starts, ends, axes and steps of one length',
      `${starts.length}, ${ends.length}, ${at.length}, ${steps?.length ?? '-'}`,
    )
  if (steps?.includes(0)) reject(call, 'steps other than 0', `[${steps}]`)
  return starts.map((start, i) => ({ axis: at[i]!, start, end: ends[i]!, step: steps?.[i] ?? 1 }))
}

/** A position counted from the front, clamped to [low, high]. A symbolic one counts from the front already. */
function position(at: Dim, size: Dim, low: number, high: Dim): Dim {
  if (typeof at === 'number' && at >= FAR) return high
  if (typeof at === 'number' && at <= -FAR) return low
  const front = typeof at === 'number' && at < 0 ? addDims(size, at) : at
  return dimEquals(front, high) ? high : maxDims(minDims(front, high), low)
}

interface Range {
  readonly start: Dim
  readonly length: Dim
}

/** First position and number of positions of a cut along an axis of this size. */
function rangeOf({ start, end, step }: Cut, size: Dim): Range {
  const back = step < 0
  const first = position(start, size, 0, back ? subDims(size, 1) : size)
  const stop = position(end, size, back ? -1 : 0, back ? subDims(size, 1) : size)
  const span = back ? subDims(first, stop) : subDims(stop, first)
  return { start: first, length: ceilDivDims(maxDims(span, 0), Math.abs(step)) }
}

/** Whether the cut keeps the axis as it is, whatever its size. */
const isWhole = (cut: Cut, size: Dim): boolean => {
  if (cut.step !== 1 || cut.start !== 0) return false
  return (typeof cut.end === 'number' && cut.end >= FAR) || dimEquals(rangeOf(cut, size).length, size)
}

function slicedShape(call: Call): Shape | null {
  const x = operand(call, 0).shape
  const cuts = cutsOf(call)
  if (!cuts) return null
  return x.map((size, axis) => {
    const cut = cuts.find((c) => c.axis === axis)
    return cut && !isWhole(cut, size) ? rangeOf(cut, size).length : size
  })
}

function positionsOf(cut: Cut, size: number): number[] {
  const { start, length } = rangeOf(cut, size) as { start: number; length: number }
  return Array.from({ length }, (_, i) => start + i * cut.step)
}

export const slice: Op = {
  name: 'Slice',
  domain: '',
  sinceOpset: 1,
  attributes: { starts: { kind: 'ints' }, ends: { kind: 'ints' }, axes: { kind: 'ints' } },
  torch: { target: 'operator.getitem' },
  infer: (call) => {
    const shape = slicedShape(call)
    return [shape && { dtype: operand(call, 0).dtype, shape }]
  },
  inferContents: (call) => {
    const [contents, cuts] = [call.contents[0], cutsOf(call)]
    if (!contents || !cuts || operand(call, 0).shape.length !== 1) return [null]
    if (!cuts.every((c) => typeof c.start === 'number' && typeof c.end === 'number')) return [null]
    const kept = cuts.reduce((list, cut) => positionsOf(cut, contents.length).map((i) => list[i]!), contents)
    return [kept]
  },
  evaluate: (call, inputs) => {
    const cuts = cutsOf(withContents(call, inputs))!
    const cutOne = (x: NdArray, cut: Cut) => takeAlong(x, cut.axis, positionsOf(cut, x.shape[cut.axis]!))
    return [cuts.reduce(cutOne, arrayOf(call, inputs, 0))]
  },
  work: (call) => {
    const shape = slicedShape(call) ?? reject(call, 'known starts and ends', 'unknown ones')
    const moved = workOf(
      { ...call, inputs: [{ dtype: operand(call, 0).dtype, shape: shape as readonly number[] }] },
      [{ dtype: operand(call, 0).dtype, shape }],
      0,
    )
    return moved
  },
  axes: (call) => {
    const cuts = cutsOf(call)
    const x = operand(call, 0).shape
    return cuts && ownAxes(call, (axis) => cuts.some((c) => c.axis === axis && !isWhole(c, x[axis]!)))
  },
  linearIn: () => [0],
}
