// What moves elements without computing: reshaping, indexing, joining, and what asks for shapes and dtypes.
import { UnsupportedError, UserError } from '../../base/errors.ts'
import { int, ints } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { elementCount } from '../../ir/shape.ts'
import { tensor } from '../../ir/tensor.ts'
import { axesOf, type Context, fromFront, type Handler, type Handlers, handler } from './context.ts'
import { getItem } from './indexing.ts'
import { type Arguments, dtypeOfTorch, type Item, integerItem, listItem, tensorItem } from './item.ts'

const x0 = (c: Context, a: Arguments) => c.tensor(a, 'input')
const rankOf = (c: Context, a: Arguments) => c.shape(x0(c, a), a.where).length

/** A target list with its -1 worked out. ONNX reads 0 as "keep", torch as "empty", so the list is always explicit. */
function reshape(c: Context, a: Arguments, sizes: readonly number[]): ValueId {
  const count = elementCount(c.shape(x0(c, a), a.where))
  const rest = sizes.reduce((n, s) => (s === -1 ? n : n * s), 1)
  const full = sizes.map((s) => (s === -1 ? count / rest : s))
  if (elementCount(full) !== count || full.some((s) => !Number.isInteger(s) || s < 0)) throw badShape(a, count, sizes)
  return c.node('Reshape', [x0(c, a), c.ints(full)], count === 0 ? { allowzero: int(1) } : {})
}

function badShape(a: Arguments, count: number, sizes: readonly number[]): UserError {
  return new UserError({
    code: 'bad-torch-call',
    where: a.where,
    expected: `a shape of ${count} elements`,
    got: `[${sizes}]`,
    fix: 'check --shape',
  })
}

const reshapeTo: Handler = handler('input *shape', (c, a) => reshape(c, a, a.ints('shape')))

const flatten: Handler = handler('input start_dim end_dim', (c, a) => {
  const shape = c.shape(x0(c, a), a.where)
  const [from, to] = [a.int('start_dim', 0), a.int('end_dim', -1)].map((d) => fromFront(d, shape.length, a.where)) as [
    number,
    number,
  ]
  return reshape(c, a, [...shape.slice(0, from), elementCount(shape.slice(from, to + 1)), ...shape.slice(to + 1)])
})

const squeeze: Handler = handler('input dim', (c, a) => {
  const shape = c.shape(x0(c, a), a.where)
  const axes = axesOf(a, 'dim', shape.length).filter((d) => shape[d] === 1)
  return axes.length === 0 ? x0(c, a) : c.op('Squeeze', x0(c, a), c.ints(axes))
})

const unsqueeze: Handler = handler('input dim', (c, a) => {
  const axis = fromFront(a.int('dim'), rankOf(c, a) + 1, a.where)
  return c.op('Unsqueeze', x0(c, a), c.ints([axis]))
})

function transposed(c: Context, x: ValueId, i: number, j: number, rank: number): ValueId {
  const perm = Array.from({ length: rank }, (_, d) => (d === i ? j : d === j ? i : d))
  return i === j ? x : c.node('Transpose', [x], { perm: ints(perm) })
}

const transpose: Handler = handler('input dim0 dim1', (c, a) => {
  const rank = rankOf(c, a)
  const [i, j] = [a.int('dim0'), a.int('dim1')].map((d) => fromFront(d, rank, a.where)) as [number, number]
  return transposed(c, x0(c, a), i, j, rank)
})

const lastTwo: Handler = handler('input', (c, a) => {
  const rank = rankOf(c, a)
  return rank < 2 ? x0(c, a) : transposed(c, x0(c, a), rank - 2, rank - 1, rank)
})

const permute: Handler = handler('input *dims', (c, a) => {
  const rank = rankOf(c, a)
  return c.node('Transpose', [x0(c, a)], { perm: ints(a.ints('dims').map((d) => fromFront(d, rank, a.where))) })
})

function expandTo(c: Context, a: Arguments, sizes: readonly number[]): ValueId {
  const shape = c.shape(x0(c, a), a.where)
  const offset = sizes.length - shape.length
  return c.op('Expand', x0(c, a), c.ints(sizes.map((s, i) => (s === -1 ? shape[i - offset]! : s))))
}

const repeat: Handler = handler('input *sizes', (c, a) => {
  const sizes = a.ints('sizes')
  const shape = c.shape(x0(c, a), a.where)
  const raised = [...new Array<number>(sizes.length - shape.length).fill(1), ...shape]
  return c.op('Tile', raised.length === shape.length ? x0(c, a) : reshape(c, a, raised), c.ints(sizes))
})

