// Sums, means, extremes, softmax.
import { UnsupportedError } from '../../base/errors.ts'
import { int } from '../../ir/attribute.ts'
import { isFloat } from '../../ir/dtype.ts'
import type { ValueId } from '../../ir/graph.ts'
import { tensor } from '../../ir/tensor.ts'
import { axesOf, type Context, fromFront, type Handler, type Handlers, handler } from './context.ts'
import { type Arguments, listItem, tensorItem } from './item.ts'

const rankOf = (c: Context, a: Arguments) => c.shape(c.tensor(a, 'input'), a.where).length

function reduced(c: Context, a: Arguments, op: string, x: ValueId): ValueId {
  const axes = axesOf(a, 'dim', rankOf(c, a))
  const keepdims = int(a.boolean('keepdim', false) ? 1 : 0)
  return c.node(op, [x, c.ints(axes)], { keepdims })
}

/** Sums of integers and truth values are int64, as torch has them. */
function summing(op: string): Handler {
  return handler('input dim keepdim dtype', (c, a) => {
    const x = c.tensor(a, 'input')
    const { dtype } = c.type(x, a.where)
    return reduced(c, a, op, c.cast(x, a.dtype('dtype') ?? (isFloat(dtype) ? dtype : 'int64'), a.where))
  })
}

function averaging(op: string): Handler {
  return handler('input dim keepdim dtype', (c, a) =>
    reduced(c, a, op, c.cast(c.tensor(a, 'input'), a.dtype('dtype') ?? floatType(c, a), a.where)),
  )
}

function floatType(c: Context, a: Arguments) {
  const { dtype } = c.type(c.tensor(a, 'input'), a.where)
  return isFloat(dtype) ? dtype : 'float32'
}

/** `max(x)`, `max(x, dim)` (values and indices) and `max(x, other)`. */
function extreme(reduce: string, arg: string, pairwise: string): Handler {
  return {
    signature: 'input dim keepdim',
    run(c, a) {
      const x = c.tensor(a, 'input')
      const second = a.item('dim')
      if (second.kind === 'tensor') return tensorItem(c.op(pairwise, ...c.promote([a.item('input'), second], a.where)))
      const values = tensorItem(reduced(c, a, reduce, x))
      return second.kind === 'none' ? values : listItem([values, tensorItem(position(c, a, arg))])
    },
  }
}

function position(c: Context, a: Arguments, op: string): ValueId {
  const rank = rankOf(c, a)
  const axis = fromFront(a.int('dim'), rank, a.where)
  return c.node(op, [c.tensor(a, 'input')], { axis: int(axis), keepdims: int(a.boolean('keepdim', false) ? 1 : 0) })
}

function positionOf(op: 'ArgMax' | 'ArgMin'): Handler {
  return handler('input dim keepdim', (c, a) => {
    if (a.has('dim')) return position(c, a, op)
    const flat = c.op('Reshape', c.tensor(a, 'input'), c.ints([-1]))
    return c.node(op, [flat], { axis: int(0), keepdims: int(0) })
  })
}

function plain(op: string): Handler {
  return handler('input dim keepdim', (c, a) => reduced(c, a, op, c.tensor(a, 'input')))
}

/** `any` and `all`: extremes of truth values. */
function overBooleans(op: 'ReduceMax' | 'ReduceMin'): Handler {
  return handler('input dim keepdim', (c, a) => {
    const truth = c.cast(c.cast(c.tensor(a, 'input'), 'bool', a.where), 'int32', a.where)
    return c.cast(reduced(c, a, op, truth), 'bool', a.where)
  })
}

/** Variance with Bessel's correction unless told otherwise. */
function variance(root: boolean): Handler {
  return handler('input dim unbiased keepdim correction', (c, a) => {
    const x = c.tensor(a, 'input')
    const shape = c.shape(x, a.where)
    const axes = axesOf(a, 'dim', shape.length)
    const count = axes.reduce((n, d) => n * shape[d]!, 1)
    const lost = a.has('correction') ? a.number('correction') : a.boolean('unbiased', true) ? 1 : 0
    const { dtype } = c.type(x, a.where)
    const mean = c.node('ReduceMean', [x, c.ints(axes)], { keepdims: int(1) })
    const centred = c.op('Sub', x, mean)
    const sum = reduced(c, a, 'ReduceSum', c.op('Mul', centred, centred))
    const result = c.op('Div', sum, c.filled(dtype, [], count - lost))
    return root ? c.op('Sqrt', result) : result
  })
}

