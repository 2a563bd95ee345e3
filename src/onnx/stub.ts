// Stub weights: a model whose large float weights all point at one shared file of zeros. Runtimes fuse and lay it out as
// the real one, but read no weights, so thousands of variants can be lowered in milliseconds each. Never to be run for
// its values.
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBinary } from '@bufbuild/protobuf'
import { isFloat } from '../ir/dtype.ts'
import { elementCount } from '../ir/shape.ts'
import { type Tensor, tensorBytes } from '../ir/tensor.ts'
import { fileBytes, pointAt } from './file.ts'
import { type ModelProto, ModelProtoSchema } from './generated/onnx_pb.ts'
import { type Model, modelToProto } from './model.ts'

/** Constants up to this many elements keep their values: runtimes decide by them (scales, axes, epsilons). */
const STUB_ABOVE_ELEMENTS = 1024
const ZEROS_FILE = 'zeros.bin'

export interface StubPaths {
  readonly modelPath: string
  readonly dataPath: string
}

/** Writes `name` and the file of zeros, shared by all stubs of the directory, which it creates and lets grow. */
export function writeStubModel(model: Model, directory: string, name = 'stub.onnx'): StubPaths {
  mkdirSync(directory, { recursive: true })
  const dataPath = join(directory, ZEROS_FILE)
  const modelPath = join(directory, name)
  const { proto, zerosNeeded } = stubProto(model)
  growZeros(dataPath, zerosNeeded)
  writeFileSync(modelPath, toBinary(ModelProtoSchema, proto))
  return { modelPath, dataPath }
}

function stubProto(model: Model): { proto: ModelProto; zerosNeeded: number } {
  const { graph } = model
  const stubs = new Map<string, number>()
  const initializers = new Map(graph.initializers)
  for (const [v, t] of graph.initializers) {
    if (!isStub(t)) continue
    stubs.set(graph.values[v]!.name, tensorBytes(t))
    initializers.set(v, { dtype: t.dtype, shape: t.shape, bytes: NO_BYTES })
  }
  const proto = modelToProto({ ...model, graph: { ...graph, initializers } })
  for (const t of proto.graph!.initializer) {
    const bytes = stubs.get(t.name)
    if (bytes !== undefined) pointAt(t, ZEROS_FILE, 0, bytes)
  }
  return { proto, zerosNeeded: Math.max(0, ...stubs.values()) }
}

/** Values of stubs are not even looked at: those of derived constants would have to be computed. */
const NO_BYTES = new Uint8Array(0)

const isStub = (t: Tensor): boolean => isFloat(t.dtype) && elementCount(t.shape) > STUB_ABOVE_ELEMENTS

/** Sparse where the file system can: no block is written. */
function growZeros(path: string, bytes: number): void {
  if (fileBytes(path) >= bytes && bytes > 0) return
  const fd = openSync(path, 'a')
  try {
    ftruncateSync(fd, Math.max(bytes, fileBytes(path)))
  } finally {
    closeSync(fd)
  }
}
