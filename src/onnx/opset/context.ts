// What an adapter sees: the node in its old form, what is known of its operands, and the means to make new values.
import type { Attribute, Attributes } from '../../ir/attribute.ts'
import { isFloat } from '../../ir/dtype.ts'
import type { Graph, Node, Value, ValueId } from '../../ir/graph.ts'
import { fromNdArray, integersOf, type Tensor, type TensorType, tensor } from '../../ir/tensor.ts'

/** Why a node cannot be raised. */
export interface Refusal {
  readonly refused: string
}
export const refuse = (refused: string): Refusal => ({ refused })

/** Rewrites a node from the definition before `toOpset` to that of `toOpset`: nodes in order, or why not. */
export type Adapter = (node: Node, context: RaiseContext) => readonly Node[] | Refusal

/** The values of a graph that is being raised; grows by what adapters make. */
export class RaiseContext {
  readonly values: Value[]
  readonly initializers: Map<ValueId, Tensor>
  readonly targetOpset: number
  private readonly taken: Set<string>
  private readonly readers: ReadonlySet<ValueId>

  /** `taken`: names that new values must avoid, those of nested and enclosing graphs included. */
  constructor(graph: Graph, targetOpset: number, taken: Set<string>) {
    this.values = [...graph.values]
    this.initializers = new Map(graph.initializers)
    this.targetOpset = targetOpset
    this.taken = taken
    this.readers = new Set([
      ...graph.outputs,
      ...graph.nodes.flatMap((n) => [...n.inputs.filter((v) => v !== null), ...n.captures]),
    ])
  }

  typeOf(v: ValueId | null | undefined): TensorType | null {
    return v == null ? null : this.values[v]!.type
  }

  rankOf(v: ValueId | null | undefined): number | null {
    return this.typeOf(v)?.shape.length ?? null
  }

  constantOf(v: ValueId | null | undefined): Tensor | null {
    return v == null ? null : (this.initializers.get(v) ?? null)
  }

  /** Whole numbers of a constant operand, or null. */
  integers(v: ValueId | null | undefined): readonly number[] | null {
    const t = this.constantOf(v)
    return t && integersOf(t)
  }

  /** True if somebody reads output `i` of a node. */
  isRead(node: Node, i: number): boolean {
    const v = node.outputs[i]
    return v != null && this.readers.has(v)
  }

  constant(name: string, t: Tensor): ValueId {
    const v = this.value(name, { dtype: t.dtype, shape: t.shape })
    this.initializers.set(v, t)
    return v
  }

  /** A 1-D int64 constant. */
  int64s(name: string, list: readonly number[]): ValueId {
    return this.constant(name, tensor('int64', [list.length], list))
  }

  /** A scalar of the dtype of `like`, which must be known; null where it is not. */
  scalarLike(name: string, like: ValueId | null | undefined, x: number): ValueId | null {
    const dtype = this.typeOf(like)?.dtype
    if (dtype === undefined || (!isFloat(dtype) && !Number.isInteger(x))) return null
    return this.constant(name, fromNdArray({ dtype, shape: [], data: Float64Array.of(x) }))
  }

  value(wish: string, type: TensorType | null): ValueId {
    let name = wish
    for (let i = 1; this.taken.has(name); i++) name = `${wish}_${i}`
    this.taken.add(name)
    this.values.push({ name, type })
    return (this.values.length - 1) as ValueId
  }
}

/** A name for something new that belongs to a node. */
export function nameFor(node: Node, context: RaiseContext, suffix: string): string {
  const output = node.outputs.find((v) => v !== null)
  return `${node.name || (output === undefined ? node.op : context.values[output!]!.name)}_${suffix}`
}

export function without(attributes: Attributes, ...names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)))
}

export const withAttribute = (node: Node, name: string, a: Attribute): Node => ({
  ...node,
  attributes: { ...node.attributes, [name]: a },
})

/** The node with one input set, and those before it that were not given left out. */
export function withInput(node: Node, index: number, v: ValueId | null): Node {
  const inputs = [...node.inputs]
  while (inputs.length <= index) inputs.push(null)
  inputs[index] = v
  return { ...node, inputs }
}

/** A new node of one output in front of `of`. */
export function helperNode(
  of: Node,
  context: RaiseContext,
  op: string,
  inputs: readonly (ValueId | null)[],
  attributes: Attributes = {},
): Node {
  const output = context.value(nameFor(of, context, op), null)
  const { name } = context.values[output]!
  return { name, domain: '', op, inputs, outputs: [output], attributes, captures: [] }
}
