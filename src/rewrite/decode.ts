// A choice of one e-node per class -> Graph. The graph keeps the names of inputs and outputs, and runs at every shape that
// the original allowed: what is symbolic in the e-graph is written with 0, -1, or arithmetic on Shape (decode-structure.ts).
import { InvariantError } from '../base/errors.ts'
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { attributesKey } from '../ir/attribute.ts'
import { GraphBuilder } from '../ir/builder.ts'
import { type Graph, qualifiedName, type ValueId } from '../ir/graph.ts'
import { shapeEquals } from '../ir/shape.ts'
import { wholeResize } from './decode-resize.ts'
import { decodeRmsNorm, decodeStructure } from './decode-structure.ts'
import type { TensorEGraph } from './tensor-egraph.ts'
import { broadcasts, type FusedConv, isOfToday, type OnnxOp, type TensorOp, writtenDomain } from './tensor-op.ts'

/** Chosen e-node of a class. */
export type Choice = (c: ClassId) => NodeId

/** The graph that `choice` describes, with inputs, outputs and opsets of `original`. */
export function decode(t: TensorEGraph, original: Graph, roots: readonly ClassId[], choice: Choice): Graph {
  const decoder = new Decoder(t, original)
  for (const c of chosenInOrder(t, roots, choice)) decoder.emit(c, choice(c), operandsOf(t, choice, choice(c)))
  for (const [i, v] of original.outputs.entries()) {
    const { name } = original.values[v]!
    if (original.inputs.includes(v) || original.outputs.indexOf(v) < i) decoder.list(name)
    else decoder.output(t.egraph.find(roots[i]!), name)
  }
  return decoder.build()
}

/** The classes that the roots need under `choice`, children first. Throws if the choice has a cycle. */
export function chosenInOrder(t: TensorEGraph, roots: readonly ClassId[], choice: Choice): ClassId[] {
  const order: ClassId[] = []
  const state = new Map<ClassId, 'open' | 'done'>()
  const stack: { c: ClassId; children: ClassId[] }[] = []
  const enter = (c: ClassId) => {
    if (state.get(c) === 'done') return
    if (state.get(c) === 'open') throw new InvariantError('the chosen e-nodes form a cycle')
    state.set(c, 'open')
    stack.push({ c, children: operandsOf(t, choice, choice(c)) })
  }
  for (const root of roots) {
    enter(t.egraph.find(root))
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = top.children.pop()
      if (next !== undefined) enter(next)
      else {
        state.set(top.c, 'done')
        order.push(top.c)
        stack.pop()
      }
    }
  }
  return order
}

/** The classes that are written as inputs of an e-node: its children, without the axes of size 1 that broadcasting adds by itself. */
function operandsOf(t: TensorEGraph, choice: Choice, n: NodeId): ClassId[] {
  const op = t.op(n)
  const children = t.children(n).map((c) => t.egraph.find(c))
  if (op.kind !== 'onnx' || !broadcasts(op) || !isOfToday(op) || !t.isTyped(n)) return children
  const plain = children.map((c) => unraised(t, choice, c))
  const isWhole = plain.some((c, i) => c === children[i])
  return isWhole ? plain : children
}

/** What was given leading axes of size 1 to make c; else c. */
function unraised(t: TensorEGraph, choice: Choice, c: ClassId): ClassId {
  const n = choice(c)
  if (t.op(n).kind !== 'reshape') return c
  const [shape, source] = [t.shape(c), t.shape(t.child(n, 0))]
  const added = shape.length - source.length
  const isRaised = added > 0 && shape.slice(0, added).every((d) => d === 1) && shapeEquals(shape.slice(added), source)
  return isRaised ? t.egraph.find(t.child(n, 0)) : c
}

const isRmsNorm = (op: OnnxOp): boolean =>
  op.domain === '' && op.op === 'SimplifiedLayerNormalization' && op.outputCount === 1

class Decoder {
  private readonly t: TensorEGraph
  private readonly builder: GraphBuilder
  private readonly inputs: readonly ValueId[]
  private readonly values = new Map<ClassId, ValueId>()
  /** Nodes of several outputs, shared by the e-nodes of their outputs. */
  private readonly shared = new Map<string, readonly ValueId[]>()
  /** Values that must keep their names: inputs, and what subgraphs read. */
  private readonly pinned = new Set<ValueId>()
  private readonly byPinnedName = new Map<string, ValueId>()
  private readonly outputNames: ReadonlySet<string>

