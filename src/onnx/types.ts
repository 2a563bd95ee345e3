// ValueInfoProto and TypeProto <-> Value. Named dimensions become symbolic ones; unnamed, absent and non-positive ones
// get fresh names such as `input.0`. Types that are not plain ranked tensors stay encoded.
import { create } from '@bufbuild/protobuf'
import { type Dim, dimKey, namedDim } from '../ir/dim.ts'
import { DTYPES, dtypeFromOnnx } from '../ir/dtype.ts'
import type { Value } from '../ir/graph.ts'
import type { TensorType } from '../ir/tensor.ts'
import {
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type TypeProto,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.ts'
import { decode, encode } from './proto.ts'

/** Names of dimensions: one symbolic dimension per dim_param, and fresh ones that collide with none. */
export class DimNames {
  private readonly byParam = new Map<string, Dim>()
  private readonly taken = new Set<string>()

  /** Announces a file's own names, so that fresh ones avoid them. */
  reserve(types: Iterable<TypeProto | undefined>): void {
    for (const t of types)
      if (t?.value.case === 'tensorType') for (const d of t.value.value.shape?.dim ?? []) this.reserveDim(d)
  }

  private reserveDim(d: TensorShapeProto_Dimension): void {
    if (d.value.case === 'dimParam' && isPlainName(d.value.value)) this.taken.add(d.value.value)
  }

  /** The dimension called `param`. Text that could be read as an expression is made a plain name first. */
  named(param: string): Dim {
    const known = this.byParam.get(param)
    if (known !== undefined) return known
    const dim = isPlainName(param) ? namedDim(param) : this.fresh(`_${param.replace(/[^\w.]/g, '_')}`)
    this.byParam.set(param, dim)
    return dim
  }

  fresh(wish: string): Dim {
    let name = wish
    for (let i = 1; this.taken.has(name); i++) name = `${wish}_${i}`
    this.taken.add(name)
    return namedDim(name)
  }
}

const isPlainName = (s: string): boolean => /^[A-Za-z_][\w.:$/-]*$/.test(s)

/** The declared type of a value called `name`. */
export function typeFromProto(name: string, proto: TypeProto | undefined, dims: DimNames): Omit<Value, 'name'> {
  if (!proto || proto.value.case === undefined) return { type: null }
  const type = proto.value.case === 'tensorType' ? tensorType(name, proto.value.value, dims) : null
  return type ? { type } : { type: null, foreignType: encode(TypeProtoSchema, proto) }
}

type TensorTypeProto = Extract<TypeProto['value'], { case: 'tensorType' }>['value']

function tensorType(name: string, proto: TensorTypeProto, dims: DimNames): TensorType | null {
  const dtype = dtypeFromOnnx(proto.elemType)
  if (dtype === null || !proto.shape) return null
  const base = name.replace(/[^\w.]/g, '_').replace(/^(?![A-Za-z_])/, '_')
  return { dtype, shape: proto.shape.dim.map((d, i) => dimFromProto(d, `${base}.${i}`, dims)) }
}

function dimFromProto(d: TensorShapeProto_Dimension, freshName: string, dims: DimNames): Dim {
  if (d.value.case === 'dimParam' && d.value.value !== '') return dims.named(d.value.value)
  if (d.value.case === 'dimValue' && d.value.value > 0n) {
    const n = Number(d.value.value)
    if (Number.isSafeInteger(n)) return n
  }
  return dims.fresh(freshName)
}

export function valueToProto(v: Value): ValueInfoProto {
  const proto = create(ValueInfoProtoSchema, { name: v.name })
  if (v.foreignType) proto.type = decode(TypeProtoSchema, v.foreignType, `value ${v.name}`)
  else if (v.type) proto.type = typeToProto(v.type)
  return proto
}

export function typeToProto(type: TensorType): TypeProto {
  const dim = type.shape.map((d) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof d === 'number' ? { case: 'dimValue', value: BigInt(d) } : { case: 'dimParam', value: dimKey(d) },
    }),
  )
  const shape = create(TensorShapeProtoSchema, { dim })
  const value = create(TypeProto_TensorSchema, { elemType: DTYPES[type.dtype].onnx, shape })
  return create(TypeProtoSchema, { value: { case: 'tensorType', value } })
}

/** False if the declaration contradicts what is known of the value: another dtype, rank or fixed size. */
export function agrees(declared: ValueInfoProto, v: Value): boolean {
  const t = declared.type?.value
  if (v.type === null || t?.case !== 'tensorType') return v.type === null || t?.case === undefined
  if (t.value.elemType !== DTYPES[v.type.dtype].onnx) return false
  const dims = t.value.shape?.dim
  return !dims || (dims.length === v.type.shape.length && v.type.shape.every((d, i) => dimAgrees(dims[i]!, d)))
}

/** True if the declaration also leaves nothing open that is known: an input that was bound must be declared so. */
export function declaresAll(declared: ValueInfoProto, v: Value): boolean {
  const t = declared.type?.value
  if (v.type === null || t?.case !== 'tensorType' || !t.value.shape) return v.type === null
  const dims = t.value.shape.dim
  return agrees(declared, v) && v.type.shape.every((d, i) => typeof d !== 'number' || isFixed(dims[i]!))
}

const isFixed = (d: TensorShapeProto_Dimension): boolean => d.value.case === 'dimValue' && d.value.value > 0n

function dimAgrees(declared: TensorShapeProto_Dimension, d: Dim): boolean {
  const n = declared.value.case === 'dimValue' ? Number(declared.value.value) : 0
  return n <= 0 || typeof d !== 'number' || n === d
}
