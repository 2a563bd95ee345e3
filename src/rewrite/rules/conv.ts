// Convolutions by constant kernels: they are linear in both operands, so maps along the channels fold into the kernel from both
// sides, and sums of convolutions of one value are one convolution, smaller kernels padded with zeros.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { type Attributes, attributesKey, getInt, getInts, int, ints } from '../../ir/attribute.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { ndarray } from '../../ir/tensor.ts'
import { convolve } from '../canonical-conv.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { operandPairs, varyingAxes } from './scale.ts'

const SOURCE = 'bilinearity of convolution (docs/rules.md, convolutions)'

const TOO_LARGE = 'the new kernel is too large to fold'

/** A convolution by a constant, however it is spelled. */
export interface Kernel {
  readonly x: ClassId
  readonly w: ClassId
  readonly attributes: Attributes
}

const convolutionsOf = (t: TensorEGraph, c: ClassId): Kernel[] =>
  [...t.nodes(c, 'Conv'), ...t.nodes(c, 'lin')].flatMap((n) => kernelOf(t, n, 'any') ?? [])

/** The convolution by a constant, without bias, that an e-node is; null for any other. */
export function kernelOf(t: TensorEGraph, n: NodeId, groups: 'one' | 'several' | 'any' = 'one'): Kernel | null {
  const op = t.op(n)
  if (op.kind === 'lin') return groups === 'several' ? null : pointwise(t, n)
  if (op.kind !== 'onnx' || op.op !== 'Conv' || op.domain !== '') return null
  const [x, w, bias] = t.children(n) as [ClassId, ClassId, ClassId?]
  const several = getInt(op.attributes, 'group', 1) !== 1
  if (groups !== 'any' && several !== (groups === 'several')) return null
  return bias === undefined && t.isConstant(w) ? { x, w, attributes: op.attributes } : null
}

/** lin along the channels of a picture, as a 1x1 convolution. */
export function pointwise(t: TensorEGraph, n: NodeId): Kernel | null {
  const op = t.op(n)
  const rank = t.rank(t.child(n, 0))
  if (op.kind !== 'lin' || op.axis !== 1 || rank < 3 || t.type(t.child(n, 0))!.dtype === 'float64') return null
  const [k, size] = t.shape(t.child(n, 1)) as [number, number]
  const w = t.reshape(t.transpose(t.child(n, 1), [1, 0]), [size, k, ...new Array<number>(rank - 2).fill(1)])!
  return { x: t.child(n, 0), w, attributes: pointwiseAttributes(rank - 2, 1) }
}

export function pointwiseAttributes(spatial: number, group: number): Attributes {
  const all = (v: number, n = spatial) => ints(new Array<number>(n).fill(v))
  return { group: int(group), kernel_shape: all(1), strides: all(1), dilations: all(1), pads: all(0, 2 * spatial) }
}

/** conv(lin(x, A), W) = conv(x, A W) */
function* convOfLin(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const w = t.child(n, 1)
  if (op.kind !== 'onnx' || t.children(n).length !== 2 || !t.isConstant(w)) return
  if (getInt(op.attributes, 'group', 1) !== 1) return yield refuse('the convolution has groups')
  for (const l of t.nodes(t.child(n, 0), 'lin')) {
    const lin = t.op(l)
    if (lin.kind !== 'lin' || lin.axis !== 1) continue
    const folded = t.lin(w, t.transpose(t.child(l, 1), [1, 0]), 1)
    yield t.isConstant(folded) ? convolve(t, t.child(l, 0), folded, op.attributes) : refuse(TOO_LARGE)
  }
}

/** lin(conv(x, W), B) = conv(x, W B) */
function* linOfConv(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  if (op.kind !== 'lin' || op.axis !== 1) return
  for (const f of t.nodes(t.child(n, 0), 'Conv')) {
    const conv = t.op(f)
    const w = t.child(f, 1)
    if (conv.kind !== 'onnx' || t.children(f).length !== 2 || !t.isConstant(w)) continue
    if (getInt(conv.attributes, 'group', 1) !== 1) {
      yield refuse('the convolution has groups')
      continue
    }
    const folded = t.lin(w, t.child(n, 1), 0)
    yield t.isConstant(folded) ? convolve(t, t.child(f, 0), folded, conv.attributes) : refuse(TOO_LARGE)
  }
}

/** conv(x, W) + conv(x, V) = conv(x, W + V); an identity, scaled per channel or not, counts as a 1x1 kernel. */
function* sumOfConvs(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  const left = convolutionsOf(t, a)
  const right = convolutionsOf(t, b)
  for (const p of left) for (const q of right) yield* merged(t, p, q)
  for (const [kernels, other] of [
    [left, b],
    [right, a],
  ] as const)
    for (const k of kernels) for (const q of identities(t, k, other)) yield* merged(t, k, q)
}

