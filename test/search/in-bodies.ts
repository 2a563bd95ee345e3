// Whole graphs as bodies: the same computation inside an If or a Loop that reads its inputs, and some of its constants, from outside.
import { createRandom } from '../../src/base/random.ts'
import type { Graph } from '../../src/ir/graph.ts'
import {
  type GraphProto,
  ModelProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts'
import { type Model, modelOf, readModel, writeModel } from '../../src/onnx/index.ts'
import { copy, decode, encode } from '../../src/onnx/proto.ts'
import { graphProto, i64, modelProto, node, value } from '../onnx/protos.ts'

const TRIPS = 3

/** A model that computes the outputs of `graph` in both branches of an If, or in each iteration of a Loop. */
export function inBody(graph: Graph, caller: 'If' | 'Loop', seed: number): Model {
  const inner = decode(ModelProtoSchema, writeModel(modelOf(graph)), graph.name).graph!
  const random = createRandom(seed)
  const isOutside = inner.initializer.map(() => random.next() < 0.5)
  const body = asBody(inner, caller)
  body.initializer = [...body.initializer, ...inner.initializer.filter((_, i) => !isOutside[i])]
  const names = inner.output.map((_, i) => `result${i}`)
  const call =
    caller === 'If'
      ? node('If', 'chosen', names.join(' '), { then_branch: body, else_branch: body })
      : node('Loop', 'trips _', names.join(' '), { body })
  const inputs = [...inner.input, ...(caller === 'If' ? [value('chosen', 'bool', [])] : [])]
  const constants = caller === 'Loop' ? { trips: i64([], [TRIPS]) } : {}
  const proto = modelProto({ nodes: [call], inputs, outputs: names, constants }, graph.opsets.get(''))
  proto.graph!.initializer.push(...inner.initializer.filter((_, i) => isOutside[i]))
  for (const [domain, version] of graph.opsets)
    if (domain !== '') proto.opsetImport.push({ ...proto.opsetImport[0]!, domain, version: BigInt(version) })
  return readModel(encode(ModelProtoSchema, proto))
}

function asBody(inner: GraphProto, caller: 'If' | 'Loop'): GraphProto {
  const outputs: ValueInfoProto[] = inner.output.map((o) => copy(ValueInfoProtoSchema, o))
  const nodes = [...inner.node]
  if (caller === 'If') return graphProto({ nodes, outputs }, 'branch')
  return graphProto(
    {
      nodes: [...nodes, node('Identity', 'going', 'still')],
      inputs: [value('i', 'int64', []), value('going', 'bool', [])],
      outputs: ['still', ...outputs],
    },
    'body',
  )
}
