// Element by element. Operators without an entry here are written by the torch spelling of their record.
import { UnsupportedError } from '../../base/errors.ts'
import { getFloat, getInt, getText } from '../../ir/attribute.ts'
import { dtypeFromOnnx, isFloat } from '../../ir/dtype.ts'
import type { Node } from '../../ir/graph.ts'
import { type FxArg, literal, str } from '../fx-graph.ts'
import { torchOfDtype } from '../import/item.ts'
import { float32Text } from '../python-text.ts'
import { type Emit, type Emits, type Emitter, integer, where } from './emitter.ts'

const F = 'torch.nn.functional.'
const real = (x: number): FxArg => literal(float32Text(x))

/** `operator.add(x, 2.0)`: one operand at least must be a tensor. */
function sign(target: string): Emit {
  return (e, n) => {
    const first = e.number(n, 0)
    const second = e.number(n, 1)
    if (first && second) return e.call(target, [e.tensor(n, 0), second])
    return e.call(target, [first ?? e.tensor(n, 0), second ?? e.tensor(n, 1)])
  }
}

const divide: Emit = (e, n) => {
  if (isFloat(e.type(n, 0).dtype)) return sign('operator.truediv')(e, n)
  return e.call('torch.div', [e.tensor(n, 0), e.operand(n, 1)], [['rounding_mode', str('trunc')]])
}

/** More than two operands: from the left. */
function folded(target: string): Emit {
  return (e, n) => {
    const operands = n.inputs.map((_, i) => e.tensor(n, i))
    const last = operands.length - 1
    const before = e.inner(() => operands.slice(1, last).reduce((x, y) => e.call(target, [x, y]), operands[0]!))
    return last === 0 ? operands[0]! : e.call(target, [before, operands[last]!])
  }
}

const mean: Emit = (e, n) => {
  const total = e.inner(() => folded('operator.add')(e, n) as FxArg)
  return e.call('operator.truediv', [total, integer(n.inputs.length)])
}

const mod: Emit = (e, n) =>
  e.call(getInt(n.attributes, 'fmod', 0) === 1 ? 'torch.fmod' : 'torch.remainder', [e.tensor(n, 0), e.operand(n, 1)])

/** One attribute as a keyword. */
function withFloat(target: string, attribute: string, keyword: string, otherwise: number): Emit {
  return (e, n) => e.call(target, [e.tensor(n, 0)], [[keyword, real(getFloat(n.attributes, attribute, otherwise))]])
}

const clip: Emit = (e, n) => {
  const bound = (i: number, attribute: string): FxArg | null => {
    if (e.has(n, i)) return e.operand(n, i)
    const value = e.opset(n) < 11 ? getFloat(n.attributes, attribute, null) : null
    return value === null ? null : real(value)
  }
  const bounds = [['min', bound(1, 'min')] as const, ['max', bound(2, 'max')] as const]
  const kwargs = bounds.flatMap(([k, v]) => (v ? [[k, v] as const] : []))
  return kwargs.length === 0 ? e.tensor(n, 0) : e.call('torch.clamp', [e.tensor(n, 0)], kwargs)
}

const hardSigmoid: Emit = (e, n) => {
  const [alpha, beta] = [getFloat(n.attributes, 'alpha', 0.2), getFloat(n.attributes, 'beta', 0.5)]
  if (Math.abs(alpha - 1 / 6) < 1e-7 && beta === 0.5) return e.call(`${F}hardsigmoid`, [e.tensor(n, 0)])
  const line = e.inner(() =>
    e.call('operator.add', [e.call('operator.mul', [e.tensor(n, 0), real(alpha)]), real(beta)]),
  )
  return e.call(
    'torch.clamp',
    [line],
    [
      ['min', literal('0.0')],
      ['max', literal('1.0')],
    ],
  )
}

const gelu: Emit = (e, n) => {
  const approximate = getText(n.attributes, 'approximate', 'none')
  return e.call(`${F}gelu`, [e.tensor(n, 0)], approximate === 'none' ? [] : [['approximate', str(approximate)]])
}

const swish: Emit = (e, n) => {
  if (getFloat(n.attributes, 'alpha', 1) !== 1)
    throw new UnsupportedError(`${where(n)} with alpha other than 1, in PyTorch`)
  return e.call(`${F}silu`, [e.tensor(n, 0)])
}

/** Slopes of any broadcasting shape, which F.prelu does not take. */
const prelu: Emit = (e, n) => {
  const x = e.tensor(n, 0)
  const [positive, scaled] = e.inner(() => [
    e.call('operator.ge', [x, literal('0')]),
    e.call('operator.mul', [x, e.operand(n, 1)]),
  ])
  return e.call('torch.where', [positive!, x, scaled!])
}

const selu: Emit = (e, n) => {
  if (n.attributes.alpha || n.attributes.gamma)
    throw new UnsupportedError(`${where(n)} with its own alpha or gamma, in PyTorch`)
  return e.call('torch.selu', [e.tensor(n, 0)])
}

const cast: Emit = (e, n) => {
  const dtype = dtypeFromOnnx(getInt(n.attributes, 'to', 0))
  if (!dtype) throw new UnsupportedError(`${where(n)} to dtype number ${getInt(n.attributes, 'to', 0)}`)
  return e.method('to', [e.tensor(n, 0), literal(torchOfDtype(dtype))])
}

/** Before opset 13 softmax flattens from its axis on: the same only over the last axis. */
function soft(target: string): Emit {
  return (e: Emitter, n: Node) => {
    const rank = e.rank(n, 0)
    const old = e.opset(n) < 13
    const axis = e.axis(n, rank, old ? 1 : -1)
    if (old && axis !== rank - 1)
      throw new UnsupportedError(`${where(n)} of opset ${e.opset(n)} over several axes, in PyTorch`)
    return e.call(target, [e.tensor(n, 0)], [['dim', integer(axis)]])
  }
}

const whereEmit: Emit = (e, n) => {
  const numbers = [e.number(n, 1), e.number(n, 2)]
  const keep = numbers[0] && numbers[1]
  return e.call('torch.where', [
    e.tensor(n, 0),
    (keep ? null : numbers[0]) ?? e.tensor(n, 1),
    numbers[1] ?? e.tensor(n, 2),
  ])
}

const SIGNS: Readonly<Record<string, string>> = {
  Add: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Pow: 'pow',
  Equal: 'eq',
  Less: 'lt',
  Greater: 'gt',
  LessOrEqual: 'le',
  GreaterOrEqual: 'ge',
}

export const elementWiseEmits: Emits = {
  ...Object.fromEntries(Object.entries(SIGNS).map(([op, name]) => [op, sign(`operator.${name}`)])),
  Div: divide,
  Max: folded('torch.maximum'),
  Min: folded('torch.minimum'),
  Sum: folded('operator.add'),
  Mean: mean,
  Mod: mod,
  Clip: clip,
  LeakyRelu: withFloat(`${F}leaky_relu`, 'alpha', 'negative_slope', 0.01),
  Elu: withFloat(`${F}elu`, 'alpha', 'alpha', 1),
  Celu: withFloat(`${F}celu`, 'alpha', 'alpha', 1),
  Selu: selu,
  HardSigmoid: hardSigmoid,
  Gelu: gelu,
  Swish: swish,
  PRelu: prelu,
  Cast: cast,
  Softmax: soft('torch.softmax'),
  LogSoftmax: soft('torch.log_softmax'),
  Where: whereEmit,
  Identity: (e, n) => e.tensor(n, 0),
  Dropout: (e, n) => e.tensor(n, 0),
}
