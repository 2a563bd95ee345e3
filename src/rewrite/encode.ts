// Graph -> tensor e-graph, in canonical form. Every node of the graph becomes e-nodes; operators without a record, subgraphs
// and random operators become opaque e-nodes that carry all they need to be written back.
import type { ClassId } from '../egraph/egraph.ts'
import { isFloat } from '../ir/dtype.ts'
import { type Graph, type Node, opsetOf, producers, type ValueId } from '../ir/graph.ts'
import { inferFacts } from '../ir/infer.ts'
import type { BlockSize } from '../ir/nchwc.ts'
import { findOp } from '../ir/ops/index.ts'
import { type TensorType, tensor } from '../ir/tensor.ts'
import { canonicalForms } from './canonical.ts'
import { inferOp } from './infer-op.ts'
import { NotFoldable, TensorEGraph } from './tensor-egraph.ts'
import { isOfToday, KEPT, type OnnxOp } from './tensor-op.ts'

export interface Encoded {
  readonly t: TensorEGraph
  /** One class per graph output, in order. */
  readonly roots: readonly ClassId[]
  readonly classes: ReadonlyMap<ValueId, ClassId>
}

export interface EncodeOptions {
  /** Nodes of the graph, by index, that are left exactly as they are. Default: none. */
  readonly kept?: ReadonlySet<number>
  /** Channels of one block of the runtime's blocked layout; null: it has none. Default: 8. */
  readonly blockSize?: BlockSize | null
}

/** The e-graph of `graph`. Values that nothing reads are left out. */
export function encode(graph: Graph, { kept = new Set(), blockSize }: EncodeOptions = {}): Encoded {
  const t = new TensorEGraph(opsetOf(graph, ''), blockSize)
  const classes = new Map<ValueId, ClassId>()
  const facts = inferFacts(graph)
  graph.inputs.forEach((v, index) => {
    classes.set(v, t.input(index, facts[v]!.type))
  })
  for (const [v, value] of graph.initializers)
    if (!classes.has(v)) classes.set(v, t.given(value, graph.values[v]!.name))
  const live = liveNodes(graph)
  graph.nodes.forEach((node, index) => {
    if (live.has(index)) encodeNode(t, graph, node, index, facts, classes, kept.has(index))
  })
  t.egraph.rebuild()
  return { t, roots: graph.outputs.map((v) => t.egraph.find(classes.get(v)!)), classes }
}

function encodeNode(
  t: TensorEGraph,
  graph: Graph,
  node: Node,
  index: number,
  facts: ReturnType<typeof inferFacts>,
  classes: Map<ValueId, ClassId>,
  isKept: boolean,
): void {
  const record = findOp(node.domain, node.op)
  const inputs = node.inputs.map((v) => (v === null ? null : classes.get(v)!))
  const leavesAlone = isOnnx(node) && (isKept || touchesNothing(node, facts))
  node.outputs.forEach((v, output) => {
    if (v === null) return
    const op: OnnxOp = {
      kind: 'onnx',
      domain: leavesAlone ? KEPT : isOnnx(node) ? '' : node.domain,
      op: node.op,
      opset: opsetOf(graph, node.domain),
      attributes: node.attributes,
      present: node.inputs.map((x) => x !== null),
      output,
      outputCount: node.outputs.length,
      captures: node.captures.map((c) => graph.values[c]!.name),
      declared: facts[v]!.type,
      identity: record?.deterministic === false ? `!${index}` : '',
    }
    const captures = node.captures.map((c) => classes.get(c)!)
    classes.set(v, knownContents(t, facts[v]!) ?? encodeCall(t, op, inputs, captures))
  })
}

/** Floats without elements, of which laws speak loosely: the mean of none is no number, the sum of none is zero. */
function touchesNothing({ op, inputs, outputs }: Node, facts: ReturnType<typeof inferFacts>): boolean {
  const touched = op === 'Concat' ? outputs : [...inputs, ...outputs] // a part without elements vanishes from it
  return touched.some((v) => {
    const type = v === null ? null : facts[v]!.type
    return type !== null && isFloat(type.dtype) && type.shape.includes(0)
  })
}

const isOnnx = ({ domain }: Node): boolean => domain === '' || domain === 'ai.onnx'

/** The class of one call, in canonical form. `inputs[i]` is null where left out. Throws UserError on a call that ONNX forbids. */
export function encodeCall(
  t: TensorEGraph,
  op: OnnxOp,
  inputs: readonly (ClassId | null)[],
  captures: readonly ClassId[] = [],
): ClassId {
  const children = [...inputs.filter((c) => c !== null), ...captures]
  const inferred = inferredType(t, op, children)
  const call = inferred === null ? op : { ...op, declared: null }
  return canonical(t, call, inputs, inferred ?? op.declared) ?? t.make(call, children)
}

/** The type of a value that the e-graph knows, where inference over the graph may not: it folds constants. */
function inferredType(t: TensorEGraph, op: OnnxOp, children: readonly ClassId[]): TensorType | null {
  const facts = children.map((c) => t.fact(c))
  return inferOp({ ...op, declared: null }, facts, t.constants).type
}

/** A small integer tensor whose contents inference knows is a constant, whatever computed it. */
function knownContents(t: TensorEGraph, fact: ReturnType<typeof inferFacts>[number]): ClassId | null {
  if (fact.constant) return t.given(fact.constant, '')
  if (!fact.contents || !fact.type || fact.contents.some((d) => typeof d !== 'number')) return null
  const shape = fact.type.shape.length === 0 ? [] : [fact.contents.length]
  return t.given(tensor(fact.type.dtype, shape, fact.contents as number[]), '')
}

function canonical(
  t: TensorEGraph,
  op: OnnxOp,
  inputs: readonly (ClassId | null)[],
  out: TensorType | null,
): ClassId | null {
  const isPlain = op.domain === '' && op.captures.length === 0 && op.identity === '' && isOfToday(op)
  if (isPlain && op.op === 'Identity') return inputs[0]! // of any type, known or not
  const form = isPlain ? canonicalForms[op.op] : undefined
  const typed = inputs.every((c) => c === null || t.type(c) !== null)
  if (!form || !typed || !out) return null
  try {
    return form({ t, op, inputs, out })
  } catch (error) {
    if (error instanceof NotFoldable) return null
    throw error
  }
}

/** Indices of the nodes that an output needs. */
export function liveNodes(graph: Graph): ReadonlySet<number> {
  const made = producers(graph)
  const live = new Set<number>()
  const queue: ValueId[] = [...graph.outputs]
  for (let v = queue.pop(); v !== undefined; v = queue.pop()) {
    const at = made.get(v)
    if (at === undefined || live.has(at)) continue
    live.add(at)
    for (const x of [...graph.nodes[at]!.inputs, ...graph.nodes[at]!.captures]) if (x !== null) queue.push(x)
  }
  return live
}
