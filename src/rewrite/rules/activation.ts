// Functions of one element by others of it. Some kernels of a runtime go element by element where their pieces are
// vectorised, so that the pieces are faster; each identity here is stable over the whole range of its operator.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { upperBound } from '../bounds.ts'
import { type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { onnxOp } from '../tensor-op.ts'
import { isSingle, isWhole, onePlus } from './patterns.ts'
import { operandPairs } from './scale.ts'

const constantLike = (t: TensorEGraph, x: ClassId, value: number): ClassId =>
  t.scalar(value, t.rank(x), t.type(x)!.dtype)

/** Softplus(x) = max(x, 0) + log(1 + e^-|x|) */
function* softplus(t: TensorEGraph, n: NodeId) {
  const x = t.child(n, 0)
  const e = t.onnx('Exp', [t.onnx('Neg', [t.onnx('Abs', [x])])])
  yield t.add(t.onnx('Relu', [x]), t.onnx('Log', [t.add(e, constantLike(t, x, 1))]))
}

/** Above it tanh(softplus x) is 1 in float32, and e^x squared is finite. */
const MISH_BOUND = 20

/** x tanh(softplus x) = x m / (m + 2), m = e^x (e^x + 2), with x bounded in the exponent */
function* mish(t: TensorEGraph, n: NodeId) {
  for (const x of mishOf(t, n)) {
    if (!isSingle(t, x) || !isWhole(t, n, x)) {
      yield refuse('a constant of the pattern repeats the value, or it is not of float32')
      continue
    }
    const clip = { ...onnxOp('Clip', 3, t.opset), present: [true, false, true] }
    const e = t.onnx('Exp', [t.make(clip, [x, t.scalar(MISH_BOUND, 0)])])
    const m = t.mul(e, t.add(e, constantLike(t, x, 2)))
    yield t.mul(x, t.onnx('Div', [m, t.add(m, constantLike(t, x, 2))]))
  }
}

function* mishOf(t: TensorEGraph, n: NodeId): Iterable<ClassId> {
  const [first, second] = t.children(n) as [ClassId, ClassId?]
  if (second === undefined) return yield first
  for (const [x, gate] of operandPairs(t, n))
    for (const h of t.nodes(gate, 'Tanh')) if (isSoftplusOf(t, t.child(h, 0), x)) yield x
}

function isSoftplusOf(t: TensorEGraph, c: ClassId, x: ClassId): boolean {
  const whole = t.nodes(c, 'Softplus').some((n) => t.child(n, 0) === x)
  return whole || t.nodes(c, 'Log').some((n) => onePlus(t, t.child(n, 0), 'Exp').includes(x))
}

/** PRelu(x, s) = max(x, s x) where 0 < s <= 1, = relu(x) + s min(x, 0) elsewhere */
function* prelu(t: TensorEGraph, n: NodeId) {
  const [x, s] = t.children(n) as [ClassId, ClassId]
  const slope = t.rank(s) <= t.rank(x) ? t.raise(s, t.rank(x)) : null
  const values = t.isConstant(s) ? t.constants.array(t.constantOf(s)!).data : null
  if (slope === null || values === null || !values.every(Number.isFinite))
    yield refuse('the slope is no finite constant')
  else if (values.every((v) => v > 0 && v <= 1)) yield t.elementwise('Max', [x, t.mul(x, slope)])!
  else yield t.add(t.onnx('Relu', [x]), t.mul(t.elementwise('Min', [x, constantLike(t, x, 0)])!, slope))
}

/** Two exponentials of at most this have a product that is finite in float32. */
const EXPONENT = 44

const isTame = (t: TensorEGraph, c: ClassId): boolean => upperBound(t, c) <= EXPONENT

/** e^x e^y = e^(x + y) */
function* productOfExponentials(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  for (const p of t.nodes(a, 'Exp'))
    for (const q of t.nodes(b, 'Exp')) {
      const [x, y] = [t.child(p, 0), t.child(q, 0)]
      if (isTame(t, x) && isTame(t, y)) yield t.onnx('Exp', [t.add(x, y)])
      else yield refuse('an exponential may overflow where the exponential of the sum does not')
    }
}

/** e^(x + y) = e^x e^y, where x and y are both smaller than their sum */
function* exponentialOfSum(t: TensorEGraph, n: NodeId) {
  const sum = t.child(n, 0)
  for (const m of t.nodes(sum, 'Add')) {
    const [x, y] = t.children(m) as [ClassId, ClassId]
    if ([x, y].some((c) => isWhole(t, n, c))) continue
    if (isTame(t, x) && isTame(t, y)) yield t.mul(t.onnx('Exp', [x]), t.onnx('Exp', [y]))
    else yield refuse('an exponential may overflow where the exponential of the sum does not')
  }
}

const rule = ruleMaker({ source: 'definitions of the functions (docs/rules.md, activations)', depth: 5 })

const TAME = 'x and y are at most 44 by what makes them'

export const activationRules: readonly Rule[] = [
  rule('softplus-in-pieces', 'Softplus(x) = max(x, 0) + log(1 + e^-|x|)', ['Softplus'], softplus),
  rule(
    'mish-by-exponential',
    'x tanh(softplus x) = x m / (m + 2), m = e (e + 2), e = e^min(x, 20)',
    ['Mish', 'Mul'],
    mish,
    'float32',
  ),
  rule(
    'prelu-in-pieces',
    'PRelu(x, s) = max(x, s x), or relu(x) + s min(x, 0)',
    ['PRelu'],
    prelu,
    's is constant; max where 0 < s <= 1',
  ),
  rule('product-of-exponentials', 'e^x e^y = e^(x + y)', ['Mul'], productOfExponentials, TAME),
  rule('exponential-of-sum', 'e^(x + y) = e^x e^y', ['Exp'], exponentialOfSum, `${TAME}; each is repeated in the sum`),
]
