// Lowering to ONNX Runtime's blocked layout (NCHWc): what the runtime runs in it, and the borders (reorder-in, reorder-out), which are
// priced and not written, since the runtime inserts its own. Conditions: its NchwcTransformer (block 8 or 16, channel alignment 4).
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { getInt } from '../ir/attribute.ts'
import { shapeEquals } from '../ir/shape.ts'
import { convsOf, isOfSilu } from './lower-conv.ts'
import { isResizedInBlocks } from './resize-factors.ts'
import { operandPairs } from './rules/scale.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import { NCHWC, type OnnxOp } from './tensor-op.ts'

const CHANNEL_ALIGNMENT = 4

const isBlockable = (t: TensorEGraph, c: ClassId): boolean =>
  t.hasBlocks &&
  t.type(c)?.dtype === 'float32' &&
  t.rank(c) === 4 &&
  typeof t.shape(c)[1] === 'number' &&
  !t.isConstant(c)

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

/** How the runtime takes the input of a convolution that it runs in the layout; null where it does not. */
function wayIn(t: TensorEGraph, n: NodeId): 'plain-input' | 'blocked-input' | null {
  const conv = convOf(t, n)
  if (conv === null || conv.domain !== '' || !isBlockable(t, t.egraph.classOf(n)) || !t.isConstant(t.child(n, 1)))
    return null
  const how = blockedConv(t, conv, t.child(n, 1))
  return how === 'no' ? null : how
}

function convOf(t: TensorEGraph, n: NodeId): OnnxOp | null {
  const op = t.op(n)
  if (op.kind === 'fused-conv') return op.conv
  return op.kind === 'onnx' && op.op === 'Conv' ? op : null
}

/** Whether the runtime runs this convolution, written as it is, in the layout and nowhere else. */
export const runsInBlocks = (t: TensorEGraph, n: NodeId): boolean => wayIn(t, n) !== null

export function* blockConv(t: TensorEGraph, n: NodeId) {
  const [how, conv, node] = [wayIn(t, n), convOf(t, n), t.op(n)]
  if (how === null || conv === null) return
  const [x, ...rest] = t.children(n) as [ClassId, ...ClassId[]]
  const children = [how === 'blocked-input' ? blocked(t, x) : x, ...rest]
  const made =
    node.kind === 'fused-conv' ? t.make({ ...node, conv: inNchwc(conv) }, children) : t.make(inNchwc(conv), children)
  yield blockedForm(t, t.egraph.classOf(n), made)
}

/** Pooling and resizing channel by channel. */
export function* blockPool(t: TensorEGraph, n: NodeId) {
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

/** Activations that the runtime applies in the layout; others, as LeakyRelu, Clip and Elu, leave it where no convolution comes right before. */
export const ACTIVATIONS_IN_BLOCKS = ['Relu', 'Sigmoid', 'Tanh', 'HardSigmoid', 'HardSwish', 'Gelu']
/** Those that it applies as a convolution with a residual writes. */
export const ACTIVATIONS_OF_SUMS = ['Relu', 'Sigmoid', 'Tanh', 'HardSigmoid', 'HardSwish']

/** Activations, sums and products of equal shapes. */
export function* blockElementwise(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  const c = t.egraph.classOf(n)
  if (op.kind !== 'onnx' || op.domain !== '' || !isBlockable(t, c)) return
  const values = t.children(n).filter((x) => !t.isConstant(x) || t.rank(x) === 4)
  if (!values.every((x) => isBlockable(t, x) && shapeEquals(t.shape(x), t.shape(c)) && isLeftBlocked(t, x))) return
  const children = t.children(n).map((x) => (values.includes(x) ? left(t, x) : x))
  yield blockedForm(t, c, t.make(inNchwc(op), children))
}

export function* blockConcat(t: TensorEGraph, n: NodeId) {
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
export function* fuseResidual(t: TensorEGraph, n: NodeId) {
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

/** act(conv(x) + z) as one kernel. */
export function* fuseActivationOfSum(t: TensorEGraph, n: NodeId) {
  const activation = t.op(n)
  const [sum, c] = [t.child(n, 0), t.egraph.classOf(n)]
  if (activation.kind !== 'onnx' || activation.domain !== '' || !isBlockable(t, c) || !isLeftBlocked(t, sum)) return
  if (activation.op === 'Sigmoid' && isOfSilu(t, n)) return
  for (const { fused, children } of convsOf(t, left(t, sum)))
    if (fused.residual && fused.activation === null) yield blockedForm(t, c, t.make({ ...fused, activation }, children))
}
