// Lowering: one pass after saturation that adds, to each class, what would really be executed: products with their bias,
// convolutions (lower-conv.ts), and ONNX Runtime's blocked layout (lower-blocks.ts). The fused forms are written as plain ONNX nodes,
// which the runtime fuses again.
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { elementCountDim, shapeEquals } from '../ir/shape.ts'
import {
  ACTIVATIONS_IN_BLOCKS,
  ACTIVATIONS_OF_SUMS,
  blockConcat,
  blockConv,
  blockElementwise,
  blockPool,
  fuseActivationOfSum,
  fuseResidual,
} from './lower-blocks.ts'
import { ACTIVATIONS, affineAsConv, convBias, fuseActivation } from './lower-conv.ts'
import { spellDepthToSpace } from './lower-depth-to-space.ts'
import { divide, dropAxes, joinReshapes } from './lower-plain.ts'
import { spellScatter } from './lower-scatter.ts'
import { type Rule, ruleMaker } from './rule.ts'
import { pointwise } from './rules/conv.ts'
import { operandPairs, varyingAxes } from './rules/scale.ts'
import type { TensorEGraph } from './tensor-egraph.ts'

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
      [...ACTIVATIONS_IN_BLOCKS, 'Add', 'Mul'],
      blockElementwise,
    ),
    rule('block-concat', 'Concat of channels in NCHWc', ['concat'], blockConcat),
  ],
  [rule('fuse-residual', 'conv(x) + z as one kernel in NCHWc', ['Add'], fuseResidual)],
  [rule('fuse-activation-of-sum', 'act(conv(x) + z) as one kernel in NCHWc', ACTIVATIONS_OF_SUMS, fuseActivationOfSum)],
]
