// Operators that read the same elements in the same order under another shape: Reshape, Flatten, Squeeze, Unsqueeze; and
// those that tell a shape: Shape, Size.

import type { Attributes } from '../attribute.ts'
import { getInt, getInts, ints } from '../attribute.ts'
import { type Dim, dimEquals, exactDiv, floorDivDims, mulDims } from '../dim.ts'
import type { AttributeSpec, Call, Op } from '../op.ts'
import { type ConcreteShape, elementCountDim, isConcrete, type Shape, shapeText } from '../shape.ts'
import type { TensorType } from '../tensor.ts'
import { withContents } from './define.ts'
import {
  type ListParameter,
  normalizeAxes,
  ofFirst,
  readList,
  readNumbers,
  reshapeSources,
  sameContents,
} from './layout.ts'
import { arrayOf, normalizeAxis, operand, reject, workOf } from './operands.ts'

interface Relabelling {
  readonly name: string
  readonly attributes: Readonly<Record<string, AttributeSpec>>
  readonly torch?: string
  /** Shape of the result, or null where its rank is not known. */
  shapeOf(call: Call): Shape | null
  /** As `resize` of an Op record; absent: attributes stay. */
  resize?(call: Call, axis: number, size: Dim): Attributes | null
}

function relabelling(r: Relabelling): Op {
  const typeOf = (call: Call): TensorType | null => {
    const x = operand(call, 0)
    const shape = r.shapeOf(call)
    return shape && { dtype: x.dtype, shape }
  }
  return {
    name: r.name,
    domain: '',
    sinceOpset: 1,
    attributes: r.attributes,
    ...(r.torch && { torch: { target: r.torch } }),
    infer: (call) => [typeOf(call)],
    inferContents: (call) => [sameContents(call, typeOf(call))],
    evaluate: (call, inputs) => {
      const shape = r.shapeOf(withContents(call, inputs))
      return [{ ...arrayOf(call, inputs, 0), shape: (shape ?? reject(call, 'a shape', 'none')) as ConcreteShape }]
    },
    work: (call) => ({ ...workOf(call, [null], 0), bytesRead: 0, weightBytes: 0 }),
    axes: (call) => {
      const shape = r.shapeOf(call)
      return shape && reshapeSources(operand(call, 0).shape, shape).map((source) => ofFirst(call, source))
    },
    linearIn: () => [0],
    ...(r.resize && { resize: r.resize }),
  }
}

const TARGET: ListParameter = { attribute: 'shape', index: 1, inputSince: 5 }

/** 0 copies the input's dimension (unless allowzero), -1 takes what is left. */
function reshapeTo(call: Call): Shape | null {
  const x = operand(call, 0).shape
  const target = readList(call, TARGET)
  if (target === undefined) reject(call, 'a target shape', 'none')
  if (target === null) return call.inputs[1]?.shape[0] === 1 ? [elementCountDim(x)] : null
  const copies = getInt(call.attributes, 'allowzero', 0) === 0
  const sizes = target.map((d, i) =>
    d === 0 && copies ? (x[i] ?? reject(call, 'a dimension to copy', `target [${i}] of ${shapeText(x)}`)) : d,
  )
  if (sizes.some((d) => typeof d === 'number' && d < -1) || sizes.filter((d) => d === -1).length > 1)
    reject(call, 'sizes of at least 0 and at most one -1', shapeText(target))
  return fillIn(call, x, sizes)
}

function fillIn(call: Call, x: Shape, sizes: Shape): Shape {
  const total = elementCountDim(x)
  const known = sizes.filter((d) => d !== -1).reduce<Dim>(mulDims, 1)
  const open = sizes.includes(-1)
  const bothNumbers = typeof total === 'number' && typeof known === 'number'
  const fits = open ? known !== 0 && exactDiv(total, known) !== null : dimEquals(total, known)
  if (bothNumbers && !fits) reject(call, `${total} elements`, shapeText(sizes))
  if (!open) return sizes
  const rest = quotient(
    x,
    sizes.filter((d) => d !== -1),
  )
  return sizes.map((d) => (d === -1 ? rest : d))
}

/** Product of `x` over product of `y`, equal factors cancelled first: exact in every valid graph. */
function quotient(x: Shape, y: Shape): Dim {
  const above = [...x]
  const below = y.filter((d) => {
    const at = above.findIndex((a) => dimEquals(a, d))
    if (at >= 0) above.splice(at, 1)
    return at < 0
  })
  return floorDivDims(elementCountDim(above), elementCountDim(below))
}

const reshape = relabelling({
  name: 'Reshape',
  attributes: { allowzero: { kind: 'int', default: 0 }, shape: { kind: 'ints' } },
  torch: 'torch.reshape',
  shapeOf: reshapeTo,
  resize: resizeReshape,
})

