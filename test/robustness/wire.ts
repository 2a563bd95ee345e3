// Protobuf's wire format as a tree of fields, without knowing any schema: a field whose bytes read as a message is taken for one.
// Fields keep their encoding, so that a change in one place copies nothing but the way to it.

export interface Field {
  /** Tag and wire type, encoded. */
  readonly head: Uint8Array
  readonly wire: number
  /** A number's bytes, or what follows the length. */
  readonly body: Uint8Array
  /** The body as fields; null where it is none. */
  readonly fields: readonly Field[] | null
  /** All of it, encoded. */
  readonly raw: Uint8Array
}

export const BYTES = 2
const FIXED_SIZES: Readonly<Record<number, number>> = { 1: 8, 5: 4 }
const MAX_DEPTH = 24

/** The fields of a message; null where the bytes are none. */
export function parseFields(bytes: Uint8Array, depth = 0): readonly Field[] | null {
  const fields: Field[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at)
    if (tag === null || tag.value >>> 3 === 0) return null
    const wire = tag.value & 7
    const body = bodyAt(bytes, tag.end, wire)
    if (body === null) return null
    fields.push(
      fieldOf(
        bytes.subarray(at, tag.end),
        wire,
        body,
        bytes.subarray(at, body.byteOffset + body.length - bytes.byteOffset),
        depth,
      ),
    )
    at = body.byteOffset + body.length - bytes.byteOffset
  }
  return fields
}

function fieldOf(head: Uint8Array, wire: number, body: Uint8Array, raw: Uint8Array, depth: number): Field {
  const isMessage = wire === BYTES && body.length > 1 && depth < MAX_DEPTH
  return { head, wire, body, raw, fields: isMessage ? parseFields(body, depth + 1) : null }
}

function bodyAt(bytes: Uint8Array, at: number, wire: number): Uint8Array | null {
  const length = wire === BYTES ? readVarint(bytes, at) : null
  const start = length?.end ?? at
  const size = length?.value ?? (wire === 0 ? (readVarint(bytes, at)?.end ?? Number.NaN) - at : FIXED_SIZES[wire])
  if (size === undefined || Number.isNaN(size) || (wire === BYTES && !length) || start + size > bytes.length)
    return null
  return bytes.subarray(start, start + size)
}

function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } | null {
  let value = 0
  for (let i = 0; i < 10 && at + i < bytes.length; i++) {
    const byte = bytes[at + i]!
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, end: at + i + 1 }
  }
  return null
}

/** A number from 0 below 2^53 as a varint. */
export function varint(value: number): Uint8Array {
  const out: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80)
  return Uint8Array.from([...out, rest])
}

/** The field with another body. `length`: what it claims to hold; by default the truth. */
export function withBody(field: Field, body: Uint8Array, length: Uint8Array = varint(body.length)): Field {
  const raw = Buffer.concat(field.wire === BYTES ? [field.head, length, body] : [field.head, body])
  return { ...field, body, fields: null, raw }
}

export const withFields = (field: Field, fields: readonly Field[]): Field => ({
  ...withBody(field, encodeFields(fields)),
  fields,
})

export const encodeFields = (fields: readonly Field[]): Uint8Array => Buffer.concat(fields.map((f) => f.raw))
