// Recognition: what exporters write out in pieces, as the one operator that runtimes fuse. Runs first, since algebra destroys
// the patterns. Every rule names the definition it matches, from the ONNX operator's specification.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { float, getFloat, getInt, int, text } from '../../ir/attribute.ts'
import { ndarray } from '../../ir/tensor.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { withConstant } from './constant.ts'
import { clipped, isNumber, isSingle, isWhole, negated, onePlus, pick, products, uniform, without } from './patterns.ts'
import { recogniseActivationRules } from './recognise-activation.ts'
import { operandPairs } from './scale.ts'

const SOURCE = 'definitions in the ONNX operator specification (docs/rules.md, recognition)'
/** HardSigmoid(x) = clip(x + 3, 0, 6) / 6, that is alpha 1/6 and beta 1/2. */
function* hardSigmoid(t: TensorEGraph, n: NodeId) {
  for (const [c, k] of operandPairs(t, n)) {
    if (!isNumber(t, k, 1 / 6)) continue
    for (const shifted of clipped(t, c, 0, 6))
      for (const x of without(t, shifted, 'Add', 3))
        yield isWhole(t, n, x) && isSingle(t, x)
          ? t.onnx('HardSigmoid', [x], { alpha: float(Math.fround(1 / 6)), beta: float(0.5) })
          : refuse('it is not float32, or a constant repeats it')
  }
}

/** HardSwish(x) = x * HardSigmoid(x) with alpha 1/6 and beta 1/2. */
function* hardSwish(t: TensorEGraph, n: NodeId): Results {
  if (t.opset < 14) return yield refuse('the model is of an opset before 14')
  for (const [a, b] of operandPairs(t, n))
    for (const h of t.nodes(b, 'HardSigmoid')) {
      const op = t.op(h)
      const standard =
        op.kind === 'onnx' &&
        Math.abs(getFloat(op.attributes, 'alpha', 0.2) - 1 / 6) < 1e-6 &&
        getFloat(op.attributes, 'beta', 0.5) === 0.5
      if (standard && t.child(h, 0) === a && isSingle(t, a)) yield t.onnx('HardSwish', [a])
    }
  for (const factors of products(t, t.egraph.classOf(n), 3))
    for (const [, rest] of pick(factors, (c) => isNumber(t, c, 1 / 6)))
      for (const [x, [clip]] of pick(rest, (c) => !t.isConstant(c)))
        for (const shifted of clipped(t, clip!, 0, 6))
          if (without(t, shifted, 'Add', 3).includes(x) && isWhole(t, n, x) && isSingle(t, x))
            yield t.onnx('HardSwish', [x])
}

/** Gelu(x) = x/2 (1 + erf(x / sqrt 2)), and its tanh form, in any order of the factors. */
function* gelu(t: TensorEGraph, n: NodeId): Results {
  if (t.opset < 20) return yield refuse('the model is of an opset before 20')
  for (const factors of products(t, t.egraph.classOf(n), 3))
    for (const [, rest] of pick(factors, (c) => isNumber(t, c, 0.5)))
      for (const [x, [gate]] of pick(rest, (c) => !t.isConstant(c))) {
        if (!isWhole(t, n, x)) {
          yield refuse('a constant of the pattern repeats the value')
          continue
        }
        for (const z of onePlus(t, gate!, 'Erf'))
          if (without(t, z, 'Mul', Math.SQRT1_2).includes(x)) yield t.onnx('Gelu', [x])
        for (const z of onePlus(t, gate!, 'Tanh'))
          if (isTanhArgument(t, z, x)) yield t.onnx('Gelu', [x], { approximate: text('tanh') })
      }
}

