// Element-wise operators with every kind of broadcasting, softmax, normalisations and reductions.
import { type Attributes, float, int, text } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import type { ConcreteShape } from '../../ir/shape.ts'
import type { Kit, Recipe } from './kit.ts'

const UNARY: readonly (readonly [op: string, attributes?: Attributes])[] = [
  ['Relu'],
  ['Sigmoid'],
  ['Tanh'],
  ['Exp'],
  ['Erf'],
  ['Abs'],
  ['Sqrt'],
  ['Reciprocal'],
  ['Gelu'],
  ['Gelu', { approximate: text('tanh') }],
  ['HardSwish'],
  ['HardSigmoid'],
  ['LeakyRelu', { alpha: float(0.1) }],
  ['Elu'],
  ['Softplus'],
  ['Mish'],
  ['Floor'],
  ['Sign'],
  ['Cos'],
  ['com.microsoft:QuickGelu', { alpha: float(1.702) }],
  ['com.microsoft:FastGelu'],
  ['com.microsoft:Gelu'],
]

const unary = (kit: Kit): ValueId => {
  const [op, attributes = {}] = kit.random.pick(UNARY)
  return kit.op(op, [kit.fed(kit.anyShape())], attributes)
}

/** The second operand of a binary operator: full, one number, or along some axes only. */
function partner(kit: Kit, shape: ConcreteShape): ValueId {
  const make = (s: ConcreteShape) => (kit.chance(0.5) ? kit.weight(s) : kit.fed(s))
  const kind = kit.random.next()
  if (kind < 0.35) return kit.fed(shape)
  if (kind < 0.55) return kit.scalar(1.3, kit.chance(0.5) ? [] : [1])
  if (kind < 0.75) return make(shape.slice(-1))
  if (kind < 0.88 && shape.length > 2) return make(shape.map((d, i) => (i === 1 ? d : 1)))
  return make(shape.map((d) => (kit.chance(0.5) ? d : 1)))
}

const binary = (kit: Kit): ValueId => {
  const shape = kit.anyShape()
  const operands = [kit.fed(shape), partner(kit, shape)]
  const op = kit.random.pick(['Add', 'Add', 'Add', 'Mul', 'Mul', 'Mul', 'Sub', 'Div', 'Max', 'Min'])
  return kit.op(op, kit.chance(0.85) ? operands : operands.reverse())
}

const power = (kit: Kit): ValueId =>
  kit.op('Pow', [kit.fed(kit.anyShape()), kit.scalar(kit.random.pick([2, 2, 3, 0.5]))])
const clip = (kit: Kit): ValueId => kit.op('Clip', [kit.fed(kit.anyShape()), kit.scalar(0), kit.scalar(6)])

const where = (kit: Kit): ValueId => {
  const shape = kit.anyShape()
  const condition = kit.op('Greater', [kit.fed(shape), kit.scalar(0)])
  return kit.op('Where', [condition, kit.fed(shape), kit.chance(0.5) ? kit.scalar(-1) : kit.fed(shape)])
}

const compare = (kit: Kit): ValueId => {
  const shape = kit.anyShape()
  return kit.op(kit.random.pick(['Less', 'Greater', 'GreaterOrEqual', 'Equal']), [kit.fed(shape), partner(kit, shape)])
}

const prelu = (kit: Kit): ValueId => {
  const shape = [kit.images(), kit.channels(8, 256), ...kit.plane(4, 56)]
  return kit.op('PRelu', [kit.fed(shape), kit.weight([shape[1]!, 1, 1])])
}

const batchNorm = (kit: Kit): ValueId => {
  const shape = [1, kit.channels(8, 256), ...kit.plane(4, 56)]
  const channels = [shape[1]!]
  return kit.op('BatchNormalization', [
    kit.fed(shape),
    kit.gain(channels),
    kit.weight(channels),
    kit.weight(channels),
    kit.gain(channels),
  ])
}

const sumOfMany = (kit: Kit): ValueId => {
  const shape = kit.anyShape(500_000)
  return kit.op(
    kit.random.pick(['Sum', 'Max', 'Mean']),
    Array.from({ length: kit.size(2, 5) }, () => kit.fed(shape)),
  )
}

function softmax(kit: Kit): ValueId {
  const shape = kit.anyShape()
  const axis = kit.chance(0.75) ? -1 : kit.random.below(shape.length)
  return kit.op(kit.chance(0.9) ? 'Softmax' : 'LogSoftmax', [kit.fed(shape)], { axis: int(axis) })
}

