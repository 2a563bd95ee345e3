// The safetensors format, in which PyTorch weights travel without Python objects: eight bytes of header length, a JSON header
// of names, dtypes, shapes and offsets, then the raw little-endian data. Spec: huggingface/safetensors, README, "Format".
import { UnsupportedError, UserError } from '../base/errors.ts'
import { bytesOf, type DType } from '../ir/dtype.ts'
import { elementCount } from '../ir/shape.ts'
import type { Tensor } from '../ir/tensor.ts'

const NAMES: Readonly<Partial<Record<DType, string>>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
}
const DTYPES = new Map(Object.entries(NAMES).map(([dtype, name]) => [name, dtype as DType]))
/** The format's own limit on the header. */
const HEADER_LIMIT_BYTES = 100_000_000

/** Bytes of a file that holds these tensors, in order of name. Throws UnsupportedError on strings and the like. */
export function writeSafetensors(tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  const entries = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))
  const header: Record<string, object> = {}
  let offset = 0
  for (const [name, t] of entries) {
    const dtype = NAMES[t.dtype]
    if (!dtype) throw new UnsupportedError(`dtype ${t.dtype} in safetensors (${name})`)
    header[name] = { dtype, shape: t.shape, data_offsets: [offset, offset + t.bytes.length] }
    offset += t.bytes.length
  }
  const json = Buffer.from(JSON.stringify(header))
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  return Buffer.concat([length, padded, ...entries.map(([, t]) => t.bytes)])
}

/** Tensors by name; their bytes are views into `file`. Throws UserError on anything that is not what the header says. */
export function readSafetensors(file: Uint8Array, where: string): ReadonlyMap<string, Tensor> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const headerBytes = bytes.length < 8 ? Number.POSITIVE_INFINITY : Number(bytes.readBigUInt64LE(0))
  if (headerBytes > Math.min(HEADER_LIMIT_BYTES, bytes.length - 8))
    throw damaged(where, 'a header that fits into the file', `${bytes.length} bytes`)
  const data = bytes.subarray(8 + headerBytes)
  const tensors = new Map<string, Tensor>()
  for (const [name, entry] of Object.entries(parseHeader(bytes.subarray(8, 8 + headerBytes), where))) {
    if (name !== '__metadata__') tensors.set(name, tensorOf(entry, data, `${where}, tensor ${name}`))
  }
  return tensors
}

function parseHeader(bytes: Buffer, where: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof header === 'object' && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>
  } catch {
    // The same complaint as for a header of the wrong kind.
  }
  throw damaged(where, 'a JSON object as header', 'something else')
}

function tensorOf(entry: unknown, data: Buffer, where: string): Tensor {
  const { dtype: name, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>
  const dtype = typeof name === 'string' ? DTYPES.get(name) : undefined
  if (!dtype) throw damaged(where, `a dtype among ${[...DTYPES.keys()].join(' ')}`, String(name))
  if (!isSizes(shape)) throw damaged(where, 'a shape of whole numbers', JSON.stringify(shape))
  if (!isSizes(offsets) || offsets.length !== 2) throw damaged(where, 'two offsets', JSON.stringify(offsets))
  const [start, end] = [offsets[0]!, offsets[1]!]
  const expected = bytesOf(dtype, elementCount(shape))
  if (end > data.length || end - start !== expected)
    throw damaged(where, `${expected} bytes inside the file`, `[${start}, ${end}) of ${data.length}`)
  return { dtype, shape, bytes: data.subarray(start, end) }
}

function isSizes(x: unknown): x is number[] {
  return Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0)
}

function damaged(where: string, expected: string, got: string): UserError {
  return new UserError({
    code: 'damaged-weights',
    where,
    expected,
    got,
    fix: 'save the weights again with safetensors.torch.save_file',
  })
}
