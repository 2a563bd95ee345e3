// Operators that join, split and pad along an axis: Concat, Split, Pad, Compress.
import { getFloat, getInt, getText } from '../attribute.ts'
import { addDims, type Dim, exactDiv, floorDivDims, subDims } from '../dim.ts'
import type { Call, Op } from '../op.ts'
import { elementCount, type Shape, shapeText } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { toNdArray } from '../tensor.ts'
import { contentsOf, neededContents, numbersOf } from './contents.ts'
import { withContents } from './define.ts'
import { type ListParameter, normalizeAxes, ofFirst, ownAxes, readNumbers, takeAlong } from './layout.ts'
import { axisAttribute } from './layout-reshape.ts'
import { arrayOf, normalizeAxis, operand, reject, unify } from './operands.ts'

const concatAxis = (call: Call): number => axisAttribute(call, call.opset < 4 ? 1 : 0, operand(call, 0).shape.length)

function concatType(call: Call): TensorType {
  const axis = concatAxis(call)
  const types = call.inputs.map((_, i) => operand(call, i))
  const [first, ...rest] = types as [TensorType, ...TensorType[]]
  const join = (shape: Shape, t: TensorType): Shape => {
    if (t.shape.length !== shape.length || t.dtype !== first.dtype)
      reject(call, `${first.dtype} of rank ${shape.length}`, `${t.dtype}${shapeText(t.shape)}`)
    return shape.map((d, i) =>
      i === axis ? addDims(d, t.shape[i]!) : unify(call, d, t.shape[i]!, `sizes along axis ${i}`),
    )
  }
  return { dtype: first.dtype, shape: rest.reduce(join, first.shape) }
}

const concat: Op = {
  name: 'Concat',
  domain: '',
  sinceOpset: 1,
  attributes: { axis: { kind: 'int' } },
  torch: { target: 'torch.cat' },
  infer: (call) => [concatType(call)],
  inferContents: (call) => {
    const parts = call.inputs.map((_, i) => contentsOf(call, i))
    return [parts.includes(null) || operand(call, 0).shape.length !== 1 ? null : parts.flatMap((p) => p!)]
  },
  evaluate: (call, inputs) => {
    const { dtype, shape } = concatType(call) as NdArray
    const axis = concatAxis(call)
    const parts = inputs.map((_, i) => arrayOf(call, inputs, i))
    const data = new Float64Array(elementCount(shape))
    const outer = elementCount(shape.slice(0, axis))
    let to = 0
    for (let o = 0; o < outer; o++)
      for (const part of parts) {
        const run = part.data.length / outer
        data.set(part.data.subarray(o * run, (o + 1) * run), to)
        to += run
      }
    return [{ dtype, shape, data }]
  },
  axes: (call) => {
    const axis = concatAxis(call)
    return operand(call, 0).shape.map((_, i) => call.inputs.map(() => (i === axis ? 'mixed' : i)))
  },
  linearIn: (call) => call.inputs.map((_, i) => i),
  jointlyLinear: true,
}

const SPLIT: ListParameter = { attribute: 'split', index: 1, inputSince: 13 }

/** Sizes of the parts along the axis, or null where they are not known. */
function partSizes(call: Call, axis: number): readonly Dim[] | null {
  const size = operand(call, 0).shape[axis]!
  // Opset 1 also had the sizes as an optional input.
  const given = call.opset === 1 && call.inputs[1] ? contentsOf(call, 1) : readNumbersOrDims(call)
  if (given === null) return null
  if (given) return checkParts(call, given, size)
  const parts = call.opset >= 18 ? getInt(call.attributes, 'num_outputs', call.outputCount) : call.outputCount
  if (parts !== call.outputCount) reject(call, `num_outputs of ${call.outputCount}`, String(parts))
  if (call.opset < 18) {
    if (typeof size === 'number' && size % parts !== 0) reject(call, `a size that ${parts} parts divide`, String(size))
    return new Array<Dim>(parts).fill(exactDiv(size, parts) ?? floorDivDims(size, parts))
  }
  const chunk = floorDivDims(addDims(size, parts - 1), parts)
  const last = new Array<Dim>(parts - 1).fill(chunk).reduce<Dim>(subDims, size)
  return [...new Array<Dim>(parts - 1).fill(chunk), last]
}

