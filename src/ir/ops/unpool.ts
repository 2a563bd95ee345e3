// The inverses of pooling and of im2col: values go back to where they came from. Sources: ONNX MaxUnpool-11, Col2Im-18.
import { UnsupportedError } from '../../base/errors.ts'
import { getInts } from '../attribute.ts'
import { addDims, type Dim, floorDivDims, mulDims, subDims } from '../dim.ts'
import type { Call, ConcreteCall, Op } from '../op.ts'
import { type ConcreteShape, elementCount, type Shape, shapeEquals } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { contentsOf } from './contents.ts'
import { withContents } from './define.ts'
import { arrayOf, concrete, equalShare, operand, operandOfRank, optional, reject } from './operands.ts'
import { windowOf, windowTaps } from './window.ts'

/** The size that the pool had come from, or (input 2) the size that is asked for. */
function unpooledShape(call: Call): Shape {
  const { shape } = operandOfRank(call, 0, 3, true)
  const rank = shape.length - 2
  const kernel = getInts(call.attributes, 'kernel_shape', null) ?? reject(call, 'kernel_shape', 'none')
  const strides = getInts(call.attributes, 'strides', null) ?? new Array<number>(rank).fill(1)
  const pads = getInts(call.attributes, 'pads', null) ?? new Array<number>(2 * rank).fill(0)
  if (kernel.length !== rank || strides.length !== rank || pads.length !== 2 * rank)
    reject(call, `kernel_shape, strides and pads for ${rank} spatial axes`, `[${kernel}], [${strides}], [${pads}]`)
  const spatial = shape
    .slice(2)
    .map((d, i) => addDims(mulDims(subDims(d, 1), strides[i]!), kernel[i]! - pads[i]! - pads[i + rank]!))
  return [...shape.slice(0, 2), ...spatial]
}

function unpoolTypes(call: Call): (TensorType | null)[] {
  const asked = optional(call, 2) ? contentsOf(call, 2) : unpooledShape(call)
  return [asked && { dtype: operand(call, 0).dtype, shape: asked }]
}

function evaluateUnpool(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const [x, indices] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
  const type = unpoolTypes(withContents(call, inputs))[0]
  if (!type) return reject(call, 'an output shape', 'none')
  // ONNX counts the indices in the shape that was pooled, ONNX Runtime in the one that is asked for.
  if (!shapeEquals(type.shape, unpooledShape(call))) throw new UnsupportedError('evaluating MaxUnpool to another shape')
  const data = new Float64Array(elementCount(concrete(type)))
  x.data.forEach((v, i) => {
    data[indices.data[i]!] = v
  })
  return [{ dtype: x.dtype, shape: concrete(type), data }]
}

const maxUnpool: Op = {
  name: 'MaxUnpool',
  domain: '',
  sinceOpset: 9,
  attributes: { kernel_shape: { kind: 'ints' }, pads: { kind: 'ints' }, strides: { kind: 'ints' } },
  infer: unpoolTypes,
  evaluate: evaluateUnpool,
  linearIn: () => [0],
}

/** input: [batch, channels * taps, positions], image and block shapes as values -> [batch, channels, ...image]. */
function col2imTypes(call: Call): (TensorType | null)[] {
  const { dtype, shape } = operandOfRank(call, 0, 3)
  const [image, block] = [contentsOf(call, 1), contentsOf(call, 2)]
  if (!image || !block) return [null]
  const taps = block.reduce<Dim>(mulDims, 1)
  const channels = typeof taps === 'number' ? equalShare(call, shape[1]!, taps) : floorDivDims(shape[1]!, taps)
  return [{ dtype, shape: [shape[0]!, channels, ...image] }]
}

function evaluateCol2im(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const x = arrayOf(call, inputs, 0)
  const known = withContents(call, inputs)
  const type = col2imTypes(known)[0]
  const block = contentsOf(known, 2) as ConcreteShape | null
  if (!type || !block) return reject(call, 'image and block shapes', 'none')
  const shape = concrete(type)
  const spatial = shape.slice(2)
  const window = windowOf(call, block)
  const out = spatial.map((size, axis) => {
    const extent = (block[axis]! - 1) * window.dilations[axis]! + 1
    return Math.floor((size + window.begin[axis]! + window.end[axis]! - extent) / window.strides[axis]!) + 1
  })
  const { offsets } = windowTaps({ ...window, spatial, kernel: block, out })
  const area = elementCount(spatial)
  const data = new Float64Array(elementCount(shape))
  x.data.forEach((v, i) => {
    const tap = offsets[i % offsets.length]!
    if (tap >= 0) data[Math.floor(i / offsets.length) * area + tap]! += v
  })
  return [{ dtype: x.dtype, shape, data }]
}

const col2im: Op = {
  name: 'Col2Im',
  domain: '',
  sinceOpset: 18,
  attributes: { dilations: { kind: 'ints' }, pads: { kind: 'ints' }, strides: { kind: 'ints' } },
  infer: col2imTypes,
  evaluate: evaluateCol2im,
  linearIn: () => [0],
}

export const unpoolOps: readonly Op[] = [maxUnpool, col2im]
