// Damaged models. On bytes: flip, set, insert, delete, truncate, splice two models. On fields, with the lengths around them made
// right again, so that the damage gets past the decoder: lose, double, swap, graft from another model, another number, another
// body, a length that lies. One number makes one damaged model.
import { createRandom, type Random } from '../../src/base/random.ts'
import type { CorpusModel } from './corpus.ts'
import { BYTES, encodeFields, type Field, parseFields, varint, withBody, withFields } from './wire.ts'

export interface Damaged {
  readonly bytes: Uint8Array
  /** Model and damage: `conv-of-sum: graft, flip`. */
  readonly what: string
}

/** A model of the corpus with its fields. */
export interface Specimen extends CorpusModel {
  readonly fields: readonly Field[]
}

export const specimensOf = (corpus: readonly CorpusModel[]): readonly Specimen[] =>
  corpus.map((m) => ({ ...m, fields: parseFields(m.bytes) ?? [] }))

/** The damaged model with this number. */
export function damagedModel(specimens: readonly Specimen[], seed: number, at: number): Damaged {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(at, 0x85ebca6b))
  const model = random.pick(specimens)
  const done: string[] = []
  let fields = model.fields
  for (let left = random.below(4); left > 0; left--) {
    const kind = random.pick(FIELD_KINDS)
    fields = somewhere(fields, random, (list, i) => FIELD_DAMAGES[kind]!(list, i, random, specimens))
    done.push(kind)
  }
  let bytes = encodeFields(fields)
  for (let left = done.length === 0 ? 1 + random.below(2) : random.below(8) === 0 ? 1 : 0; left > 0; left--) {
    const kind = random.pick(BYTE_KINDS)
    bytes = BYTE_DAMAGES[kind]!(bytes, random, specimens)
    done.push(kind)
  }
  return { bytes, what: `${model.name}: ${done.join(', ')}` }
}

type ListDamage = (list: readonly Field[], at: number) => readonly Field[]

/** Applies a change to the list around a random field at a random depth. */
function somewhere(list: readonly Field[], random: Random, change: ListDamage): readonly Field[] {
  if (list.length === 0) return list
  const messages = [...list.keys()].filter((i) => list[i]!.fields !== null)
  const deeper = messages.length > 0 && random.below(5) > 0
  if (!deeper) return change(list, random.below(list.length))
  const at = random.pick(messages)
  return list.with(at, withFields(list[at]!, somewhere(list[at]!.fields!, random, change)))
}

type FieldDamage = (
  list: readonly Field[],
  at: number,
  random: Random,
  specimens: readonly Specimen[],
) => readonly Field[]

const FIELD_DAMAGES: Readonly<Record<string, FieldDamage>> = {
  lose: (list, at) => list.toSpliced(at, 1),
  double: (list, at, random) => list.toSpliced(random.below(list.length + 1), 0, list[at]!),
  swap: (list, at, random) => {
    const other = random.below(list.length)
    return list.with(at, list[other]!).with(other, list[at]!)
  },
  graft: (list, at, random, specimens) => list.toSpliced(at, random.below(2), anyField(random.pick(specimens), random)),
  borrow: (list, at, random) => {
    const alike = list.filter((f) => f.wire === list[at]!.wire)
    return list.with(at, withBody(list[at]!, random.pick(alike).body))
  },
  number: (list, at, random) => {
    const numbers = [...list.keys()].filter((i) => list[i]!.wire === 0)
    const i = numbers.length > 0 ? random.pick(numbers) : at
    return list.with(i, list[i]!.wire === 0 ? withBody(list[i]!, anyNumber(random)) : withBody(list[i]!, list[i]!.body))
  },
  body: (list, at, random) => {
    const { body } = list[at]!
    if (list[at]!.wire !== BYTES) return list.with(at, withBody(list[at]!, changedByte(body, random)))
    return list.with(at, withBody(list[at]!, BYTE_DAMAGES[random.pick(LOCAL_KINDS)]!(body, random, [])))
  },
  length: (list, at, random) => {
    const { body, wire } = list[at]!
    return wire === BYTES ? list.with(at, withBody(list[at]!, body, anyLength(body.length, random))) : list
  },
}
const FIELD_KINDS = Object.keys(FIELD_DAMAGES)

function anyField({ fields }: Specimen, random: Random): Field {
  let found: Field | null = null
  somewhere(fields, random, (list, at) => {
    found = list[at]!
    return list
  })
  return found ?? fields[0]!
}

const NUMBERS = [0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 1000, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1]
/** -1, and the largest unsigned number. */
const ALL_ONES = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 1)
/** -2^63 */
const LEAST = Uint8Array.of(128, 128, 128, 128, 128, 128, 128, 128, 128, 1)

function anyNumber(random: Random): Uint8Array {
  const which = random.below(8)
  if (which === 0) return ALL_ONES
  if (which === 1) return LEAST
  return which < 5 ? varint(random.below(32)) : varint(random.pick(NUMBERS))
}

const anyLength = (truth: number, random: Random): Uint8Array =>
  random.pick([
    varint(truth + 1),
    varint(Math.max(0, truth - 1)),
    varint(0),
    varint(random.below(2 * truth + 2)),
    anyNumber(random),
  ])

type ByteDamage = (bytes: Uint8Array, random: Random, specimens: readonly Specimen[]) => Uint8Array

const BYTE_DAMAGES: Readonly<Record<string, ByteDamage>> = {
  flip: (bytes, random) => changedByte(bytes, random, (b) => b ^ (1 << random.below(8))),
  set: (bytes, random) => changedByte(bytes, random),
  insert: (bytes, random) => {
    const at = anyPlace(bytes, random)
    return Buffer.concat([bytes.subarray(0, at), Uint8Array.of(random.below(256)), bytes.subarray(at)])
  },
  delete: (bytes, random) => {
    const at = anyPlace(bytes, random)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(4))])
  },
  truncate: (bytes, random) => bytes.subarray(0, anyPlace(bytes, random)),
  splice: (bytes, random, specimens) => {
    const other = random.pick(specimens).bytes
    return Buffer.concat([bytes.subarray(0, anyPlace(bytes, random)), other.subarray(anyPlace(other, random))])
  },
}
const BYTE_KINDS = Object.keys(BYTE_DAMAGES)
const LOCAL_KINDS = BYTE_KINDS.filter((kind) => kind !== 'splice')

function changedByte(
  bytes: Uint8Array,
  random: Random,
  change: (byte: number) => number = () => random.below(256),
): Uint8Array {
  const out = Uint8Array.from(bytes)
  const at = anyPlace(bytes, random)
  if (at < out.length) out[at] = change(out[at]!)
  return out
}

const EDGE_BYTES = 2048

/** Anywhere, but as often near an end: the middle of a model is weights. */
function anyPlace(bytes: Uint8Array, random: Random): number {
  const near = random.below(Math.min(bytes.length, EDGE_BYTES) + 1)
  switch (random.below(4)) {
    case 0:
      return near
    case 1:
      return bytes.length - near
    default:
      return random.below(bytes.length + 1)
  }
}
