// The models that are damaged: workloads that are small, one call of every operator, and the special models. All of them are
// built here, the same each time; nothing is stored.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workloads } from '../../src/dataset/workloads/index.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { fromNdArray, tensorBytes } from '../../src/ir/tensor.ts'
import { modelOf, writeModel } from '../../src/onnx/index.ts'
import { samples } from '../ir/samples/index.ts'
import { inputsOf, type Sample } from '../ir/samples/sample.ts'
import { bytesOf } from '../onnx/protos.ts'
import { DATA_FILE, specialModels } from './special-models.ts'

export interface CorpusModel {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Larger ones are mostly weights, and slow. */
const MAX_BYTES = 2 ** 16
const SEED = 1

/** Every model of the corpus; what lies beside the models is written to `folder`. `more`: a folder of other models. */
export function buildCorpus(folder: string, more: string | null = null): readonly CorpusModel[] {
  writeFileSync(join(folder, DATA_FILE.name), DATA_FILE.bytes)
  const special = Object.entries(specialModels).map(([name, make]) => ({ name, bytes: bytesOf(make()) }))
  const built = [...smallWorkloads(), ...callGraphs()].map((graph) => ({
    name: graph.name,
    bytes: writeModel(modelOf(graph)),
  }))
  const read = more === null ? [] : modelFiles(more).map((name) => ({ name, bytes: readFileSync(join(more, name)) }))
  return [...special, ...built, ...read]
}

/** The workloads at their small sizes, without the larger ones. */
export const smallWorkloads = (): readonly Graph[] =>
  workloads
    .map((w) => w.build('small', SEED))
    .filter((graph) => [...graph.initializers.values()].reduce((sum, t) => sum + tensorBytes(t), 0) <= MAX_BYTES)

/** One graph for the first sample call of every operator. */
function callGraphs(): readonly Graph[] {
  const first = new Map(samples.toReversed().map((s) => [`${s.domain} ${s.op}`, s]))
  return [...first.values()].map(callGraph)
}

function callGraph(s: Sample): Graph {
  const opsets = new Map([['', s.opset]])
  if (s.domain !== '') opsets.set('', 20).set(s.domain, 1)
  const b = new GraphBuilder(s.op, opsets)
  const inputs = inputsOf(s).map((input, i) => {
    if (input === null) return null
    const { dtype, shape } = input.array
    return input.constant ? b.constant(fromNdArray(input.array)) : b.input(`x${i}`, dtype, shape)
  })
  const made = b.multi(s.op, inputs, { domain: s.domain, attributes: s.attributes, outputs: s.outputs })
  made.forEach((v, i) => {
    b.output(v, `y${i}`)
  })
  return b.build()
}

function modelFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx') && statSync(join(folder, name)).size <= MAX_BYTES)
    .sort()
}
