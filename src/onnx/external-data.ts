// Tensors whose bytes lie in files beside the model. Reading replaces every such tensor, at any depth, by its bytes;
// writing moves large initializers of a message to one file. The location is untrusted text: only plain files inside the
// model's own directory are opened, never through links (CVE-2022-25882, -2024-27318, -2024-27319, -2025-51480 and others).
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs'
import { dirname, isAbsolute, join, posix, relative, sep, win32 } from 'node:path'
import { UserError } from '../base/errors.ts'
import { bytesOf, dtypeFromOnnx } from '../ir/dtype.ts'
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  SparseTensorProto,
  TensorProto,
} from './generated/onnx_pb.ts'
import { TensorProto_DataLocation } from './generated/onnx_pb.ts'
import { elementsOf, shapeOf } from './tensor.ts'

/** Where a tensor says its bytes are. */
export interface Location {
  readonly path: string
  readonly offset: number
  /** null: as many as the shape needs. */
  readonly length: number | null
}

const KNOWN_KEYS = new Set(['location', 'offset', 'length', 'checksum'])

/** Every tensor of a model, at any depth. */
export function* tensorsOfModel(model: ModelProto): Generator<TensorProto> {
  if (model.graph) yield* tensorsOfGraph(model.graph)
  for (const f of model.functions) yield* tensorsOfFunction(f)
  for (const t of model.trainingInfo) for (const g of [t.initialization, t.algorithm]) if (g) yield* tensorsOfGraph(g)
}

function* tensorsOfFunction(f: FunctionProto): Generator<TensorProto> {
  for (const a of f.attributeProto) yield* tensorsOfAttribute(a)
  for (const node of f.node) for (const a of node.attribute) yield* tensorsOfAttribute(a)
}

function* tensorsOfGraph(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer
  for (const s of graph.sparseInitializer) yield* tensorsOfSparse(s)
  for (const node of graph.node) for (const a of node.attribute) yield* tensorsOfAttribute(a)
}

function* tensorsOfAttribute(a: AttributeProto): Generator<TensorProto> {
  if (a.t) yield a.t
  yield* a.tensors
  for (const s of a.sparseTensor ? [a.sparseTensor, ...a.sparseTensors] : a.sparseTensors) yield* tensorsOfSparse(s)
  for (const g of a.g ? [a.g, ...a.graphs] : a.graphs) yield* tensorsOfGraph(g)
}

function* tensorsOfSparse(s: SparseTensorProto): Generator<TensorProto> {
  if (s.values) yield s.values
  if (s.indices) yield s.indices
}

export const isExternal = (t: TensorProto): boolean => t.dataLocation === TensorProto_DataLocation.EXTERNAL

/** Replaces all external data by its bytes; returns whether there was any. `directory` null: there is no place to look. */
export function resolveExternalData(model: ModelProto, directory: string | null): boolean {
  return replaceExternalData(model, (t) => readExternal(t, directory))
}

/** The zeros of all models with stub weights, read only. Never touched, they take no memory; one each per model makes the garbage
 * collector work through every one of thousands. */
let zeros = new Uint8Array(0)

/** Replaces all external data by zeros that share one buffer, and reads nothing: for stub weights (stub.ts). */
export function zeroExternalData(model: ModelProto): boolean {
  return replaceExternalData(model, (t) => {
    const needed = neededBytes(t, `external data of tensor ${t.name}`)
    if (needed > zeros.length) zeros = new Uint8Array(needed)
    return zeros.subarray(0, needed)
  })
}

function replaceExternalData(model: ModelProto, bytesOf: (t: TensorProto) => Uint8Array): boolean {
  let found = false
  for (const t of tensorsOfModel(model)) {
    if (!isExternal(t)) continue
    found = true
    t.rawData = bytesOf(t)
    t.externalData = []
    t.dataLocation = TensorProto_DataLocation.DEFAULT
  }
  return found
}

function readExternal(t: TensorProto, directory: string | null): Uint8Array {
  const where = `external data of tensor ${t.name}`
  if (directory === null)
    throw unsafe(where, 'a model read from a file', 'a model in memory', 'read it with its path, or name its directory')
  const location = parseLocation(t, where)
  const needed = neededBytes(t, where)
  if (location.length !== null && location.length !== needed)
    throw unsafe(where, `length ${needed} for shape [${t.dims}]`, String(location.length))
  return readRange(directory, location, needed, where)
}

