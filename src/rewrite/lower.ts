// Lowering: one pass after saturation that adds, to each class, what would really be executed: products with their bias,
// convolutions with bias, residual and activation, per-channel affine maps as depthwise convolutions, and ONNX Runtime's blocked
// layout (NCHWc). The fused forms are written as plain ONNX nodes, which the runtime fuses again; the borders of the blocked
// layout (reorder-in, reorder-out) are priced and not written, since the runtime inserts its own.
// Conditions of the blocked layout: ONNX Runtime's NchwcTransformer (block 8 or 16, channel alignment 4).
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { getInt } from '../ir/attribute.ts'
import type { Dim } from '../ir/dim.ts'
import { elementCountDim, shapeEquals } from '../ir/shape.ts'
import { ndarray } from '../ir/tensor.ts'
import { spellDepthToSpace } from './lower-depth-to-space.ts'
import { divide, dropAxes, joinReshapes } from './lower-plain.ts'
import { spellScatter } from './lower-scatter.ts'
import { isResizedInBlocks } from './resize-factors.ts'
import { type Rule, ruleMaker } from './rule.ts'
import { pointwise, pointwiseAttributes } from './rules/conv.ts'
import { operandPairs, varyingAxes } from './rules/scale.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import { type FusedConv, NCHWC, type OnnxOp, onnxOp } from './tensor-op.ts'

