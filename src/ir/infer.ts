// Shape and dtype inference over a graph, symbolic dimensions included, and the contents of small integer tensors
// (what ONNX calls data propagation), without which a dynamic Reshape has no shape.
import { InvariantError, UserError } from '../base/errors.ts'
import type { Dim } from './dim.ts'
import { type Graph, type Node, opsetOf, qualifiedName, type Value, type ValueId } from './graph.ts'
import { knownOutputs } from './infer-known.ts'
import type { Call } from './op.ts'
import { findOp } from './ops/index.ts'
import { shapeText } from './shape.ts'
import { integersOf, type Tensor, type TensorType } from './tensor.ts'

/** What is known of one value. */
export interface Fact {
  readonly type: TensorType | null
  readonly constant: Tensor | null
  readonly contents: readonly Dim[] | null
}

/** Contents are followed only through tensors this small. */
const CONTENTS_LIMIT = 1024

/** Facts of a constant. */
export function constantFact(t: Tensor): Fact {
  const small = t.shape.length <= 1 && (t.shape[0] ?? 1) <= CONTENTS_LIMIT
  return { type: { dtype: t.dtype, shape: t.shape }, constant: t, contents: small ? integersOf(t) : null }
}

/** The call that a node makes, given what is known of its inputs. */
export function callOf(
  node: Pick<Node, 'domain' | 'op' | 'attributes' | 'outputs'>,
  opset: number,
  inputs: readonly (Fact | null)[],
): Call {
  return {
    domain: node.domain,
    op: node.op,
    opset,
    attributes: node.attributes,
    inputs: inputs.map((f) => f?.type ?? null),
    outputCount: node.outputs.length,
    constants: inputs.map((f) => f?.constant ?? null),
    contents: inputs.map((f) => f?.contents ?? null),
  }
}

/** Facts of a node's outputs. Unknown operators, and inputs of unknown type, give unknown outputs. */
export function inferCall(call: Call, present: readonly boolean[]): Fact[] {
  const op = findOp(call.domain, call.op)
  if (!op || present.some((p, i) => p && call.inputs[i] === null)) return unknownFacts(call)
  const types = op.infer(call)
  for (const type of types) if (type) refuseImpossibleSizes(call, type)
  const contents = op.inferContents?.(call) ?? []
  const known = contents.some((c) => c !== null) ? null : knownOutputs(call, op, types)
  if (known) return known.map(constantFact)
  return unknownFacts(call).map((f, i) => ({ ...f, type: types[i] ?? null, contents: contents[i] ?? null }))
}

const unknownFacts = ({ outputCount }: Call): Fact[] =>
  Array.from({ length: outputCount }, () => ({ type: null, constant: null, contents: null }))

/** The same for a call that may never be made. */
function inferDeadCall(call: Call, present: readonly boolean[]): Fact[] {
  try {
    return inferCall(call, present)
  } catch (error) {
    if (error instanceof UserError) return unknownFacts(call)
    throw error
  }
}

/** Sizes can be negative where an operator's parameters make no sense together: a kernel larger than its padded input. */
function refuseImpossibleSizes(call: Call, { shape }: TensorType): void {
  const wrong = shape.find((d) => typeof d === 'number' && !(Number.isSafeInteger(d) && d >= 0))
  if (wrong === undefined) return
  const where = `${qualifiedName(call.domain, call.op)}-${call.opset}`
  const fix = 'mend the node or export the model again'
  throw new UserError({ code: 'bad-model', where, expected: 'sizes of 0 or more', got: shapeText(shape), fix })
}

export interface InferOptions {
  /** The graph is a branch of If that may never run: a call that makes no sense has outputs of unknown type, instead of being
   * refused. Default false. */
  readonly mayBeDead?: boolean
}

/** Facts of every value, indexed by ValueId. Declared types fill in where inference does not know. Throws UserError for a
 * call that makes no sense. */
export function inferFacts(graph: Graph, { mayBeDead = false }: InferOptions = {}): readonly Fact[] {
  const infer = mayBeDead ? inferDeadCall : inferCall
  const facts = new Array<Fact | undefined>(graph.values.length)
  const declared = (v: ValueId): Fact => ({ type: graph.values[v]!.type, constant: null, contents: null })
  for (const [v, t] of graph.initializers) facts[v] = constantFact(t)
  // An initializer that is an input too is only that input's default value.
  for (const v of graph.inputs) facts[v] = declared(v)
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((v) => (v === null ? null : (facts[v] ?? undefined)))
    if (inputs.includes(undefined))
      throw new InvariantError(`node ${node.name || node.op} reads a value before it is made`)
    const call = callOf(node, opsetOf(graph, node.domain), inputs as (Fact | null)[])
    const out = infer(
      call,
      node.inputs.map((v) => v !== null),
    )
    node.outputs.forEach((v, i) => {
      if (v !== null) facts[v] = out[i]!.type ? out[i]! : { ...out[i]!, type: graph.values[v]!.type }
    })
  }
  return graph.values.map((_, v) => facts[v] ?? declared(v as ValueId))
}

/** The same graph with every inferred type written into its values. */
export function inferTypes(graph: Graph, options: InferOptions = {}): Graph {
  const facts = inferFacts(graph, options)
  const values = graph.values.map((v, i): Value => ({ ...v, type: facts[i]!.type }))
  return { ...graph, values }
}