/** A size that the target copies or leaves open follows the input; one that is written out in an attribute is written again. */
function resizeReshape(call: Call, axis: number, size: Dim): Attributes | null {
  const target = readList(call, TARGET)
  if (!target) return null
  const copies = (entry: Dim | undefined) => entry === 0 && getInt(call.attributes, 'allowzero', 0) === 0
  const source = reshapeSources(operand(call, 0).shape, reshapeTo(call)!)[axis]
  if (target.some((entry, i) => i !== axis && i === source && copies(entry))) return null
  if (target[axis] === -1 || (copies(target[axis]) && source === axis)) return call.attributes
  if (call.opset >= TARGET.inputSince || typeof size !== 'number') return null
  return { ...call.attributes, shape: ints(target.map((d, i) => (i === axis ? size : Number(d)))) }
}

const flatten = relabelling({
  name: 'Flatten',
  attributes: { axis: { kind: 'int', default: 1 } },
  shapeOf: (call) => {
    const x = operand(call, 0).shape
    const at = getInt(call.attributes, 'axis', 1)
    if (at < -x.length || at > x.length) reject(call, `an axis in [-${x.length}, ${x.length}]`, String(at))
    const axis = at < 0 ? at + x.length : at
    return [elementCountDim(x.slice(0, axis)), elementCountDim(x.slice(axis))]
  },
})

const AXES: ListParameter = { attribute: 'axes', index: 1, inputSince: 13 }

/** Without axes every dimension of size 1 goes; the rank is not known then if one is symbolic. */
function squeezedShape(call: Call): Shape | null {
  const x = operand(call, 0).shape
  const given = readNumbers(call, AXES)
  if (given === null) return null
  if (given === undefined) return isConcrete(x) ? x.filter((d) => d !== 1) : null
  const axes = normalizeAxes(call, given, x.length)
  for (const a of axes) if (typeof x[a] === 'number' && x[a] !== 1) reject(call, `size 1 along axis ${a}`, shapeText(x))
  return x.filter((_, i) => !axes.includes(i))
}

const squeeze = relabelling({
  name: 'Squeeze',
  attributes: { axes: { kind: 'ints' } },
  torch: 'torch.squeeze',
  shapeOf: squeezedShape,
  resize: (call, _, size) =>
    readList(call, AXES) === undefined && (size === 1 || typeof size !== 'number') ? null : call.attributes,
})

const unsqueeze = relabelling({
  name: 'Unsqueeze',
  attributes: { axes: { kind: 'ints' } },
  torch: 'torch.unsqueeze',
  shapeOf: (call) => {
    const x = operand(call, 0).shape
    const given = readNumbers(call, AXES)
    if (given === undefined) reject(call, 'axes', 'none')
    if (given === null) return null
    const axes = normalizeAxes(call, given, x.length + given.length)
    const rest = [...x]
    return Array.from({ length: x.length + axes.length }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!))
  },
})

const shapeRange = (call: Call): Shape => {
  const x = operand(call, 0).shape
  return x.slice(getInt(call.attributes, 'start', 0), getInt(call.attributes, 'end', x.length))
}

const shape: Op = {
  name: 'Shape',
  domain: '',
  sinceOpset: 1,
  attributes: { start: { kind: 'int', default: 0 }, end: { kind: 'int' } },
  torch: { target: '.size' },
  infer: (call) => [{ dtype: 'int64', shape: [shapeRange(call).length] }],
  inferContents: (call) => [shapeRange(call)],
  evaluate: (call) => {
    const sizes = shapeRange(call) as ConcreteShape
    return [{ dtype: 'int64', shape: [sizes.length], data: Float64Array.from(sizes) }]
  },
  work: (call) => ({ ...workOf(call, [null], 0), bytesRead: 0, weightBytes: 0 }),
}

const size: Op = {
  name: 'Size',
  domain: '',
  sinceOpset: 1,
  attributes: {},
  torch: { target: '.numel' },
  infer: () => [{ dtype: 'int64', shape: [] }],
  inferContents: (call) => [[elementCountDim(operand(call, 0).shape)]],
  evaluate: (call) => [
    { dtype: 'int64', shape: [], data: Float64Array.of(Number(elementCountDim(operand(call, 0).shape))) },
  ],
  work: (call) => ({ ...workOf(call, [null], 0), bytesRead: 0, weightBytes: 0 }),
}

export const layoutReshape: readonly Op[] = [reshape, flatten, squeeze, unsqueeze, shape, size]

/** Axis attribute of a call, counted from 0. */
export const axisAttribute = (call: Call, otherwise: number, rank: number): number =>
  normalizeAxis(call, getInt(call.attributes, 'axis', otherwise), rank)

/** Permutation of a Transpose. */
export const permutationOf = (call: Call, rank: number): readonly number[] =>
  getInts(call.attributes, 'perm', null) ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