const CHANNEL_ALIGNMENT = 4
/** What the runtime fuses into a convolution. */
const ACTIVATIONS = ['Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'Clip', 'HardSigmoid', 'HardSwish']

function* spellLin(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  if (op.kind !== 'lin') return
  const [x, w] = t.children(n) as [ClassId, ClassId]
  const rank = t.rank(x)
  const last = rank - 1
  if (op.axis === last) yield t.onnx('MatMul', [x, w])
  if (op.axis === rank - 2) yield t.onnx('MatMul', [t.transpose(w, [1, 0]), x])
  const k = pointwise(t, n)
  if (k !== null) yield t.onnx('Conv', [k.x, k.w], k.attributes)
  if (op.axis !== last) {
    const swap = Array.from({ length: rank }, (_, i) => (i === op.axis ? last : i === last ? op.axis : i))
    yield t.transpose(t.onnx('MatMul', [t.transpose(x, swap), w]), swap)
  }
}

/** Product and bias of rank 2 as one Gemm. */
function* gemm(t: TensorEGraph, n: NodeId) {
  if (t.type(t.egraph.classOf(n)) === null || t.rank(t.egraph.classOf(n)) !== 2) return
  for (const [c, b] of operandPairs(t, n)) {
    if (!t.isConstant(b) || !varyingAxes(t, b).every((a) => a === 1)) continue
    for (const l of t.nodes(c, 'lin')) {
      const op = t.op(l)
      if (op.kind !== 'lin' || op.axis !== 1) continue
      const size = t.shape(t.child(l, 1))[1]!
      const bias = t.expand(t.reshape(b, [t.shape(b)[1]!])!, [size])
      if (bias) yield t.onnx('Gemm', [t.child(l, 0), t.child(l, 1), bias])
    }
  }
}

/** The same over the last axis at a higher rank: all other axes taken together. */
function* flatGemm(t: TensorEGraph, n: NodeId) {
  const out = t.shape(t.egraph.classOf(n))
  const last = out.length - 1
  if (last < 2) return
  for (const [c, b] of operandPairs(t, n)) {
    if (!t.isConstant(b) || !varyingAxes(t, b).every((a) => a === last)) continue
    for (const l of t.nodes(c, 'lin')) {
      const op = t.op(l)
      const [x, w] = t.children(l) as [ClassId, ClassId]
      if (op.kind !== 'lin' || op.axis !== last || !shapeEquals(t.shape(c), out)) continue
      const rows = t.reshape(x, [elementCountDim(out.slice(0, last)), t.shape(w)[0]!])
      const bias = t.expand(t.reshape(b, [t.shape(b)[last]!])!, [t.shape(w)[1]!])
      const whole = rows && bias && t.reshape(t.onnx('Gemm', [rows, w, bias]), out)
      if (whole) yield whole
    }
  }
}

/** Per-channel constant as a vector of all channels, or null. */
function channelVector(t: TensorEGraph, c: ClassId, channels: Dim): ClassId | null {
  if (!t.isConstant(c) || typeof channels !== 'number' || !varyingAxes(t, c).every((a) => a === 1) || t.rank(c) < 2)
    return null
  return t.expand(t.reshape(c, [t.shape(c)[1]!])!, [channels])
}

function* convBias(t: TensorEGraph, n: NodeId) {
  for (const [c, b] of operandPairs(t, n))
    for (const f of [...t.nodes(c, 'Conv'), ...t.nodes(c, 'ConvTranspose')]) {
      const op = t.op(f)
      const bias =
        t.children(f).length === 2 && shapeEquals(t.shape(c), t.shape(t.egraph.classOf(n)))
          ? channelVector(t, b, t.shape(c)[1]!)
          : null
      if (op.kind === 'onnx' && op.domain === '' && bias)
        yield t.make({ ...op, present: [true, true, true] }, [...t.children(f), bias])
    }
}

/** x * s + b per channel of a picture, as a depthwise 1x1 convolution: it stays in the runtime's blocked layout. */
function* affineAsConv(t: TensorEGraph, n: NodeId) {
  const c = t.egraph.classOf(n)
  if (t.type(c)?.dtype !== 'float32' || t.rank(c) !== 4) return
  const channels = t.shape(c)[1]!
  for (const [product, b] of operandPairs(t, n)) {
    const bias = channelVector(t, b, channels)
    if (!bias || !shapeEquals(t.shape(product), t.shape(c))) continue
    if (!t.isConstant(product)) yield depthwise(t, product, ones(t, channels as number), bias)
    for (const m of t.nodes(product, 'Mul'))
      for (const [x, s] of operandPairs(t, m)) {
        const factor = shapeEquals(t.shape(x), t.shape(c)) ? channelVector(t, s, channels) : null
        if (factor && !t.isConstant(x)) yield depthwise(t, x, factor, bias)
      }
  }
}

const ones = (t: TensorEGraph, n: number): ClassId => t.literal(ndarray('float32', [n], new Float64Array(n).fill(1)))

function depthwise(t: TensorEGraph, x: ClassId, factor: ClassId, bias: ClassId): ClassId {
  const channels = t.shape(x)[1] as number
  const w = t.reshape(factor, [channels, 1, 1, 1])!
  return t.make(onnxOp('Conv', 3, t.opset, pointwiseAttributes(2, channels)), [x, w, bias])
}

/** Convolutions of a class, fused or not. */
function convsOf(t: TensorEGraph, c: ClassId): { readonly fused: FusedConv; readonly children: readonly ClassId[] }[] {
  const plain = [...t.nodes(c, 'Conv'), ...t.nodes(c, `${NCHWC}:Conv`)].flatMap((n) => {
    const conv = t.op(n)
    const fused: FusedConv | null =
      conv.kind === 'onnx'
        ? { kind: 'fused-conv', conv, bias: t.children(n).length === 3, residual: false, activation: null }
        : null
    return fused ? [{ fused, children: t.children(n) }] : []
  })
  const fused = t.nodes(c, 'fused-conv').flatMap((n) => {
    const op = t.op(n)
    return op.kind === 'fused-conv' ? [{ fused: op, children: t.children(n) }] : []
  })
  return [...plain, ...fused]
}

/** x * sigmoid(x) is a kernel of its own in the runtime, which reads what a convolution leaves. */
function isOfSilu(t: TensorEGraph, n: NodeId): boolean {
  const [x, gate] = [t.egraph.find(t.child(n, 0)), t.egraph.find(t.egraph.classOf(n))]
  return t.egraph.parentsOf(gate).some((m) => {
    const op = t.op(m)
    const read = t.children(m).map((c) => t.egraph.find(c))
    return op.kind === 'onnx' && op.op === 'Mul' && read.length === 2 && read.includes(x) && read.includes(gate)
  })
}

/** act(conv(x)) as one kernel. */
function* fuseActivation(t: TensorEGraph, n: NodeId) {
  const activation = t.op(n)
  if (activation.kind !== 'onnx' || activation.domain !== '' || t.rank(t.child(n, 0)) !== 4) return
  const bounds = t.children(n).slice(1)
  if (!bounds.every((b) => t.isConstant(b)) || (activation.op === 'Sigmoid' && isOfSilu(t, n))) return
  for (const { fused, children } of convsOf(t, t.child(n, 0)))
    if (fused.activation === null && fused.conv.domain === '')
      yield t.make({ ...fused, activation }, [...children, ...bounds])
}

const isBlockable = (t: TensorEGraph, c: ClassId): boolean =>
  t.type(c)?.dtype === 'float32' && t.rank(c) === 4 && typeof t.shape(c)[1] === 'number' && !t.isConstant(c)

/** Whether ONNX Runtime would run this convolution in the blocked layout, and whether it takes its input blocked. */
function blockedConv(t: TensorEGraph, op: OnnxOp, w: ClassId): 'no' | 'plain-input' | 'blocked-input' {
  const { blockSize } = t
  const [outputs, perGroup] = t.shape(w) as number[]
  const group = getInt(op.attributes, 'group', 1)
  if (group === 1) {
    if (perGroup! < blockSize) return 'plain-input'
    return perGroup! % CHANNEL_ALIGNMENT === 0 ? 'blocked-input' : 'no'
  }
  if (perGroup === 1 && outputs === group) return outputs! % CHANNEL_ALIGNMENT === 0 ? 'blocked-input' : 'no'
  return perGroup! % blockSize === 0 && (outputs! / group) % blockSize === 0 ? 'blocked-input' : 'no'
}

/** The class of c in the blocked layout, however it gets there. */
const blocked = (t: TensorEGraph, c: ClassId): ClassId => t.make({ kind: 'reorder-in' }, [c])

/** The class of c as some kernel leaves it in the blocked layout. The runtime reorders what a convolution or a pool reads, and nothing
 * else: other operators are in the layout only where all that they read was left there. */
const left = (t: TensorEGraph, c: ClassId): ClassId => t.make({ kind: 'in-blocks' }, [c])

const isLeftBlocked = (t: TensorEGraph, c: ClassId): boolean =>
  t.egraph.nodesOf(left(t, c)).some((n) => t.op(n).kind !== 'in-blocks')

/** Adds `node`, made on blocked values, to what c is in the blocked layout, and its way back to c. */
function blockedForm(t: TensorEGraph, c: ClassId, node: ClassId): ClassId {
  t.egraph.union(node, left(t, c))
  t.egraph.union(blocked(t, node), blocked(t, c))
  return t.make({ kind: 'reorder-out' }, [node])
}

const inNchwc = (op: OnnxOp): OnnxOp => ({ ...op, domain: NCHWC })

function* blockConv(t: TensorEGraph, n: NodeId) {
  const c = t.egraph.classOf(n)
  if (!isBlockable(t, c)) return
  const node = t.op(n)
  const conv = node.kind === 'fused-conv' ? node.conv : node
  if (conv.kind !== 'onnx' || conv.domain !== '' || !t.isConstant(t.child(n, 1))) return
  const how = blockedConv(t, conv, t.child(n, 1))
  if (how === 'no') return
  const [x, ...rest] = t.children(n) as [ClassId, ...ClassId[]]
  const children = [how === 'blocked-input' ? blocked(t, x) : x, ...rest]
  const made =
    node.kind === 'fused-conv' ? t.make({ ...node, conv: inNchwc(conv) }, children) : t.make(inNchwc(conv), children)
  yield blockedForm(t, c, made)
}

/** Pooling and resizing channel by channel. */
function* blockPool(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  const c = t.egraph.classOf(n)
  const [x, ...rest] = t.children(n) as [ClassId, ...ClassId[]]
  if (op.kind !== 'onnx' || op.domain !== '' || op.outputCount !== 1 || !isBlockable(t, c) || !isBlockable(t, x)) return
  const isResize = op.op === 'Resize'
  if (isResize ? !isLeftBlocked(t, x) || !isResizedInBlocks(t, n, op) : (t.shape(x)[1] as number) % t.blockSize !== 0)
    return
  const inside = isResize ? left(t, x) : blocked(t, x)
  if (rest.every((r) => t.isConstant(r))) yield blockedForm(t, c, t.make(inNchwc(op), [inside, ...rest]))
}

/** Activations, sums and products of equal shapes. */
function* blockElementwise(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  const c = t.egraph.classOf(n)
  if (op.kind !== 'onnx' || op.domain !== '' || !isBlockable(t, c)) return
  const values = t.children(n).filter((x) => !t.isConstant(x) || t.rank(x) === 4)
  if (!values.every((x) => isBlockable(t, x) && shapeEquals(t.shape(x), t.shape(c)) && isLeftBlocked(t, x))) return
  const children = t.children(n).map((x) => (values.includes(x) ? left(t, x) : x))
  yield blockedForm(t, c, t.make(inNchwc(op), children))
}

function* blockConcat(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  const c = t.egraph.classOf(n)
  if (op.kind !== 'concat' || op.axis !== 1 || !isBlockable(t, c)) return
  const parts = t.children(n)
  if (parts.every((x) => isBlockable(t, x) && (t.shape(x)[1] as number) % t.blockSize === 0 && isLeftBlocked(t, x)))
    yield blockedForm(
      t,
      c,
      t.make(
        op,
        parts.map((x) => left(t, x)),
      ),
    )
}

/** conv(x) + z, where z is at hand in the blocked layout; the runtime adds in place. */
function* fuseResidual(t: TensorEGraph, n: NodeId) {
  const c = t.egraph.classOf(n)
  if (!isBlockable(t, c)) return
  for (const [sum, z] of operandPairs(t, n)) {
    if (!isBlockable(t, z) || !isLeftBlocked(t, z) || ![sum, z].every((x) => shapeEquals(t.shape(x), t.shape(c))))
      continue
    for (const { fused, children } of convsOf(t, left(t, sum)))
      if (!fused.residual && fused.activation === null)
        yield blockedForm(t, c, t.make({ ...fused, residual: true }, [...children, left(t, z)]))
  }
}

const rule = ruleMaker({
  source: "ONNX Runtime's graph transformers (docs/rules.md, lowering)",
  exactness: 'exact',
  depth: Number.POSITIVE_INFINITY,
})

/** Run in order, each list to its end, after saturation. */
export const loweringStages: readonly (readonly Rule[])[] = [
  [
    rule('spell-lin', 'lin as MatMul or 1x1 Conv', ['lin'], spellLin),
    rule('spell-scatter', 'scatter as ScatterElements or ScatterND into zeros', ['scatter'], spellScatter),
    rule(
      'spell-depth-to-space',
      'DepthToSpace as two transpositions, or phases side by side interleaved',
      ['DepthToSpace'],
      spellDepthToSpace,
    ),
    rule('drop-axes', 'a reduction or a selection without the axes that it leaves with size 1', ['reshape'], dropAxes),
    rule('join-reshapes', 'two reshapes in a row as one', ['reshape'], joinReshapes),
    rule('divide', 'x * (1 / y) as x / y', ['Mul'], divide),
    rule('gemm', 'x W + b as Gemm', ['Add'], gemm),
    rule('flat-gemm', 'x W + b as Gemm over all rows', ['Add'], flatGemm),
  ],
  [
    rule('conv-bias', 'conv(x) + b as one Conv', ['Add'], convBias),
    rule('affine-as-conv', 'x * s + b, or x + b, as a depthwise 1x1 Conv', ['Add'], affineAsConv),
  ],
  [rule('fuse-activation', 'act(conv(x)) as one kernel', ACTIVATIONS, fuseActivation)],
  [
    rule('block-conv', 'Conv in NCHWc', ['Conv', 'fused-conv'], blockConv),
    rule(
      'block-pool',
      'pooling and resizing in NCHWc',
      ['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'Resize'],
      blockPool,
    ),
    rule(
      'block-elementwise',
      'activations, sums and products in NCHWc',
      [...ACTIVATIONS, 'Add', 'Mul'],
      blockElementwise,
    ),
    rule('block-concat', 'Concat of channels in NCHWc', ['concat'], blockConcat),
  ],
  [rule('fuse-residual', 'conv(x) + z as one kernel in NCHWc', ['Add'], fuseResidual)],
]
