// What follows for an e-node from what is known of its children: the analysis of the tensor e-graph.
import { int } from '../ir/attribute.ts'
import type { Dim } from '../ir/dim.ts'
import { callOf, type Fact, inferCall } from '../ir/infer.ts'
import { integersOf, type TensorType } from '../ir/tensor.ts'
import { applyGroups } from './axis-groups.ts'
import type { ConstantId, ConstantTable } from './constants.ts'
import type { ClassFact } from './facts.ts'
import { indexCount, indexList } from './index-vector.ts'
import type { OnnxOp, TensorOp } from './tensor-op.ts'
import { onnxOp, writtenDomain } from './tensor-op.ts'

const UNKNOWN: ClassFact = { type: null, constant: null, contents: null }
const CONTENTS_LIMIT = 1024

/** Facts of a constant of the table. */
export function constantClassFact(constants: ConstantTable, id: ConstantId): ClassFact {
  const type = constants.type(id)
  const small = type.shape.length <= 1 && (constants.shape(id)[0] ?? 1) <= CONTENTS_LIMIT
  return { type, constant: id, contents: small ? integersOf(constants.tensor(id)) : null }
}

/** Facts of `op` applied to children of which `children` is known. */
export function inferOp(op: TensorOp, children: readonly ClassFact[], constants: ConstantTable): ClassFact {
  if (op.kind === 'input') return { ...UNKNOWN, type: op.type }
  if (op.kind === 'constant') return constantClassFact(constants, op.id)
  if (op.kind === 'onnx') return inferOnnx(op, children, constants)
  if (op.kind === 'fused-conv')
    return { ...UNKNOWN, type: inferOnnx(op.conv, children.slice(0, op.bias ? 3 : 2), constants).type }
  const first = children[0]!.type
  if (!first) return UNKNOWN
  const shape = inferShape(op, first.shape, children)
  if (!shape) return UNKNOWN
  return { type: { dtype: first.dtype, shape }, constant: null, contents: inferContents(op, children) }
}

type Structural = Exclude<TensorOp, OnnxOp | { kind: 'input' | 'constant' | 'fused-conv' }>

function inferShape(op: Structural, x: readonly Dim[], children: readonly ClassFact[]): readonly Dim[] | null {
  switch (op.kind) {
    case 'lin':
      return replaceAxis(x, op.axis, children[1]!.type!.shape[1]!)
    case 'reshape':
      return applyGroups(op.groups, x)
    case 'transpose':
      return op.perm.map((p) => x[p]!)
    case 'select':
      return replaceAxis(x, op.axis, indexCount(op.index))
    case 'expand':
      return x.map((d, i) => op.sizes[i] ?? d)
    case 'concat':
      return inferConcat(op.axis, children)
    case 'scatter':
      return replaceAxis(x, op.axis, op.size)
    case 'reorder-in':
    case 'reorder-out':
    case 'in-blocks':
      return x
    default:
      return op satisfies never
  }
}

function inferConcat(axis: number, children: readonly ClassFact[]): readonly Dim[] | null {
  const types = children.map((c) => c.type)
  if (types.includes(null)) return null
  const inputs = types as TensorType[]
  const call = callOf(
    { domain: '', op: 'Concat', attributes: { axis: int(axis) }, outputs: [null] },
    13,
    inputs.map((type) => ({ type, constant: null, contents: null })),
  )
  return (
    inferCall(
      call,
      inputs.map(() => true),
    )[0]!.type?.shape ?? null
  )
}

export function replaceAxis(shape: readonly Dim[], axis: number, size: Dim): readonly Dim[] {
  return shape.map((d, i) => (i === axis ? size : d))
}

/** Contents survive the structural operators that shape arithmetic uses. */
function inferContents(op: Structural, children: readonly ClassFact[]): readonly Dim[] | null {
  const contents = children.map((c) => c.contents)
  if (contents.includes(null)) return null
  if (op.kind === 'reshape') return contents[0]!
  if (op.kind === 'concat') return contents.flatMap((c) => c!)
  if (op.kind !== 'select') return null
  const list = indexList(op.index)
  return list ? list.map((i) => contents[0]![i]!) : null
}

/** The call that an ONNX e-node makes. Constants are materialised only when looked at. */
export function callOfOnnx(op: OnnxOp, children: readonly ClassFact[], constants: ConstantTable) {
  let next = 0
  const inputs = op.present.map((p) => (p ? children[next++]! : null))
  const facts = inputs.map((f): Fact | null => {
    if (!f) return null
    const { type, contents, constant } = f
    return {
      type,
      contents,
      get constant() {
        return constant === null ? null : constants.tensor(constant)
      },
    } as Fact
  })
  return callOf(
    { domain: op.domain, op: op.op, attributes: op.attributes, outputs: new Array<null>(op.outputCount).fill(null) },
    op.opset,
    facts,
  )
}

function inferOnnx(op: OnnxOp, children: readonly ClassFact[], constants: ConstantTable): ClassFact {
  // Blocked operators are plain ones in another layout; their shapes are the plain ones.
  const plain = { ...op, domain: writtenDomain(op.domain) }
  const call = callOfOnnx(plain, children, constants)
  const fact = inferCall(call, op.present)[op.output]!
  return { type: fact.type ?? op.declared, constant: null, contents: fact.contents }
}

/** `onnxOp` for the ONNX operator that a structural operator is, for evaluation: [operator, integer second input or null]. */
export function onnxSpelling(
  op: Structural,
  x: readonly number[],
): { readonly op: OnnxOp; readonly ints: readonly number[] | null } | null {
  switch (op.kind) {
    case 'lin':
      return null
    case 'reshape':
      return { op: onnxOp('Reshape', 2, 20), ints: applyGroups(op.groups, x) as readonly number[] }
    case 'transpose':
      return { op: onnxOp('Transpose', 1, 20, { perm: { kind: 'ints', value: op.perm } }), ints: null }
    case 'select':
      return { op: onnxOp('Gather', 2, 20, { axis: int(op.axis) }), ints: indexList(op.index) }
    case 'expand':
      return { op: onnxOp('Expand', 2, 20), ints: x.map((d, i) => (op.sizes[i] as number | null) ?? d) }
    case 'concat':
      return { op: onnxOp('Concat', 1, 20, { axis: int(op.axis) }), ints: null }
    case 'scatter':
    case 'reorder-in':
    case 'reorder-out':
    case 'in-blocks':
      return null
    default:
      return op satisfies never
  }
}
