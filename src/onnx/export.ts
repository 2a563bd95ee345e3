// Graph -> GraphProto, with what its shell kept. Declarations of values that are gone or changed their type are dropped.
import { create } from '@bufbuild/protobuf'
import { InvariantError } from '../base/errors.ts'
import type { Graph, Node, ValueId } from '../ir/graph.ts'
import { attributeToProto, withMargin } from './attribute.ts'
import { constantNode } from './constant-node.ts'
import {
  type AttributeProto,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type SparseTensorProto,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
} from './generated/onnx_pb.ts'
import { FIRST_OVERRIDABLE_IR, type Shell } from './import.ts'
import { copy, decode, has } from './proto.ts'
import { capturedNames } from './scope.ts'
import { tensorToProto } from './tensor.ts'
import { agrees, declaresAll, valueToProto } from './types.ts'

export interface ExportOptions {
  readonly irVersion: number
  /** Names that nodes of a subgraph may read from outside. */
  readonly outer?: ReadonlySet<string>
}

/** The message of a graph. `shell` comes from import, or is `emptyShell()`. */
export function exportGraph(graph: Graph, shell: Shell, options: ExportOptions): GraphProto {
  checkNames(graph, shell, options.outer ?? new Set())
  const proto = copy(GraphProtoSchema, shell.proto)
  if (graph.name !== proto.name) proto.name = graph.name
  const kept = storedConstants(graph, shell, options)
  proto.node = [...kept.nodes, ...graph.nodes.filter((n) => !kept.hidden.has(n)).map((n) => nodeToProto(graph, n))]
  proto.initializer = kept.initializers
  proto.sparseInitializer = kept.sparse
  proto.input = listInputs(graph, shell, options)
  proto.output = graph.outputs.map((v) => declaration(graph, v, shell.proto.output, agrees))
  const names = new Set(graph.values.map((v) => v.name))
  proto.valueInfo = keptDeclarations(graph, shell)
  proto.quantizationAnnotation = proto.quantizationAnnotation.filter(
    (a) => names.has(a.tensorName) && a.quantParameterTensorNames.every((p) => names.has(p.value)),
  )
  return proto
}

/** A shell for a graph that was never read from a file. */
export function emptyShell(): Shell {
  const none = { captured: new Set<string>(), constantInputs: new Set<string>() }
  return { proto: create(GraphProtoSchema), ...none, defaults: new Map(), opaque: new Map(), margins: new Map() }
}

interface StoredConstants {
  readonly nodes: NodeProto[]
  readonly initializers: TensorProto[]
  readonly sparse: SparseTensorProto[]
  /** Nodes of the graph that are written as initializers. */
  readonly hidden: ReadonlySet<Node>
}

function storedConstants(graph: Graph, shell: Shell, options: ExportOptions): StoredConstants {
  const stored: StoredConstants = {
    nodes: [],
    initializers: [],
    sparse: [],
    hidden: new Set(hiddenNodes(graph, shell)),
  }
  const inputs = new Set(graph.inputs.map((v) => graph.values[v]!.name))
  for (const [name, t] of shell.defaults) if (inputs.has(name)) stored.initializers.push(t)
  for (const [v, t] of graph.initializers) {
    const name = graph.values[v]!.name
    // Before IR version 4 every initializer had to be an input too; a Constant node need not be one.
    if (options.irVersion < FIRST_OVERRIDABLE_IR && !shell.constantInputs.has(name))
      stored.nodes.push(constantNode(name, t))
    else stored.initializers.push(withTensorMargin(tensorToProto(t, name), shell.margins.get(name)))
  }
  for (const node of stored.hidden) {
    const t = shell.opaque.get(graph.values[node.outputs[0]!]!.name)!
    if (t.$typeName === 'onnx.SparseTensorProto') stored.sparse.push(t)
    else stored.initializers.push(t)
  }
  return stored
}

const hiddenNodes = (graph: Graph, shell: Shell): Node[] =>
  graph.nodes.filter(
    (n) =>
      n.op === 'Constant' &&
      n.domain === '' &&
      n.outputs[0] != null &&
      shell.opaque.has(graph.values[n.outputs[0]]!.name),
  )