function readNumbersOrDims(call: Call): readonly Dim[] | null | undefined {
  return call.opset < SPLIT.inputSince
    ? readNumbers(call, SPLIT)
    : call.inputs[1] == null
      ? undefined
      : contentsOf(call, 1)
}

function checkParts(call: Call, parts: readonly Dim[], size: Dim): readonly Dim[] {
  const total = parts.reduce<Dim>(addDims, 0)
  const wrong = typeof total === 'number' && typeof size === 'number' && total !== size
  if (wrong || parts.length < call.outputCount)
    reject(call, `${call.outputCount} parts that add up to ${shapeText([size])}`, shapeText(parts))
  return parts
}

const splitAxis = (call: Call): number => axisAttribute(call, 0, operand(call, 0).shape.length)

const split: Op = {
  name: 'Split',
  domain: '',
  sinceOpset: 1,
  attributes: { axis: { kind: 'int', default: 0 }, split: { kind: 'ints' }, num_outputs: { kind: 'int' } },
  torch: { target: 'torch.split' },
  infer: (call) => {
    const { dtype, shape } = operand(call, 0)
    const axis = splitAxis(call)
    const sizes = partSizes(call, axis)
    return Array.from(
      { length: call.outputCount },
      (_, k) => sizes && { dtype, shape: shape.map((d, i) => (i === axis ? sizes[k]! : d)) },
    )
  },
  inferContents: (call) => {
    const [contents, sizes] = [call.contents[0], partSizes(call, splitAxis(call))]
    if (!contents || operand(call, 0).shape.length !== 1 || !sizes?.every((d) => typeof d === 'number')) return []
    return sizes.map((size, k) =>
      contents.slice(startOf(sizes as number[], k), startOf(sizes as number[], k) + (size as number)),
    )
  },
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const axis = splitAxis(call)
    const sizes = partSizes(withContents(call, inputs), axis) as readonly number[]
    return sizes.map((size, k) =>
      takeAlong(
        x,
        axis,
        Array.from({ length: size }, (_, i) => startOf(sizes, k) + i),
      ),
    )
  },
  axes: (call) => ownAxes(call, (axis) => axis === splitAxis(call)),
  linearIn: () => [0],
}

const startOf = (sizes: readonly number[], k: number): number => sizes.slice(0, k).reduce((a, b) => a + b, 0)

interface Padding {
  readonly begin: readonly Dim[]
  readonly end: readonly Dim[]
}

/** Padding of every axis, or null where it is not known. Negative padding cuts. */
function paddingOf(call: Call): Padding | null {
  const rank = operand(call, 0).shape.length
  const attribute = call.opset < 2 ? 'paddings' : 'pads'
  const pads = call.opset < 11 ? readNumbers(call, { attribute, index: 1, inputSince: 11 }) : neededContents(call, 1)
  if (pads === undefined) reject(call, `attribute ${attribute}`, 'none')
  const given = call.opset >= 18 && call.inputs[3] ? numbersOf(call, 3) : Array.from({ length: rank }, (_, i) => i)
  if (!pads || !given) return null
  const axes = normalizeAxes(call, given, rank)
  if (pads.length !== 2 * axes.length) reject(call, `${2 * axes.length} pads`, String(pads.length))
  const along = (axis: number, offset: number) => (axes.includes(axis) ? pads[offset + axes.indexOf(axis)]! : 0)
  const all = Array.from({ length: rank }, (_, i) => i)
  return { begin: all.map((i) => along(i, 0)), end: all.map((i) => along(i, axes.length)) }
}

const MODES = ['constant', 'reflect', 'edge', 'wrap']

function padMode(call: Call): string {
  const mode = getText(call.attributes, 'mode', 'constant')
  return MODES.includes(mode) ? mode : reject(call, `mode ${MODES.join(', ')}`, mode)
}

