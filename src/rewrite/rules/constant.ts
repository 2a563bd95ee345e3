// Constant terms and factors: they combine, move out of what is linear, and float towards where they fold. Floating is guarded:
// past a sibling only if that carries a constant too, or else 2^n subsets of biases appear in residual sums.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInts, getText } from '../../ir/attribute.ts'
import { type Dim, dimEquals } from '../../ir/dim.ts'
import { passingAxes } from '../axis-groups.ts'
import { reduce } from '../canonical.ts'
import { convolve } from '../canonical-conv.ts'
import { replaceAxis } from '../infer-op.ts'
import { linearChildren } from '../properties.ts'
import { type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { operandPairs, varyingAxes } from './scale.ts'

const SOURCE = 'distributivity and linearity (docs/rules.md, constants)'

/** [value, constant] readings of the sums or products in a class. */
export function withConstant(t: TensorEGraph, c: ClassId, family: 'Add' | 'Mul'): (readonly [ClassId, ClassId])[] {
  return t.nodes(c, family).flatMap((n) => operandPairs(t, n).filter(([x, k]) => t.isConstant(k) && !t.isConstant(x)))
}

/** Those of a sum of which the value has no constant term left, where there are such: a chain of residual sums would otherwise have
 * one form for each subset of its biases. */
function withAllConstants(t: TensorEGraph, c: ClassId): (readonly [ClassId, ClassId])[] {
  const readings = withConstant(t, c, 'Add')
  const whole = readings.length > 1 ? readings.filter(([x]) => withConstant(t, x, 'Add').length === 0) : []
  return whole.length > 0 ? whole : readings
}

/** (x + c) + d = x + (c + d); (x * c) * d = x * (c * d) */
const combine = (family: 'Add' | 'Mul') =>
  function* (t: TensorEGraph, n: NodeId) {
    for (const [inner, d] of operandPairs(t, n)) {
      if (!t.isConstant(d)) continue
      for (const [x, c] of withConstant(t, inner, family)) {
        const both = t.elementwise(family, [c, d])
        const whole = both && t.elementwise(family, [x, both])
        if (whole) yield whole
      }
    }
  }

/** (x + c) * d = x * d + c * d */
function* distribute(t: TensorEGraph, n: NodeId) {
  for (const [sum, d] of operandPairs(t, n)) {
    if (!t.isConstant(d)) continue
    for (const [x, c] of withAllConstants(t, sum)) {
      yield varies(t, x, sum) ? t.add(t.mul(x, d), t.mul(c, d)) : refuse('the value is itself repeated in the sum')
    }
  }
}

/** True if x has all of the sum's sizes, so that nothing is repeated when they part. */
function varies(t: TensorEGraph, x: ClassId, sum: ClassId): boolean {
  return t.shape(x).every((d, i) => dimEquals(d, t.shape(sum)[i]!))
}

/** (x + c) + (y + d) = (x + y) + (c + d); past a sibling without a constant only if x and y may merge. */
function* float(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  for (const [x, c] of withAllConstants(t, a))
    for (const [y, d] of withAllConstants(t, b)) yield t.add(t.add(x, y), t.add(c, d))
  for (const [sum, y] of operandPairs(t, n))
    for (const [x, c] of withAllConstants(t, sum))
      if (!t.isConstant(y))
        yield mayMerge(t, x, y) ? t.add(t.add(x, y), c) : refuse('the other term could not merge with this one')
}

/** True if x is a linear map or convolution of y, or of what y is one of. */
function mayMerge(t: TensorEGraph, x: ClassId, y: ClassId): boolean {
  const of = (c: ClassId) => [...t.nodes(c, 'lin'), ...t.nodes(c, 'Conv')].map((n) => t.child(n, 0))
  const sources = of(x)
  return sources.includes(t.egraph.find(y)) || of(y).some((s) => sources.includes(s))
}

/** f(x + c) = f(x) + f(c) */
function* constantOut(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  if (
    !linearChildren(t, n).includes(0) ||
    !t
      .children(n)
      .slice(1)
      .every((c) => t.isConstant(c))
  )
    return
  for (const [x, c] of withAllConstants(t, t.child(n, 0))) {
    if (!varies(t, x, t.child(n, 0))) {
      yield refuse('the value is itself repeated in the sum')
      continue
    }
    const image = imageOfConstant(t, n, c)
    const moved =
      image &&
      (op.kind === 'reshape'
        ? t.reshape(x, t.shape(t.egraph.classOf(n)))
        : t.rebuild(op, [x, ...t.children(n).slice(1)]))
    yield moved && image
      ? t.add(moved, image)
      : refuse('the operator pads, or mixes an axis along which the constant varies')
  }
}

/** f(c) with no more positions than c needs; null where c would have to be repeated without bound. */
function imageOfConstant(t: TensorEGraph, n: NodeId, c: ClassId): ClassId | null {
  const op = t.op(n)
  const shape = t.shape(t.child(n, 0))
  switch (op.kind) {
    case 'lin': {
      const full = fullAlong(t, c, [op.axis], shape)
      return full && t.lin(full, t.child(n, 1), op.axis)
    }
    case 'transpose':
      return t.transpose(c, op.perm)
    case 'select':
      return t.shape(c)[op.axis] === 1 ? c : t.select(c, op.axis, op.index)
    case 'reshape':
      return imageOfReshape(t, n, c)
    case 'onnx':
      return imageOfOnnx(t, n, c)
    default:
      return null
  }
}

function fullAlong(t: TensorEGraph, c: ClassId, axes: readonly number[], shape: readonly Dim[]): ClassId | null {
  const target = axes.reduce<readonly Dim[]>(
    (s, a) => (typeof shape[a] === 'number' ? replaceAxis(s, a, shape[a]) : s),
    t.shape(c),
  )
  return axes.every((a) => typeof shape[a] === 'number') ? t.expand(c, target) : null
}

function imageOfReshape(t: TensorEGraph, n: NodeId, c: ClassId): ClassId | null {
  const op = t.op(n)
  if (op.kind !== 'reshape') return null
  const out = t.shape(t.egraph.classOf(n))
  const from = passingAxes(op.groups)
  const passing = new Set(from.filter((p) => p !== null))
  if (varyingAxes(t, c).every((a) => passing.has(a)))
    return t.reshape(
      c,
      out.map((_, i) => (from[i] == null ? 1 : t.shape(c)[from[i]!]!)),
    )
  const shape = t.shape(t.child(n, 0))
  const full = fullAlong(
    t,
    c,
    shape.flatMap((_, a) => (passing.has(a) ? [] : [a])),
    shape,
  )
  return (
    full &&
    t.reshape(
      full,
      out.map((d, i) => (from[i] == null ? d : t.shape(full)[from[i]!]!)),
    )
  )
}

/** Operators that map a value repeated along their mixed axes to itself. */
function imageOfOnnx(t: TensorEGraph, n: NodeId, c: ClassId): ClassId | null {
  const op = t.op(n)
  if (op.kind !== 'onnx') return null
  if (op.op === 'Conv') return imageOfConv(t, n, c)
  const spatial = varyingAxes(t, c).every((a) => a <= 1)
  const unpadded =
    getInts(op.attributes, 'pads', []).every((p) => p === 0) &&
    getText(op.attributes, 'auto_pad', 'NOTSET') === 'NOTSET'
  const averages =
    op.op === 'GlobalAveragePool' ||
    (op.op === 'AveragePool' && unpadded && !op.attributes.ceil_mode) ||
    (op.op === 'Resize' &&
      getText(op.attributes, 'coordinate_transformation_mode', 'half_pixel') !== 'tf_crop_and_resize' &&
      getInts(op.attributes, 'axes', [0]).every((a) => a >= 2))
  if (averages) return spatial ? c : null
  return imageOfReduction(t, n, c)
}

/** Where c varies it is reduced; elsewhere its mean is c, and its sum is c as often as there are positions. */
function imageOfReduction(t: TensorEGraph, n: NodeId, c: ClassId): ClassId | null {
  const op = t.op(n)
  if (op.kind !== 'onnx' || (op.op !== 'ReduceMean' && op.op !== 'ReduceSum')) return null
  // One that drops its axes is not in canonical form: the sizes that it declares are not known to be those that it has.
  if (t.rank(t.egraph.classOf(n)) !== t.rank(t.child(n, 0))) return null
  const axes =
    t.children(n)[1] === undefined
      ? getInts(op.attributes, 'axes', [])
      : (t.fact(t.child(n, 1)).contents as readonly number[] | null)
  if (!axes || axes.length === 0) return null
  const own = varyingAxes(t, c).filter((a) => axes.includes(a))
  const reduced = own.length === 0 ? c : reduce(t, op.op, c, own)
  if (op.op === 'ReduceMean') return reduced
  const sizes = axes.filter((a) => !own.includes(a)).map((a) => t.shape(t.child(n, 0))[a])
  if (!sizes.every((d) => typeof d === 'number')) return null
  const count = sizes.reduce((a, b) => a * b, 1)
  return t.mul(reduced, t.scalar(count, t.rank(c), t.type(c)!.dtype))
}

/** conv(c) is the same at every position if nothing is padded: the sum over the kernel. */
function imageOfConv(t: TensorEGraph, n: NodeId, c: ClassId): ClassId | null {
  const op = t.op(n)
  const w = t.child(n, 1)
  if (op.kind !== 'onnx' || op.attributes.auto_pad || !getInts(op.attributes, 'pads', []).every((p) => p === 0))
    return null
  if (!varyingAxes(t, c).every((a) => a === 1) || t.children(n).length !== 2) return null
  const dilations = getInts(op.attributes, 'dilations', [])
  const kernel = (t.shape(w) as number[]).slice(2)
  const patch = [1, t.shape(t.child(n, 0))[1]!, ...kernel.map((k, i) => (k - 1) * dilations[i]! + 1)]
  const full = t.expand(c, patch)
  return full && convolve(t, full, w, op.attributes)
}

/** (y + z) + c = (y + c) + z, where y takes c for less; resize(x) + c = resize(x + c) */
function* termDown(t: TensorEGraph, n: NodeId) {
  for (const [sum, c] of operandPairs(t, n)) {
    if (!t.isConstant(c) || t.isConstant(sum) || t.rank(c) !== t.rank(sum)) continue
    for (const r of t.nodes(sum, 'Resize')) {
      const [x, ...rest] = t.children(r) as [ClassId, ...ClassId[]]
      const inner = imageOfOnnx(t, r, c) === c ? t.rebuild(t.op(r), [t.add(x, c), ...rest]) : null
      if (inner !== null) yield inner
    }
    for (const s of t.nodes(sum, 'Add')) {
      const pairs = operandPairs(t, s)
      const taker =
        pairs.find(([y]) => isSmaller(t, y, sum, c)) ?? pairs.find(([y, z]) => isMap(t, z) && takes(t, y, c))
      if (taker) yield t.add(t.add(taker[0], c), taker[1])
    }
  }
}

/** True for a part of a map that was split: what else is added to one, a residual, had its biases inside the sum from the start. */
const isMap = (t: TensorEGraph, z: ClassId): boolean =>
  (['lin', 'Conv', 'Resize'] as const).some((family) => t.nodes(z, family).length > 0)

/** How many sums and resizes down a term may find what takes it. */
const TAKE_DEPTH = 4

/** True if y, a term of the sum, is repeated in it, but not because of c. */
function isSmaller(t: TensorEGraph, y: ClassId, sum: ClassId, c: ClassId): boolean {
  if (t.isConstant(y) || t.rank(y) !== t.rank(sum) || !fits(t, c, y)) return false
  return t.shape(y).some((d, i) => d === 1 && t.shape(sum)[i] !== 1)
}

const fits = (t: TensorEGraph, c: ClassId, y: ClassId): boolean =>
  varyingAxes(t, c).every((a) => dimEquals(t.shape(y)[a]!, t.shape(c)[a]!))

/** True if something that y is made of has a bias that c may fold into. */
function takes(t: TensorEGraph, y: ClassId, c: ClassId, depth = TAKE_DEPTH): boolean {
  if (t.isConstant(y) || t.type(y) === null || t.rank(y) !== t.rank(c) || !fits(t, c, y) || depth === 0) return false
  const varying = varyingAxes(t, c)
  if (t.nodes(y, 'Conv').some((f) => t.children(f).length === 2) && varying.every((a) => a === 1)) return true
  if (t.nodes(y, 'lin').some((l) => varying.every((a) => a === axisOfLin(t, l)))) return true
  const resized = t.nodes(y, 'Resize').filter((r) => imageOfOnnx(t, r, c) === c)
  if (resized.some((r) => takes(t, t.child(r, 0), c, depth - 1))) return true
  return t.nodes(y, 'Add').some((s) => t.children(s).some((z) => takes(t, z, c, depth - 1)))
}

function axisOfLin(t: TensorEGraph, l: NodeId): number {
  const op = t.op(l)
  return op.kind === 'lin' ? op.axis : -1
}

const rule = ruleMaker({ source: SOURCE })

export const constantRules: readonly Rule[] = [
  rule('combine-terms', '(x + c) + d = x + (c + d)', ['Add'], combine('Add'), 'c and d are constant'),
  rule('combine-factors', '(x * c) * d = x * (c * d)', ['Mul'], combine('Mul'), 'c and d are constant'),
  rule('distribute-factor', '(x + c) * d = x * d + c * d', ['Mul'], distribute, 'c and d are constant'),
  rule('float-term', '(x + c) + (y + d) = (x + y) + (c + d)', ['Add'], float, 'c and d are constant'),
  rule(
    'term-down',
    '(y + z) + c = (y + c) + z; resize(x) + c = resize(x + c)',
    ['Add'],
    termDown,
    'c is constant; y is smaller than the sum, or both are maps and y has one that may have a bias',
  ),
  rule('constant-out', 'f(x + c) = f(x) + f(c)', 'all', constantOut, 'f is linear, c is constant, nothing is padded'),
]
