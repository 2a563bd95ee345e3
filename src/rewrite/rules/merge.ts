// Parallel work of one kind as one: several roots at once, joined on the input that they share. The e-graph's list of a
// class's parents is the index of that join, so that siblings are found without looking at pairs. All siblings merge at
// once, never subsets, and what a merge made is no sibling again: one merged form per input. The way back is `select-down`.
// Yang et al., Equality Saturation for Tensor Graph Superoptimization (MLSys 2021), multi-pattern rules; Jia et al., TASO.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { attributesKey, getInt, int } from '../../ir/attribute.ts'
import { dimEquals } from '../../ir/dim.ts'
import { elementCount, shapeEquals } from '../../ir/shape.ts'
import { ndarray } from '../../ir/tensor.ts'
import { convolve } from '../canonical-conv.ts'
import type { ConstantId } from '../constants.ts'
import { range } from '../index-vector.ts'
import { replaceAxis } from '../infer-op.ts'
import { type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { enlarged, type Kernel, kernelArea, kernelOf } from './conv.ts'
import { operandPairs, varyingAxes } from './scale.ts'

const SOURCE = 'linearity in the weights; TENSAT and TASO, multi-pattern rules (docs/rules.md, merges)'

/** Elements of the weights of one merge: what is larger is bound by arithmetic, and only memory would grow. */
const MOST_ELEMENTS = 1_000_000

/** A linear map or convolution by constant weights. */
interface Branch {
  readonly out: ClassId
  readonly w: ClassId
}
interface ConvBranch extends Branch {
  readonly kernel: Kernel
}

interface Origin {
  /** Constants that the weights were made of, they themselves among them. */
  readonly ids: ReadonlySet<ConstantId>
  /** Those of the model that are more than a factor per position. */
  readonly matrices: ReadonlySet<ConstantId>
  /** False where weights of several branches were put together. */
  readonly isWhole: boolean
}

function originOf(t: TensorEGraph, w: ClassId): Origin {
  const [ids, matrices] = [new Set<ConstantId>(), new Set<ConstantId>()]
  const vector = Math.max(...(t.shape(w) as number[]))
  let isWhole = true
  const visit = (id: ConstantId): void => {
    if (ids.has(id)) return
    ids.add(id)
    const recipe = t.constants.recipe(id)
    if (recipe.kind === 'given') {
      if (elementCount(t.constants.shape(id)) > vector) matrices.add(id)
      return
    }
    if (recipe.op.startsWith('concat')) isWhole = false
    recipe.args.forEach(visit)
  }
  visit(t.constantOf(w)!)
  return { ids, matrices, isWhole }
}

/** The branches that may merge. Those whose weights come from one matrix of the model are one branch, with this or that folded
 * into it: of them the one that is made of no other counts. */
function siblings<B extends Branch>(t: TensorEGraph, branches: readonly B[]): B[] {
  const found = branches.map((b) => ({ b, ...originOf(t, b.w) })).filter((p) => p.isWhole)
  const isUsed = ({ b }: { b: B }) => found.some((p) => p.b !== b && p.ids.has(t.constantOf(b.w)!))
  const [outs, taken] = [new Set<ClassId>(), new Set<ConstantId>()]
  return found.flatMap((p) => {
    if (isUsed(p) || outs.has(p.b.out) || [...p.matrices].some((id) => taken.has(id))) return []
    outs.add(p.b.out)
    for (const id of p.matrices) taken.add(id)
    return [p.b]
  })
}

/** What a class is plus a constant per position of `axis`; null without one. */
function biasOf(t: TensorEGraph, c: ClassId, axis: number): ClassId | null {
  for (const n of t.egraph.parentsOf(c)) {
    if (t.egraph.familyOf(n) !== t.operators.family('Add') || !t.isTyped(n)) continue
    for (const [x, k] of operandPairs(t, n)) if (x === t.egraph.find(c) && isBias(t, x, k, axis)) return k
  }
  return null
}

/** It must not widen x: to a row of one output any vector may be added. */
const isBias = (t: TensorEGraph, x: ClassId, k: ClassId, axis: number): boolean =>
  t.isConstant(k) &&
  t.rank(k) === t.rank(x) &&
  varyingAxes(t, k).every((a) => a === axis && dimEquals(t.shape(k)[a]!, t.shape(x)[a]!))

/** The branch that an e-node is, or that it adds a bias to. */
function* branchesAt(t: TensorEGraph, n: NodeId, axisOf: (branch: NodeId) => number | null) {
  const op = t.op(n)
  if (op.kind !== 'onnx' || op.op !== 'Add') yield { branch: n, bias: null }
  else
    for (const [c, k] of operandPairs(t, n))
      for (const m of t.isConstant(k) ? t.egraph.nodesOf(c) : []) {
        const axis = t.isTyped(m) ? axisOf(m) : null
        if (axis !== null && isBias(t, c, k, axis)) yield { branch: m, bias: k }
      }
}

/** The place of branch `at` in the merged value; with all biases added before where the branch is asked for with its own. */
function part(
  t: TensorEGraph,
  merged: ClassId,
  branches: readonly Branch[],
  at: Branch,
  bias: ClassId | null,
  axis: number,
) {
  const sizes = branches.map((b) => t.shape(b.out)[axis] as number)
  const index = branches.indexOf(at)
  const start = sizes.slice(0, index).reduce((a, b) => a + b, 0)
  const whole = bias === null ? merged : t.add(merged, t.concat(biases(t, branches, at, bias, axis), axis))
  return t.select(whole, axis, range(start, sizes[index]!))
}

function biases(t: TensorEGraph, branches: readonly Branch[], at: Branch, own: ClassId, axis: number): ClassId[] {
  return branches.map((b) => {
    const k = b === at ? own : (biasOf(t, b.out, axis) ?? t.scalar(0, t.rank(b.out), t.type(b.out)!.dtype))
    return t.expand(k, replaceAxis(t.shape(k), axis, t.shape(b.out)[axis]!))!
  })
}

const elements = (t: TensorEGraph, branches: readonly Branch[]): number =>
  branches.reduce((sum, b) => sum + t.constantElements(b.w), 0)

/** { x A, x B } = parts of x [A, B] */
function* mergeLins(t: TensorEGraph, n: NodeId) {
  const axisOf = (m: NodeId) => {
    const op = t.op(m)
    return op.kind === 'lin' ? op.axis : null
  }
  for (const { branch, bias } of branchesAt(t, n, axisOf)) {
    const axis = axisOf(branch)
    if (axis === null) continue
    const x = t.child(branch, 0)
    const lins = t.egraph.parentsOf(x).filter((m) => axisOf(m) === axis && t.isTyped(m) && t.child(m, 0) === x)
    const all = siblings(
      t,
      lins.map((m): Branch => ({ out: t.egraph.classOf(m), w: t.child(m, 1) })),
    )
    const at = all.find((b) => b.out === t.egraph.classOf(branch))
    if (all.length < 2 || !at) continue
    // The parts without biases are of no use where every branch has one.
    if (bias === null && all.every((b) => biasOf(t, b.out, axis) !== null)) continue
    if (elements(t, all) > MOST_ELEMENTS) yield refuse('the weights together are too large to be worth it')
    else {
      const weights = t.concat(
        all.map((b) => b.w),
        1,
      )
      yield part(t, t.lin(x, weights, axis), all, at, bias, axis)
    }
  }
}

/** { conv(x, V), conv(x, W) } = parts of conv(x, [V; W]); a smaller kernel padded to the larger one. */
function* mergeConvs(t: TensorEGraph, n: NodeId) {
  for (const { branch, bias } of branchesAt(t, n, (m) => (kernelOf(t, m) === null ? null : 1))) {
    const own = kernelOf(t, branch)
    if (own === null) continue
    const all = siblings(t, convsOn(t, own.x))
    const at = all.find((b) => b.out === t.egraph.classOf(branch))
    if (!at || all.every((b) => t.nodes(b.out, 'lin').length > 0)) continue
    if (bias === null && all.every((b) => biasOf(t, b.out, 1) !== null)) continue
    if (elements(t, all) > MOST_ELEMENTS) yield refuse('the weights together are too large to be worth it')
    else yield* mergedConvs(t, all, at, bias)
  }
}

function convsOn(t: TensorEGraph, x: ClassId): ConvBranch[] {
  return t.egraph.parentsOf(x).flatMap((m) => {
    const kernel = t.isTyped(m) ? kernelOf(t, m) : null
    return kernel?.x === x ? [{ out: t.egraph.classOf(m), w: kernel.w, kernel }] : []
  })
}

/** Those like the branch as one, and all that fit into the largest kernel as one. */
function* mergedConvs(t: TensorEGraph, all: readonly ConvBranch[], at: ConvBranch, bias: ClassId | null) {
  const key = (b: ConvBranch) => attributesKey(b.kernel.attributes)
  const alike = all.filter((b) => key(b) === key(at))
  const largest = all.reduce((a, b) => (kernelArea(t, b.kernel) > kernelArea(t, a.kernel) ? b : a)).kernel
  const fitting = all.flatMap((b) => {
    const w = b.kernel === largest ? b.w : enlarged(t, b.kernel, largest)
    return w === null ? [] : [{ ...b, w, before: b }]
  })
  const conv = (like: Kernel, weights: readonly ClassId[]) => convolve(t, like.x, t.concat(weights, 0), like.attributes)
  const weights = (branches: readonly Branch[]) => branches.map((b) => b.w)
  if (alike.length > 1) yield part(t, conv(at.kernel, weights(alike)), alike, at, bias, 1)
  const within = fitting.find((b) => b.before === at)
  if (!within) yield refuse('strides, dilations, or the centres of the kernels differ')
  else if (fitting.length > alike.length) yield part(t, conv(largest, weights(fitting)), fitting, within, bias, 1)
}

/** [conv(x, V), conv(y, W)] = conv([x, y], [V; W]) in groups, where x and y, and V and W, are of equal shapes */
function* concatOfConvs(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  if (op.kind !== 'concat' || op.axis !== 1) return
  const kernels = t.children(n).map(
    (c) =>
      t
        .nodes(c, 'Conv')
        .map((m) => kernelOf(t, m))
        .find((k) => k !== null) ?? null,
  )
  const [first] = kernels
  if (!first || kernels.some((k) => k === null || attributesKey(k.attributes) !== attributesKey(first.attributes)))
    return
  const all = kernels as Kernel[]
  if (!all.every((k) => shapeEquals(t.shape(k.x), t.shape(first.x)) && shapeEquals(t.shape(k.w), t.shape(first.w))))
    yield refuse('the groups would differ in size')
  else if (new Set(all.map((k) => k.x)).size === all.length) yield grouped(t, all)
}

function grouped(t: TensorEGraph, all: readonly Kernel[]): ClassId {
  const weights = t.concat(
    all.map((k) => k.w),
    0,
  )
  const x = t.concat(
    all.map((k) => k.x),
    1,
  )
  return convolve(t, x, weights, { ...all[0]!.attributes, group: int(all.length) })
}

/** Channels of a group up to which groups merge: one block of the blocked layout. */
const MOST_CHANNELS = 16

/** conv in g groups = conv in g / 2 groups, the kernels of each pair on a diagonal with zeros beside them */
function* mergeGroups(t: TensorEGraph, n: NodeId) {
  const kernel = kernelOf(t, n, 'several')
  if (kernel === null) return
  const channels = t.shape(kernel.w)[1] as number
  const group = getInt(kernel.attributes, 'group', 1)
  if (channels === 1 || group % 2 !== 0) return
  if (2 * channels > MOST_CHANNELS) yield refuse('the groups are wide enough')
  else yield convolve(t, kernel.x, onDiagonals(t, kernel.w, group), { ...kernel.attributes, group: int(group / 2) })
}

/** Each kernel among zeros for the channels of the other group of its pair. */
function onDiagonals(t: TensorEGraph, narrow: ClassId, group: number): ClassId {
  const [outputs, channels, ...window] = t.shape(narrow) as [number, number, ...number[]]
  const area = window.reduce((a, b) => a * b, 1)
  const { data } = t.constants.array(t.constantOf(narrow)!)
  const wide = new Float64Array(2 * data.length)
  const row = channels * area
  for (let o = 0; o < outputs; o++) {
    const odd = Math.floor((o * group) / outputs) % 2
    wide.set(data.subarray(o * row, (o + 1) * row), 2 * o * row + odd * row)
  }
  return t.literal(ndarray(t.type(narrow)!.dtype, [outputs, 2 * channels, ...window], wide))
}

/** Parts of a concatenation over which a convolution is split. */
const MOST_PARTS = 4

/** conv([x, y], W) = conv(x, W1) + conv(y, W2) */
function* convOfConcat(t: TensorEGraph, n: NodeId) {
  const kernel = kernelOf(t, n)
  if (kernel === null) return
  for (const c of t.nodes(kernel.x, 'concat')) {
    const op = t.op(c)
    if (op.kind !== 'concat' || op.axis !== 1) continue
    const parts = t.children(c)
    if (parts.length > MOST_PARTS) yield refuse('the concatenation has many parts')
    else yield splitOver(t, kernel, parts)
  }
}

function splitOver(t: TensorEGraph, kernel: Kernel, parts: readonly ClassId[]): ClassId {
  let start = 0
  const terms = parts.map((x) => {
    const size = t.shape(x)[1] as number
    const w = t.select(kernel.w, 1, range(start, size))
    start += size
    return convolve(t, x, w, kernel.attributes)
  })
  return terms.reduce((a, b) => t.add(a, b))
}

const rule = ruleMaker({ source: SOURCE })

const UPWARDS = { depth: Number.POSITIVE_INFINITY }
/** Zeros are put beside weights, and 0 times an infinity is none. */
const PADDED = { exactness: 'finite' } as const

export const mergeRules: readonly Rule[] = [
  rule(
    'merge-lins',
    '{x A, x B} = parts of x [A, B]; with their biases',
    ['lin', 'Add'],
    mergeLins,
    'all linear maps of x at once, weights of up to a million elements',
    UPWARDS,
  ),
  rule(
    'merge-convs',
    '{conv(x, V), conv(x, W)} = parts of conv(x, [V; W]); with their biases',
    ['Conv', 'lin', 'Add'],
    mergeConvs,
    'equal strides and dilations; kernels of one size, or about one centre: then the smaller is padded',
    { ...UPWARDS, ...PADDED },
  ),
  rule(
    'concat-of-convs',
    '[conv(x, V), conv(y, W)] = conv([x, y], [V; W]) in groups',
    ['concat'],
    concatOfConvs,
    'x and y of one shape, V and W of one shape',
  ),
  rule(
    'merge-groups',
    'conv in g groups = conv in g / 2 groups, kernels on diagonals',
    ['Conv'],
    mergeGroups,
    'up to 16 channels in a group',
    PADDED,
  ),
  rule('conv-of-concat', 'conv([x, y], W) = conv(x, W1) + conv(y, W2)', ['Conv'], convOfConcat, 'up to 4 parts'),
]