/** sqrt(2 / pi) (x + 0.044715 x^3) */
function isTanhArgument(t: TensorEGraph, z: ClassId, x: ClassId): boolean {
  return without(t, z, 'Mul', Math.sqrt(2 / Math.PI)).some((sum) =>
    t
      .nodes(sum, 'Add')
      .some((n) =>
        operandPairs(t, n).some(
          ([a, b]) => a === x && without(t, b, 'Mul', 0.044715).some((cube) => isCube(t, cube, x)),
        ),
      ),
  )
}

function isCube(t: TensorEGraph, c: ClassId, x: ClassId): boolean {
  const power = t.nodes(c, 'Pow').some((n) => t.child(n, 0) === x && isNumber(t, t.child(n, 1), 3))
  return power || products(t, c, 3).some((factors) => factors.every((f) => f === x))
}

/** Means over the last axes, kept, that the class is, with the first of those axes. */
function trailingMeanOf(t: TensorEGraph, c: ClassId): { readonly x: ClassId; readonly axis: number }[] {
  const pools = t.nodes(c, 'GlobalAveragePool').map((n) => ({ x: t.child(n, 0), axis: 2 }))
  return [...pools.filter(({ x }) => t.rank(x) > 2), ...reducedMeanOf(t, c)]
}

function reducedMeanOf(t: TensorEGraph, c: ClassId): { readonly x: ClassId; readonly axis: number }[] {
  return t.nodes(c, 'ReduceMean').flatMap((n) => {
    const op = t.op(n)
    const x = t.child(n, 0)
    if (op.kind !== 'onnx' || t.type(x) === null || getInt(op.attributes, 'keepdims', 1) !== 1) return []
    const given =
      op.attributes.axes?.kind === 'ints'
        ? op.attributes.axes.value.map(Number)
        : t.children(n)[1] === undefined
          ? null
          : (t.fact(t.child(n, 1)).contents as number[] | null)
    const rank = t.rank(x)
    const axes = given?.map((a) => (a < 0 ? a + rank : a)).sort((a, b) => a - b)
    return axes && axes.length > 0 && axes.every((a, i) => a === rank - axes.length + i) ? [{ x, axis: axes[0]! }] : []
  })
}

/** (x - mean x) / sqrt(mean (x - mean x)^2 + eps), without gain. */
function* layerNorm(t: TensorEGraph, n: NodeId): Results {
  if (t.opset < 17) return yield refuse('the model is of an opset before 17')
  for (const [d, inverse] of operandPairs(t, n))
    for (const r of t.nodes(inverse, 'Reciprocal')) yield* layerNormOf(t, n, d, t.child(r, 0))
}

function* layerNormOf(t: TensorEGraph, n: NodeId, d: ClassId, root: ClassId) {
  for (const s of t.nodes(d, 'Sub'))
    for (const { x, axis } of trailingMeanOf(t, t.child(s, 1))) {
      if (x !== t.child(s, 0)) continue
      const normalised = t.shape(x).slice(axis)
      for (const epsilon of epsilonsOf(t, root, d, axis)) {
        if (normalised.some((size) => typeof size !== 'number') || !isWhole(t, n, x)) {
          yield refuse('a normalised size is open, or a constant repeats the value')
          continue
        }
        const sizes = normalised as number[]
        const ones = t.literal(
          ndarray(t.type(x)!.dtype, sizes, new Float64Array(sizes.reduce((a, b) => a * b, 1)).fill(1)),
        )
        yield t.onnx('LayerNormalization', [x, ones], { axis: int(axis), epsilon: float(epsilon) })
      }
    }
}

