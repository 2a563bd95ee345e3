// Operators that make tensors: Constant, ConstantOfShape, Range, EyeLike, OneHot, NonZero; and the random ones, which are
// typed but never computed, folded or moved.
import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getFloats, getInt, getInts } from '../attribute.ts'
import { addDims, ceilDivDims, type Dim, maxDims, mulDims, subDims } from '../dim.ts'
import { type DType, dtypeFromOnnx, isFloat } from '../dtype.ts'
import type { AttributeSpec, AxisSource, Call, Op } from '../op.ts'
import { elementCount, type Shape } from '../shape.ts'
import { integersOf, type NdArray, type Tensor, type TensorType, tensor, toNdArray } from '../tensor.ts'
import { CONTENTS_LIMIT, contentsOf } from './contents.ts'
import { storeAs } from './define.ts'
import { arrayOf, normalizeAxis, operand, reject } from './operands.ts'

/** The tensor that a Constant node holds, or null: strings, sparse tensors. */
function constantTensor(call: Call): Tensor | null {
  const a = call.attributes
  if (a.value?.kind === 'tensor') return a.value.value
  const [int, ints] = [getInt(a, 'value_int', null), getInts(a, 'value_ints', null)]
  const [float, floats] = [getFloat(a, 'value_float', null), getFloats(a, 'value_floats', null)]
  if (int !== null) return tensor('int64', [], [int])
  if (ints !== null) return tensor('int64', [ints.length], ints)
  if (float !== null) return tensor('float32', [], [float])
  return floats && tensor('float32', [floats.length], floats)
}

const constant: Op = {
  name: 'Constant',
  domain: '',
  sinceOpset: 1,
  attributes: {
    value: { kind: 'tensor' },
    value_int: { kind: 'int' },
    value_ints: { kind: 'ints' },
    value_float: { kind: 'float' },
    value_floats: { kind: 'floats' },
    value_string: { kind: 'string' },
    value_strings: { kind: 'strings' },
  },
  torch: { target: 'torch.tensor' },
  infer: (call) => {
    const t = constantTensor(call)
    return [t && { dtype: t.dtype, shape: t.shape }]
  },
  inferContents: (call) => {
    const t = constantTensor(call)
    return [t && t.shape.length <= 1 && elementCount(t.shape) <= CONTENTS_LIMIT ? integersOf(t) : null]
  },
  evaluate: (call) => {
    const t = constantTensor(call)
    if (!t) throw new UnsupportedError('Constant that holds strings or a sparse tensor')
    return [toNdArray(t)]
  },
}

function fillOf(call: Call): NdArray {
  const value = call.attributes.value
  return value?.kind === 'tensor' ? toNdArray(value.value) : { dtype: 'float32', shape: [1], data: Float64Array.of(0) }
}

const fillDtype = (call: Call): DType =>
  call.attributes.value?.kind === 'tensor' ? call.attributes.value.value.dtype : 'float32'

const constantOfShape: Op = {
  name: 'ConstantOfShape',
  domain: '',
  sinceOpset: 9,
  attributes: { value: { kind: 'tensor' } },
  torch: { target: 'torch.full' },
  infer: (call) => {
    const shape = contentsOf(call, 0)
    return [shape && { dtype: fillDtype(call), shape }]
  },
  inferContents: (call) => {
    const shape = contentsOf(call, 0)
    const count = shape && shape.length <= 1 ? (shape[0] ?? 1) : null
    if (typeof count !== 'number' || count < 0 || count > CONTENTS_LIMIT || isFloat(fillDtype(call))) return [null]
    return [new Array<Dim>(count).fill(fillOf(call).data[0]!)]
  },
  evaluate: (call, inputs) => {
    const shape = Array.from(arrayOf(call, inputs, 0).data)
    const fill = fillOf(call)
    return [{ dtype: fill.dtype, shape, data: new Float64Array(elementCount(shape)).fill(fill.data[0]!) }]
  },
}

/** Numbers of a Range, or null where one is symbolic or unknown. */
function rangeOf(call: Call): readonly [Dim, Dim, Dim] | null {
  const [start, limit, delta] = [0, 1, 2].map((i) => contentsOf(call, i)?.[0] ?? null)
  return start == null || limit == null || delta == null ? null : [start, limit, delta]
}

