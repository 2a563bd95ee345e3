// DeformConv: a convolution whose taps are shifted by an offset of their own and weighted by a mask. Linear in X and in W where
// there is no bias. Evaluated as im2col with bilinear sampling. Source: ONNX DeformConv-19.
import { getInt } from '../attribute.ts'
import { bilinear } from '../kernels/bilinear.ts'
import { matmulInto } from '../kernels/matmul.ts'
import type { Call, ConcreteCall, Op } from '../op.ts'
import { elementCount } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { addChannels, convAttributes } from './conv.ts'
import { arrayOf, concrete, operand, operandOfRank, optional, unify, workOf } from './operands.ts'
import { windowOf } from './window.ts'

/** X: [batch, c, h, w], W: [m, c / group, kh, kw], offset: [batch, ., oh, ow] -> [batch, m, oh, ow]. */
function deformTypes(call: Call): TensorType[] {
  const { dtype, shape } = operandOfRank(call, 0, 4)
  const offset = operandOfRank(call, 2, 4).shape
  return [
    {
      dtype,
      shape: [
        unify(call, shape[0]!, offset[0]!, 'batch sizes'),
        operandOfRank(call, 1, 4).shape[0]!,
        offset[2]!,
        offset[3]!,
      ],
    },
  ]
}

/** Value under tap k of channel c of sample n at output position o. */
type Sample = (n: number, c: number, k: number, o: number) => number

function sampleOf(call: ConcreteCall, inputs: readonly (NdArray | null)[]): Sample {
  const [x, w, offset] = [0, 1, 2].map((i) => arrayOf(call, inputs, i)) as [NdArray, NdArray, NdArray]
  const [, channels, height, width] = x.shape as [number, number, number, number]
  const [kernelHeight, kernelWidth] = w.shape.slice(2) as [number, number]
  const [outHeight, outWidth] = offset.shape.slice(2) as [number, number]
  const [taps, area] = [kernelHeight * kernelWidth, outHeight * outWidth]
  const offsetGroups = getInt(call.attributes, 'offset_group', 1)
  const window = windowOf(call, w.shape.slice(2))
  return (n, c, k, o) => {
    const tap = (n * offsetGroups + Math.floor(c / (channels / offsetGroups))) * taps + k
    const at = (axis: 0 | 1, position: number, kernelAt: number) => {
      const regular = position * window.strides[axis]! - window.begin[axis]! + kernelAt * window.dilations[axis]!
      return regular + offset.data[(tap * 2 + axis) * area + o]!
    }
    const y = at(0, Math.floor(o / outWidth), Math.floor(k / kernelWidth))
    const column = at(1, o % outWidth, k % kernelWidth)
    const plane = (n * channels + c) * height * width
    const value = bilinear(y, column, height, width).reduce((sum, t) => sum + t.weight * x.data[plane + t.at]!, 0)
    return value * (inputs[4]?.data[tap * area + o] ?? 1)
  }
}

function evaluateDeform(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const [x, w] = [arrayOf(call, inputs, 0), arrayOf(call, inputs, 1)]
  const shape = concrete(deformTypes(call)[0])
  const sample = sampleOf(call, inputs)
  const group = getInt(call.attributes, 'group', 1)
  const [perGroup, outPerGroup] = [w.shape[1]!, shape[1]! / group]
  const [taps, area] = [w.shape[2]! * w.shape[3]!, shape[2]! * shape[3]!]
  const inner = perGroup * taps
  const data = new Float64Array(elementCount(shape))
  const columns = new Float64Array(inner * area)
  for (let block = 0; block < shape[0]! * group; block++) {
    const [n, g] = [Math.floor(block / group), block % group]
    for (let i = 0; i < columns.length; i++) {
      const row = Math.floor(i / area)
      columns[i] = sample(n, g * perGroup + Math.floor(row / taps), row % taps, i % area)
    }
    matmulInto(data, w.data, columns, outPerGroup, inner, area, {
      a: g * outPerGroup * inner,
      b: 0,
      out: block * outPerGroup * area,
    })
  }
  if (inputs[3]) addChannels(data, inputs[3].data, area)
  return [{ dtype: x.dtype, shape, data }]
}

const deformConv: Op = {
  name: 'DeformConv',
  domain: '',
  sinceOpset: 19,
  attributes: { ...convAttributes, offset_group: { kind: 'int', default: 1 } },
  infer: deformTypes,
  evaluate: evaluateDeform,
  linearIn: (call) => (optional(call, 3) ? [] : [0, 1]),
  work: (call) => {
    const taps = elementCount(concrete(operand(call, 1)).slice(1))
    const out = elementCount(concrete(deformTypes(call)[0]))
    // Four neighbours are blended for every tap of the input, once for all output channels.
    const blends = 8 * taps * (out / concrete(operand(call, 1))[0]!)
    return workOf(call, deformTypes(call), 2 * taps * out + blends)
  },
}

export const deformConvOps: readonly Op[] = [deformConv]
