// Products, convolutions, pools, normalisations, reductions.
import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getInt, getInts, getText } from '../../ir/attribute.ts'
import type { Node } from '../../ir/graph.ts'
import { type FxArg, type Kwargs, list, literal, NONE, str } from '../fx-graph.ts'
import { float32Text } from '../python-text.ts'
import { bool, type Emit, type Emits, type Emitter, integer, integers, where } from './emitter.ts'
import { torchPads } from './shapes.ts'

const F = 'torch.nn.functional.'
const eps = (n: Node): FxArg => literal(float32Text(getFloat(n.attributes, 'epsilon', Math.fround(1e-5))))
const optional = (e: Emitter, n: Node, i: number): FxArg => (e.has(n, i) ? e.tensor(n, i) : NONE)

const gemm: Emit = (e, n) => {
  const turned = (i: number, attribute: string) =>
    getInt(n.attributes, attribute, 0) === 1
      ? e.method('permute', [e.tensor(n, i), integer(1), integer(0)])
      : e.tensor(n, i)
  const scaled = (x: FxArg, attribute: string) => {
    const k = getFloat(n.attributes, attribute, 1)
    return k === 1 ? x : e.call('operator.mul', [x, literal(float32Text(k))])
  }
  const multiply = () => e.call('torch.matmul', [turned(0, 'transA'), turned(1, 'transB')])
  if (!e.has(n, 2) && getFloat(n.attributes, 'alpha', 1) === 1)
    return e.call(
      'torch.matmul',
      e.inner(() => [turned(0, 'transA'), turned(1, 'transB')]),
    )
  if (!e.has(n, 2)) return scaled(e.inner(multiply), 'alpha')
  const [product, bias] = e.inner(() => [scaled(multiply(), 'alpha'), scaled(e.operand(n, 2), 'beta')])
  return e.call('operator.add', [product!, bias!])
}

interface Window {
  readonly rank: number
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly begins: readonly number[]
  readonly ends: readonly number[]
}

/** Strides, dilations and pads of a convolution or pool. */
function windowOf(e: Emitter, n: Node): Window {
  const rank = e.rank(n, 0) - 2
  const auto = getText(n.attributes, 'auto_pad', 'NOTSET')
  if (auto !== 'NOTSET' && auto !== 'VALID') throw new UnsupportedError(`${where(n)} with auto_pad ${auto}, in PyTorch`)
  const ones = new Array<number>(rank).fill(1)
  const pads = getInts(n.attributes, 'pads', null) ?? new Array<number>(2 * rank).fill(0)
  return {
    rank,
    strides: getInts(n.attributes, 'strides', ones),
    dilations: getInts(n.attributes, 'dilations', ones),
    begins: pads.slice(0, rank),
    ends: pads.slice(rank),
  }
}

const isEven = (w: Window) => w.begins.every((b, i) => b === w.ends[i])

/** The input, padded beforehand where torch has one number for both sides. */
function paddedInput(e: Emitter, n: Node, w: Window, value: string): FxArg {
  if (isEven(w)) return e.tensor(n, 0)
  return e.inner(() => e.call(`${F}pad`, [e.tensor(n, 0), torchPads(w.begins, w.ends)], [['value', literal(value)]]))
}

const padding = (w: Window): FxArg => integers(isEven(w) ? w.begins : w.begins.map(() => 0))

const conv: Emit = (e, n) => {
  const w = windowOf(e, n)
  const input = paddedInput(e, n, w, '0.0')
  const groups = integer(getInt(n.attributes, 'group', 1))
  return e.call(`torch.conv${w.rank}d`, [
    input,
    e.tensor(n, 1),
    optional(e, n, 2),
    integers(w.strides),
    padding(w),
    integers(w.dilations),
    groups,
  ])
}

