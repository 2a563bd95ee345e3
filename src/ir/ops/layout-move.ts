// Operators that permute, repeat or mask elements: Transpose, Expand, Tile, DepthToSpace, SpaceToDepth, ReverseSequence, Trilu.
import { getInt, getText } from '../attribute.ts'
import { type Dim, dimEquals, exactDiv, floorDivDims, mulDims } from '../dim.ts'
import type { Call, Op } from '../op.ts'
import { broadcastShapes, type ConcreteShape, elementCount, type Shape, shapeText } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { CONTENTS_LIMIT, contentsOf, neededContents, scalarOf } from './contents.ts'
import { broadcastTo, withContents } from './define.ts'
import { ofFirst, ownAxes, permute, sameContents, takeAlong } from './layout.ts'
import { permutationOf } from './layout-reshape.ts'
import { arrayOf, normalizeAxis, operand, operandOfRank, optional, reject } from './operands.ts'

function checkedPermutation(call: Call): readonly number[] {
  const rank = operand(call, 0).shape.length
  const perm = permutationOf(call, rank)
  if (perm.length !== rank || !perm.every((_, i) => perm.includes(i)))
    reject(call, `a permutation of ${rank} axes`, `[${perm}]`)
  return perm
}

const transpose: Op = {
  name: 'Transpose',
  domain: '',
  sinceOpset: 1,
  attributes: { perm: { kind: 'ints' } },
  torch: { target: 'torch.permute' },
  infer: (call) => {
    const { dtype, shape } = operand(call, 0)
    return [{ dtype, shape: checkedPermutation(call).map((p) => shape[p]!) }]
  },
  inferContents: (call) => [sameContents(call, operand(call, 0))],
  evaluate: (call, inputs) => [permute(arrayOf(call, inputs, 0), checkedPermutation(call))],
  axes: (call) => checkedPermutation(call).map((p) => [p]),
  linearIn: () => [0],
}

/** The result's shape is the broadcast of both; a target entry may be smaller than the input's size. */
function expandedType(call: Call): TensorType | null {
  const { dtype, shape } = operand(call, 0)
  const target = neededContents(call, 1)
  if (!target) return null
  const out = broadcastShapes(shape, target)
  return { dtype, shape: out ?? reject(call, `a target that ${shapeText(shape)} broadcasts to`, shapeText(target)) }
}

const expand: Op = {
  name: 'Expand',
  domain: '',
  sinceOpset: 8,
  attributes: {},
  torch: { target: '.expand' },
  infer: (call) => [expandedType(call)],
  inferContents: (call) => {
    const [contents, length] = [call.contents[0], expandedType(call)?.shape]
    if (!contents || length?.length !== 1 || typeof length[0] !== 'number' || length[0] > CONTENTS_LIMIT) return [null]
    return [contents.length === 1 ? new Array<Dim>(length[0]).fill(contents[0]!) : contents]
  },
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const shape = expandedType(withContents(call, inputs))!.shape as ConcreteShape
    return [{ dtype: x.dtype, shape, data: broadcastTo(x, shape) }]
  },
  axes: (call) => {
    const out = expandedType(call)?.shape
    const x = operand(call, 0).shape
    if (!out) return null
    return out.map((d, axis) => ofFirst(call, expandSource(x, axis - (out.length - x.length), d)))
  },
  linearIn: () => [0],
  // Where the target says 1 the size is the input's own.
  resize: (call, axis) =>
    contentsOf(call, 1)?.at(axis - (expandedType(call)?.shape.length ?? 0)) === 1 ? call.attributes : null,
}

function expandSource(x: Shape, at: number, size: Dim) {
  if (at < 0) return 'broadcast'
  if (dimEquals(x[at]!, size)) return at
  return x[at] === 1 ? 'broadcast' : 'mixed'
}

