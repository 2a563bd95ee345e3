// Factors. A product by something that does not vary along the axes an operator contracts moves through it; a constant factor
// along a contracted axis folds into the weights ("diagonal"). One rule covers division, softmax denominators, normalisations
// by degrees, gains and layer scales, since division is a product by a reciprocal.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt } from '../../ir/attribute.ts'
import type { Dim } from '../../ir/dim.ts'
import { convolve } from '../canonical-conv.ts'
import { replaceAxis } from '../infer-op.ts'
import { axesOf, linearChildren, targetAxes } from '../properties.ts'
import { type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'

const SOURCE = 'linearity and axis maps of the operators (docs/rules.md, factors)'

/** The two ways to read a product: [value, factor]. */
export function operandPairs(t: TensorEGraph, n: NodeId): readonly (readonly [ClassId, ClassId])[] {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  return a === b
    ? [[a, b]]
    : [
        [a, b],
        [b, a],
      ]
}

/** Axes along which s has more than one position (or may have). */
export function varyingAxes(t: TensorEGraph, s: ClassId): number[] {
  return t.shape(s).flatMap((d, i) => (d === 1 ? [] : [i]))
}

/** s with axis j moved to targets[j], as a value of rank `rank`; null if an axis along which it varies has no target. */
export function carryAxes(
  t: TensorEGraph,
  s: ClassId,
  targets: readonly (number | null)[],
  rank: number,
): ClassId | null {
  const moved = varyingAxes(t, s).map((j) => ({ from: j, to: targets[j] ?? null }))
  if (moved.some((m) => m.to === null)) return null
  const order = [...moved].sort((a, b) => a.to! - b.to!).map((m) => m.from)
  const rest = t.shape(s).flatMap((d, i) => (d === 1 ? [i] : []))
  const turned = t.transpose(s, [...order, ...rest])
  const shape: Dim[] = new Array<Dim>(rank).fill(1)
  for (const m of moved) shape[m.to!] = t.shape(s)[m.from]!
  return t.reshape(turned, shape)
}

/** f(x * s, y) = f(x, y) * s, where s varies only along axes that f passes through. */
function* scaleOut(t: TensorEGraph, n: NodeId) {
  const axes = axesOf(t, n)
  if (!axes || t.op(n).kind === 'reshape') return
  const rank = t.rank(t.egraph.classOf(n))
  // Products of products: only constants float, and only past what is not constant; the rest would be all orders of all factors.
  const isProduct = t.egraph.familyOf(n) === t.operators.family('Mul')
  if (isProduct && t.children(n).some((c) => t.isConstant(c))) return
  for (const k of linearChildren(t, n)) {
    const c = t.child(n, k)
    const targets = targetAxes(axes, k, t.rank(c))
    for (const m of t.nodes(c, 'Mul'))
      for (const [x, s] of operandPairs(t, m)) {
        if (!sameSizes(t, x, c) || (isProduct && !t.isConstant(s))) continue
        const factor = carryAxes(t, s, targets, rank)
        if (factor === null) {
          yield refuse('the factor varies along an axis that the operator mixes')
          continue
        }
        const inner = t.rebuild(
          t.op(n),
          t.children(n).map((other, i) => (i === k ? x : other)),
        )
        if (inner !== null) yield t.mul(inner, factor)
      }
  }
}

/** True if x is not itself broadcast in the product c. */
function sameSizes(t: TensorEGraph, x: ClassId, c: ClassId): boolean {
  return t.shape(x).every((d, i) => d !== 1 || t.shape(c)[i] === 1)
}

/** f(x, y) * s = f(x * s, y), where x is smaller than the result along every axis that f adds. */
function* scaleIn(t: TensorEGraph, n: NodeId) {
  for (const [c, s] of operandPairs(t, n))
    for (const f of t.nodes(c, 'MatMul')) {
      const rank = t.rank(c)
      const [a, b] = t.children(f) as [ClassId, ClassId]
      const varying = varyingAxes(t, s)
      if (t.rank(a) !== rank || t.rank(b) !== rank || t.isConstant(s)) continue
      if (varying.every((v) => v === rank - 1)) yield t.onnx('MatMul', [a, t.mul(b, s)])
      if (varying.every((v) => v === rank - 2)) yield t.onnx('MatMul', [t.mul(a, s), b])
    }
}

/** (X * s) Y = X (s' * Y), s along the contracted axis. */
function* scaleContract(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  const rank = t.rank(a)
  if (rank !== t.rank(b) || rank < 2) return
  const swap = Array.from({ length: rank }, (_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i))
  for (const m of t.nodes(a, 'Mul'))
    for (const [x, s] of operandPairs(t, m))
      if (sameSizes(t, x, a) && varyingAxes(t, s).every((v) => v === rank - 1))
        yield t.onnx('MatMul', [x, t.mul(b, t.transpose(s, swap))])
  for (const m of t.nodes(b, 'Mul'))
    for (const [y, s] of operandPairs(t, m))
      if (sameSizes(t, y, b) && varyingAxes(t, s).every((v) => v === rank - 2))
        yield t.onnx('MatMul', [t.mul(a, t.transpose(s, swap)), y])
}

/** (x * d) W = x (diag(d) W); (x W) * d = x (W diag(d)) */
function* diagonalIn(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  if (op.kind !== 'lin') return
  const w = t.child(n, 1)
  for (const m of t.nodes(t.child(n, 0), 'Mul'))
    for (const [x, d] of operandPairs(t, m)) {
      if (!t.isConstant(d) || !sameSizes(t, x, t.child(n, 0)) || !varyingAxes(t, d).every((v) => v === op.axis))
        continue
      yield t.lin(x, t.mul(w, t.reshape(d, [t.shape(d)[op.axis]!, 1])!), op.axis)
    }
}

function* diagonalOut(t: TensorEGraph, n: NodeId) {
  for (const [c, d] of operandPairs(t, n)) {
    if (!t.isConstant(d)) continue
    for (const l of t.nodes(c, 'lin')) {
      const op = t.op(l)
      if (op.kind !== 'lin' || !varyingAxes(t, d).every((v) => v === op.axis) || t.rank(d) !== t.rank(c)) continue
      yield t.lin(t.child(l, 0), t.mul(t.child(l, 1), t.reshape(d, [1, t.shape(d)[op.axis]!])!), op.axis)
    }
    if (varyingAxes(t, d).every((v) => v === 1)) yield* intoKernels(t, c, d)
  }
}

/** The convolutions of c with d, per output channel, in their kernels. */
function* intoKernels(t: TensorEGraph, c: ClassId, d: ClassId) {
  for (const f of [...t.nodes(c, 'Conv'), ...t.nodes(c, 'ConvTranspose')]) {
    const op = t.op(f)
    const [x, w, bias] = t.children(f) as [ClassId, ClassId, ClassId?]
    if (op.kind !== 'onnx' || bias !== undefined || !t.isConstant(w)) continue
    const transposed = op.op === 'ConvTranspose'
    if (transposed && getInt(op.attributes, 'group', 1) !== 1) continue
    const ones = new Array<Dim>(t.rank(w) - 2).fill(1)
    const channels = t.shape(d)[1]!
    const scaled = t.mul(w, t.reshape(d, transposed ? [1, channels, ...ones] : [channels, 1, ...ones])!)
    yield transposed ? t.make(op, [x, scaled]) : convolve(t, x, scaled, op.attributes)
  }
}

/** conv(x * d, W) = conv(x, W * d), d per input channel; padding is no obstacle, since 0 * d = 0. */
function* diagonalIntoConv(t: TensorEGraph, n: NodeId) {
  const conv = t.op(n)
  if (conv.kind !== 'onnx' || t.children(n).length !== 2 || !t.isConstant(t.child(n, 1))) return
  const w = t.child(n, 1)
  const group = getInt(conv.attributes, 'group', 1)
  for (const m of t.nodes(t.child(n, 0), 'Mul'))
    for (const [x, d] of operandPairs(t, m)) {
      if (!t.isConstant(d) || !sameSizes(t, x, t.child(n, 0)) || !varyingAxes(t, d).every((v) => v === 1)) continue
      const factor = channelFactor(t, d, w, group)
      if (factor !== null) yield convolve(t, x, t.mul(w, factor), conv.attributes)
    }
}

/** d per input channel as a factor of w: [outputs, inputs per group, ...]. */
function channelFactor(t: TensorEGraph, d: ClassId, w: ClassId, group: number): ClassId | null {
  const [outputs, perGroup, ...kernel] = t.shape(w) as number[]
  const ones = kernel.map(() => 1)
  const channels = t.shape(d)[1] as number
  if (channels === 1 || group === 1) return t.reshape(d, [1, channels, ...ones])
  const grouped = t.reshape(d, [group, 1, perGroup!, ...ones])!
  const repeated = t.expand(grouped, replaceAxis(t.shape(grouped), 1, outputs! / group))
  return repeated && t.reshape(repeated, [outputs!, perGroup!, ...ones])
}

const rule = ruleMaker({ source: SOURCE })

export const scaleRules: readonly Rule[] = [
  rule(
    'scale-out',
    'f(x * s, y) = f(x, y) * s',
    'all',
    scaleOut,
    'f is linear in x; s varies only along axes that pass through f',
  ),
  rule('scale-in', '(X Y) * s = X (Y * s) or (X * s) Y', ['Mul'], scaleIn, 's varies along one axis'),
  rule('scale-contract', '(X * s) Y = X (s * Y)', ['MatMul'], scaleContract, 's varies along the contracted axis'),
  rule('diagonal-in', '(x * d) W = x (diag(d) W)', ['lin'], diagonalIn, 'd is constant'),
  rule(
    'diagonal-out',
    '(x W) * d = x (W diag(d)); conv(x, W) * d = conv(x, W * d)',
    ['Mul'],
    diagonalOut,
    'd is constant, per output channel',
  ),
  rule(
    'diagonal-into-conv',
    'conv(x * d, W) = conv(x, W * d)',
    ['Conv'],
    diagonalIntoConv,
    'd is constant, per input channel',
  ),
]
