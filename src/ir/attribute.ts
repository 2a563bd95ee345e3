// Attributes of a node: what ONNX's AttributeProto can hold. Subgraphs, tensors we do not compute with and anything
// unknown stay as the bytes they came in (`opaque`), so that they are written back unharmed.
import type { Tensor } from './tensor.ts'

export type Attribute =
  | { readonly kind: 'int'; readonly value: number | bigint } // bigint only beyond 2^53
  | { readonly kind: 'float'; readonly value: number } // float32 precision
  | { readonly kind: 'string'; readonly value: string; readonly bytes?: Uint8Array } // bytes: when not valid UTF-8
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'ints'; readonly value: readonly (number | bigint)[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'opaque'; readonly bytes: Uint8Array } // one encoded AttributeProto: graph(s), types, sparse, refs

export type Attributes = Readonly<Record<string, Attribute>>

export const int = (value: number): Attribute => ({ kind: 'int', value })
export const float = (value: number): Attribute => ({ kind: 'float', value })
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
export const floats = (value: readonly number[]): Attribute => ({ kind: 'floats', value })
export const text = (value: string): Attribute => ({ kind: 'string', value })

/** Value of an int attribute, or the default. */
export function getInt<D extends number | null>(a: Attributes, name: string, otherwise: D): number | D {
  const v = a[name]
  return v?.kind === 'int' ? Number(v.value) : otherwise
}
export function getFloat<D extends number | null>(a: Attributes, name: string, otherwise: D): number | D {
  const v = a[name]
  return v?.kind === 'float' ? v.value : otherwise
}
export function getText<D extends string | null>(a: Attributes, name: string, otherwise: D): string | D {
  const v = a[name]
  return v?.kind === 'string' ? v.value : otherwise
}
export function getInts<D extends readonly number[] | null>(
  a: Attributes,
  name: string,
  otherwise: D,
): readonly number[] | D {
  const v = a[name]
  return v?.kind === 'ints' ? v.value.map(Number) : otherwise
}
export function getFloats<D extends readonly number[] | null>(
  a: Attributes,
  name: string,
  otherwise: D,
): readonly number[] | D {
  const v = a[name]
  return v?.kind === 'floats' ? v.value : otherwise
}

/** Canonical text, independent of key order; opaque parts and tensors appear in full as hex digits. Equal texts, equal attributes. */
export function attributesKey(a: Attributes): string {
  return Object.keys(a)
    .sort()
    .map((name) => `${/^\w+$/.test(name) ? name : JSON.stringify(name)}=${attributeKey(a[name]!)}`)
    .join(',')
}

/** Text of one attribute, as in `attributesKey`. */
export function attributeKey(a: Attribute): string {
  switch (a.kind) {
    case 'int':
      return String(a.value)
    case 'float':
      return floatKey(a.value)
    case 'string':
      return a.bytes ? `bytes:${hex(a.bytes)}` : JSON.stringify(a.value)
    case 'ints':
      return `[${a.value.join(',')}]`
    case 'floats':
      return a.value.length === 0 ? '[]f' : `[${a.value.map(floatKey).join(',')}]`
    case 'strings':
      return a.value.length === 0 ? '[]s' : JSON.stringify(a.value)
    case 'tensor':
      return `tensor:${a.value.dtype}[${a.value.shape}]:${hex(a.value.bytes)}${(a.value.strings ?? []).map((s) => `,${hex(s)}`).join('')}`
    case 'opaque':
      return `opaque:${hex(a.bytes)}`
    default:
      return a satisfies never
  }
}

const floatKey = (x: number): string => (Object.is(x, -0) ? '-0f' : `${x}f`)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
