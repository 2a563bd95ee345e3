// The operators of tensor e-nodes. Most are ONNX operators as they are (`onnx`, described by their Op record); seven canonical
// ones stand for the many ways in which ONNX spells the same thing, so that one rule covers them all:
//   lin        linear map along one axis by a constant [K, N]: MatMul, Gemm, 1x1 Conv
//   reshape    regrouping of axes: Reshape, Flatten, Squeeze, Unsqueeze, a transpose that moves only axes of size 1
//   transpose, concat
//   select     positions of one axis: Slice, Gather by a constant, Split
//   expand     repetition along axes of size 1: Expand
//   scatter    rows written into zeros, or added up there, at positions that a tensor holds: ScatterElements, ScatterND
// Constants are leaves that name an entry of the constant table. Lowering adds what only a runtime has: fused convolutions,
// its blocked layout (in-blocks: as a kernel leaves a picture there) and the borders of that (reorder-in, reorder-out), which are priced
// but never written.
import { type Attributes, attributesKey, int, text } from '../ir/attribute.ts'
import { type Dim, dimKey } from '../ir/dim.ts'
import { qualifiedName } from '../ir/graph.ts'
import type { TensorType } from '../ir/tensor.ts'
import { type AxisGroups, groupsKey } from './axis-groups.ts'
import type { ConstantId } from './constants.ts'
import { type IndexVector, indexKey } from './index-vector.ts'

/** One output of one ONNX operator; children are the inputs that are present, then the captured values. */
export interface OnnxOp {
  readonly kind: 'onnx'
  readonly domain: string
  readonly op: string
  readonly opset: number
  readonly attributes: Attributes
  /** Which inputs are present. */
  readonly present: readonly boolean[]
  /** Which output this e-node is, of how many. */
  readonly output: number
  readonly outputCount: number
  /** Names under which subgraphs read the trailing children. */
  readonly captures: readonly string[]
  /** Declared type where inference knows none; else null, so that equal calls are one e-node. */
  readonly declared: TensorType | null
  /** Tells apart calls that must not be merged (random operators); else ''. */
  readonly identity: string
}

/** Operators in the runtime's blocked layout, as e-nodes have them. */
export const NCHWC = 'com.microsoft.nchwc'
/** Operators of ONNX that nothing may change, as e-nodes have them: no record describes them, so no rule touches them. */
export const KEPT = 'kept'

/** The domain under which an operator stands in files. */
export const writtenDomain = (domain: string): string => (domain === NCHWC || domain === KEPT ? '' : domain)

/** Zeros with `size` positions along `axis`, to which the slices of x go; those that go to one position are added up, or the
 * last one stays. Children: x, and the positions, of the rank of x: [.., size of x along `axis`, ..], of size 1 where they do not vary. */
export interface Scatter {
  readonly kind: 'scatter'
  readonly axis: number
  readonly size: Dim
  readonly reduction: 'add' | 'none'
  /** How it is written. ONNX Runtime adds up in parallel, unguarded, in ScatterND and not in ScatterElements: neither becomes the other. */
  readonly spelling: 'ScatterElements' | 'ScatterND'
}

/** A convolution with what the runtime fuses into it; children: x, W, then bias, then residual, where present. Lowering only. */
export interface FusedConv {
  readonly kind: 'fused-conv'
  readonly conv: OnnxOp
  readonly bias: boolean
  /** Added before the activation. */
  readonly residual: boolean
  readonly activation: OnnxOp | null
}

export type TensorOp =
  | { readonly kind: 'input'; readonly index: number; readonly type: TensorType | null }
  | { readonly kind: 'constant'; readonly id: ConstantId }
  | { readonly kind: 'lin'; readonly axis: number }
  | { readonly kind: 'reshape'; readonly groups: AxisGroups }
  | { readonly kind: 'transpose'; readonly perm: readonly number[] }
  | { readonly kind: 'select'; readonly axis: number; readonly index: IndexVector }
  | { readonly kind: 'concat'; readonly axis: number }
  | { readonly kind: 'expand'; readonly sizes: readonly (Dim | null)[] }
  | { readonly kind: 'reorder-in' | 'reorder-out' | 'in-blocks' }
  | Scatter
  | FusedConv
  | OnnxOp