  constructor(t: TensorEGraph, original: Graph) {
    this.t = t
    this.builder = new GraphBuilder(original.name, original.opsets)
    this.inputs = original.inputs.map((v) =>
      this.builder.inputOf(original.values[v]!.name, original.values[v]!, original.initializers.get(v)),
    )
    for (const v of this.inputs) this.keep(v)
    const ownOutputs = original.outputs.filter((v) => !original.inputs.includes(v))
    this.outputNames = new Set(ownOutputs.map((v) => original.values[v]!.name))
  }

  emit(c: ClassId, n: NodeId, operands: readonly ClassId[]): void {
    const children = operands.map((x) => this.values.get(x)!)
    const op = this.t.op(n)
    const value =
      op.kind === 'onnx' && op.op === 'Resize' ? this.resize(op, operands, children) : this.value(op, children, c)
    const type = this.t.type(c)
    if (type && !this.builder.typeOf(value)) this.builder.declare(value, type)
    this.values.set(c, value)
  }

  private value(op: TensorOp, children: readonly ValueId[], c: ClassId): ValueId {
    switch (op.kind) {
      case 'input':
        return this.inputs[op.index]!
      case 'constant':
        return this.builder.constant(this.t.constants.tensor(op.id), this.constantName(op.id))
      case 'reorder-in':
      case 'reorder-out':
      case 'in-blocks':
        return children[0]!
      case 'fused-conv':
        return this.fusedConv(op, children)
      case 'onnx':
        return this.onnx(op, children)
      default:
        return decodeStructure(this.builder, op, children, this.t.shape(c))
    }
  }

  private resize(op: OnnxOp, operands: readonly ClassId[], children: readonly ValueId[]): ValueId {
    const whole = wholeResize(this.t, op, operands)
    if (whole === null) return this.onnx(op, children)
    return this.onnx(whole.op, [children[0]!, this.builder.constant(whole.given, 'resized')])
  }

  private constantName(id: Parameters<TensorEGraph['constants']['recipe']>[0]): string {
    const recipe = this.t.constants.recipe(id)
    return recipe.kind === 'given' && recipe.name !== '' ? recipe.name : 'constant'
  }

  private onnx(op: OnnxOp, children: readonly ValueId[]): ValueId {
    const key = `${qualifiedName(op.domain, op.op)}(${children.join(',')})${op.present}${op.identity}${op.captures}{${attributesKey(op.attributes)}}`
    const known = this.shared.get(key)
    const outputs = known ?? this.onnxNode(op, children)
    this.shared.set(key, outputs)
    return outputs[op.output]!
  }

  private onnxNode(op: OnnxOp, children: readonly ValueId[]): readonly ValueId[] {
    const spelled = isRmsNorm(op) ? decodeRmsNorm(this.builder, op.attributes, children) : null
    if (spelled !== null) return [spelled]
    let next = 0
    const inputs = op.present.map((p) => (p ? children[next++]! : null))
    const captures = op.captures.map((name, i) => this.pin(children[next + i]!, name))
    return this.builder.multi(op.op, inputs, {
      domain: writtenDomain(op.domain),
      attributes: op.attributes,
      outputs: op.outputCount,
      captures,
    })
  }

  /** The value under this very name, as a subgraph wants to read it. */
  private pin(value: ValueId, name: string): ValueId {
    const known = this.byPinnedName.get(name)
    if (known !== undefined) return known
    const mustBeMade = this.outputNames.has(name) && !this.builder.isMade(value)
    const isNamed = this.builder.nameOf(value) === name
    const own = mustBeMade ? this.builder.node('Identity', [value]) : isNamed ? value : this.free(value)
    this.builder.rename(own, name)
    return this.keep(own)
  }

  private keep(value: ValueId): ValueId {
    this.pinned.add(value)
    this.byPinnedName.set(this.builder.nameOf(value), value)
    return value
  }

  /** The value, or a copy of it where its name must stay. */
  private free(value: ValueId): ValueId {
    return this.pinned.has(value) ? this.builder.node('Identity', [value]) : value
  }

  private fusedConv(op: FusedConv, children: readonly ValueId[]): ValueId {
    const [x, w, ...rest] = children as [ValueId, ValueId, ...ValueId[]]
    const bias = op.bias ? [rest.shift()!] : []
    const attributes = op.conv.attributes
    let value = this.builder.node('Conv', [x, w, ...bias], attributes)
    if (op.residual) value = this.builder.node('Add', [value, rest.shift()!])
    return op.activation ? this.onnxNode(op.activation, [value, ...rest])[0]! : value
  }

  output(c: ClassId, name: string): void {
    this.builder.output(this.byPinnedName.get(name) ?? this.free(this.values.get(c)!), name)
  }

  list(name: string): void {
    this.builder.listAsOutput(name)
  }

  build(): Graph {
    return this.builder.build()
  }
}