/** x s + (b - mean s), where s = g / sqrt(mean (x - mean)^2 + eps): how TensorFlow writes (x - mean) s + b. */
function* layerNormInTerms(t: TensorEGraph, n: NodeId): Results {
  if (t.opset < 17) return yield refuse('the model is of an opset before 17')
  for (const [product, offset] of operandPairs(t, n))
    for (const m of t.nodes(product, 'Mul'))
      for (const [x, s] of operandPairs(t, m))
        for (const [gain, root] of scalings(t, s))
          for (const [mean, shift] of shifts(t, offset, s)) {
            const centred = t.existing(() => t.onnx('Sub', [x, mean]))
            if (centred === null || !trailingMeanOf(t, mean).some((of) => of.x === x)) continue
            for (const norm of layerNormOf(t, n, t.egraph.find(centred), root)) {
              const scaled = gain === null || typeof norm !== 'number' ? norm : t.mul(norm, gain)
              yield shift === null || typeof scaled !== 'number' ? scaled : t.add(scaled, shift)
            }
          }
}

/** Readings as g / root: g is constant, or null for 1. */
function scalings(t: TensorEGraph, s: ClassId): (readonly [ClassId | null, ClassId])[] {
  const roots = (c: ClassId) => t.nodes(c, 'Reciprocal').map((r) => t.child(r, 0))
  return [
    ...roots(s).map((root) => [null, root] as const),
    ...withConstant(t, s, 'Mul').flatMap(([inverse, gain]) => roots(inverse).map((root) => [gain, root] as const)),
  ]
}

/** Readings as b - mean * s: [mean, b], b constant, or null for 0. */
function shifts(t: TensorEGraph, c: ClassId, s: ClassId): (readonly [ClassId, ClassId | null])[] {
  const others = (product: ClassId) =>
    t.nodes(product, 'Mul').flatMap((n) => operandPairs(t, n).flatMap(([mean, by]) => (by === s ? [mean] : [])))
  const minus = (of: ClassId) => [
    ...others(of).flatMap((mean) => negated(t, mean)),
    ...negated(t, of).flatMap((product) => others(product)),
  ]
  const subtracted = t.nodes(c, 'Sub').filter((n) => t.isConstant(t.child(n, 0)))
  return [
    ...minus(c).map((mean) => [mean, null] as const),
    ...withConstant(t, c, 'Add').flatMap(([rest, b]) => minus(rest).map((mean) => [mean, b] as const)),
    ...subtracted.flatMap((n) => others(t.child(n, 1)).map((mean) => [mean, t.child(n, 0)] as const)),
  ]
}

/** x / sqrt(mean x^2 + eps), without gain: under opset 23 the operator that the runtime makes of its pieces (decode.ts). */
function* rmsNorm(t: TensorEGraph, n: NodeId) {
  const name = t.opset >= 23 ? 'RMSNormalization' : 'SimplifiedLayerNormalization'
  for (const [x, inverse] of operandPairs(t, n)) {
    const last = t.rank(x) - 1
    const size = t.shape(x)[last]
    if (!isSingle(t, x) || !isWhole(t, n, x) || typeof size !== 'number') continue
    const gain = t.literal(ndarray('float32', [size], new Float64Array(size).fill(1)))
    for (const r of t.nodes(inverse, 'Reciprocal'))
      for (const epsilon of epsilonsOf(t, t.child(r, 0), x, last))
        yield t.onnx(name, [x, gain], { axis: int(last), epsilon: float(epsilon) })
  }
}

/** eps of sqrt(mean(d * d) + eps). */
function epsilonsOf(t: TensorEGraph, root: ClassId, d: ClassId, axis: number): number[] {
  return t.nodes(root, 'Sqrt').flatMap((q) =>
    withConstant(t, t.child(q, 0), 'Add').flatMap(([variance, eps]) => {
      const value = uniform(t, eps)
      const matches = trailingMeanOf(t, variance).some((m) => m.axis === axis && isSquare(t, m.x, d))
      return value !== null && value > 0 && matches ? [value] : []
    }),
  )
}

function isSquare(t: TensorEGraph, c: ClassId, x: ClassId): boolean {
  const power = t.nodes(c, 'Pow').some((n) => t.child(n, 0) === x && isNumber(t, t.child(n, 1), 2))
  return power || t.nodes(c, 'Mul').some((n) => t.children(n).every((f) => f === x))
}

