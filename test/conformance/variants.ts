// A case as it came, and with inputs turned into constants: most rules and canonical forms are about weights, known sizes and
// what folds, and the suite feeds all of that as inputs.
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import { inferTypes } from '../../src/ir/infer.ts'
import { ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts'
import { type Model, modelOf, writeModel } from '../../src/onnx/index.ts'
import type { DataSet } from './cases.ts'

export interface Variant {
  readonly name: 'as it is' | 'weights' | 'folded'
  readonly model: Model
}

/** The model; with all inputs but the first as constants; with all of them. Those without a difference only once. */
export function variantsOf(model: Model, set: DataSet | undefined): readonly Variant[] {
  const variants: Variant[] = [{ name: 'as it is', model }]
  if (!set || set.foreign.length > 0) return variants
  const fed = model.graph.inputs.filter((v) => set.inputs[model.graph.values[v]!.name])
  if (fed.length > 1) variants.push({ name: 'weights', model: withConstants(model, set, fed.slice(1)) })
  if (fed.length > 0) variants.push({ name: 'folded', model: withConstants(model, set, fed) })
  return variants
}

function withConstants(model: Model, set: DataSet, baked: readonly ValueId[]): Model {
  const { graph } = model
  const tensorOf = (v: ValueId) => set.inputs[graph.values[v]!.name]!
  const initializers = new Map([...graph.initializers, ...baked.map((v) => [v, tensorOf(v)] as const)])
  const values = graph.values.map((value, i) => {
    const t = graph.inputs.includes(i as ValueId) ? set.inputs[value.name] : undefined
    return t ? { ...value, type: { dtype: t.dtype, shape: t.shape } } : value
  })
  const inputs = graph.inputs.filter((v) => !baked.includes(v))
  const made: Graph = { ...graph, values, inputs, initializers }
  return modelOf(inferTypes(made), model)
}

/** The latest IR version that the runtime reads. What came later (IR 14) changes nothing in the cases. */
const RUNTIME_IR = 13n

/** The model for the runtime: in an IR version that it reads. */
export function runnableBytes(model: Model): Uint8Array {
  const bytes = writeModel(model)
  if (model.envelope.irVersion <= RUNTIME_IR) return bytes
  const proto = fromBinary(ModelProtoSchema, bytes)
  proto.irVersion = RUNTIME_IR
  return toBinary(ModelProtoSchema, proto)
}