/** max(0, ceil((limit - start) / delta)). */
function rangeLength(call: Call): Dim | null {
  const range = rangeOf(call)
  if (!range) return fractionalLength(call)
  const [start, limit, delta] = range
  if (typeof delta !== 'number') return null
  if (delta === 0) reject(call, 'a step other than 0', '0')
  const span = delta > 0 ? subDims(limit, start) : subDims(start, limit)
  return maxDims(ceilDivDims(span, Math.abs(delta)), 0)
}

/** Length of a range of constants that are not whole numbers. */
function fractionalLength(call: Call): number | null {
  const constants = [0, 1, 2].map((i) => call.constants[i])
  if (constants.some((c) => c == null)) return null
  const [start, limit, delta] = constants.map((c) => toNdArray(c!).data[0]!) as [number, number, number]
  return Math.max(0, Math.ceil((limit - start) / delta))
}

const range: Op = {
  name: 'Range',
  domain: '',
  sinceOpset: 11,
  attributes: { stash_type: { kind: 'int', default: 1 } },
  torch: { target: 'torch.arange' },
  infer: (call) => {
    const length = rangeLength(call)
    return [length === null ? null : { dtype: operand(call, 0).dtype, shape: [length] }]
  },
  inferContents: (call) => {
    const [values, length] = [rangeOf(call), rangeLength(call)]
    if (!values || typeof length !== 'number' || length > CONTENTS_LIMIT) return [null]
    return [Array.from({ length }, (_, i) => addDims(values[0], mulDims(values[2], i)))]
  },
  evaluate: (call, inputs) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => arrayOf(call, inputs, i).data[0]!) as [number, number, number]
    const { dtype } = operand(call, 0)
    const length = Math.max(0, Math.ceil((limit - start) / delta))
    return [
      { dtype, shape: [length], data: Float64Array.from({ length }, (_, i) => storeAs(dtype, start + i * delta)) },
    ]
  },
}

/** The dtype that an attribute names, or else that of input 0. */
function dtypeAttribute(call: Call, otherwise: DType): DType {
  const code = getInt(call.attributes, 'dtype', null)
  if (code === null) return otherwise
  return dtypeFromOnnx(code) ?? reject(call, 'the number of a dtype', String(code))
}

const DTYPE: AttributeSpec = { kind: 'int' }

const eyeLike: Op = {
  name: 'EyeLike',
  domain: '',
  sinceOpset: 9,
  attributes: { dtype: DTYPE, k: { kind: 'int', default: 0 } },
  infer: (call) => [{ dtype: dtypeAttribute(call, operand(call, 0).dtype), shape: operand(call, 0).shape }],
  evaluate: (call) => {
    const [rows, columns] = operand(call, 0).shape as [number, number]
    const k = getInt(call.attributes, 'k', 0)
    const data = Float64Array.from({ length: rows * columns }, (_, i) =>
      (i % columns) - Math.floor(i / columns) === k ? 1 : 0,
    )
    return [{ dtype: dtypeAttribute(call, operand(call, 0).dtype), shape: [rows, columns], data }]
  },
}

const oneHotAxis = (call: Call): number =>
  normalizeAxis(call, getInt(call.attributes, 'axis', -1), operand(call, 0).shape.length + 1)

function oneHotShape(call: Call): Shape | null {
  const depth = contentsOf(call, 1)?.[0]
  const shape = operand(call, 0).shape
  const axis = oneHotAxis(call)
  return depth === undefined ? null : [...shape.slice(0, axis), depth, ...shape.slice(axis)]
}

