// Products: matrices, linear layers, convolutions, einsum, attention.
import { UnsupportedError } from '../../base/errors.ts'
import { int, ints, text } from '../../ir/attribute.ts'
import { isFloat } from '../../ir/dtype.ts'
import type { ValueId } from '../../ir/graph.ts'
import { type Tensor, tensor, typedView } from '../../ir/tensor.ts'
import { type Context, type Handler, type Handlers, handler } from './context.ts'
import { type Arguments, tensorItem } from './item.ts'

/** The transpose of a matrix; a constant is transposed here and now. */
export function transposeMatrix(c: Context, x: ValueId): ValueId {
  const known = c.constantOf(x)
  if (known?.dtype !== 'float32') return c.node('Transpose', [x], { perm: ints([1, 0]) })
  return c.constant(transposeConstant(known), 'w')
}

function transposeConstant(t: Tensor): Tensor {
  const [rows, columns] = t.shape as [number, number]
  const from = typedView(t) as Float32Array
  const to = new Float32Array(from.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j]!
  return { dtype: t.dtype, shape: [columns, rows], bytes: new Uint8Array(to.buffer) }
}

/** x W' + b. x: [.., k], W: [n, k], b: [n] or null. */
export function linearLayer(c: Context, x: ValueId, weight: ValueId, bias: ValueId | null): ValueId {
  const product = c.op('MatMul', x, transposeMatrix(c, weight))
  return bias === null ? product : c.op('Add', product, bias)
}

const linear: Handler = handler('input weight bias', (c, a) =>
  linearLayer(c, c.tensor(a, 'input'), c.tensor(a, 'weight'), c.optional(a, 'bias')),
)

const matmul: Handler = handler('input other', (c, a) => c.op('MatMul', c.tensor(a, 'input'), c.tensor(a, 'other')))

/** beta * input + alpha * (a b). */
const addmm: Handler = handler('input mat1 mat2 beta alpha', (c, a) => {
  const [bias, x, y] = ['input', 'mat1', 'mat2'].map((n) => c.tensor(a, n)) as [ValueId, ValueId, ValueId]
  const scaled = (v: ValueId, name: string) => {
    const k = a.number(name, 1)
    return k === 1 ? v : c.op('Mul', v, c.filled(c.type(v, a.where).dtype, [], k))
  }
  return c.op('Add', scaled(c.op('MatMul', x, y), 'alpha'), scaled(bias, 'beta'))
})

const einsum: Handler = {
  signature: 'equation *operands',
  run(c, a) {
    const operands = c.promote(a.items('operands'), a.where)
    const equation = a.text('equation', '').replaceAll(' ', '')
    return tensorItem(c.node('Einsum', operands, { equation: text(equation) }))
  },
}

const outer: Handler = handler('input other', (c, a) => {
  const column = c.op('Unsqueeze', c.tensor(a, 'input'), c.ints([1]))
  return c.op('Mul', column, c.tensor(a, 'other'))
})

/** A number stands for all spatial axes. */
export function perAxis(a: Arguments, name: string, rank: number, otherwise: number): number[] {
  if (!a.has(name)) return new Array<number>(rank).fill(otherwise)
  const given = a.ints(name)
  return given.length === 1 ? new Array<number>(rank).fill(given[0]!) : given
}

/** 'same' keeps the size at stride 1, the odd element at the end. */
function padsOf(a: Arguments, kernel: readonly number[], dilations: readonly number[]): number[] {
  const mode = a.item('padding')
  if (mode.kind !== 'text') {
    const pad = perAxis(a, 'padding', kernel.length, 0)
    return [...pad, ...pad]
  }
  if (mode.value === 'valid') return new Array<number>(2 * kernel.length).fill(0)
  if (mode.value !== 'same') throw new UnsupportedError(`${a.where} with padding ${mode.value}`)
  const total = kernel.map((k, i) => dilations[i]! * (k - 1))
  return [...total.map((t) => Math.floor(t / 2)), ...total.map((t) => Math.ceil(t / 2))]
}

