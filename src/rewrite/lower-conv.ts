// Lowering of convolutions: with their bias and activation as the one kernel that the runtime makes of them, and per-channel affine maps as
// depthwise convolutions.
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import type { Dim } from '../ir/dim.ts'
import { shapeEquals } from '../ir/shape.ts'
import { ndarray } from '../ir/tensor.ts'
import { pointwiseAttributes } from './rules/conv.ts'
import { operandPairs, varyingAxes } from './rules/scale.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import { type FusedConv, NCHWC, onnxOp } from './tensor-op.ts'

/** What the runtime fuses into a convolution. */
export const ACTIVATIONS = ['Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'Clip', 'HardSigmoid', 'HardSwish']

/** Per-channel constant as a vector of all channels, or null. */
function channelVector(t: TensorEGraph, c: ClassId, channels: Dim): ClassId | null {
  if (!t.isConstant(c) || typeof channels !== 'number' || !varyingAxes(t, c).every((a) => a === 1) || t.rank(c) < 2)
    return null
  return t.expand(t.reshape(c, [t.shape(c)[1]!])!, [channels])
}

export function* convBias(t: TensorEGraph, n: NodeId) {
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
export function* affineAsConv(t: TensorEGraph, n: NodeId) {
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
export function convsOf(
  t: TensorEGraph,
  c: ClassId,
): { readonly fused: FusedConv; readonly children: readonly ClassId[] }[] {
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
export function isOfSilu(t: TensorEGraph, n: NodeId): boolean {
  const [x, gate] = [t.egraph.find(t.child(n, 0)), t.egraph.find(t.egraph.classOf(n))]
  return t.egraph.parentsOf(gate).some((m) => {
    const op = t.op(m)
    const read = t.children(m).map((c) => t.egraph.find(c))
    return op.kind === 'onnx' && op.op === 'Mul' && read.length === 2 && read.includes(x) && read.includes(gate)
  })
}

/** act(conv(x)) as one kernel. */
export function* fuseActivation(t: TensorEGraph, n: NodeId) {
  const activation = t.op(n)
  if (activation.kind !== 'onnx' || activation.domain !== '' || t.rank(t.child(n, 0)) !== 4) return
  const bounds = t.children(n).slice(1)
  if (!bounds.every((b) => t.isConstant(b)) || (activation.op === 'Sigmoid' && isOfSilu(t, n))) return
  for (const { fused, children } of convsOf(t, t.child(n, 0)))
    if (fused.activation === null && fused.conv.domain === '')
      yield t.make({ ...fused, activation }, [...children, ...bounds])
}