/** on where the coordinate is the index, else off; an index out of range is off everywhere. values = [off, on]. */
const oneHot: Op = {
  name: 'OneHot',
  domain: '',
  sinceOpset: 9,
  attributes: { axis: { kind: 'int', default: -1 } },
  torch: { target: 'torch.nn.functional.one_hot' },
  infer: (call) => {
    const shape = oneHotShape(call)
    return [shape && { dtype: operand(call, 2).dtype, shape }]
  },
  evaluate: (call, inputs) => {
    const [at, values] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 2)]
    const depth = Math.trunc(arrayOf(call, inputs, 1).data[0]!)
    const axis = oneHotAxis(call)
    const shape = [...at.shape.slice(0, axis), depth, ...at.shape.slice(axis)]
    const inner = elementCount(at.shape.slice(axis))
    const data = new Float64Array(elementCount(shape)).fill(values.data[0]!)
    at.data.forEach((index, i) => {
      const row = index < 0 ? index + depth : index
      if (row >= 0 && row < depth) data[(Math.floor(i / inner) * depth + row) * inner + (i % inner)] = values.data[1]!
    })
    return [{ dtype: values.dtype, shape, data }]
  },
  axes: (call) => {
    const axis = oneHotAxis(call)
    const source = (i: number): AxisSource => (i === axis ? 'mixed' : i < axis ? i : i - 1)
    const rank = operand(call, 0).shape.length + 1
    return Array.from({ length: rank }, (_, i) =>
      i === axis ? ['mixed', 'mixed', 'mixed'] : [source(i), 'broadcast', 'broadcast'],
    )
  },
  linearIn: () => [2],
}

/** Coordinates of the elements that are not 0, one column each. */
const nonZero: Op = {
  name: 'NonZero',
  domain: '',
  sinceOpset: 9,
  attributes: {},
  torch: { target: 'torch.nonzero' },
  infer: (call) => {
    const t = call.constants[0]
    if (!t) return [null]
    return [{ dtype: 'int64', shape: [t.shape.length, toNdArray(t).data.filter((v) => v !== 0).length] }]
  },
  evaluate: (call, inputs) => {
    const x = arrayOf(call, inputs, 0)
    const hits = Array.from(x.data.keys()).filter((i) => x.data[i] !== 0)
    const rows = x.shape.map((size, axis) =>
      hits.map((i) => Math.floor(i / elementCount(x.shape.slice(axis + 1))) % size),
    )
    return [{ dtype: 'int64', shape: [x.shape.length, hits.length], data: Float64Array.from(rows.flat()) }]
  },
}

interface RandomSpec {
  readonly since: number
  readonly attributes: readonly string[]
  typeOf(call: Call): TensorType | null
}

function random(name: string, r: RandomSpec): Op {
  const attributes = Object.fromEntries(r.attributes.map((a): [string, AttributeSpec] => [a, { kind: 'float' }]))
  return {
    name,
    domain: '',
    sinceOpset: r.since,
    attributes: { ...attributes, dtype: DTYPE, shape: { kind: 'ints' }, sample_size: { kind: 'int' } },
    deterministic: false,
    infer: (call) => [r.typeOf(call)],
    evaluate: () => {
      throw new UnsupportedError(`values of ${name}: they are random`)
    },
  }
}

const ofShapeAttribute = (call: Call): TensorType => ({
  dtype: dtypeAttribute(call, 'float32'),
  shape: getInts(call.attributes, 'shape', null) ?? reject(call, 'attribute shape', 'none'),
})
const ofInput = (call: Call): TensorType => ({
  dtype: dtypeAttribute(call, operand(call, 0).dtype),
  shape: operand(call, 0).shape,
})
const ofSamples = (call: Call): TensorType => ({
  dtype: dtypeAttribute(call, 'int32'),
  shape: [operand(call, 0).shape[0]!, getInt(call.attributes, 'sample_size', 1)],
})

export const generators: readonly Op[] = [
  constant,
  constantOfShape,
  range,
  eyeLike,
  oneHot,
  nonZero,
  random('RandomNormal', { since: 1, attributes: ['mean', 'scale', 'seed'], typeOf: ofShapeAttribute }),
  random('RandomUniform', { since: 1, attributes: ['low', 'high', 'seed'], typeOf: ofShapeAttribute }),
  random('RandomNormalLike', { since: 1, attributes: ['mean', 'scale', 'seed'], typeOf: ofInput }),
  random('RandomUniformLike', { since: 1, attributes: ['low', 'high', 'seed'], typeOf: ofInput }),
  random('Bernoulli', { since: 15, attributes: ['seed'], typeOf: ofInput }),
  random('Multinomial', { since: 7, attributes: ['seed'], typeOf: ofSamples }),
]