function neededBytes(t: TensorProto, where: string): number {
  const dtype = dtypeFromOnnx(t.dataType)
  if (dtype === null || dtype === 'string')
    throw unsafe(where, 'a numeric element type of known width', `type ${t.dataType}`)
  return bytesOf(dtype, elementsOf(shapeOf(t, where), where))
}

/** The location a tensor names, checked as text. Throws UserError for anything but a relative path inside the directory. */
export function parseLocation(t: TensorProto, where: string): Location {
  const entries = new Map<string, string>()
  for (const { key, value } of t.externalData) {
    if (!KNOWN_KEYS.has(key) || entries.has(key))
      throw unsafe(where, 'the keys location, offset, length, checksum once each', JSON.stringify(key))
    entries.set(key, value)
  }
  const path = checkLocation(entries.get('location') ?? '', where)
  return {
    path,
    offset: parseSize(entries.get('offset') ?? '0', where),
    length: entries.has('length') ? parseSize(entries.get('length')!, where) : null,
  }
}

/** Returns the path if it is relative, stays inside its directory, and is spelled plainly; the same check on reading and writing. */
export function checkLocation(path: string, where: string): string {
  const inside = path !== '' && !posix.isAbsolute(path) && !win32.isAbsolute(path) && !/^[A-Za-z]:/.test(path)
  const plain = !path.includes('\0') && !path.split(/[\\/]/).includes('..')
  if (!inside || !plain) throw unsafe(where, 'a relative path inside the directory of the model', JSON.stringify(path))
  return path
}

function parseSize(text: string, where: string): number {
  const n = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(n)) throw unsafe(where, 'offset and length as whole numbers from 0', JSON.stringify(text))
  return n
}

function readRange(directory: string, location: Location, length: number, where: string): Uint8Array {
  const fd = openInside(directory, location.path, where)
  try {
    const { size } = fstatSync(fd)
    if (location.offset + length > size)
      throw unsafe(where, `${length} bytes at offset ${location.offset}`, `a file of ${size} bytes (${location.path})`)
    return readFully(fd, location.offset, length)
  } finally {
    closeSync(fd)
  }
}

/** Largest piece asked of one read call; some platforms refuse more than 2 GiB. */
const CHUNK_BYTES = 1 << 30

function readFully(fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const got = readSync(fd, bytes, done, Math.min(CHUNK_BYTES, length - done), offset + done)
    if (got === 0) throw unsafe('external data', `${length} bytes`, 'a file that shrank while it was read')
    done += got
  }
  return bytes
}

/** Opens a plain file of one name inside `directory`, following no link on the way. */
function openInside(directory: string, path: string, where: string): number {
  const root = realpathOf(directory, where)
  const full = join(root, path)
  const parent = relative(root, realpathOf(dirname(full), where))
  if (parent === '..' || parent.startsWith(`..${sep}`) || isAbsolute(parent) || join(root, parent) !== dirname(full))
    throw unsafe(where, 'a path without links', path)
  const seen = statOf(full, where)
  if (!seen.isFile() || seen.nlink > 1) throw unsafe(where, 'a plain file without symbolic or hard links', path)
  const fd = openSync(full, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  const opened = fstatSync(fd)
  if (opened.ino === seen.ino && opened.dev === seen.dev) return fd
  closeSync(fd)
  throw unsafe(where, 'a file that stays the same', `${path} replaced while it was opened`)
}

function realpathOf(path: string, where: string): string {
  try {
    return realpathSync(path)
  } catch {
    throw unsafe(where, 'an existing directory', path)
  }
}

function statOf(path: string, where: string): Stats {
  try {
    return lstatSync(path)
  } catch {
    throw unsafe(where, 'a readable file', path, 'put the data file next to the model')
  }
}

function unsafe(
  where: string,
  expected: string,
  got: string,
  fix = 'export the model again, or put its data files next to it',
): UserError {
  return new UserError({ code: 'bad-external-data', where, expected, got, fix })
}
