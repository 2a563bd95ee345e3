// Protobuf at arm's length: decoding with errors a user can read, encoding, and presence of fields. The message types are
// generated from onnx.proto (ONNX 1.23's onnx-ml.proto). Unknown fields stay in the messages and are written back.
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  isFieldSet,
  type MessageShape,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { UserError } from '../base/errors.ts'

/** Depth to which messages may nest; a subgraph in a subgraph takes three. */
const NESTING_LIMIT = 100

/** The message that `bytes` encode; a UserError at `where` if they are not one, or nest too deeply. Byte fields are views of `bytes`. */
export function decode<D extends DescMessage>(schema: D, bytes: Uint8Array, where: string): MessageShape<D> {
  try {
    // A plain Uint8Array: byte fields become views of it, and a Buffer's slice() would not copy.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const message = fromBinary(schema, plain, { recursionLimit: NESTING_LIMIT })
    requireWireTypes(schema, plain)
    return message
  } catch (error) {
    throw badModel(
      where,
      `a ${schema.name} in protobuf's binary format`,
      error instanceof Error ? error.message : String(error),
    )
  }
}

/** Throws where a field is encoded as another type than its own: our decoder would take its bytes for a value, where others skip
 * the field. The bytes are known to decode. */
function requireWireTypes(schema: DescMessage, bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag()
    const field = fieldsOf(schema).get(number)
    if (field && !wireTypesOf(field).includes(wire)) throw new Error(`field ${field.name} of wire type ${wire}`)
    if (field?.message) requireWireTypes(field.message, reader.bytes())
    else reader.skip(wire, number)
  }
}

const fieldsByNumber = new Map<DescMessage, ReadonlyMap<number, DescField>>()

function fieldsOf(schema: DescMessage): ReadonlyMap<number, DescField> {
  const known = fieldsByNumber.get(schema) ?? new Map(schema.fields.map((f) => [f.number, f]))
  fieldsByNumber.set(schema, known)
  return known
}

/** Numbers of a list may be packed. */
function wireTypesOf(field: DescField): readonly WireType[] {
  if (field.scalar === undefined) return field.message ? [WireType.LengthDelimited] : [WireType.Varint]
  const own = WIRE_TYPES.get(field.scalar) ?? WireType.Varint
  return field.fieldKind === 'list' ? [own, WireType.LengthDelimited] : [own]
}

/** Those of onnx.proto; the others are varints. */
const WIRE_TYPES: ReadonlyMap<ScalarType, WireType> = new Map([
  [ScalarType.DOUBLE, WireType.Bit64],
  [ScalarType.FLOAT, WireType.Bit32],
  [ScalarType.STRING, WireType.LengthDelimited],
  [ScalarType.BYTES, WireType.LengthDelimited],
])

export function encode<D extends DescMessage>(schema: D, message: MessageShape<D>): Uint8Array {
  return toBinary(schema, message)
}

/** An independent copy. */
export function copy<D extends DescMessage>(schema: D, message: MessageShape<D>): MessageShape<D> {
  return Object.assign(create(schema), message)
}

/** True if the optional field was present. */
export function has<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
  field: Extract<keyof D['field'], string>,
): boolean {
  return isFieldSet(message, schema.field[field]!)
}

/** The complaint about a model that breaks ONNX's rules. */
export function badModel(
  where: string,
  expected: string,
  got: string,
  fix = 'check the file with the ONNX checker or export it again',
): UserError {
  return new UserError({ code: 'bad-model', where, expected, got, fix })
}

/** A 64-bit integer as a number where that is exact. */
export function exactNumber(value: bigint): number | bigint {
  const n = Number(value)
  return Number.isSafeInteger(n) ? n : value
}
