// Element by element: arithmetic, comparisons, activations.
import { UnsupportedError } from '../../base/errors.ts'
import { type Attributes, float, text } from '../../ir/attribute.ts'
import { type DType, isFloat } from '../../ir/dtype.ts'
import type { ValueId } from '../../ir/graph.ts'
import { type Context, type Handler, type Handlers, handler } from './context.ts'
import type { Arguments, Item } from './item.ts'

const f32 = (x: number) => float(Math.fround(x))

/** One operand in floats, since torch computes functions of integers in the default dtype. Unknown stays as it is. */
function floatOperand(c: Context, a: Arguments): ValueId {
  const x = c.tensor(a, 'input')
  const type = c.builder.typeOf(x)
  return type === null || isFloat(type.dtype) ? x : c.cast(x, 'float32', a.where)
}

function unary(op: string, attributes: Attributes = {}): Handler {
  return handler('input', (c, a) => c.node(op, [floatOperand(c, a)], attributes))
}

/** Operators that keep the dtype, integers included. */
function keeping(op: string): Handler {
  return handler('input', (c, a) => c.op(op, c.tensor(a, 'input')))
}

function binary(op: string, atLeast: DType | null = null): Handler {
  return handler('input other', (c, a) => c.op(op, ...c.promote([a.item('input'), a.item('other')], a.where, atLeast)))
}

/** `input + alpha * other` and `input - alpha * other`. */
function withAlpha(op: 'Add' | 'Sub', reversed = false): Handler {
  return handler('input other alpha', (c, a) => {
    const pair: Item[] = reversed ? [a.item('other'), a.item('input')] : [a.item('input'), a.item('other')]
    const [x, y] = c.promote(pair, a.where) as [ValueId, ValueId]
    const alpha = a.number('alpha', 1)
    if (alpha === 1) return c.op(op, x, y)
    const scale = c.filled(c.type(x, a.where).dtype, [], alpha)
    return reversed ? c.op(op, x, c.op('Mul', y, scale)) : c.op(op, x, c.op('Mul', y, scale))
  })
}

const divide: Handler = handler('input other rounding_mode', (c, a) => {
  const pair = [a.item('input'), a.item('other')]
  const mode = a.text('rounding_mode', '')
  if (mode === '') return c.op('Div', ...c.promote(pair, a.where, 'float32'))
  const [x, y] = c.promote(pair, a.where)
  const quotient = c.op('Div', x!, y!)
  if (!isFloat(c.type(x!, a.where).dtype)) throw new UnsupportedError(`${a.where} with rounding_mode on integers`)
  if (mode === 'floor') return c.op('Floor', quotient)
  throw new UnsupportedError(`${a.where} with rounding_mode ${mode}`)
})

/** Python's modulo: the sign of the divisor. */
const remainder: Handler = handler('input other', (c, a) => {
  const [x, y] = c.promote([a.item('input'), a.item('other')], a.where) as [ValueId, ValueId]
  if (!isFloat(c.type(x, a.where).dtype)) return c.op('Mod', x, y)
  return c.op('Sub', x, c.op('Mul', c.op('Floor', c.op('Div', x, y)), y))
})

const clamp: Handler = handler('input min max', (c, a) => {
  const x = c.tensor(a, 'input')
  const { dtype } = c.type(x, a.where)
  const bound = (name: string) => (a.has(name) ? c.asTensor(a.item(name), dtype, a.where) : null)
  const tensors = ['min', 'max'].some((name) => a.item(name).kind === 'tensor')
  if (!tensors) return c.op('Clip', x, bound('min'), bound('max'))
  const [low, high] = [bound('min'), bound('max')]
  const raised = low === null ? x : c.op('Max', x, low)
  return high === null ? raised : c.op('Min', raised, high)
})

function clipTo(low: number, high: number): Handler {
  return handler('input', (c, a) => {
    const x = floatOperand(c, a)
    const { dtype } = c.type(x, a.where)
    return c.op('Clip', x, c.filled(dtype, [], low), c.filled(dtype, [], high))
  })
}

