// What moves elements without computing.
import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getInt, getText } from '../../ir/attribute.ts'
import type { Node } from '../../ir/graph.ts'
import { elementCount } from '../../ir/shape.ts'
import { type Tensor, tensor, toNdArray } from '../../ir/tensor.ts'
import { type FxArg, list, literal, NONE, str, tuple } from '../fx-graph.ts'
import { bool, type Emit, type Emits, type Emitter, integer, integers, numberText, where } from './emitter.ts'

const F = 'torch.nn.functional.'
const fromFront = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis)
const WHOLE: FxArg = { kind: 'slice', start: NONE, stop: NONE, step: NONE }

/** Reshape, Flatten: to the sizes that inference found. */
const reshape: Emit = (e, n) => e.method('reshape', [e.tensor(n, 0), ...e.outputShape(n).map(integer)])

const squeeze: Emit = (e, n) => {
  const shape = e.shape(n, 0)
  const given = e.ints(n, 1, 'axes')
  const axes = given ? given.map((d) => fromFront(d, shape.length)) : shape.flatMap((s, d) => (s === 1 ? [d] : []))
  return axes.length === 1 ? e.call('torch.squeeze', [e.tensor(n, 0), integer(axes[0]!)]) : reshape(e, n)
}

const unsqueeze: Emit = (e, n) => {
  const axes = (e.ints(n, 1, 'axes') ?? []).map((d) => fromFront(d, e.outputShape(n).length))
  return axes.length === 1 ? e.call('torch.unsqueeze', [e.tensor(n, 0), integer(axes[0]!)]) : reshape(e, n)
}

