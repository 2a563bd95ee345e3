// AttributeProto <-> Attribute. Whatever the graph gives no meaning to (subgraphs, types, sparse tensors, references to
// function attributes, tensors of unknown element types) stays encoded and is written back as it came.
import { create } from '@bufbuild/protobuf'
import type { Attribute } from '../ir/attribute.ts'
import { type AttributeProto, AttributeProtoSchema, AttributeProto_AttributeType as Kind } from './generated/onnx_pb.ts'
import { copy, decode, encode, exactNumber, has } from './proto.ts'
import { tensorFromProto, tensorToProto } from './tensor.ts'

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lossyUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const utf8 = new TextEncoder()

export function attributeFromProto(proto: AttributeProto, where: string): Attribute {
  const plain = proto.refAttrName === '' ? plainAttribute(proto, `${where}, attribute ${proto.name}`) : null
  return plain ?? { kind: 'opaque', bytes: encode(AttributeProtoSchema, proto) }
}

function plainAttribute(proto: AttributeProto, where: string): Attribute | null {
  switch (kindOf(proto)) {
    case Kind.INT:
      return { kind: 'int', value: exactNumber(proto.i) }
    case Kind.FLOAT:
      return { kind: 'float', value: proto.f }
    case Kind.STRING:
      return stringAttribute(proto.s)
    case Kind.INTS:
      return { kind: 'ints', value: proto.ints.map(exactNumber) }
    case Kind.FLOATS:
      return { kind: 'floats', value: proto.floats }
    case Kind.STRINGS:
      return stringsAttribute(proto.strings)
    case Kind.TENSOR:
      return tensorAttribute(proto, where)
    default:
      return null
  }
}

function stringAttribute(bytes: Uint8Array): Attribute {
  const value = decodeUtf8(bytes)
  return value === null ? { kind: 'string', value: lossyUtf8.decode(bytes), bytes } : { kind: 'string', value }
}

function stringsAttribute(list: readonly Uint8Array[]): Attribute | null {
  const value = list.map(decodeUtf8)
  return value.includes(null) ? null : { kind: 'strings', value: value as string[] }
}

function tensorAttribute(proto: AttributeProto, where: string): Attribute | null {
  if (!proto.t || proto.t.$unknown) return null
  const value = tensorFromProto(proto.t, where)
  return value === null ? null : { kind: 'tensor', value }
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return null
  }
}

/** The declared kind; files of IR version 1 declare none and are judged by the field that is set. */
function kindOf(proto: AttributeProto): Kind {
  if (proto.type !== Kind.UNDEFINED) return proto.type
  if (proto.floats.length > 0) return Kind.FLOATS
  if (proto.ints.length > 0) return Kind.INTS
  if (proto.strings.length > 0) return Kind.STRINGS
  if (has(AttributeProtoSchema, proto, 'f')) return Kind.FLOAT
  if (has(AttributeProtoSchema, proto, 'i')) return Kind.INT
  if (has(AttributeProtoSchema, proto, 's')) return Kind.STRING
  return proto.t ? Kind.TENSOR : Kind.UNDEFINED
}

export function attributeToProto(name: string, a: Attribute): AttributeProto {
  if (a.kind === 'opaque') return decodeAttribute(a.bytes)
  return create(AttributeProtoSchema, { name, ...fieldsOf(a) })
}

function fieldsOf(a: Exclude<Attribute, { kind: 'opaque' }>): Partial<Omit<AttributeProto, '$typeName' | '$unknown'>> {
  switch (a.kind) {
    case 'int':
      return { type: Kind.INT, i: BigInt(a.value) }
    case 'float':
      return { type: Kind.FLOAT, f: a.value }
    case 'string':
      return { type: Kind.STRING, s: a.bytes ?? utf8.encode(a.value) }
    case 'ints':
      return { type: Kind.INTS, ints: a.value.map(BigInt) }
    case 'floats':
      return { type: Kind.FLOATS, floats: [...a.value] }
    case 'strings':
      return { type: Kind.STRINGS, strings: a.value.map((s) => utf8.encode(s)) }
    case 'tensor':
      return { type: Kind.TENSOR, t: tensorToProto(a.value, '') }
    default:
      return a satisfies never
  }
}

export function decodeAttribute(bytes: Uint8Array): AttributeProto {
  return decode(AttributeProtoSchema, bytes, 'attribute')
}

/** What an attribute carries beside its value: doc string and unknown fields. null: nothing. */
export function attributeMargin(proto: AttributeProto): AttributeProto | null {
  if (!has(AttributeProtoSchema, proto, 'docString') && !proto.$unknown) return null
  const margin = create(AttributeProtoSchema, { name: proto.name })
  if (has(AttributeProtoSchema, proto, 'docString')) margin.docString = proto.docString
  if (proto.$unknown) margin.$unknown = proto.$unknown
  return margin
}

/** The attribute with a margin put back. */
export function withMargin(proto: AttributeProto, margin: AttributeProto | undefined): AttributeProto {
  if (!margin || proto.$unknown || has(AttributeProtoSchema, proto, 'docString')) return proto
  const out = copy(AttributeProtoSchema, proto)
  if (has(AttributeProtoSchema, margin, 'docString')) out.docString = margin.docString
  if (margin.$unknown) out.$unknown = margin.$unknown
  return out
}