/** How often each axis is repeated. Opset 1 has one count and one axis. */
function repeatsOf(call: Call): readonly Dim[] | null {
  const rank = operand(call, 0).shape.length
  const list = neededContents(call, 1)
  if (call.opset >= 6 || !list) return list
  operand(call, 2)
  const axis = scalarOf(call, 2)
  if (list.length === 0) return reject(call, 'a number of repeats', 'none')
  return axis === null ? null : Array.from({ length: rank }, (_, i) => (i === axis ? list[0]! : 1))
}

function tiledType(call: Call): TensorType | null {
  const { dtype, shape } = operand(call, 0)
  const repeats = repeatsOf(call)
  if (!repeats) return null
  if (repeats.length !== shape.length) reject(call, `${shape.length} repeats`, shapeText(repeats))
  return { dtype, shape: shape.map((d, i) => mulDims(d, repeats[i]!)) }
}

const tile: Op = {
  name: 'Tile',
  domain: '',
  sinceOpset: 1,
  attributes: {},
  torch: { target: 'torch.tile' },
  infer: (call) => [tiledType(call)],
  evaluate: (call, inputs) => {
    const repeats = repeatsOf(withContents(call, inputs)) as readonly number[]
    const tiled = (x: NdArray, count: number, axis: number) => {
      const size = x.shape[axis]!
      return count === 1
        ? x
        : takeAlong(
            x,
            axis,
            Array.from({ length: size * count }, (_, i) => i % size),
          )
    }
    return [repeats.reduce(tiled, arrayOf(call, inputs, 0))]
  },
  axes: (call) => {
    const repeats = repeatsOf(call)
    const { shape } = operand(call, 0)
    return (
      repeats && shape.map((d, axis) => ofFirst(call, repeats[axis] === 1 ? axis : d === 1 ? 'broadcast' : 'mixed'))
    )
  },
  linearIn: () => [0],
  resize: (call, axis) => (repeatsOf(call)?.[axis] === 1 ? call.attributes : null),
}

interface Blocks {
  readonly x: TensorType
  readonly size: number
  /** Column-row-depth order within the channels, instead of depth first. */
  readonly depthFirst: boolean
}

function blocksOf(call: Call): Blocks {
  const x = operandOfRank(call, 0, 4)
  const size = getInt(call.attributes, 'blocksize', 0)
  const mode = getText(call.attributes, 'mode', 'DCR')
  if (size < 1) reject(call, 'a blocksize of at least 1', String(size))
  if (mode !== 'DCR' && mode !== 'CRD') reject(call, 'mode DCR or CRD', mode)
  return { x, size, depthFirst: mode === 'CRD' }
}

const divide = (call: Call, d: Dim, by: number): Dim => {
  if (typeof d === 'number' && exactDiv(d, by) === null) reject(call, `a multiple of ${by}`, String(d))
  return floorDivDims(d, by)
}

const depthToSpace: Op = {
  name: 'DepthToSpace',
  domain: '',
  sinceOpset: 1,
  attributes: { blocksize: { kind: 'int' }, mode: { kind: 'string', default: 'DCR' } },
  torch: { target: 'torch.nn.functional.pixel_shuffle' },
  infer: (call) => {
    const { x, size } = blocksOf(call)
    const [n, c, h, w] = x.shape as [Dim, Dim, Dim, Dim]
    return [{ dtype: x.dtype, shape: [n, divide(call, c, size * size), mulDims(h, size), mulDims(w, size)] }]
  },
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const { size, depthFirst } = blocksOf(call)
    const [n, c, h, w] = x.shape as [number, number, number, number]
    const depth = c / (size * size)
    const split = { ...x, shape: depthFirst ? [n, depth, size, size, h, w] : [n, size, size, depth, h, w] }
    const moved = permute(split, depthFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
    return [{ ...moved, shape: [n, depth, h * size, w * size] }]
  },
  axes: (call) => ownAxes(call, (axis) => axis > 0),
  linearIn: () => [0],
}