const maskedSoftmax = (kit: Kit): ValueId => {
  const [batch, positions] = kit.sequence()
  const heads = kit.random.pick([1, 4, 8, 12])
  const scores = kit.op('Add', [kit.fed([batch, heads, positions, positions]), kit.fed([batch, 1, 1, positions])])
  return kit.op('Softmax', [scores], { axis: int(-1) })
}

function layerNorm(kit: Kit): ValueId {
  const shape = kit.sequence()
  const x = kit.fed(shape)
  const input = kit.chance(0.35) ? kit.op('Add', [x, kit.fed(shape)]) : x
  const width = [shape[2]]
  return kit.op('LayerNormalization', [input, kit.gain(width), kit.weight(width)], {
    axis: int(-1),
    epsilon: float(1e-5),
  })
}

/** Spelled out, as exporters write it: the runtime fuses some forms. */
function rmsNorm(kit: Kit): ValueId {
  const shape = kit.sequence()
  const x = kit.fed(shape)
  const square = kit.op('Pow', [x, kit.scalar(2)])
  const meanSquare = kit.op('ReduceMean', [square, kit.int64s([-1])])
  const root = kit.op('Sqrt', [kit.op('Add', [meanSquare, kit.scalar(1e-6)])])
  return kit.op('Mul', [kit.op('Div', [x, root]), kit.gain([shape[2]])])
}

const instanceNorm = (kit: Kit): ValueId => {
  const shape = [kit.images(), kit.channels(8, 256), ...kit.plane(4, 56)]
  return kit.op('InstanceNormalization', [kit.fed(shape), kit.gain([shape[1]!]), kit.weight([shape[1]!])])
}

const REDUCTIONS = [
  'ReduceMean',
  'ReduceMean',
  'ReduceSum',
  'ReduceSum',
  'ReduceMax',
  'ReduceMin',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceProd',
]

function reduce(kit: Kit): ValueId {
  const shape = kit.anyShape()
  const first = kit.chance(0.6) ? shape.length - 1 : kit.random.below(shape.length)
  const axes = [...new Set([first, ...(kit.chance(0.3) ? [kit.random.below(shape.length)] : [])])].sort()
  const inputs = [kit.fed(shape), kit.int64s(axes)]
  return kit.op(kit.random.pick(REDUCTIONS), inputs, { keepdims: int(kit.chance(0.6) ? 1 : 0) })
}

function pick(kit: Kit): ValueId {
  const shape = kit.anyShape(500_000)
  const axis = kit.random.below(shape.length)
  return kit.op(kit.random.pick(['ArgMax', 'ArgMin']), [kit.fed(shape)], { axis: int(axis) })
}

const runningSum = (kit: Kit): ValueId => {
  const shape = kit.anyShape(500_000)
  return kit.op('CumSum', [kit.fed(shape), kit.int64s([kit.random.below(shape.length)])])
}

/** x / 2 (1 + erf(x / sqrt 2)), as exporters write it. */
function spelledGelu(kit: Kit): ValueId {
  const x = kit.fed(kit.sequence())
  const erf = kit.op('Erf', [kit.op('Div', [x, kit.scalar(Math.SQRT2)])])
  return kit.op('Mul', [kit.op('Mul', [x, kit.op('Add', [erf, kit.scalar(1)])]), kit.scalar(0.5)])
}

export const WISE_RECIPES: readonly Recipe[] = [
  { name: 'unary', weight: 9, build: unary },
  { name: 'binary', weight: 12, build: binary },
  { name: 'power', weight: 1, build: power },
  { name: 'clip', weight: 1, build: clip },
  { name: 'where', weight: 1.2, build: where },
  { name: 'compare', weight: 0.6, build: compare },
  { name: 'prelu', weight: 0.7, build: prelu },
  { name: 'batch-norm', weight: 1, build: batchNorm },
  { name: 'sum-of-many', weight: 0.8, build: sumOfMany },
  { name: 'softmax', weight: 4, build: softmax },
  { name: 'softmax-masked', weight: 1.5, build: maskedSoftmax },
  { name: 'layer-norm', weight: 4, build: layerNorm },
  { name: 'rms-norm', weight: 1, build: rmsNorm },
  { name: 'instance-norm', weight: 1, build: instanceNorm },
  { name: 'reduce', weight: 6, build: reduce },
  { name: 'arg-max', weight: 0.6, build: pick },
  { name: 'cumulative-sum', weight: 0.4, build: runningSum },
  { name: 'gelu-spelled', weight: 1, build: spelledGelu },
]
