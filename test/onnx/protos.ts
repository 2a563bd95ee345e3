// Models as messages, for tests: short makers of nodes, values and models in any opset and IR version.
import { create } from '@bufbuild/protobuf'
import type { DType } from '../../src/ir/dtype.ts'
import { DTYPES } from '../../src/ir/dtype.ts'
import { type Tensor, tensor } from '../../src/ir/tensor.ts'
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  AttributeProto_AttributeType as Kind,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts'
import { type Model, readModel } from '../../src/onnx/model.ts'
import { encode } from '../../src/onnx/proto.ts'
import { tensorToProto } from '../../src/onnx/tensor.ts'

type Plain =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | Tensor
  | GraphProto

/** Numbers are ints, `{ float }` and `{ floats }` floats. */
export function attribute(name: string, value: Plain): AttributeProto {
  const make = (fields: Partial<Omit<AttributeProto, '$typeName' | '$unknown'>>) =>
    create(AttributeProtoSchema, { name, ...fields })
  if (typeof value === 'number') return make({ type: Kind.INT, i: BigInt(value) })
  if (typeof value === 'string') return make({ type: Kind.STRING, s: Buffer.from(value) })
  if (Array.isArray(value)) return make({ type: Kind.INTS, ints: value.map(BigInt) })
  if ('float' in value) return make({ type: Kind.FLOAT, f: value.float })
  if ('floats' in value) return make({ type: Kind.FLOATS, floats: [...value.floats] })
  if ('dtype' in value) return make({ type: Kind.TENSOR, t: tensorToProto(value, '') })
  return make({ type: Kind.GRAPH, g: value as GraphProto })
}

/** `node('Add', 'a b', 'c')`; `_` is a left-out operand. */
export function node(
  opType: string,
  inputs: string,
  outputs: string,
  attributes: Record<string, Plain> = {},
  domain = '',
): NodeProto {
  const names = (list: string) =>
    list
      .split(' ')
      .filter((n) => n !== '')
      .map((n) => (n === '_' ? '' : n))
  const attribute_ = Object.entries(attributes).map(([name, a]) => attribute(name, a))
  return create(NodeProtoSchema, {
    opType,
    ...(domain === '' ? {} : { domain }),
    name: `n_${outputs.split(' ')[0]}`,
    input: names(inputs),
    output: names(outputs),
    attribute: attribute_,
  })
}

/** A value of a declared type; dimensions are sizes, names, or null where the file says nothing. */
export function value(name: string, dtype: DType, shape: readonly (number | string | null)[]): ValueInfoProto {
  const dim = shape.map((d) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        d === null
          ? { case: undefined }
          : typeof d === 'number'
            ? { case: 'dimValue', value: BigInt(d) }
            : { case: 'dimParam', value: d },
    }),
  )
  const tensorType = create(TypeProto_TensorSchema, {
    elemType: DTYPES[dtype].onnx,
    shape: create(TensorShapeProtoSchema, { dim }),
  })
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  })
}

export interface GraphParts {
  readonly nodes: readonly NodeProto[]
  readonly inputs?: readonly ValueInfoProto[]
  /** A bare name is an output of undeclared type. */
  readonly outputs: readonly (string | ValueInfoProto)[]
  readonly constants?: Readonly<Record<string, Tensor>>
}

export function graphProto(parts: GraphParts, name = 'g'): GraphProto {
  const output = parts.outputs.map((o) => (typeof o === 'string' ? create(ValueInfoProtoSchema, { name: o }) : o))
  const initializer = Object.entries(parts.constants ?? {}).map(([key, t]) => tensorToProto(t, key))
  return create(GraphProtoSchema, {
    name,
    node: [...parts.nodes],
    input: [...(parts.inputs ?? [])],
    output,
    initializer,
  })
}

export function modelProto(parts: GraphParts, opset = 20, irVersion = 9): ModelProto {
  const others = [...new Set(parts.nodes.map((n) => n.domain))].filter(
    (domain) => domain !== '' && domain !== 'ai.onnx',
  )
  const imports: [string, number][] = [['', opset], ...others.map((domain): [string, number] => [domain, 1])]
  const opsetImport = imports.map(([domain, v]) => create(OperatorSetIdProtoSchema, { domain, version: BigInt(v) }))
  return create(ModelProtoSchema, { irVersion: BigInt(irVersion), opsetImport, graph: graphProto(parts) })
}

export const bytesOf = (proto: ModelProto): Uint8Array => encode(ModelProtoSchema, proto)
export const model = (parts: GraphParts, opset?: number, irVersion?: number): Model =>
  readModel(bytesOf(modelProto(parts, opset, irVersion)))

export const f32 = (shape: readonly number[], values: Iterable<number>): Tensor => tensor('float32', shape, values)
export const i64 = (shape: readonly number[], values: Iterable<number>): Tensor => tensor('int64', shape, values)

/** 0, 1, 2 .. in steps, of this shape. */
export function ramp(shape: readonly number[], start = 0, step = 1): Tensor {
  const n = shape.reduce((a, b) => a * b, 1)
  return f32(
    shape,
    Array.from({ length: n }, (_, i) => start + i * step),
  )
}