function soft(op: string): Handler {
  return handler('input dim dtype', (c, a) => {
    const x = c.cast(
      c.tensor(a, 'input'),
      a.item('dtype').kind === 'dtype' ? a.dtype('dtype')! : floatType(c, a),
      a.where,
    )
    return c.node(op, [x], { axis: int(fromFront(a.int('dim'), rankOf(c, a), a.where)) })
  })
}

/** `torch.softmax(x, dim)` and F.softmax(x, dim, _stacklevel, dtype). */
const functionalSoftmax = (op: string): Handler => ({ ...soft(op), signature: 'input dim _stacklevel dtype' })

const cumsum: Handler = handler('input dim dtype', (c, a) => {
  const axis = c.constant(tensor('int64', [], [fromFront(a.int('dim'), rankOf(c, a), a.where)]))
  return c.op('CumSum', c.tensor(a, 'input'), axis)
})

const vectorNorm: Handler = handler('input p dim keepdim dtype', (c, a) => {
  const p = a.item('p').kind === 'text' ? 2 : a.number('p', 2)
  if (p !== 1 && p !== 2) throw new UnsupportedError(`${a.where} of order ${p}`)
  return reduced(c, a, p === 1 ? 'ReduceL1' : 'ReduceL2', c.tensor(a, 'input'))
})

/** x / max(norm, eps). */
const normalize: Handler = handler('input p dim eps', (c, a) => {
  if (a.number('p', 2) !== 2) throw new UnsupportedError(`${a.where} of order ${a.number('p')}`)
  const x = c.tensor(a, 'input')
  const axis = fromFront(a.int('dim', 1), rankOf(c, a), a.where)
  const norm = c.node('ReduceL2', [x, c.ints([axis])], { keepdims: int(1) })
  return c.op('Div', x, c.op('Max', norm, c.filled(c.type(x, a.where).dtype, [], a.number('eps', 1e-12))))
})

const topk: Handler = {
  signature: 'input k dim largest sorted',
  run(c, a) {
    const axis = fromFront(a.int('dim', -1), rankOf(c, a), a.where)
    const attributes = {
      axis: int(axis),
      largest: int(a.boolean('largest', true) ? 1 : 0),
      sorted: int(a.boolean('sorted', true) ? 1 : 0),
    }
    return listItem(
      c.builder.multi('TopK', [c.tensor(a, 'input'), c.ints([a.int('k')])], { attributes, outputs: 2 }).map(tensorItem),
    )
  },
}

export const reductions: Handlers = {
  sum: summing('ReduceSum'),
  prod: summing('ReduceProd'),
  mean: averaging('ReduceMean'),
  amax: plain('ReduceMax'),
  amin: plain('ReduceMin'),
  max: extreme('ReduceMax', 'ArgMax', 'Max'),
  min: extreme('ReduceMin', 'ArgMin', 'Min'),
  argmax: positionOf('ArgMax'),
  argmin: positionOf('ArgMin'),
  logsumexp: plain('ReduceLogSumExp'),
  var: variance(false),
  std: variance(true),
  softmax: functionalSoftmax('Softmax'),
  log_softmax: functionalSoftmax('LogSoftmax'),
  'aten.softmax': soft('Softmax'),
  'aten.log_softmax': soft('LogSoftmax'),
  'torch.softmax': soft('Softmax'),
  'torch.log_softmax': soft('LogSoftmax'),
  'method.softmax': soft('Softmax'),
  'method.log_softmax': soft('LogSoftmax'),
  'aten._softmax': { ...soft('Softmax'), signature: 'input dim half_to_float' },
  'aten._log_softmax': { ...soft('LogSoftmax'), signature: 'input dim half_to_float' },
  cumsum,
  norm: vectorNorm,
  vector_norm: vectorNorm,
  linalg_vector_norm: vectorNorm,
  any: overBooleans('ReduceMax'),
  all: overBooleans('ReduceMin'),
  normalize,
  topk,
}