const concat: Handler = handler('tensors dim', (c, a) => {
  const values = c.promote(a.items('tensors'), a.where)
  return c.node('Concat', values, {
    axis: int(fromFront(a.int('dim', 0), c.shape(values[0]!, a.where).length, a.where)),
  })
})

const stack: Handler = handler('tensors dim', (c, a) => {
  const values = c.promote(a.items('tensors'), a.where)
  const axis = fromFront(a.int('dim', 0), c.shape(values[0]!, a.where).length + 1, a.where)
  return c.node(
    'Concat',
    values.map((v) => c.op('Unsqueeze', v, c.ints([axis]))),
    { axis: int(axis) },
  )
})

function splitInto(c: Context, a: Arguments, axis: number, sizes: readonly number[]): Item {
  if (sizes.length === 1) return listItem([tensorItem(x0(c, a))])
  const parts = c.builder.multi('Split', [x0(c, a), c.ints(sizes)], {
    attributes: { axis: int(axis) },
    outputs: sizes.length,
  })
  return listItem(parts.map(tensorItem))
}

function evenSizes(total: number, size: number): number[] {
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size))
}

const split: Handler = {
  signature: 'input split_size dim',
  run(c, a) {
    const shape = c.shape(x0(c, a), a.where)
    const axis = fromFront(a.int('dim', 0), shape.length, a.where)
    const size = a.item('split_size')
    return splitInto(
      c,
      a,
      axis,
      size.kind === 'list' ? a.ints('split_size') : evenSizes(shape[axis]!, a.int('split_size')),
    )
  },
}

const chunk: Handler = {
  signature: 'input chunks dim',
  run(c, a) {
    const shape = c.shape(x0(c, a), a.where)
    const axis = fromFront(a.int('dim', 0), shape.length, a.where)
    return splitInto(c, a, axis, evenSizes(shape[axis]!, Math.ceil(shape[axis]! / a.int('chunks'))))
  },
}

const unbind: Handler = {
  signature: 'input dim',
  run(c, a) {
    const shape = c.shape(x0(c, a), a.where)
    const axis = fromFront(a.int('dim', 0), shape.length, a.where)
    const at = (i: number) => c.node('Gather', [x0(c, a), c.constant(tensor('int64', [], [i]))], { axis: int(axis) })
    return listItem(Array.from({ length: shape[axis]! }, (_, i) => tensorItem(at(i))))
  },
}

function sliceAxis(c: Context, a: Arguments, axis: number, start: number, end: number, step = 1): ValueId {
  return c.op('Slice', x0(c, a), ...[start, end, axis, step].map((n) => c.ints([n])))
}

const aTensorSlice: Handler = handler('input dim start end step', (c, a) => {
  const shape = c.shape(x0(c, a), a.where)
  const axis = fromFront(a.int('dim', 0), shape.length, a.where)
  return sliceAxis(c, a, axis, a.int('start', 0), Math.min(shape[axis]!, a.int('end', shape[axis]!)), a.int('step', 1))
})

const narrow: Handler = handler('input dim start length', (c, a) => {
  const axis = fromFront(a.int('dim'), rankOf(c, a), a.where)
  return sliceAxis(c, a, axis, a.int('start'), a.int('start') + a.int('length'))
})

const select: Handler = handler('input dim index', (c, a) => {
  const axis = fromFront(a.int('dim'), rankOf(c, a), a.where)
  return c.node('Gather', [x0(c, a), c.constant(tensor('int64', [], [a.int('index')]))], { axis: int(axis) })
})

const indexSelect: Handler = handler('input dim index', (c, a) =>
  c.node('Gather', [x0(c, a), c.tensor(a, 'index')], { axis: int(fromFront(a.int('dim'), rankOf(c, a), a.where)) }),
)

const gatherElements: Handler = handler('input dim index', (c, a) =>
  c.node('GatherElements', [x0(c, a), c.tensor(a, 'index')], {
    axis: int(fromFront(a.int('dim'), rankOf(c, a), a.where)),
  }),
)

/** torch lists the padding of the last axis first. */
function padWith(c: Context, a: Arguments): ValueId {
  const [x, given] = [x0(c, a), a.ints('pad')]
  const rank = rankOf(c, a)
  const of = (axis: number, side: 0 | 1) => given[2 * (rank - 1 - axis) + side] ?? 0
  const axes = Array.from({ length: rank }, (_, i) => i)
  const value = c.filled(c.type(x, a.where).dtype, [], a.number('value', 0))
  return c.op('Pad', x, c.ints([...axes.map((d) => of(d, 0)), ...axes.map((d) => of(d, 1))]), value)
}

