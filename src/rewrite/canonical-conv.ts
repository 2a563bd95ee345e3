// Canonical form of convolutions: every attribute written out, the bias a sum of its own, and a 1x1 kernel a linear map of the channels.
import type { ClassId } from '../egraph/egraph.ts'
import { type Attributes, getInt, getInts, getText, int, ints, text } from '../ir/attribute.ts'
import { isConcrete } from '../ir/shape.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import type { OnnxOp } from './tensor-op.ts'

interface Call {
  readonly t: TensorEGraph
  readonly op: OnnxOp
  readonly inputs: readonly (ClassId | null)[]
}

/** Attributes of a convolution with every default written out; `auto_pad` instead of `pads` where the input's size decides. */
function convAttributes({ t, op, inputs }: Call): Attributes | null {
  const a = op.attributes
  const spatial = t.rank(inputs[1]!) - 2
  const auto = getText(a, 'auto_pad', 'NOTSET')
  const kernel = t.shape(inputs[1]!).slice(2)
  if (!isConcrete(kernel)) return null
  const ones = new Array<number>(spatial).fill(1)
  const [strides, dilations] = [getInts(a, 'strides', ones), getInts(a, 'dilations', ones)]
  const pads =
    auto === 'NOTSET'
      ? getInts(a, 'pads', [...ones, ...ones].fill(0))
      : padsOf(
          auto,
          (kernel as readonly number[]).map((k, i) => (k - 1) * dilations[i]!),
          strides,
        )
  return {
    group: int(getInt(a, 'group', 1)),
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    ...(pads ? { pads: ints(pads) } : { auto_pad: text(auto) }),
  }
}

/** Pads of an `auto_pad`, each window reaching so far beyond its first element; null where the input's size decides. */
function padsOf(auto: string, reach: readonly number[], strides: readonly number[]): readonly number[] | null {
  if (auto === 'VALID') return [...reach, ...reach].map(() => 0)
  if (strides.some((s) => s !== 1)) return null
  const [less, more] = [reach.map((r) => Math.floor(r / 2)), reach.map((r) => Math.ceil(r / 2))]
  return auto === 'SAME_UPPER' ? [...less, ...more] : [...more, ...less]
}

export function conv(u: Call): ClassId | null {
  const attributes = convAttributes(u)
  const { t } = u
  const [x, w, bias] = u.inputs
  if (!attributes) return null
  if (!t.isConstant(w!)) return t.make({ ...u.op, attributes }, u.inputs.filter((c) => c !== null) as ClassId[])
  const product = convolve(t, x!, w!, attributes)
  if (bias == null) return product
  const perChannel = alongChannels(t, bias, product)
  return perChannel && t.add(product, perChannel)
}

/** A vector along axis 1 of `value`; null if it is none of that size. */
export function alongChannels(t: TensorEGraph, c: ClassId, value: ClassId): ClassId | null {
  const [[size, ...more], [, channels, ...rest]] = [t.shape(c), t.shape(value)]
  if (size === undefined || more.length > 0 || channels === undefined) return null
  if (typeof size === 'number' && typeof channels === 'number' && size !== channels) return null
  return t.reshape(c, [1, size, ...rest.map(() => 1)])
}

/** The convolution without bias; a point-wise one as `lin` or, if depthwise, as a product. `attributes` in full. */
export function convolve(t: TensorEGraph, x: ClassId, w: ClassId, attributes: Attributes): ClassId {
  const shape = t.shape(w)
  const ones = (name: string) => getInts(attributes, name, []).every((v) => v === 1)
  const pointwise = ones('kernel_shape') && ones('strides') && getInts(attributes, 'pads', []).every((p) => p === 0)
  const group = getInt(attributes, 'group', 1)
  if (pointwise && t.isConstant(w)) {
    const dilated = { ...attributes, dilations: ints(getInts(attributes, 'dilations', []).map(() => 1)) }
    if (group === 1) return t.lin(x, t.transpose(t.reshape(w, shape.slice(0, 2))!, [1, 0]), 1)
    if (shape[1] === 1 && shape[0] === group && t.shape(x)[1] === group)
      return t.mul(x, t.reshape(w, [1, group, ...shape.slice(2)])!)
    return t.onnx('Conv', [x, w], dilated)
  }
  return t.onnx('Conv', [x, w], attributes)
}

/** A transposed convolution gives up its bias, as a convolution does. */
export function convTranspose({ t, op, inputs }: Call): ClassId | null {
  const [x, w, bias] = inputs
  if (bias == null || !t.isConstant(w!)) return null
  const product = t.make({ ...op, present: [true, true] }, [x!, w!])
  const perChannel = alongChannels(t, bias, product)
  return perChannel && t.add(product, perChannel)
}