export function convolve(c: Context, a: Arguments): ValueId {
  const [x, weight] = [c.tensor(a, 'input'), c.tensor(a, 'weight')]
  const kernel = c.shape(weight, a.where).slice(2)
  const dilations = perAxis(a, 'dilation', kernel.length, 1)
  const bias = c.optional(a, 'bias')
  return c.node('Conv', bias === null ? [x, weight] : [x, weight, bias], {
    kernel_shape: ints(kernel),
    strides: ints(perAxis(a, 'stride', kernel.length, 1)),
    pads: ints(padsOf(a, kernel, dilations)),
    dilations: ints(dilations),
    group: int(a.int('groups', 1)),
  })
}

function deconvolve(c: Context, a: Arguments): ValueId {
  const [x, weight] = [c.tensor(a, 'input'), c.tensor(a, 'weight')]
  const kernel = c.shape(weight, a.where).slice(2)
  const bias = c.optional(a, 'bias')
  const pads = perAxis(a, 'padding', kernel.length, 0)
  return c.node('ConvTranspose', bias === null ? [x, weight] : [x, weight, bias], {
    kernel_shape: ints(kernel),
    strides: ints(perAxis(a, 'stride', kernel.length, 1)),
    pads: ints([...pads, ...pads]),
    dilations: ints(perAxis(a, 'dilation', kernel.length, 1)),
    output_padding: ints(perAxis(a, 'output_padding', kernel.length, 0)),
    group: int(a.int('groups', 1)),
  })
}

const conv = handler('input weight bias stride padding dilation groups', convolve)
const convTranspose = handler('input weight bias stride padding output_padding groups dilation', deconvolve)
const convolution = handler('input weight bias stride padding dilation transposed output_padding groups', (c, a) =>
  a.boolean('transposed', false) ? deconvolve(c, a) : convolve(c, a),
)

/** softmax(q k' scale + mask) v, spelled out as PyTorch's own exporter does. */
const attention: Handler = handler('query key value attn_mask dropout_p is_causal scale enable_gqa', (c, a) => {
  if (a.number('dropout_p', 0) !== 0) throw new UnsupportedError(`${a.where} with dropout`)
  if (a.boolean('enable_gqa', false)) throw new UnsupportedError(`${a.where} with enable_gqa`)
  const [q, k, v] = ['query', 'key', 'value'].map((n) => c.tensor(a, n)) as [ValueId, ValueId, ValueId]
  const shape = c.shape(q, a.where)
  const { dtype } = c.type(q, a.where)
  const rank = shape.length
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i))
  const scale = c.filled(dtype, [], a.number('scale', 1 / Math.sqrt(shape[rank - 1]!)))
  const scores = c.op('Mul', c.op('MatMul', q, c.node('Transpose', [k], { perm: ints(perm) })), scale)
  return c.op('MatMul', c.node('Softmax', [maskScores(c, a, scores)], { axis: int(rank - 1) }), v)
})

function maskScores(c: Context, a: Arguments, scores: ValueId): ValueId {
  const { dtype } = c.type(scores, a.where)
  if (a.boolean('is_causal', false)) {
    const [rows, columns] = c.shape(scores, a.where).slice(-2) as [number, number]
    const values = Array.from({ length: rows * columns }, (_, i) =>
      i % columns > Math.floor(i / columns) ? Number.NEGATIVE_INFINITY : 0,
    )
    return c.op('Add', scores, c.constant(tensor(dtype, [rows, columns], values)))
  }
  const mask = c.optional(a, 'attn_mask')
  if (mask === null) return scores
  if (isFloat(c.type(mask, a.where).dtype)) return c.op('Add', scores, mask)
  return c.op('Where', mask, scores, c.filled(dtype, [], Number.NEGATIVE_INFINITY))
}

export const linearOps: Handlers = {
  linear,
  matmul,
  mm: matmul,
  bmm: matmul,
  mv: matmul,
  dot: matmul,
  inner: matmul,
  addmm,
  baddbmm: addmm,
  einsum: einsum,
  outer,
  ger: outer,
  conv1d: conv,
  conv2d: conv,
  conv3d: conv,
  conv_transpose1d: convTranspose,
  conv_transpose2d: convTranspose,
  conv_transpose3d: convTranspose,
  'aten.convolution': convolution,
  scaled_dot_product_attention: attention,
}