const hardtanh: Handler = handler('input min_val max_val', (c, a) => {
  const x = floatOperand(c, a)
  const { dtype } = c.type(x, a.where)
  return c.op('Clip', x, c.filled(dtype, [], a.number('min_val', -1)), c.filled(dtype, [], a.number('max_val', 1)))
})

const gelu: Handler = handler('input approximate', (c, a) =>
  c.node('Gelu', [floatOperand(c, a)], a.text('approximate', 'none') === 'tanh' ? { approximate: text('tanh') } : {}),
)

const silu: Handler = handler('input', (c, a) => {
  const x = floatOperand(c, a)
  return c.op('Mul', x, c.op('Sigmoid', x))
})

const softplus: Handler = handler('input beta threshold', (c, a) => {
  if (a.number('beta', 1) !== 1) throw new UnsupportedError(`${a.where} with beta other than 1`)
  return c.op('Softplus', floatOperand(c, a))
})

const logSigmoid: Handler = handler('input', (c, a) => c.op('Neg', c.op('Softplus', c.op('Neg', floatOperand(c, a)))))

const prelu: Handler = handler('input weight', (c, a) => {
  const [x, slope] = [c.tensor(a, 'input'), c.tensor(a, 'weight')]
  const rank = c.shape(x, a.where).length
  const [count] = c.shape(slope, a.where)
  const shape = [count ?? 1, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]
  return c.op('PRelu', x, c.op('Reshape', slope, c.ints(shape)))
})

const where: Handler = handler('condition input other', (c, a) => {
  const [x, y] = c.promote([a.item('input'), a.item('other')], a.where)
  return c.op('Where', c.tensor(a, 'condition'), x!, y!)
})

const maskedFill: Handler = handler('input mask value', (c, a) => {
  const x = c.tensor(a, 'input')
  return c.op('Where', c.tensor(a, 'mask'), c.asTensor(a.item('value'), c.type(x, a.where).dtype, a.where), x)
})

function logical(op: 'And' | 'Or' | 'Xor', bitwise: string): Handler {
  return handler('input other', (c, a) => {
    const operands = c.promote([a.item('input'), a.item('other')], a.where)
    return c.op(c.type(operands[0]!, a.where).dtype === 'bool' ? op : bitwise, ...operands)
  })
}

/** `a and b` of torch.logical_and: operands count as true where they are not zero. */
function logicalOf(op: 'And' | 'Or' | 'Xor'): Handler {
  return handler('input other', (c, a) =>
    c.op(op, ...['input', 'other'].map((n) => c.cast(c.tensor(a, n), 'bool', a.where))),
  )
}

const negate: Handler = handler('input', (c, a) => {
  const x = c.tensor(a, 'input')
  return c.op(c.type(x, a.where).dtype === 'bool' ? 'Not' : 'BitwiseNot', x)
})

const rsqrt: Handler = handler('input', (c, a) => c.op('Reciprocal', c.op('Sqrt', floatOperand(c, a))))
/** log(1 + x) and e^x - 1, which ONNX spells out. */
const log1p: Handler = handler('input', (c, a) => {
  const x = floatOperand(c, a)
  return c.op('Log', c.op('Add', x, c.filled(c.type(x, a.where).dtype, [], 1)))
})
const expm1: Handler = handler('input', (c, a) => {
  const x = floatOperand(c, a)
  return c.op('Sub', c.op('Exp', x), c.filled(c.type(x, a.where).dtype, [], 1))
})
const square: Handler = handler('input', (c, a) => c.op('Mul', c.tensor(a, 'input'), c.tensor(a, 'input')))
const identity: Handler = { signature: 'input *rest', run: (_, a) => a.item('input') }

const dropout: Handler = {
  signature: 'input p training',
  run: (_, a) => {
    if (a.boolean('training', true))
      throw new UnsupportedError(`${a.where} in training mode; trace the model after .eval()`)
    return a.item('input')
  },
}