const convTranspose: Emit = (e, n) => {
  const w = windowOf(e, n)
  if (!isEven(w) || n.attributes.output_shape)
    throw new UnsupportedError(`${where(n)} with uneven pads or output_shape, in PyTorch`)
  const extra = integers(
    getInts(
      n.attributes,
      'output_padding',
      w.begins.map(() => 0),
    ),
  )
  const groups = integer(getInt(n.attributes, 'group', 1))
  return e.call(`torch.conv_transpose${w.rank}d`, [
    e.tensor(n, 0),
    e.tensor(n, 1),
    optional(e, n, 2),
    integers(w.strides),
    padding(w),
    extra,
    groups,
    integers(w.dilations),
  ])
}

const maxPool: Emit = (e, n) => {
  const w = windowOf(e, n)
  const kernel = getInts(n.attributes, 'kernel_shape', [])
  if (isEven(w) && w.begins.some((b, i) => b > kernel[i]! / 2)) {
    throw new UnsupportedError(`${where(n)} with pads beyond half the kernel, in PyTorch`)
  }
  const kwargs: Kwargs = [['ceil_mode', bool(getInt(n.attributes, 'ceil_mode', 0) === 1)]]
  const input = paddedInput(e, n, w, '-inf')
  return e.call(
    `${F}max_pool${w.rank}d`,
    [input, integers(kernel), integers(w.strides), padding(w), integers(w.dilations)],
    kwargs,
  )
}

const averagePool: Emit = (e, n) => {
  const w = windowOf(e, n)
  const include = getInt(n.attributes, 'count_include_pad', 0) === 1
  if ((!isEven(w) && !include) || w.dilations.some((d) => d !== 1))
    throw new UnsupportedError(`${where(n)} with uneven pads or dilations, in PyTorch`)
  const kernel = integers(getInts(n.attributes, 'kernel_shape', []))
  const kwargs: Kwargs = [
    ['ceil_mode', bool(getInt(n.attributes, 'ceil_mode', 0) === 1)],
    ['count_include_pad', bool(include)],
  ]
  return e.call(
    `${F}avg_pool${w.rank}d`,
    [paddedInput(e, n, w, '0.0'), kernel, integers(w.strides), padding(w)],
    kwargs,
  )
}

const globalPool =
  (kind: 'avg' | 'max'): Emit =>
  (e, n) => {
    const spatial = e.rank(n, 0) - 2
    return e.call(`${F}adaptive_${kind}_pool${spatial}d`, [
      e.tensor(n, 0),
      integers(new Array<number>(spatial).fill(1)),
    ])
  }

const layerNorm: Emit = (e, n) => {
  const shape = e.shape(n, 0).slice(e.axis(n, e.rank(n, 0), -1))
  return e.call(`${F}layer_norm`, [e.tensor(n, 0), integers(shape), optional(e, n, 1), optional(e, n, 2), eps(n)])
}

const rmsNorm: Emit = (e, n) => {
  const shape = e.shape(n, 0).slice(e.axis(n, e.rank(n, 0), -1))
  return e.call(`${F}rms_norm`, [e.tensor(n, 0), integers(shape), optional(e, n, 1), eps(n)])
}

const batchNorm: Emit = (e, n) => {
  const [x, gain, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => e.tensor(n, i)) as [
    FxArg,
    FxArg,
    FxArg,
    FxArg,
    FxArg,
  ]
  return e.call(`${F}batch_norm`, [x, mean, variance, gain, bias, literal('False'), literal('0.0'), eps(n)])
}

const instanceNorm: Emit = (e, n) =>
  e.call(
    `${F}instance_norm`,
    [e.tensor(n, 0)],
    [
      ['weight', e.tensor(n, 1)],
      ['bias', e.tensor(n, 2)],
      ['eps', eps(n)],
    ],
  )

const groupNorm: Emit = (e, n) => {
  if (e.opset(n) < 21) throw new UnsupportedError(`${where(n)} before opset 21, in PyTorch`)
  return e.call(`${F}group_norm`, [
    e.tensor(n, 0),
    integer(getInt(n.attributes, 'num_groups', 1)),
    e.tensor(n, 1),
    e.tensor(n, 2),
    eps(n),
  ])
}

