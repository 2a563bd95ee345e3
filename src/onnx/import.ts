// GraphProto -> Graph, and the shell: all of the GraphProto that the Graph does not hold. Constant nodes become
// initializers; initializers that cannot be tensors of ours (sparse, unknown element types) become opaque Constant nodes.
// External data has been resolved before (external-data.ts).
import { clearField, create } from '@bufbuild/protobuf'
import type { Attributes } from '../ir/attribute.ts'
import type { Graph, Node, Value, ValueId } from '../ir/graph.ts'
import type { Tensor } from '../ir/tensor.ts'
import { attributeFromProto, attributeMargin } from './attribute.ts'
import { constantOf } from './constant-node.ts'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type SparseTensorProto,
  type TensorProto,
  TensorProtoSchema,
} from './generated/onnx_pb.ts'
import { badModel, copy, encode, has } from './proto.ts'
import { capturedNames, describeNode, sortNodes } from './scope.ts'
import { tensorFromProto } from './tensor.ts'
import { DimNames, typeFromProto } from './types.ts'

/** What a GraphProto holds beside the graph. Names in it that the graph no longer knows are dropped on writing. */
export interface Shell {
  /** The message without nodes and initializers: declared inputs, outputs, types; annotations, doc string, metadata. */
  readonly proto: GraphProto
  /** Outer values that a subgraph reads: the last inputs of its Graph, no inputs of its message. */
  readonly captured: ReadonlySet<string>
  /** Initializers that must also be listed as inputs (IR version < 4). */
  readonly constantInputs: ReadonlySet<string>
  /** Default values of overridable inputs (IR version >= 4). */
  readonly defaults: ReadonlyMap<string, TensorProto>
  /** Initializers that the graph holds as opaque Constant nodes. */
  readonly opaque: ReadonlyMap<string, TensorProto | SparseTensorProto>
  /** Doc strings, metadata and unknown fields of initializers. */
  readonly margins: ReadonlyMap<string, TensorProto>
}

export interface ImportOptions {
  readonly opsets: ReadonlyMap<string, number>
  readonly irVersion: number
  /** For a subgraph: outer values that it may read. Empty for a model's graph. */
  readonly outer: ReadonlyMap<string, Value>
  /** For errors: `model.onnx`, `subgraph then_branch of node if1 (If)`. */
  readonly where: string
}

/** The first version in which an initializer that is also an input is a default and not a constant. */
export const FIRST_OVERRIDABLE_IR = 4

/** The graph as it stands, types as declared. Throws UserError where ONNX's rules are broken. */
export function importGraph(
  proto: GraphProto,
  options: ImportOptions,
): { readonly graph: Graph; readonly shell: Shell } {
  return new Importer(proto, options).run()
}

class Importer {
  private readonly proto: GraphProto
  private readonly options: ImportOptions
  private readonly dims = new DimNames()
  private readonly declared = new Map<string, Omit<Value, 'name'>>()
  private readonly ids = new Map<string, ValueId>()
  private readonly values: Value[] = []
  private readonly inputs: ValueId[] = []
  private readonly initializers = new Map<ValueId, Tensor>()
  private readonly nodes: Node[] = []
  private readonly captured = new Set<string>()
  private readonly constantInputs = new Set<string>()
  private readonly defaults = new Map<string, TensorProto>()
  private readonly opaque = new Map<string, TensorProto | SparseTensorProto>()
  private readonly margins = new Map<string, TensorProto>()

  constructor(proto: GraphProto, options: ImportOptions) {
    this.proto = proto
    this.options = options
  }

  run(): { graph: Graph; shell: Shell } {
    this.readDeclarations()
    this.readInputs()
    for (const t of this.proto.initializer) this.readInitializer(t)
    for (const t of this.proto.sparseInitializer) this.readSparse(t)
    const sorted = sortNodes(this.proto.node, this.options.where)
    // All constants before all nodes, so that a written graph is read back with the same ids.
    for (const node of sorted.filter((n) => !this.readConstant(n))) this.readNode(node)
    const outputs = this.proto.output.map((v) => this.read(v.name, 'the list of outputs'))
    const { values, initializers, nodes } = this
    const inputs = [...this.inputs, ...[...this.captured].map((name) => this.ids.get(name)!)]
    return {
      graph: { name: this.proto.name, opsets: this.options.opsets, values, inputs, outputs, initializers, nodes },
      shell: this.shell(),
    }
  }

  private shell(): Shell {
    const { captured, constantInputs, defaults, opaque, margins } = this
    const proto = copy(GraphProtoSchema, this.proto)
    proto.node = []
    proto.initializer = []
    proto.sparseInitializer = []
    return { proto, captured, constantInputs, defaults, opaque, margins }
  }

  private readDeclarations(): void {
    const infos = [...this.proto.input, ...this.proto.output, ...this.proto.valueInfo]
    this.dims.reserve(infos.map((v) => v.type))
    for (const v of infos)
      if (!this.declared.has(v.name)) this.declared.set(v.name, typeFromProto(v.name, v.type, this.dims))
  }

  private readInputs(): void {
    const stored = new Set(this.proto.initializer.map((t) => t.name))
    for (const t of this.proto.sparseInitializer) stored.add(t.values?.name ?? '')
    const listed = new Set<string>()
    for (const { name } of this.proto.input) {
      if (listed.has(name)) throw badModel(this.options.where, 'inputs of different names', `${name} twice`)
      listed.add(name)
      if (stored.has(name) && this.options.irVersion < FIRST_OVERRIDABLE_IR) this.constantInputs.add(name)
      else this.inputs.push(this.define(name, 'the list of inputs'))
    }
  }