export const elementWise: Handlers = {
  ...Object.fromEntries(
    Object.entries({
      relu: 'Relu',
      sigmoid: 'Sigmoid',
      tanh: 'Tanh',
      exp: 'Exp',
      log: 'Log',
      sqrt: 'Sqrt',
      reciprocal: 'Reciprocal',
      erf: 'Erf',
      sin: 'Sin',
      cos: 'Cos',
      tan: 'Tan',
      asin: 'Asin',
      acos: 'Acos',
      atan: 'Atan',
      sinh: 'Sinh',
      cosh: 'Cosh',
      hardswish: 'HardSwish',
      mish: 'Mish',
      softsign: 'Softsign',
    }).map(([name, op]) => [name, unary(op)]),
  ),
  ...Object.fromEntries(
    Object.entries({
      neg: 'Neg',
      abs: 'Abs',
      sign: 'Sign',
      floor: 'Floor',
      ceil: 'Ceil',
      round: 'Round',
      isnan: 'IsNaN',
    }).map(([n, op]) => [n, keeping(op)]),
  ),
  ...Object.fromEntries(
    Object.entries({
      mul: 'Mul',
      pow: 'Pow',
      eq: 'Equal',
      lt: 'Less',
      gt: 'Greater',
      le: 'LessOrEqual',
      ge: 'GreaterOrEqual',
    }).map(([n, op]) => [n, binary(op)]),
  ),
  multiply: binary('Mul'),
  maximum: binary('Max'),
  minimum: binary('Min'),
  ne: handler('input other', (c, a) =>
    c.op('Not', c.op('Equal', ...c.promote([a.item('input'), a.item('other')], a.where))),
  ),
  add: withAlpha('Add'),
  sub: withAlpha('Sub'),
  subtract: withAlpha('Sub'),
  rsub: withAlpha('Sub', true),
  div: divide,
  divide,
  truediv: divide,
  true_divide: divide,
  floordiv: handler('input other', (c, a) =>
    c.op('Floor', c.op('Div', ...c.promote([a.item('input'), a.item('other')], a.where, 'float32'))),
  ),
  mod: remainder,
  remainder,
  absolute: keeping('Abs'),
  negative: keeping('Neg'),
  clamp,
  clip: clamp,
  clamp_min: handler('input min', (c, a) => c.op('Max', ...c.promote([a.item('input'), a.item('min')], a.where))),
  clamp_max: handler('input max', (c, a) => c.op('Min', ...c.promote([a.item('input'), a.item('max')], a.where))),
  relu6: clipTo(0, 6),
  hardtanh,
  hardsigmoid: unary('HardSigmoid', { alpha: f32(1 / 6), beta: f32(0.5) }),
  gelu,
  silu,
  softplus,
  logsigmoid: logSigmoid,
  elu: handler('input alpha', (c, a) => c.node('Elu', [floatOperand(c, a)], { alpha: f32(a.number('alpha', 1)) })),
  celu: handler('input alpha', (c, a) => c.node('Celu', [floatOperand(c, a)], { alpha: f32(a.number('alpha', 1)) })),
  selu: unary('Selu'),
  leaky_relu: handler('input negative_slope', (c, a) =>
    c.node('LeakyRelu', [floatOperand(c, a)], { alpha: f32(a.number('negative_slope', 0.01)) }),
  ),
  prelu,
  rsqrt,
  log1p,
  expm1,
  square,
  where,
  masked_fill: maskedFill,
  and_: logical('And', 'BitwiseAnd'),
  or_: logical('Or', 'BitwiseOr'),
  xor: logical('Xor', 'BitwiseXor'),
  bitwise_and: logical('And', 'BitwiseAnd'),
  bitwise_or: logical('Or', 'BitwiseOr'),
  logical_and: logicalOf('And'),
  logical_or: logicalOf('Or'),
  logical_xor: logicalOf('Xor'),
  logical_not: handler('input', (c, a) => c.op('Not', c.cast(c.tensor(a, 'input'), 'bool', a.where))),
  invert: negate,
  bitwise_not: negate,
  pos: identity,
  dropout,
  ...Object.fromEntries(
    ['contiguous', 'clone', 'detach', 'alias', 'lift_fresh_copy', 'cpu', 'identity'].map((name) => [name, identity]),
  ),
}