/** Before this opset the same names stood for operators that broadcast in another way. */
const FIRST_OPSET = 7

const BROADCASTING = new Set(
  'Add Sub Mul Div Pow Max Min Where And Or Xor Equal Greater Less GreaterOrEqual LessOrEqual Mod'.split(' '),
)

/** Element-wise operators whose operands broadcast against each other. */
export const broadcasts = (op: OnnxOp): boolean => op.domain === '' && BROADCASTING.has(op.op)

/** What lowering adds, which only a runtime has. */
export const isOfRuntime = (op: TensorOp): boolean =>
  ['fused-conv', 'reorder-in', 'reorder-out', 'in-blocks'].includes(op.kind)

/** The name under which rules look for the operator: `lin`, `Add`, `com.microsoft:FusedConv`. Those of old opsets have names of their own. */
export function familyOf(op: TensorOp): string {
  if (op.kind !== 'onnx') return op.kind
  const name = qualifiedName(op.domain, op.op)
  return isOfToday(op) ? name : `${name}@${op.opset}`
}

/** True unless the operator means what it meant before opset 7; rules know today's meaning only. */
export function isOfToday(op: OnnxOp): boolean {
  return op.domain !== '' || op.opset >= FIRST_OPSET
}

/** Canonical text of the rest; family and key together identify the operator. */
export function payloadKey(op: TensorOp): string {
  switch (op.kind) {
    case 'input':
      return String(op.index)
    case 'constant':
      return String(op.id)
    case 'lin':
    case 'concat':
      return String(op.axis)
    case 'reshape':
      return groupsKey(op.groups)
    case 'transpose':
      return op.perm.join(',')
    case 'select':
      return `${op.axis}@${indexKey(op.index)}`
    case 'expand':
      return op.sizes.map((s) => (s === null ? '_' : dimKey(s))).join(',')
    case 'scatter':
      return `${op.axis}:${dimKey(op.size)},${op.reduction},${op.spelling}`
    case 'reorder-in':
    case 'reorder-out':
    case 'in-blocks':
      return ''
    case 'fused-conv':
      return `${onnxKey(op.conv)}${op.conv.domain}${op.bias ? '+b' : ''}${op.residual ? '+z' : ''}${op.activation ? `;${op.activation.op}${onnxKey(op.activation)}` : ''}`
    case 'onnx':
      return onnxKey(op)
    default:
      return op satisfies never
  }
}

function onnxKey(op: OnnxOp): string {
  const present = op.present.every(Boolean) ? String(op.present.length) : op.present.map(Number).join('')
  const output = op.outputCount === 1 ? '' : `#${op.output}/${op.outputCount}`
  const captures = op.captures.length > 0 ? `^${op.captures.join('^')}` : ''
  const declared = op.declared ? `:${op.declared.dtype}[${op.declared.shape.map(dimKey).join()}]` : ''
  return `${present}${output}${captures}${op.identity}${declared}{${attributesKey(op.attributes)}}`
}

/** Attributes of the operator that a scatter is written as. */
export function scatterAttributes({ spelling, axis, reduction }: Scatter): Attributes {
  return {
    ...(spelling === 'ScatterElements' && { axis: int(axis) }),
    ...(reduction !== 'none' && { reduction: text(reduction) }),
  }
}

/** A deterministic ONNX operator of one output with all inputs present. */
export function onnxOp(op: string, inputs: number, opset: number, attributes: Attributes = {}, domain = ''): OnnxOp {
  return {
    kind: 'onnx',
    domain,
    op,
    opset,
    attributes,
    present: new Array<boolean>(inputs).fill(true),
    output: 0,
    outputCount: 1,
    captures: [],
    declared: null,
    identity: '',
  }
}
