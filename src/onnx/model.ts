// ModelProto <-> Model: the graph, and the envelope that holds everything beside it.
import { create } from '@bufbuild/protobuf'
import { UnsupportedError } from '../base/errors.ts'
import { type Graph, opsetOf, qualifiedName } from '../ir/graph.ts'
import { inferTypes } from '../ir/infer.ts'
import { NHWC_DOMAIN } from '../ir/ops/channels-last.ts'
import { findOp } from '../ir/ops/index.ts'
import { findProblems } from '../ir/validate.ts'
import { type Chunks, modelChunks } from './encode-model.ts'
import { emptyShell, exportGraph } from './export.ts'
import { resolveExternalData, zeroExternalData } from './external-data.ts'
import { type FunctionProto, type ModelProto, ModelProtoSchema, OperatorSetIdProtoSchema } from './generated/onnx_pb.ts'
import { importGraph, normalDomain, type Shell } from './import.ts'
import { irVersionFor } from './ir-version.ts'
import { raiseFunction } from './opset/functions.ts'
import { badModel, copy, decode } from './proto.ts'

/** Everything of a model beside its graph: versions, producer, metadata, functions, training info, doc strings, annotations. */
export interface Envelope {
  readonly irVersion: number
  readonly producer: string
  readonly metadata: ReadonlyMap<string, string>
  /** The message without its graph. */
  readonly proto: ModelProto
  readonly shell: Shell
  /** The file and the graph it held: a model whose graph is still that one is written as these bytes. */
  readonly origin: { readonly graph: Graph; readonly bytes: Uint8Array } | null
}

export interface Model {
  readonly graph: Graph
  readonly envelope: Envelope
}

export interface ReadOptions {
  /** Where external data is looked for; without it such models are refused. */
  readonly directory?: string
  /** External data are stub weights: zeros, which are not read. Default false. */
  readonly hasStubs?: boolean
  /** For errors. */
  readonly name?: string
}

/** Before this IR version models named no operator sets and meant version 1. */
const FIRST_IR_WITH_OPSETS = 3

/** Decodes, checks and types a model. Throws UserError for what is no valid model. Tensors may be views of `bytes`. */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Model {
  const where = options.name ?? 'model'
  const proto = decode(ModelProtoSchema, bytes, where)
  const hadExternalData = options.hasStubs
    ? zeroExternalData(proto)
    : resolveExternalData(proto, options.directory ?? null)
  if (!proto.graph) throw badModel(where, 'a model with a graph', 'none')
  const opsets = readOpsets(proto, where)
  refuseRedefinitions(proto)
  const irVersion = Number(proto.irVersion)
  const imported = importGraph(proto.graph, { opsets, irVersion, outer: new Map(), where })
  const graph = inferTypes(imported.graph)
  const problems = findProblems(graph)
  if (problems.length > 0) throw badModel(where, 'a valid graph', problems.slice(0, 3).join('; '))
  const origin = hadExternalData ? null : { graph, bytes }
  return { graph, envelope: { ...publicFacts(proto), proto: withoutGraph(proto), shell: imported.shell, origin } }
}

