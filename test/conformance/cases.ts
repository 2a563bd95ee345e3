// Cases in the layout of ONNX's own backend suite: <any folders>/<case>/model.onnx with test_data_set_N/input_M.pb and
// output_M.pb. A file holds a TensorProto, a SequenceProto or an OptionalProto; which one, the model's signature says.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import type { Tensor } from '../../src/ir/tensor.ts'
import { TypeProtoSchema } from '../../src/onnx/generated/onnx_pb.ts'
import { parseTensor } from '../../src/onnx/index.ts'

export interface SuiteCase {
  /** Path of its folder, from the folder that was asked for. */
  readonly name: string
  readonly folder: string
  readonly modelPath: string
}

export interface DataSet {
  /** By input name. */
  readonly inputs: Readonly<Record<string, Tensor>>
  /** In the order of the model's outputs; null where the file holds no tensor. */
  readonly outputs: readonly (Tensor | null)[]
  /** Inputs that are no tensors: sequences, optionals. */
  readonly foreign: readonly string[]
}

/** All cases below a folder, at any depth, by name. */
export function findCases(root: string): readonly SuiteCase[] {
  const found: SuiteCase[] = []
  const visit = (folder: string): void => {
    const modelPath = join(folder, 'model.onnx')
    if (existsSync(modelPath)) found.push({ name: relative(root, folder) || '.', folder, modelPath })
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory() && !entry.name.startsWith('test_data_set_')) visit(join(folder, entry.name))
  }
  visit(root)
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The sets of inputs and expected outputs of a case. */
export function readDataSets(one: SuiteCase, graph: Graph): readonly DataSet[] {
  return readdirSync(one.folder)
    .filter((name) => /^test_data_set_\d+$/.test(name))
    .sort()
    .map((name) => readDataSet(join(one.folder, name), graph))
}

function readDataSet(folder: string, graph: Graph): DataSet {
  const inputs: Record<string, Tensor> = {}
  const foreign: string[] = []
  graph.inputs.forEach((v, i) => {
    const path = join(folder, `input_${i}.pb`)
    if (!existsSync(path)) return
    if (holdsTensor(graph, v)) inputs[graph.values[v]!.name] = parseTensor(readFileSync(path))
    else foreign.push(graph.values[v]!.name)
  })
  const outputs = graph.outputs.map((v, i) => {
    const path = join(folder, `output_${i}.pb`)
    return existsSync(path) && holdsTensor(graph, v) ? parseTensor(readFileSync(path)) : null
  })
  return { inputs, outputs, foreign }
}

/** True unless the signature declares a sequence, an optional, a map or a sparse tensor. */
function holdsTensor(graph: Graph, v: ValueId): boolean {
  const { foreignType } = graph.values[v]!
  return !foreignType || fromBinary(TypeProtoSchema, foreignType).value.case === 'tensorType'
}