  private readInitializer(t: TensorProto): void {
    if (this.isInput(t.name)) {
      if (this.defaults.has(t.name)) throw this.duplicate(t.name, 'the list of initializers')
      this.defaults.set(t.name, t)
      return
    }
    const value = tensorFromProto(t, `initializer ${t.name}`)
    if (value === null) this.addOpaque(t.name, t)
    else this.addConstant(t.name, value)
    const margin = tensorMargin(t)
    if (margin && value) this.margins.set(t.name, margin)
  }

  private readSparse(t: SparseTensorProto): void {
    const name = t.values?.name ?? ''
    if (this.isInput(name))
      throw badModel(this.options.where, 'dense default values', `a sparse default of input ${name}`)
    this.addOpaque(name, t)
  }

  private isInput(name: string): boolean {
    const id = this.ids.get(name)
    return id !== undefined && this.inputs.includes(id)
  }

  private addConstant(name: string, value: Tensor): void {
    const id = this.define(name, 'the list of initializers')
    this.values[id] = { name, type: { dtype: value.dtype, shape: value.shape } }
    this.initializers.set(id, value)
  }

  private addOpaque(name: string, t: TensorProto | SparseTensorProto): void {
    const output = this.define(name, 'the list of initializers')
    const sparse = t.$typeName === 'onnx.SparseTensorProto'
    const attribute = sparse
      ? create(AttributeProtoSchema, {
          name: 'sparse_value',
          type: AttributeProto_AttributeType.SPARSE_TENSOR,
          sparseTensor: t,
        })
      : create(AttributeProtoSchema, { name: 'value', type: AttributeProto_AttributeType.TENSOR, t })
    const attributes: Attributes = {
      [attribute.name]: { kind: 'opaque', bytes: encode(AttributeProtoSchema, attribute) },
    }
    this.nodes.push({ name: '', domain: '', op: 'Constant', inputs: [], outputs: [output], attributes, captures: [] })
    this.opaque.set(name, t)
  }

  /** Takes a Constant node among the initializers; false for any other node. */
  private readConstant(node: NodeProto): boolean {
    const constant = constantOf(node)
    if (constant) this.addConstant(node.output[0]!, constant)
    return constant !== null
  }

  private readNode(node: NodeProto): void {
    const where = describeNode(node)
    const inputs = node.input.map((name) => (name === '' ? null : this.read(name, where)))
    const captures = [...capturedNames(node.attribute)].map((name) => this.read(name, `a subgraph of ${where}`))
    const outputs = node.output.map((name) => (name === '' ? null : this.define(name, where)))
    const extra = nodeExtra(node)
    const shell = { name: node.name, domain: normalDomain(node.domain), op: node.opType, inputs, outputs, captures }
    this.nodes.push({ ...shell, attributes: readAttributes(node, where), ...(extra ? { extra } : {}) })
  }

  private define(name: string, where: string): ValueId {
    if (name === '') throw badModel(`${this.options.where}, ${where}`, 'a name for every value', 'an empty one')
    if (this.ids.has(name)) throw this.duplicate(name, where)
    const id = this.values.length as ValueId
    this.values.push({ name, ...(this.declared.get(name) ?? { type: null }) })
    this.ids.set(name, id)
    return id
  }

  private read(name: string, where: string): ValueId {
    return this.ids.get(name) ?? this.capture(name, where)
  }

  private capture(name: string, where: string): ValueId {
    const outer = this.options.outer.get(name)
    if (!outer) throw badModel(`${this.options.where}, ${where}`, `a value called ${name}`, 'none of that name')
    const id = this.define(name, where)
    this.values[id] = outer
    this.captured.add(name)
    return id
  }

  private duplicate(name: string, where: string): Error {
    return badModel(`${this.options.where}, ${where}`, 'every value to be made once', `${name} made twice`)
  }
}

/** 'ai.onnx' is another spelling of ''. */
export const normalDomain = (domain: string): string => (domain === 'ai.onnx' ? '' : domain)

function readAttributes(node: NodeProto, where: string): Attributes {
  const entries = node.attribute.map((a) => [a.name, attributeFromProto(a, where)] as const)
  if (new Set(entries.map(([name]) => name)).size < entries.length)
    throw badModel(where, 'attributes of different names', entries.map(([name]) => name).join(', '))
  return Object.fromEntries(entries)
}

/** NodeProto fields without a place in Node, encoded; attributes keep their doc strings here. null: there are none. */
function nodeExtra(node: NodeProto): Uint8Array | null {
  const extra = copy(NodeProtoSchema, node)
  for (const field of ['name', 'opType', 'domain'] as const) clearField(extra, NodeProtoSchema.field[field])
  extra.input = []
  extra.output = []
  extra.attribute = node.attribute.map(attributeMargin).filter((a) => a !== null)
  const bytes = encode(NodeProtoSchema, extra)
  return bytes.length > 0 ? bytes : null
}

function tensorMargin(t: TensorProto): TensorProto | null {
  const margin = create(TensorProtoSchema, { metadataProps: t.metadataProps })
  if (has(TensorProtoSchema, t, 'docString')) margin.docString = t.docString
  if (t.$unknown) margin.$unknown = t.$unknown
  return encode(TensorProtoSchema, margin).length > 0 ? margin : null
}