/** Position of the element that padding repeats, or -1 for the constant. */
function padSource(at: number, size: number, mode: string): number {
  if (at >= 0 && at < size) return at
  if (mode === 'constant') return -1
  if (mode === 'edge') return at < 0 ? 0 : size - 1
  if (mode === 'wrap') return ((at % size) + size) % size
  const period = Math.max(2 * (size - 1), 1)
  const folded = ((at % period) + period) % period
  return folded < size ? folded : period - folded
}

/** Whether what is filled in is certainly 0, or comes from the input. */
function fillsZero(call: Call): boolean {
  if (padMode(call) !== 'constant') return true
  if (call.opset < 11) return getFloat(call.attributes, 'value', 0) === 0
  if (call.inputs[2] == null) return true
  const fill = call.constants[2]
  return fill != null && toNdArray(fill).data.every((v) => v === 0)
}

const pad: Op = {
  name: 'Pad',
  domain: '',
  sinceOpset: 1,
  attributes: {
    mode: { kind: 'string', default: 'constant' },
    pads: { kind: 'ints' },
    paddings: { kind: 'ints' },
    value: { kind: 'float', default: 0 },
  },
  torch: { target: 'torch.nn.functional.pad' },
  infer: (call) => {
    const { dtype, shape } = operand(call, 0)
    const p = paddingOf(call)
    return [p && { dtype, shape: shape.map((d, i) => addDims(addDims(d, p.begin[i]!), p.end[i]!)) }]
  },
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const p = paddingOf(withContents(call, inputs))!
    const mode = padMode(call)
    const fill = call.opset < 11 ? getFloat(call.attributes, 'value', 0) : (inputs[2]?.data[0] ?? 0)
    const padOne = (y: NdArray, size: number, axis: number) => {
      const [begin, end] = [Number(p.begin[axis]), Number(p.end[axis])]
      if (begin === 0 && end === 0) return y
      const from = Array.from({ length: size + begin + end }, (_, i) => padSource(i - begin, size, mode))
      return takeAlong(y, axis, from, fill)
    }
    return [x.shape.reduce(padOne, x)]
  },
  axes: (call) => {
    const p = paddingOf(call)
    return p && ownAxes(call, (axis) => p.begin[axis] !== 0 || p.end[axis] !== 0)
  },
  linearIn: (call) => (fillsZero(call) ? [0] : []),
}

/** Along an axis, or of the flattened input, the elements at which the condition holds. */
const compress: Op = {
  name: 'Compress',
  domain: '',
  sinceOpset: 9,
  attributes: { axis: { kind: 'int' } },
  infer: (call) => {
    const { dtype, shape } = operand(call, 0)
    const axis = compressAxis(call)
    const condition = contentsOf(call, 1)
    if (!condition?.every((c) => typeof c === 'number')) return [null]
    const kept = condition.filter((c) => c !== 0).length
    return [{ dtype, shape: axis === null ? [kept] : shape.map((d, i) => (i === axis ? kept : d)) }]
  },
  evaluate: (call, inputs) => {
    const axis = compressAxis(call)
    const x = arrayOf(call, inputs, 0)
    const kept = Array.from(arrayOf(call, inputs, 1).data).flatMap((c, i) => (c !== 0 ? [i] : []))
    return [takeAlong(axis === null ? { ...x, shape: [x.data.length] } : x, axis ?? 0, kept)]
  },
  axes: (call) => {
    const axis = compressAxis(call)
    return axis === null
      ? [ofFirst(call, 'mixed')]
      : ownAxes(call, (i) => i === axis).map((row, i) => (i === axis ? ['mixed', 'mixed'] : row))
  },
  linearIn: () => [0],
}

function compressAxis(call: Call): number | null {
  const axis = getInt(call.attributes, 'axis', null)
  return axis === null ? null : normalizeAxis(call, axis, operand(call, 0).shape.length)
}

export const layoutJoin: readonly Op[] = [concat, split, pad, compress]
