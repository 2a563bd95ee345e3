// The kernel that an e-node would be executed as, at the shapes that are asked about; what extraction adds up.
import type { Kernel, KernelOperand } from '../cost/kernel.ts'
import { vectorAxis } from '../cost/subnormal-rates.ts'
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import type { Attributes } from '../ir/attribute.ts'
import type { Bindings } from '../ir/dim.ts'
import { qualifiedName } from '../ir/graph.ts'
import { evaluateShape } from '../ir/shape.ts'
import { asWritten, inBlocks } from './blocked-kernel.ts'
import { runsInBlocks } from './lower-blocks.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import { NCHWC, type OnnxOp, type TensorOp } from './tensor-op.ts'

/** 'free': nothing runs (leaves, views); 'never': only its lowered forms may be chosen; null: not priceable. */
export type Execution = Kernel | 'free' | 'never' | null

const CANONICAL_NAMES = { transpose: 'Transpose', concat: 'Concat', expand: 'Expand', reshape: 'Reshape' } as const

/** What runs for an e-node. */
export function executionOf(t: TensorEGraph, n: NodeId, bindings: Bindings): Execution {
  const op = t.op(n)
  switch (op.kind) {
    case 'input':
    case 'constant':
      return 'free'
    case 'lin':
    case 'scatter':
    case 'in-blocks':
      return 'never'
    case 'reshape':
    case 'transpose':
    case 'concat':
    case 'expand':
      return kernel(t, n, CANONICAL_NAMES[op.kind], structuralAttributes(op), bindings)
    case 'select':
      return kernel(t, n, op.index.kind === 'range' ? 'Slice' : 'Gather', { axis: op.axis }, bindings)
    case 'reorder-in':
      if (isInBlocks(t, t.child(n, 0))) return 'free'
      return kernel(t, n, qualifiedName(NCHWC, 'ReorderInput'), {}, bindings)
    case 'reorder-out':
      return kernel(t, n, qualifiedName(NCHWC, 'ReorderOutput'), {}, bindings)
    case 'fused-conv': {
      if (runsInBlocks(t, n)) return 'never'
      const name = op.conv.domain === '' ? 'com.microsoft:FusedConv' : 'com.microsoft.nchwc:Conv'
      const activation = op.activation ? { activation: op.activation.op } : {}
      return kernel(t, n, name, { ...plain(op.conv.attributes), ...activation }, bindings)
    }
    case 'onnx':
      if (runsInBlocks(t, n)) return 'never'
      return kernel(t, n, kernelName(op), plain(op.attributes), bindings)
    default:
      return op satisfies never
  }
}

/** Kernels that the runtime's blocked layout has of its own, by operator; element-wise ones are those of any layout. */
const BLOCKED_KERNELS: Readonly<Record<string, string>> = {
  Conv: 'Conv',
  MaxPool: 'MaxPool',
  AveragePool: 'AveragePool',
  GlobalMaxPool: 'GlobalMaxPool',
  GlobalAveragePool: 'GlobalAveragePool',
  Resize: 'Upsample',
}

function kernelName(op: OnnxOp): string {
  if (op.domain !== NCHWC) return qualifiedName(op.domain, op.op)
  const own = BLOCKED_KERNELS[op.op]
  return own === undefined ? op.op : qualifiedName(NCHWC, own)
}

function structuralAttributes(op: TensorOp): Kernel['attributes'] {
  if (op.kind === 'transpose') return { perm: op.perm }
  return op.kind === 'concat' ? { axis: op.axis } : {}
}

function plain(attributes: Attributes): Kernel['attributes'] {
  const out: Record<string, number | string | readonly number[] | readonly string[]> = {}
  for (const [name, a] of Object.entries(attributes)) {
    if (a.kind === 'int') out[name] = Number(a.value)
    else if (a.kind === 'ints') out[name] = a.value.map(Number)
    else if (a.kind === 'float' || a.kind === 'floats' || a.kind === 'string' || a.kind === 'strings')
      out[name] = a.value
  }
  return out
}

function kernel(
  t: TensorEGraph,
  n: NodeId,
  op: string,
  attributes: Kernel['attributes'],
  bindings: Bindings,
): Kernel | null {
  const inputs = t.children(n).map((c) => operand(t, c, bindings))
  const output = operand(t, t.egraph.classOf(n), bindings)
  if (output === null || inputs.includes(null)) return null
  const plain = { op, attributes, inputs, outputs: [{ ...output, constant: false }] }
  return asWritten({ ...plain, inputs: inputs.map((_, i) => withSubnormals(t, n, plain, i)) }, t.blockSize)
}

function operand(t: TensorEGraph, c: ClassId, bindings: Bindings): KernelOperand | null {
  const type = t.type(c)
  const shape = type && evaluateShape(type.shape, bindings)
  if (!type || !shape) return null
  return {
    dtype: type.dtype,
    shape: isInBlocks(t, c) ? inBlocks(shape, t.blockSize) : shape,
    constant: t.isConstant(c),
  }
}

/** Operand i of the kernel that e-node n is, with how many of its numbers are below the normal range. */
function withSubnormals(t: TensorEGraph, n: NodeId, kernel: Kernel, i: number): KernelOperand | null {
  const operand = kernel.inputs[i]!
  const id = operand?.constant ? t.constantOf(t.child(n, i)) : null
  const axis = id === null ? undefined : vectorAxis(kernel, i)
  if (!operand || id === null || axis === undefined || t.constants.shape(id).length < 2) return operand
  const subnormal = axis === null ? t.constants.subnormalShare(id) : t.constants.subnormalRuns(id, axis)
  return subnormal === 0 ? operand : { ...operand, subnormal }
}

/** Whether c is a picture in the blocked layout. */
const isInBlocks = (t: TensorEGraph, c: ClassId): boolean =>
  t.egraph.nodesOf(c).some((n) => ['in-blocks', 'reorder-in'].includes(t.op(n).kind))