const transpose: Emit = (e, n) => {
  const rank = e.rank(n, 0)
  const perm = e.ints(n, -1, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
  return e.method('permute', [e.tensor(n, 0), ...perm.map(integer)])
}

const concat: Emit = (e, n) => {
  const axis = e.axis(n, e.rank(n, 0))
  return e.call('torch.cat', [list(n.inputs.map((_, i) => e.tensor(n, i)))], [['dim', integer(axis)]])
}

const split: Emit = (e, n) => {
  const axis = e.axis(n, e.rank(n, 0))
  const sizes = n.outputs.map((_, i) => e.outputShape(n, i)[axis]!)
  const parts = e.inner(() => e.call('torch.split', [e.tensor(n, 0), integers(sizes)], [['dim', integer(axis)]]))
  return n.outputs.map((_, i) => {
    const take = () => e.call('operator.getitem', [parts, integer(i)])
    return i === 0 ? take() : e.inner(take)
  })
}

interface Cut {
  readonly axis: number
  readonly start: number
  readonly end: number
  readonly step: number
}

function cutsOf(e: Emitter, n: Node): Cut[] {
  const shape = e.shape(n, 0)
  const starts = e.ints(n, 1, 'starts') ?? []
  const ends = e.ints(n, 2, 'ends') ?? []
  const axes = e.ints(n, 3, 'axes') ?? starts.map((_, i) => i)
  const steps = e.ints(n, 4, 'steps')
  return starts.map((start, i) => {
    const axis = fromFront(axes[i]!, shape.length)
    const clamped = (at: number) => Math.min(shape[axis]!, Math.max(0, at < 0 ? at + shape[axis]! : at))
    return { axis, start: clamped(start), end: clamped(ends[i]!), step: steps?.[i] ?? 1 }
  })
}

const slice: Emit = (e, n) => {
  const cuts = cutsOf(e, n)
  if (cuts.some((c) => c.step < 1)) throw new UnsupportedError(`${where(n)} with a negative step, in PyTorch`)
  const shape = e.shape(n, 0)
  const last = Math.max(...cuts.map((c) => c.axis))
  const index = Array.from({ length: last + 1 }, (_, axis): FxArg => {
    const cut = cuts.find((c) => c.axis === axis)
    if (!cut) return WHOLE
    const stop = cut.end >= shape[axis]! ? NONE : integer(cut.end)
    return {
      kind: 'slice',
      start: cut.start === 0 ? NONE : integer(cut.start),
      stop,
      step: cut.step === 1 ? NONE : integer(cut.step),
    }
  })
  return e.call('operator.getitem', [e.tensor(n, 0), tuple(index)])
}

const gather: Emit = (e, n) => {
  const axis = e.axis(n, e.rank(n, 0))
  const constant = e.constant(n, 1)
  if (constant?.shape.length === 0)
    return e.call('torch.select', [e.tensor(n, 0), integer(axis), integer(toNdArray(constant).data[0]!)])
  const before = new Array<FxArg>(axis).fill(WHOLE)
  return e.call('operator.getitem', [e.tensor(n, 0), axis === 0 ? e.tensor(n, 1) : tuple([...before, e.tensor(n, 1)])])
}

/** torch lists the last axis first. */
export function torchPads(begins: readonly number[], ends: readonly number[]): FxArg {
  return integers(begins.flatMap((_, i) => [begins[begins.length - 1 - i]!, ends[ends.length - 1 - i]!]))
}

const pad: Emit = (e, n) => {
  const mode = getText(n.attributes, 'mode', 'constant')
  if (mode !== 'constant' || e.has(n, 3))
    throw new UnsupportedError(`${where(n)} with mode ${mode}${e.has(n, 3) ? ' and axes' : ''}, in PyTorch`)
  const pads = e.ints(n, 1, 'pads') ?? []
  const half = pads.length / 2
  const value = e.has(n, 2) ? e.operand(n, 2) : numberText(getFloat(n.attributes, 'value', 0), 'float32')
  return e.call(`${F}pad`, [e.tensor(n, 0), torchPads(pads.slice(0, half), pads.slice(half))], [['value', value]])
}

/** The variants of Resize that torch's interpolate computes in the same way. */
function resizeMode(e: Emitter, n: Node): { mode: string; corners: boolean | null } | null {
  const mode = getText(n.attributes, 'mode', 'nearest')
  const coordinates = getText(n.attributes, 'coordinate_transformation_mode', 'half_pixel')
  const spatial = e.rank(n, 0) - 2
  if (mode === 'nearest') {
    return coordinates === 'asymmetric' && getText(n.attributes, 'nearest_mode', 'round_prefer_floor') === 'floor'
      ? { mode, corners: null }
      : null
  }
  const name = { linear: ['linear', 'bilinear', 'trilinear'], cubic: ['', 'bicubic', ''] }[mode]?.[spatial - 1]
  if (!name || (mode === 'cubic' && getFloat(n.attributes, 'cubic_coeff_a', -0.75) !== -0.75)) return null
  if (coordinates === 'align_corners') return { mode: name, corners: true }
  return coordinates === 'half_pixel' || coordinates === 'pytorch_half_pixel' ? { mode: name, corners: false } : null
}

const resize: Emit = (e, n) => {
  const found = resizeMode(e, n)
  const [before, after] = [e.shape(n, 0), e.outputShape(n)]
  if (!found || before[0] !== after[0] || before[1] !== after[1])
    throw new UnsupportedError(`${where(n)} in this mode, in PyTorch`)
  const corners = found.corners === null ? [] : ([['align_corners', bool(found.corners)]] as const)
  return e.call(
    `${F}interpolate`,
    [e.tensor(n, 0)],
    [['size', integers(after.slice(2))], ['mode', str(found.mode)], ...corners],
  )
}

const shapeOf: Emit = (e, n) => {
  const shape = e.shape(n, 0).slice(getInt(n.attributes, 'start', 0), getInt(n.attributes, 'end', e.rank(n, 0)))
  return e.buffer(tensor('int64', [shape.length], shape), 'shape')
}

const constantOfShape: Emit = (e, n) => {
  const shape = e.outputShape(n)
  const value = n.attributes.value
  const filling = value?.kind === 'tensor' ? toNdArray(value.value) : { dtype: 'float32' as const, data: [0] }
  return e.call(
    'torch.full',
    [integers(shape), numberText(filling.data[0]!, filling.dtype)],
    [['dtype', literal(`torch.${filling.dtype}`)]],
  )
}

const depthToSpace: Emit = (e, n) => {
  const mode = getText(n.attributes, 'mode', 'DCR')
  if (mode !== 'CRD') throw new UnsupportedError(`${where(n)} in mode ${mode}, in PyTorch`)
  return e.call(`${F}pixel_shuffle`, [e.tensor(n, 0), integer(getInt(n.attributes, 'blocksize', 1))])
}

/** By comparison with every index, from either end; ids out of range give a row of "off", as ONNX wants. */
const oneHot: Emit = (e, n) => {
  const depth = e.ints(n, 1)?.[0]
  const values = e.constant(n, 2)
  if (depth === undefined || !values)
    throw new UnsupportedError(`${where(n)} with values computed at run time, in PyTorch`)
  const rank = e.rank(n, 0)
  const axis = getInt(n.attributes, 'axis', -1)
  const { data } = toNdArray(values)
  const mask = e.inner(() => {
    const ids = e.call('torch.unsqueeze', [e.tensor(n, 0), integer(axis < 0 ? axis + rank + 1 : axis)])
    const equals = (from: number) =>
      e.call('operator.eq', [ids, e.buffer(indices(depth, from, rank - fromFront(axis, rank + 1)), 'indices')])
    return e.call('torch.logical_or', [equals(0), equals(-depth)])
  })
  const [off, on] = [0, 1].map((i) => e.buffer(tensor(values.dtype, [], [data[i]!]), i === 0 ? 'off' : 'on')) as [
    FxArg,
    FxArg,
  ]
  return e.call('torch.where', [mask, on, off])
}

/** `from`, `from + 1`, .. as a column before `trailing` axes of size 1. */
function indices(depth: number, from: number, trailing: number): Tensor {
  const values = Array.from({ length: depth }, (_, i) => from + i)
  return tensor('int64', [depth, ...new Array<number>(trailing).fill(1)], values)
}

export const shapeEmits: Emits = {
  OneHot: oneHot,
  Size: (e, n) => e.buffer(tensor('int64', [], [elementCount(e.shape(n, 0))]), 'size'),
  DepthToSpace: depthToSpace,
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherElements: (e, n) => e.call('torch.gather', [e.tensor(n, 0), integer(e.axis(n, e.rank(n, 0))), e.tensor(n, 1)]),
  Expand: (e, n) => e.method('expand', [e.tensor(n, 0), ...e.outputShape(n).map(integer)]),
  Tile: (e, n) => e.method('repeat', [e.tensor(n, 0), ...(e.ints(n, 1) ?? []).map(integer)]),
  Pad: pad,
  Resize: resize,
  Shape: shapeOf,
  ConstantOfShape: constantOfShape,
  Trilu: (e, n) => {
    const diagonal = e.has(n, 1) ? e.operand(n, 1) : literal('0')
    return e.call(getInt(n.attributes, 'upper', 1) === 1 ? 'torch.triu' : 'torch.tril', [e.tensor(n, 0), diagonal])
  },
}