/** A constant of the normalised shape, or null. */
function asGain(t: TensorEGraph, k: ClassId, x: ClassId, axis: number): ClassId | null {
  const normalised = t.shape(x).slice(axis)
  const leading = t.shape(k).slice(0, -normalised.length)
  if (!t.isConstant(k) || leading.some((d) => d !== 1)) return null
  const own = t.reshape(k, t.shape(k).slice(-normalised.length))
  return own && t.expand(own, normalised)
}

const NORMS = ['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization']

/** LayerNorm(x, g) * k = LayerNorm(x, g k) */
function* layerNormScale(t: TensorEGraph, n: NodeId) {
  for (const [c, k] of operandPairs(t, n))
    for (const l of NORMS.flatMap((name) => t.nodes(c, name))) {
      const op = t.op(l)
      const [x, gain, bias] = t.children(l) as [ClassId, ClassId, ClassId?]
      if (op.kind !== 'onnx' || op.outputCount !== 1 || bias !== undefined || !t.isConstant(gain)) continue
      const factor = asGain(t, k, x, getInt(op.attributes, 'axis', -1))
      yield factor ? t.make(op, [x, t.mul(gain, factor)]) : refuse('the factor is no constant gain')
    }
}

/** LayerNorm(x, g, b) + k = LayerNorm(x, g, b + k) */
function* layerNormShift(t: TensorEGraph, n: NodeId) {
  for (const [c, k] of operandPairs(t, n))
    for (const l of t.nodes(c, 'LayerNormalization')) {
      const op = t.op(l)
      const [x, gain, bias] = t.children(l) as [ClassId, ClassId, ClassId?]
      if (op.kind !== 'onnx' || op.outputCount !== 1 || (bias !== undefined && !t.isConstant(bias))) continue
      const term = asGain(t, k, x, getInt(op.attributes, 'axis', -1))
      yield term
        ? t.make({ ...op, present: [true, true, true] }, [x, gain, bias === undefined ? term : t.add(bias, term)])
        : refuse('the term is no constant shift')
    }
}

const rule = ruleMaker({ source: SOURCE, depth: Number.POSITIVE_INFINITY })

export const recogniseRules: readonly Rule[] = [
  rule('recognise-hard-sigmoid', 'clip(x + 3, 0, 6) / 6 = HardSigmoid(x; 1/6, 1/2)', ['Mul'], hardSigmoid),
  rule('recognise-hard-swish', 'x * clip(x + 3, 0, 6) / 6 = HardSwish(x)', ['Mul'], hardSwish, 'opset 14'),
  rule('recognise-gelu', 'x / 2 * (1 + erf(x / sqrt 2)) = Gelu(x)', ['Mul'], gelu, 'opset 20'),
  rule(
    'recognise-layer-norm',
    '(x - mean x) / sqrt(var x + eps) = LayerNormalization(x)',
    ['Mul'],
    layerNorm,
    'opset 17',
  ),
  rule(
    'recognise-layer-norm-in-terms',
    'x s + (b - mean x s), s = g / sqrt(var x + eps) = LayerNormalization(x; g, b)',
    ['Add'],
    layerNormInTerms,
    'opset 17; g and b are constant',
  ),
  rule(
    'recognise-rms-norm',
    'x / sqrt(mean x^2 + eps) = RMSNormalization(x)',
    ['Mul'],
    rmsNorm,
    'float32, over the last axis',
  ),
  rule(
    'layer-norm-scale',
    'LayerNorm(x; g) * k = LayerNorm(x; g k); RMSNorm too',
    ['Mul'],
    layerNormScale,
    'k is a constant gain',
  ),
  rule(
    'layer-norm-shift',
    'LayerNorm(x; g, b) + k = LayerNorm(x; g, b + k)',
    ['Add'],
    layerNormShift,
    'k is a constant shift',
  ),
  ...recogniseActivationRules,
]