function withTensorMargin(t: TensorProto, margin: TensorProto | undefined): TensorProto {
  if (!margin) return t
  t.metadataProps = margin.metadataProps
  if (has(TensorProtoSchema, margin, 'docString')) t.docString = margin.docString
  if (margin.$unknown) t.$unknown = margin.$unknown
  return t
}

function nodeToProto(graph: Graph, node: Node): NodeProto {
  const extra = node.extra ? decode(NodeProtoSchema, node.extra, `node ${node.name}`) : create(NodeProtoSchema)
  const margins = new Map(extra.attribute.map((a) => [a.name, a]))
  const name = (v: ValueId | null) => (v === null ? '' : graph.values[v]!.name)
  if (node.name !== '') extra.name = node.name
  if (node.domain !== '') extra.domain = node.domain
  extra.opType = node.op
  extra.input = node.inputs.map(name)
  extra.output = node.outputs.map(name)
  extra.attribute = Object.entries(node.attributes).map(([key, a]) =>
    withMargin(attributeToProto(key, a), margins.get(key)),
  )
  return extra
}

/** Inputs as the file listed them, constants among them where the IR version wants that; else in the graph's order. */
function listInputs(graph: Graph, shell: Shell, options: ExportOptions): ValueInfoProto[] {
  const own = graph.inputs.filter((v) => !shell.captured.has(graph.values[v]!.name))
  const declared = own.map((v) => declaration(graph, v, shell.proto.input, declaresAll))
  if (options.irVersion >= FIRST_OVERRIDABLE_IR) return declared
  const constants = new Set([...graph.initializers.keys()].map((v) => graph.values[v]!.name))
  const listed = shell.proto.input.filter(
    (p) => shell.constantInputs.has(p.name) && (constants.has(p.name) || shell.opaque.has(p.name)),
  )
  const order = new Map(shell.proto.input.map((p, i) => [p.name, i]))
  return [...declared, ...listed].sort((a, b) => (order.get(a.name) ?? order.size) - (order.get(b.name) ?? order.size))
}

/** The value's own declaration if there is one that still holds, else a new one. */
function declaration(
  graph: Graph,
  v: ValueId,
  declared: readonly ValueInfoProto[],
  holds: typeof agrees,
): ValueInfoProto {
  const value = graph.values[v]!
  const own = declared.find((p) => p.name === value.name)
  return own && holds(own, value) ? own : valueToProto(value)
}

function keptDeclarations(graph: Graph, shell: Shell): ValueInfoProto[] {
  const byName = new Map(graph.values.map((v) => [v.name, v]))
  return shell.proto.valueInfo.filter((p) => {
    const value = byName.get(p.name)
    return value !== undefined && agrees(p, value)
  })
}

/** Names must be there, be unique, and be those that subgraphs read. */
function checkNames(graph: Graph, shell: Shell, outer: ReadonlySet<string>): void {
  const defined = new Set<string>()
  for (const v of definedValues(graph)) {
    const { name } = graph.values[v]!
    if (name === '' || defined.has(name))
      throw new InvariantError(`graph ${graph.name} defines the value name '${name}' twice or empty`)
    defined.add(name)
  }
  for (const node of graph.nodes)
    for (const name of capturedNames(opaqueAttributes(node)))
      if (!defined.has(name) && !outer.has(name) && !shell.captured.has(name))
        throw new InvariantError(
          `a subgraph of node ${node.name || node.op} reads ${name}, which graph ${graph.name} does not define`,
        )
}

function* definedValues(graph: Graph): Generator<ValueId> {
  yield* graph.inputs
  yield* graph.initializers.keys()
  for (const node of graph.nodes) for (const v of node.outputs) if (v !== null) yield v
}

function opaqueAttributes(node: Node): AttributeProto[] {
  return Object.entries(node.attributes).flatMap(([name, a]) =>
    a.kind === 'opaque' ? [attributeToProto(name, a)] : [],
  )
}
