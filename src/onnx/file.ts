// Models as files. Writing is atomic: a reader sees the old file or the new one, never a part. Above protobuf's limit of
// 2 GiB the weights go to a second file, named by its contents, which is in place before the model that points at it.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { UserError } from '../base/errors.ts'
import { moveFile, writeChunks } from '../base/whole-file.ts'
import { tensorBytes } from '../ir/tensor.ts'
import { type Chunks, modelChunks } from './encode-model.ts'
import { checkLocation } from './external-data.ts'
import {
  type ModelProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from './generated/onnx_pb.ts'
import { chunksOf, type Model, modelToProto, type ReadOptions, readModel } from './model.ts'

export interface WriteOptions {
  /** Replace an existing file. Default: refuse. */
  readonly force?: boolean
  /** Models with more bytes of weights than this get a data file. Default: just under protobuf's 2 GiB. */
  readonly externalAboveBytes?: number
  /** Wait until the disk has it. Default true; temporary files need no such care. */
  readonly isDurable?: boolean
  /** What data files in the same directory hold already, by the very bytes: models of one run share most weights. Added to. */
  readonly stored?: StoredTensors
}

export type StoredTensors = Map<Uint8Array, { readonly file: string; readonly offset: number }>

const DEFAULT_EXTERNAL_ABOVE_BYTES = 2 ** 31 - 2 ** 26
/** Smaller tensors stay in the model, where shape inference of other tools finds them. */
const MIN_EXTERNAL_BYTES = 1024
/** Alignment of tensors in the data file, so that runtimes can map them (onnx.proto, TensorProto.external_data). */
const ALIGNMENT = 4096

/** Reads a model file and the data files beside it, unless these hold stub weights. */
export function readModelFile(path: string, options: Pick<ReadOptions, 'hasStubs'> = {}): Model {
  return readModel(readModelBytes(path), { directory: dirname(path), name: basename(path), ...options })
}

/** The bytes of a model file. Throws UserError where they cannot be read. */
export function readModelBytes(path: string): Uint8Array {
  try {
    const { buffer, byteOffset, byteLength } = readFileSync(path)
    return new Uint8Array(buffer, byteOffset, byteLength)
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    throw new UserError({
      code: 'unreadable-file',
      where: path,
      expected: 'a readable ONNX model under 2 GiB',
      got,
      fix: 'check the path',
    })
  }
}

/** Writes a model file; returns the paths of all files written. */
export function writeModelFile(path: string, model: Model, options: WriteOptions = {}): readonly string[] {
  requireAbsent(path, options)
  if (isOneFile(model, options)) return writeWhole(path, chunksOf(model), options.isDurable ?? true)
  const proto = modelToProto(model)
  const data = moveToDataFile(proto, path, options)
  return [...writeWhole(path, modelChunks(proto), options.isDurable ?? true), ...data]
}

/** Moves a model that is one file, as writeModelFile would write it there. */
export function moveModelFile(source: string, path: string, options: Pick<WriteOptions, 'force'> = {}): void {
  requireAbsent(path, options)
  try {
    moveFile(source, path)
  } catch (error) {
    throw unwritable(path, error)
  }
}

/** Whether it is written without a data file. */
export const isOneFile = (model: Model, { externalAboveBytes }: WriteOptions = {}): boolean =>
  weightBytes(model) <= (externalAboveBytes ?? DEFAULT_EXTERNAL_ABOVE_BYTES)

function requireAbsent(path: string, { force }: WriteOptions): void {
  if (force || !existsSync(path)) return
  throw new UserError({
    code: 'file-exists',
    where: path,
    expected: 'no such file',
    got: 'one',
    fix: 'choose another name, or overwrite with --force',
  })
}

function weightBytes(model: Model): number {
  let sum = 0
  for (const t of model.graph.initializers.values()) sum += tensorBytes(t)
  return sum
}

function writeWhole(path: string, chunks: Chunks, isDurable: boolean): string[] {
  try {
    writeChunks(path, chunks, isDurable)
  } catch (error) {
    throw unwritable(path, error)
  }
  return [path]
}

function unwritable(path: string, error: unknown): UserError {
  const got = error instanceof Error ? error.message : String(error)
  return new UserError({
    code: 'unwritable-file',
    where: path,
    expected: 'to be able to write',
    got,
    fix: 'check the directory and the free space',
  })
}

/** Moves the large initializers of a model's graph to a new file beside `path`, but for those that another holds; returns its path. */
function moveToDataFile(
  proto: ModelProto,
  path: string,
  { isDurable = true, stored = new Map() }: WriteOptions,
): string[] {
  const large = (proto.graph?.initializer ?? []).filter((t) => t.rawData.length >= MIN_EXTERNAL_BYTES)
  const fresh = [...new Set(large.map((t) => t.rawData))].filter((bytes) => !stored.has(bytes))
  const data = fresh.length === 0 ? [] : [writeDataFile(fresh, path, isDurable, stored)]
  for (const t of large) {
    const { file, offset } = stored.get(t.rawData)!
    pointAt(t, file, offset, t.rawData.length)
  }
  return data
}

function writeDataFile(
  tensors: readonly Uint8Array[],
  path: string,
  isDurable: boolean,
  stored: StoredTensors,
): string {
  const { chunks, offsets } = aligned(tensors)
  // Of a temporary model nobody sees another version: a number tells its files apart, and no hash has to be computed.
  const version = isDurable ? hashOf(chunks) : stored.size
  const file = checkLocation(`${basename(path)}.${version}.data`, 'data file')
  const [dataPath] = writeWhole(join(dirname(path), file), chunks, isDurable)
  for (const [i, bytes] of tensors.entries()) stored.set(bytes, { file, offset: offsets[i]! })
  return dataPath!
}

/** The tensors with zeros before each, so that it starts where runtimes can map it. */
function aligned(tensors: readonly Uint8Array[]): { readonly chunks: Chunks; readonly offsets: readonly number[] } {
  let at = 0
  const offsets: number[] = []
  const chunks = tensors.flatMap((bytes) => {
    const gap = new Uint8Array(-at & (ALIGNMENT - 1))
    offsets.push(at + gap.length)
    at += gap.length + bytes.length
    return [gap, bytes]
  })
  return { chunks, offsets }
}

function hashOf(chunks: Chunks): string {
  const digest = createHash('sha256')
  for (const chunk of chunks) digest.update(chunk)
  return digest.digest('hex').slice(0, 16)
}

/** Makes a tensor's data external. */
export function pointAt(t: TensorProto, location: string, offset: number, length: number): void {
  const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value })
  t.externalData = [entry('location', location), entry('offset', String(offset)), entry('length', String(length))]
  t.dataLocation = TensorProto_DataLocation.EXTERNAL
  Reflect.deleteProperty(t, 'rawData')
}

/** Size of a file in bytes, or 0 where there is none. */
export function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