/** Encodes a model. A graph just as it was read gives the very bytes that were read. */
export function writeModel(model: Model): Uint8Array {
  const chunks = chunksOf(model)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** The same bytes in pieces. */
export function chunksOf(model: Model): Chunks {
  const { origin } = model.envelope
  return origin?.graph === model.graph ? [origin.bytes] : modelChunks(modelToProto(model))
}

/** The message of a model. */
export function modelToProto({ graph, envelope }: Model): ModelProto {
  const proto = copy(ModelProtoSchema, envelope.proto)
  const irVersion = irVersionOf(graph, envelope)
  if (irVersion !== envelope.irVersion) proto.irVersion = BigInt(irVersion)
  if (opsetOf(graph, '') > declaredOpset(envelope)) proto.functions = followingFunctions(proto, graph)
  if (irVersion >= FIRST_IR_WITH_OPSETS) proto.opsetImport = writeOpsets(proto, graph)
  proto.graph = exportGraph(graph, envelope.shell, { irVersion })
  return proto
}

/** The envelope's own IR version, raised where the graph moved on to later operator sets. */
function irVersionOf(graph: Graph, envelope: Envelope): number {
  const raised = opsetOf(graph, '') > declaredOpset(envelope)
  return raised ? Math.max(envelope.irVersion, irVersionFor(graph.opsets)) : envelope.irVersion
}

/** The version of ONNX's own operators that the file imported. */
function declaredOpset({ proto }: Envelope): number {
  return Number(proto.opsetImport.find((o) => normalDomain(o.domain) === '')?.version ?? 1)
}

/** A model of this graph: in the envelope of `like` with all its metadata and functions, or in a fresh one. */
export function modelOf(graph: Graph, like?: Model): Model {
  if (like) return { graph, envelope: like.envelope }
  const proto = create(ModelProtoSchema, { irVersion: BigInt(irVersionFor(graph.opsets)), producerName: 'allotrope' })
  return { graph, envelope: { ...publicFacts(proto), proto, shell: emptyShell(), origin: null } }
}

/** A model of a graph that lies inside another model: with its functions, without what belongs to the outer graph. */
export function innerModelOf(graph: Graph, { envelope }: Model): Model {
  return { graph, envelope: { ...envelope, shell: emptyShell(), origin: null } }
}

/** Functions of the model, following its graph to a later opset: runtimes read their bodies in the model's opset. */
function followingFunctions({ functions }: ModelProto, graph: Graph): FunctionProto[] {
  return functions.map((f) => {
    const result = raiseFunction(f, opsetOf(graph, ''))
    if (!result.ok) throw new UnsupportedError(result.reason)
    return result.proto
  })
}

function publicFacts(proto: ModelProto): Pick<Envelope, 'irVersion' | 'producer' | 'metadata'> {
  const metadata = new Map(proto.metadataProps.map((p) => [p.key, p.value]))
  return {
    irVersion: Number(proto.irVersion),
    producer: `${proto.producerName} ${proto.producerVersion}`.trim(),
    metadata,
  }
}

function withoutGraph(proto: ModelProto): ModelProto {
  const out = copy(ModelProtoSchema, proto)
  delete out.graph
  return out
}

function readOpsets(proto: ModelProto, where: string): ReadonlyMap<string, number> {
  const opsets = new Map<string, number>()
  for (const { domain, version } of proto.opsetImport) {
    const key = normalDomain(domain)
    if (opsets.has(key) && opsets.get(key) !== Number(version))
      throw badModel(where, 'one version of each domain', `two of '${domain}'`)
    if (version < 1n || version > 1_000_000n)
      throw badModel(where, `a version of domain '${domain}' from 1`, String(version))
    opsets.set(key, Number(version))
  }
  if (!opsets.has('') && proto.irVersion < FIRST_IR_WITH_OPSETS) opsets.set('', 1)
  if (!opsets.has('') && proto.graph?.node.some((n) => normalDomain(n.domain) === ''))
    throw badModel(where, "an opset_import of ONNX's own operators, which the graph uses", 'none')
  // ONNX Runtime writes channels-last operators without naming their set; they follow ONNX's own.
  const isImplied = !opsets.has(NHWC_DOMAIN) && proto.graph?.node.some((n) => n.domain === NHWC_DOMAIN)
  if (isImplied) opsets.set(NHWC_DOMAIN, opsets.get('') ?? 1)
  return opsets
}

function writeOpsets(proto: ModelProto, graph: Graph): ModelProto['opsetImport'] {
  const listed = new Set(proto.opsetImport.map((o) => normalDomain(o.domain)))
  const kept = proto.opsetImport.map((o) => {
    const version = BigInt(graph.opsets.get(normalDomain(o.domain)) ?? o.version)
    return version === o.version ? o : Object.assign(copy(OperatorSetIdProtoSchema, o), { version })
  })
  const used = [...graph.opsets.keys(), ...graph.nodes.map((n) => n.domain)]
  const added = [...new Set(used)].filter((domain) => !listed.has(domain))
  return [
    ...kept,
    ...added.map((domain) => create(OperatorSetIdProtoSchema, { domain, version: BigInt(opsetOf(graph, domain)) })),
  ]
}

/** A model's own function may not give an operator that we know another meaning. */
function refuseRedefinitions(proto: ModelProto): void {
  for (const f of proto.functions)
    if (findOp(normalDomain(f.domain), f.name))
      throw new UnsupportedError(
        `a function of the model that redefines operator ${qualifiedName(normalDomain(f.domain), f.name)}`,
      )
}
