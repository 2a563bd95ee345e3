// Activations that exporters write out in pieces and for which runtimes have a kernel, most of which they fuse into the
// convolution or product before. Part of recognition (recognise.ts). What a runtime fuses by itself (Swish) or computes more
// slowly whole than in pieces (Softplus, Mish, Elu; measured) is not here.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { float } from '../../ir/attribute.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { withConstant } from './constant.ts'
import { clipped, isNumber, isSingle, isWhole, multiples, negated, onePlus, uniform } from './patterns.ts'
import { operandPairs } from './scale.ts'

const SOURCE = 'definitions in the ONNX operator specification (docs/rules.md, recognition)'

/** y / (1 + e^-x) = y Sigmoid(x) */
function* sigmoid(t: TensorEGraph, n: NodeId) {
  const whole = t.children(n).length === 1
  const [y, d] = whole ? [null, t.child(n, 0)] : (t.children(n) as [ClassId, ClassId])
  for (const z of onePlus(t, d, 'Exp'))
    for (const x of negated(t, z)) {
      if (!isSingle(t, x) || !shapeEquals(t.shape(x), t.shape(d))) continue
      const gate = t.onnx('Sigmoid', [x])
      yield y === null ? gate : t.mul(y, gate)
    }
}

/** x / (1 + |x|) = Softsign(x) */
function* softsign(t: TensorEGraph, n: NodeId) {
  const [x, d] = t.children(n) as [ClassId, ClassId]
  if (isSingle(t, x) && isWhole(t, n, x) && onePlus(t, d, 'Abs').includes(x)) yield t.onnx('Softsign', [x])
}

/** clip(a x + b, 0, 1) = HardSigmoid(x; a, b) */
function* hardSigmoid(t: TensorEGraph, n: NodeId) {
  for (const sum of clipped(t, t.egraph.classOf(n), 0, 1))
    for (const [product, k] of withConstant(t, sum, 'Add')) {
      const beta = uniform(t, k)
      if (beta === null) continue
      for (const [x, alpha] of multiples(t, product))
        if (isWhole(t, n, x) && isSingle(t, x))
          yield t.onnx('HardSigmoid', [x], { alpha: float(Math.fround(alpha)), beta: float(Math.fround(beta)) })
    }
}

/** The class as max(x, k) or min(x, k), k one number. */
function bounded(t: TensorEGraph, c: ClassId, family: 'Max' | 'Min'): (readonly [ClassId, number])[] {
  const whole = family === 'Max' ? t.nodes(c, 'Relu').map((r) => [t.child(r, 0), 0] as const) : []
  const pairs = t.nodes(c, family).flatMap((n) =>
    t.children(n).length !== 2
      ? []
      : operandPairs(t, n).flatMap(([x, k]) => {
          const value = uniform(t, k)
          return value === null || !isWhole(t, n, x) ? [] : [[x, value] as const]
        }),
  )
  return [...whole, ...pairs]
}

/** min(max(x, a), b) = max(min(x, b), a) = Clip(x, a, b) where a <= b */
function* clip(t: TensorEGraph, n: NodeId) {
  const c = t.egraph.classOf(n)
  for (const [inner, high] of bounded(t, c, 'Min'))
    for (const [x, low] of bounded(t, inner, 'Max')) yield* clipOf(t, x, low, high)
  for (const [inner, low] of bounded(t, c, 'Max'))
    for (const [x, high] of bounded(t, inner, 'Min')) yield* clipOf(t, x, low, high)
}

function* clipOf(t: TensorEGraph, x: ClassId, low: number, high: number) {
  const { dtype } = t.type(x)!
  if (low <= high) yield t.onnx('Clip', [x, t.scalar(low, 0, dtype), t.scalar(high, 0, dtype)])
  else yield refuse('the lower bound is above the upper one')
}

/** Readings of an e-node as x where x >= 0, and a x elsewhere. */
function* leaky(t: TensorEGraph, n: NodeId): Iterable<readonly [ClassId, number]> {
  const op = t.op(n)
  const [a, b, c] = t.children(n) as [ClassId, ClassId, ClassId?]
  if (op.kind !== 'onnx') return
  if (op.op === 'Max' && c === undefined) {
    for (const [x, m] of operandPairs(t, n))
      for (const [y, slope] of multiples(t, m)) if (y === x && slope > 0 && slope <= 1) yield [x, slope]
  } else if (op.op === 'PRelu') {
    const slope = uniform(t, b)
    if (slope !== null) yield [a, slope]
  } else if (op.op === 'Sub') {
    for (const r of t.nodes(a, 'Relu'))
      for (const [m, slope] of multiples(t, b)) if (isReluOfNegated(t, m, t.child(r, 0))) yield [t.child(r, 0), slope]
  } else if (op.op === 'Where' && c !== undefined) {
    for (const [condition, whole, part] of [
      ['Greater', b, c],
      ['GreaterOrEqual', b, c],
      ['Less', c, b],
      ['LessOrEqual', c, b],
    ] as const)
      for (const g of t.nodes(a, condition))
        for (const [x, slope] of multiples(t, part))
          if (x === whole && t.child(g, 0) === x && isNumber(t, t.child(g, 1), 0)) yield [x, slope]
  }
}

const isReluOfNegated = (t: TensorEGraph, c: ClassId, x: ClassId): boolean =>
  t.nodes(c, 'Relu').some((n) => negated(t, t.child(n, 0)).includes(x))

/** max(x, a x) = relu(x) - a relu(-x) = PRelu(x, a) = LeakyRelu(x; a) */
function* leakyRelu(t: TensorEGraph, n: NodeId) {
  for (const [x, slope] of leaky(t, n))
    if (isWhole(t, n, x) && isSingle(t, x)) yield t.onnx('LeakyRelu', [x], { alpha: float(Math.fround(slope)) })
}

const rule = ruleMaker({ source: SOURCE, depth: Number.POSITIVE_INFINITY })

export const recogniseActivationRules: readonly Rule[] = [
  rule('recognise-sigmoid', 'y / (1 + e^-x) = y Sigmoid(x)', ['Div', 'Reciprocal'], sigmoid, 'float32'),
  rule('recognise-softsign', 'x / (1 + |x|) = Softsign(x)', ['Div'], softsign, 'float32'),
  rule('recognise-clip', 'min(max(x, a), b) = Clip(x, a, b)', ['Min', 'Max'], clip, 'a <= b, both one number'),
  rule('recognise-affine-hard-sigmoid', 'clip(a x + b, 0, 1) = HardSigmoid(x; a, b)', ['Clip'], hardSigmoid, 'float32'),
  rule(
    'recognise-leaky-relu',
    'max(x, a x) = relu(x) - a relu(-x) = PRelu(x, a) = LeakyRelu(x; a)',
    ['Max', 'Sub', 'PRelu', 'Where'],
    leakyRelu,
    'a is one number, for max 0 < a <= 1; float32',
  ),
]