const spaceToDepth: Op = {
  name: 'SpaceToDepth',
  domain: '',
  sinceOpset: 1,
  attributes: { blocksize: { kind: 'int' }, mode: { kind: 'string', default: 'DCR' } },
  torch: { target: 'torch.nn.functional.pixel_unshuffle' },
  infer: (call) => {
    const { x, size } = blocksOf(call)
    const [n, c, h, w] = x.shape as [Dim, Dim, Dim, Dim]
    return [{ dtype: x.dtype, shape: [n, mulDims(c, size * size), divide(call, h, size), divide(call, w, size)] }]
  },
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const { size, depthFirst } = blocksOf(call)
    const [n, c, h, w] = x.shape as [number, number, number, number]
    const split = { ...x, shape: [n, c, h / size, size, w / size, size] }
    const moved = permute(split, depthFirst ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4])
    return [{ ...moved, shape: [n, c * size * size, h / size, w / size] }]
  },
  axes: (call) => ownAxes(call, (axis) => axis > 0),
  linearIn: () => [0],
}

interface Sequences {
  readonly time: number
  readonly batch: number
}

function sequencesOf(call: Call): Sequences {
  const rank = operandOfRank(call, 0, 2, true).shape.length
  const axis = (name: string, otherwise: number) => normalizeAxis(call, getInt(call.attributes, name, otherwise), rank)
  const out = { time: axis('time_axis', 0), batch: axis('batch_axis', 1) }
  if (out.time === out.batch) reject(call, 'two different axes', `time and batch ${out.time}`)
  return out
}

const reverseSequence: Op = {
  name: 'ReverseSequence',
  domain: '',
  sinceOpset: 10,
  attributes: { time_axis: { kind: 'int', default: 0 }, batch_axis: { kind: 'int', default: 1 } },
  infer: (call) => {
    sequencesOf(call)
    return [operand(call, 0)]
  },
  evaluate: (call, inputs) => {
    const [x, lengths] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
    const { time, batch } = sequencesOf(call)
    const order = [batch, time, ...x.shape.map((_, i) => i).filter((i) => i !== batch && i !== time)]
    const turned = permute(x, order)
    const [steps, inner] = [x.shape[time]!, elementCount(turned.shape.slice(2))]
    const data = turned.data.slice()
    lengths.data.forEach((length, b) => {
      for (let t = 0; t < length; t++) {
        const from = (b * steps + length - 1 - t) * inner
        data.set(turned.data.subarray(from, from + inner), (b * steps + t) * inner)
      }
    })
    return [
      permute(
        { ...turned, data },
        x.shape.map((_, i) => order.indexOf(i)),
      ),
    ]
  },
  axes: (call) => {
    const { time, batch } = sequencesOf(call)
    return operand(call, 0).shape.map((_, axis) => [axis === time ? 'mixed' : axis, axis === batch ? 0 : 'broadcast'])
  },
  linearIn: () => [0],
}

const trilu: Op = {
  name: 'Trilu',
  domain: '',
  sinceOpset: 14,
  attributes: { upper: { kind: 'int', default: 1 } },
  infer: (call) => [operandOfRank(call, 0, 2, true)],
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const shift = optional(call, 1) ? (inputs[1]?.data[0] ?? 0) : 0
    const upper = getInt(call.attributes, 'upper', 1) !== 0
    const [rows, columns] = x.shape.slice(-2) as [number, number]
    const data = x.data.map((v, i) => {
      const distance = (i % columns) - (Math.floor(i / columns) % rows)
      return (upper ? distance >= shift : distance <= shift) ? v : 0
    })
    return [{ ...x, data }]
  },
  laws: ['idempotent'],
  axes: (call) => ownAxes(call, (axis) => axis >= operand(call, 0).shape.length - 2),
  linearIn: () => [0],
}

export const layoutMove: readonly Op[] = [transpose, expand, tile, depthToSpace, spaceToDepth, reverseSequence, trilu]