/** conv(x, W) + conv(y, W) = conv(x + y, W) */
function* convOfSum(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  for (const p of t.nodes(a, 'Conv').flatMap((f) => kernelOf(t, f, 'any') ?? []))
    for (const q of t.nodes(b, 'Conv').flatMap((f) => kernelOf(t, f, 'any') ?? [])) {
      if (t.egraph.find(p.w) !== t.egraph.find(q.w) || t.egraph.find(p.x) === t.egraph.find(q.x)) continue
      const alike = attributesKey(p.attributes) === attributesKey(q.attributes)
      yield alike && shapeEquals(t.shape(p.x), t.shape(q.x))
        ? convolve(t, t.add(p.x, q.x), p.w, p.attributes)
        : refuse('shapes, strides, pads or groups differ')
    }
}

/** `c` as a 1x1 kernel on what `k` sees: where it is the same value, or that value times a constant per channel. */
function* identities(t: TensorEGraph, k: Kernel, c: ClassId): Iterable<Kernel> {
  const [outputs, perGroup, ...kernel] = t.shape(k.w) as number[]
  if (outputs !== perGroup! * getInt(k.attributes, 'group', 1)) return
  const x = t.egraph.find(k.x)
  if (x === t.egraph.find(c)) yield identityKernel(t, k)
  for (const m of t.nodes(c, 'Mul'))
    for (const [y, d] of operandPairs(t, m)) {
      if (t.egraph.find(y) !== x || !t.isConstant(d) || !varyingAxes(t, d).every((a) => a === 1)) continue
      if (t.shape(d)[1] !== 1 && t.shape(d)[1] !== outputs) continue
      const identity = identityKernel(t, k)
      const factor = t.reshape(d, [t.shape(d)[1]!, 1, ...kernel.map(() => 1)])
      if (factor !== null) yield { ...identity, w: t.mul(identity.w, factor) }
    }
}

function* merged(t: TensorEGraph, p: Kernel, q: Kernel) {
  if (t.egraph.find(p.x) !== t.egraph.find(q.x) || t.rank(p.w) !== t.rank(q.w)) return
  const [large, small] = kernelArea(t, p) >= kernelArea(t, q) ? [p, q] : [q, p]
  const w = enlarged(t, small, large)
  yield w === null
    ? refuse('strides, groups or centres differ')
    : convolve(t, large.x, t.add(large.w, w), large.attributes)
}

export const kernelArea = (t: TensorEGraph, k: Kernel): number =>
  (t.shape(k.w) as number[]).slice(2).reduce((a, b) => a * b, 1)

/** The small kernel padded to the large one's size and place; null if they do not see the same positions. */
export function enlarged(t: TensorEGraph, small: Kernel, large: Kernel): ClassId | null {
  const get = (k: Kernel, name: string) => getInts(k.attributes, name, [])
  const from = (t.shape(small.w) as number[]).slice(2)
  const to = (t.shape(large.w) as number[]).slice(2)
  const spatial = to.length
  const dilations = get(large, 'dilations')
  const alike =
    get(small, 'strides').join() === get(large, 'strides').join() &&
    getInt(small.attributes, 'group', 1) === getInt(large.attributes, 'group', 1)
  const sameDilations = from.every((k, i) => k === 1 || get(small, 'dilations')[i] === dilations[i])
  if (!alike || !sameDilations || t.shape(small.w)[1] !== t.shape(large.w)[1]) return null
  const taps = (side: 0 | 1) =>
    to.map(
      (_, i) => (get(large, 'pads')[i + side * spatial]! - get(small, 'pads')[i + side * spatial]!) / dilations[i]!,
    )
  const [before, after] = [taps(0), taps(1)]
  const fits = to.every(
    (k, i) =>
      Number.isInteger(before[i]) && before[i]! >= 0 && after[i]! >= 0 && from[i]! + before[i]! + after[i]! === k,
  )
  if (!fits) return null
  const padded = t.onnx('Pad', [small.w, t.int64s([0, 0, ...before, 0, 0, ...after])])
  return t.isConstant(padded) ? padded : null
}

/** The 1x1 kernel that changes nothing, in the groups of `like`. */
function identityKernel(t: TensorEGraph, like: Kernel): Kernel {
  const [outputs, perGroup, ...kernel] = t.shape(like.w) as number[]
  const data = new Float64Array(outputs! * perGroup!)
  for (let o = 0; o < outputs!; o++) data[o * perGroup! + (o % perGroup!)] = 1
  const w = t.literal(ndarray(t.type(like.w)!.dtype, [outputs!, perGroup!, ...kernel.map(() => 1)], data))
  return { x: like.x, w, attributes: pointwiseAttributes(kernel.length, getInt(like.attributes, 'group', 1)) }
}

const rule = ruleMaker({ source: SOURCE })

export const convRules: readonly Rule[] = [
  rule('conv-of-lin', 'conv(x A, W) = conv(x, A W)', ['Conv'], convOfLin, 'one group'),
  rule('lin-of-conv', 'conv(x, W) B = conv(x, W B)', ['lin'], linOfConv, 'one group'),
  rule(
    'conv-of-sum',
    'conv(x, W) + conv(y, W) = conv(x + y, W)',
    ['Add'],
    convOfSum,
    'W is constant; shapes, strides, pads and groups agree',
  ),
  rule(
    'sum-of-convs',
    'conv(x, W) + conv(x, V) = conv(x, W + V)',
    ['Add'],
    sumOfConvs,
    'strides, groups and centres agree; the smaller kernel is padded with zeros',
    { exactness: 'finite' },
  ),
]