const pad: Handler = handler('input pad mode value', (c, a) => {
  if (a.text('mode', 'constant') !== 'constant')
    throw new UnsupportedError(`${a.where} with mode ${a.text('mode', '')}`)
  return padWith(c, a)
})

const sizeOf: Handler = {
  signature: 'input dim',
  run(c, a) {
    const shape = c.shape(x0(c, a), a.where)
    return a.has('dim')
      ? integerItem(shape[fromFront(a.int('dim'), shape.length, a.where)]!)
      : listItem(shape.map(integerItem))
  },
}

/** `x.to(dtype)`, `x.to(device, dtype)`, `x.to(other)`: what is no dtype changes no value. */
const to: Handler = {
  signature: 'input dtype *rest',
  run(c, a) {
    const rest = a.item('rest')
    const given = [a.item('dtype'), ...(rest.kind === 'list' ? rest.items : [])]
    const named = given.find((i) => i.kind === 'dtype' || i.kind === 'tensor')
    if (named?.kind === 'dtype') return tensorItem(c.cast(x0(c, a), named.dtype, a.where))
    return named?.kind === 'tensor'
      ? tensorItem(c.cast(x0(c, a), c.type(named.value, a.where).dtype, a.where))
      : a.item('input')
  },
}

function castTo(name: string): Handler {
  return handler('input', (c, a) => c.cast(x0(c, a), dtypeOfTorch(`torch.${name}`)!, a.where))
}

const attributeOf: Handler = {
  signature: 'input name',
  run(c, a) {
    const [x, name] = [x0(c, a), a.text('name', '')]
    const shape = () => c.shape(x, a.where)
    if (name === 'shape') return listItem(shape().map(integerItem))
    if (name === 'ndim') return integerItem(shape().length)
    if (name === 'dtype') return { kind: 'dtype', dtype: c.type(x, a.where).dtype }
    if (name === 'device') return { kind: 'text', value: 'cpu' }
    if (name === 'T' || name === 'mT') return lastTwo.run(c, a)
    throw new UnsupportedError(`the attribute ${name} of a tensor`)
  },
}

function trianglePart(upper: 0 | 1): Handler {
  return handler('input diagonal', (c, a) => {
    const diagonal = c.constant(tensor('int64', [], [a.int('diagonal', 0)]))
    return c.node('Trilu', [x0(c, a), diagonal], { upper: int(upper) })
  })
}

const typeAs: Handler = handler('input other', (c, a) =>
  c.cast(x0(c, a), c.type(c.tensor(a, 'other'), a.where).dtype, a.where),
)
export const shapes: Handlers = {
  reshape: reshapeTo,
  view: reshapeTo,
  _unsafe_view: reshapeTo,
  view_as: handler('input other', (c, a) => reshape(c, a, c.shape(c.tensor(a, 'other'), a.where))),
  flatten,
  squeeze,
  unsqueeze,
  transpose,
  swapaxes: transpose,
  t: lastTwo,
  permute,
  expand: handler('input *sizes', (c, a) => expandTo(c, a, a.ints('sizes'))),
  expand_as: handler('input other', (c, a) => expandTo(c, a, c.shape(c.tensor(a, 'other'), a.where))),
  repeat,
  tile: repeat,
  cat: concat,
  concat,
  concatenate: concat,
  stack,
  split,
  split_with_sizes: split,
  chunk,
  unbind,
  getitem: { signature: 'input index', run: getItem },
  slice: aTensorSlice,
  narrow,
  select,
  index_select: indexSelect,
  gather: gatherElements,
  pad,
  constant_pad_nd: handler('input pad value', padWith),
  size: sizeOf,
  dim: { signature: 'input', run: (c, a) => integerItem(rankOf(c, a)) },
  numel: { signature: 'input', run: (c, a) => integerItem(elementCount(c.shape(x0(c, a), a.where))) },
  getattr: attributeOf,
  to,
  _to_copy: to,
  type_as: typeAs,
  float: castTo('float32'),
  double: castTo('float64'),
  half: castTo('float16'),
  long: castTo('int64'),
  int: castTo('int32'),
  bool: castTo('bool'),
  triu: trianglePart(1),
  tril: trianglePart(0),
}
