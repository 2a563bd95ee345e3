// Checks everything that a graph promises: single assignment, topological order, no dangling values, names, stored bytes,
// attribute kinds, and that every operator accepts its inputs and makes the types that its outputs declare. A model file is
// checked where it is read (onnx/); this is for graphs that Allotrope made.
import { InvariantError, UserError } from '../base/errors.ts'
import type { Attribute } from './attribute.ts'
import { bytesOf } from './dtype.ts'
import { type Graph, type Node, opsetOf, qualifiedName, type ValueId } from './graph.ts'
import { callOf, constantFact, type Fact, inferCall } from './infer.ts'
import type { AttributeSpec } from './op.ts'
import { findOp } from './ops/index.ts'
import { elementCount, shapeText } from './shape.ts'
import type { Tensor, TensorType } from './tensor.ts'

/** Everything that is wrong with the graph, in order of appearance; empty if it is valid. */
export function findProblems(graph: Graph): readonly string[] {
  const problems = [...graphProblems(graph), ...initializerProblems(graph)]
  // Types mean nothing where the structure is broken.
  return problems.length > 0 ? problems : typeProblems(graph)
}

/** Throws an InvariantError that lists the problems, if there are any. */
export function validateGraph(graph: Graph): void {
  const problems = findProblems(graph)
  if (problems.length > 0) throw new InvariantError(`graph ${graph.name} is not valid: ${problems.join('; ')}`)
}

const nodeText = (node: Node): string => `node ${node.name || '(unnamed)'} (${qualifiedName(node.domain, node.op)})`

function graphProblems(graph: Graph): string[] {
  const problems: string[] = []
  const made = new Set<ValueId>()
  const nameOf = (v: ValueId): string => graph.values[v]?.name ?? `value ${v}`
  const make = (v: ValueId, where: string): void => {
    if (!graph.values[v]) problems.push(`${where} makes value ${v}, which does not exist`)
    else if (made.has(v)) problems.push(`${where} makes ${nameOf(v)} a second time`)
    made.add(v)
  }
  const read = (v: ValueId, where: string): void => {
    if (!graph.values[v]) problems.push(`${where} reads value ${v}, which does not exist`)
    else if (!made.has(v)) problems.push(`${where} reads ${nameOf(v)} before it is made`)
  }
  for (const v of graph.inputs) make(v, 'the list of inputs')
  // An initializer that is an input too is that input's default value.
  for (const v of graph.initializers.keys()) if (!graph.inputs.includes(v)) make(v, 'the table of initializers')
  for (const node of graph.nodes) {
    for (const v of [...node.inputs, ...node.captures]) if (v !== null) read(v, nodeText(node))
    for (const v of node.outputs) if (v !== null) make(v, nodeText(node))
    if (!graph.opsets.has(node.domain === 'ai.onnx' ? '' : node.domain))
      problems.push(`${nodeText(node)} is of domain '${node.domain}', which has no opset`)
    // Opset 1 gave norms a fractional p, which the records of operators no longer describe.
    if (opsetOf(graph, node.domain) > 1) problems.push(...attributeProblems(node))
  }
  for (const v of graph.outputs) read(v, 'the list of outputs')
  if (graph.outputs.length === 0) problems.push('there are no outputs')
  return [...problems, ...nameProblems(graph, made)]
}

function nameProblems(graph: Graph, made: ReadonlySet<ValueId>): string[] {
  const seen = new Set<string>()
  const problems: string[] = []
  for (const v of made) {
    const name = graph.values[v]?.name
    if (name === '') problems.push(`value ${v} has no name`)
    else if (name !== undefined && seen.has(name)) problems.push(`two values are called ${name}`)
    if (name !== undefined) seen.add(name)
  }
  return problems
}

function initializerProblems(graph: Graph): string[] {
  return [...graph.initializers].flatMap(([v, t]) => {
    const name = graph.values[v]?.name ?? `value ${v}`
    const expected = t.dtype === 'string' ? elementCount(t.shape) : bytesOf(t.dtype, elementCount(t.shape))
    const got = t.dtype === 'string' ? (t.strings?.length ?? 0) : t.bytes.length
    const unit = t.dtype === 'string' ? 'strings' : 'bytes'
    const size = expected === got ? [] : [`initializer ${name} holds ${got} ${unit} for ${expected}`]
    const declared = graph.values[v]?.type
    return declared ? [...size, ...mismatch(`initializer ${name}`, declared, t)] : size
  })
}

/** How a declared type contradicts the actual one. Symbolic sizes contradict nothing. */
function mismatch(where: string, declared: TensorType, actual: TensorType | Tensor): string[] {
  const text = (t: TensorType) => `${t.dtype}${shapeText(t.shape)}`
  const sameRank = declared.shape.length === actual.shape.length
  const sizes =
    sameRank &&
    declared.shape.every(
      (d, i) => typeof d !== 'number' || typeof actual.shape[i] !== 'number' || d === actual.shape[i],
    )
  return declared.dtype === actual.dtype && sizes
    ? []
    : [`${where} is declared ${text(declared)} but is ${text(actual)}`]
}

function attributeProblems(node: Node): string[] {
  const op = findOp(node.domain, node.op)
  if (!op) return []
  return Object.entries(node.attributes).flatMap(([name, value]) => {
    const spec = op.attributes[name]
    return spec && !fits(value, spec)
      ? [`${nodeText(node)} has attribute ${name} of kind ${value.kind} where ${spec.kind} is expected`]
      : []
  })
}

/** Subgraphs and what is not understood are kept encoded. A legacy Cast names its dtype by a string. */
function fits(value: Attribute, spec: AttributeSpec): boolean {
  return value.kind === spec.kind || value.kind === 'opaque' || (value.kind === 'string' && spec.kind === 'int')
}

function typeProblems(graph: Graph): string[] {
  const facts = new Map<ValueId, Fact>()
  const declared = (v: ValueId): Fact => ({ type: graph.values[v]!.type, constant: null, contents: null })
  for (const v of graph.inputs) facts.set(v, declared(v))
  for (const [v, t] of graph.initializers) if (!facts.has(v)) facts.set(v, constantFact(t))
  return graph.nodes.flatMap((node) => {
    const call = callOf(
      node,
      opsetOf(graph, node.domain),
      node.inputs.map((v) => (v === null ? null : facts.get(v)!)),
    )
    const out = inferOrComplain(node, () =>
      inferCall(
        call,
        node.inputs.map((v) => v !== null),
      ),
    )
    if (typeof out === 'string') {
      for (const v of node.outputs) if (v !== null) facts.set(v, declared(v))
      return [out]
    }
    return node.outputs.flatMap((v, i) => {
      if (v === null) return []
      const [own, inferred] = [declared(v), out[i]!]
      facts.set(v, inferred.type ? inferred : { ...inferred, type: own.type })
      return own.type && inferred.type
        ? mismatch(`${nodeText(node)}: ${graph.values[v]!.name}`, own.type, inferred.type)
        : []
    })
  })
}

function inferOrComplain(node: Node, infer: () => Fact[]): Fact[] | string {
  try {
    return infer()
  } catch (error) {
    if (error instanceof UserError) return `${nodeText(node)}: ${error.message}`
    throw error
  }
}