/** Axes are an attribute or an input; none means all, or, where the node says so, nothing. */
function reduction(target: string, extra: Kwargs = [], of?: FxArg): Emit {
  return (e, n) => {
    const rank = e.rank(n, 0)
    const axes = (e.ints(n, 1, 'axes') ?? []).map((d) => (d < 0 ? d + rank : d))
    if (axes.length === 0 && getInt(n.attributes, 'noop_with_empty_axes', 0) === 1) return of ?? e.tensor(n, 0)
    const over = axes.length > 0 ? axes : Array.from({ length: rank }, (_, i) => i)
    const keep = bool(getInt(n.attributes, 'keepdims', 1) === 1)
    return e.call(target, [of ?? e.tensor(n, 0)], [...extra, ['dim', list(over.map(integer))], ['keepdim', keep]])
  }
}

const sumOfSquares: Emit = (e, n) => {
  const squares = e.inner(() => e.call('torch.square', [e.tensor(n, 0)]))
  return reduction('torch.sum', [], squares)(e, n)
}

const argument =
  (target: string): Emit =>
  (e, n) =>
    e.call(
      target,
      [e.tensor(n, 0)],
      [
        ['dim', integer(e.axis(n, e.rank(n, 0)))],
        ['keepdim', bool(getInt(n.attributes, 'keepdims', 1) === 1)],
      ],
    )

const cumsum: Emit = (e, n) => {
  const axis = e.ints(n, 1)
  if (getInt(n.attributes, 'exclusive', 0) === 1 || getInt(n.attributes, 'reverse', 0) === 1)
    throw new UnsupportedError(`${where(n)} exclusive or reversed, in PyTorch`)
  return e.call('torch.cumsum', [e.tensor(n, 0)], [['dim', integer(axis?.[0] ?? 0)]])
}

const topK: Emit = (e, n) => {
  const flag = (name: string) => bool(getInt(n.attributes, name, 1) === 1)
  const both = e.inner(() =>
    e.call(
      'torch.topk',
      [e.tensor(n, 0), integer((e.ints(n, 1, 'k') ?? [1])[0]!)],
      [
        ['dim', integer(e.axis(n, e.rank(n, 0), -1))],
        ['largest', flag('largest')],
        ['sorted', flag('sorted')],
      ],
    ),
  )
  return [0, 1].map((i) =>
    i === 0
      ? e.call('operator.getitem', [both, integer(0)])
      : e.inner(() => e.call('operator.getitem', [both, integer(1)])),
  )
}

const order = (n: number): Kwargs => [['ord', integer(n)]]

export const linearEmits: Emits = {
  MatMul: (e, n) => e.call('torch.matmul', [e.tensor(n, 0), e.tensor(n, 1)]),
  Gemm: gemm,
  Einsum: (e, n) =>
    e.call('torch.functional.einsum', [
      str(getText(n.attributes, 'equation', '')),
      ...n.inputs.map((_, i) => e.tensor(n, i)),
    ]),
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool('avg'),
  GlobalMaxPool: globalPool('max'),
  LayerNormalization: layerNorm,
  RMSNormalization: rmsNorm,
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  GroupNormalization: groupNorm,
  ReduceMean: reduction('torch.mean'),
  ReduceSum: reduction('torch.sum'),
  ReduceSumSquare: sumOfSquares,
  ReduceMax: reduction('torch.amax'),
  ReduceMin: reduction('torch.amin'),
  ReduceL1: reduction('torch.linalg.vector_norm', order(1)),
  ReduceL2: reduction('torch.linalg.vector_norm', order(2)),
  ReduceLogSumExp: reduction('torch.logsumexp'),
  ArgMax: argument('torch.argmax'),
  ArgMin: argument('torch.argmin'),
  CumSum: cumsum,
  TopK: topK,
}
