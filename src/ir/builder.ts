// Builds a graph node by node; types are inferred as it goes. Local and mutable; `build` returns the immutable graph.

import { InvariantError } from '../base/errors.ts'
import type { Attributes } from './attribute.ts'
import { type Dim, dimEquals } from './dim.ts'
import type { DType } from './dtype.ts'
import type { Graph, Node, Value, ValueId } from './graph.ts'
import { callOf, constantFact, type Fact, inferCall } from './infer.ts'
import type { Shape } from './shape.ts'
import { type Tensor, type TensorType, tensor } from './tensor.ts'

export interface NodeOptions {
  readonly domain?: string
  readonly attributes?: Attributes
  readonly outputs?: number
  readonly name?: string
  readonly captures?: readonly ValueId[]
}

export class GraphBuilder {
  readonly name: string
  readonly opsets: ReadonlyMap<string, number>
  private readonly values: Value[] = []
  private readonly facts: Fact[] = []
  private readonly inputs: ValueId[] = []
  private readonly outputs: ValueId[] = []
  private readonly initializers = new Map<ValueId, Tensor>()
  private readonly nodes: Node[] = []
  /** Names of values and of nodes. */
  private readonly taken = new Set<string>()
  private readonly counters = new Map<string, number>()

  constructor(name: string, opsets: ReadonlyMap<string, number> = new Map([['', 20]])) {
    this.name = name
    this.opsets = opsets
  }

  input(name: string, dtype: DType, shape: Shape): ValueId {
    return this.inputOf(name, { name, type: { dtype, shape } })
  }

  /** An input with any declared type; `standard` is the value it has when it is not fed. */
  inputOf(name: string, value: Value, standard?: Tensor): ValueId {
    if (this.taken.has(name)) this.moveAway(name)
    const id = this.value({ ...value, name }, { type: value.type, constant: null, contents: null })
    this.inputs.push(id)
    if (standard) this.initializers.set(id, standard)
    return id
  }

  constant(t: Tensor, name = 'c'): ValueId {
    const id = this.value({ name: this.fresh(name), type: { dtype: t.dtype, shape: t.shape } }, constantFact(t))
    this.initializers.set(id, t)
    return id
  }

  /** A 1-D int64 constant, as ONNX wants axes, shapes and sizes. */
  int64s(values: readonly number[], name = 'ints'): ValueId {
    return this.constant(tensor('int64', [values.length], values), name)
  }

  /** Adds a node; returns its outputs. */
  multi(op: string, inputs: readonly (ValueId | null)[], options: NodeOptions = {}): ValueId[] {
    const domain = options.domain ?? ''
    const count = options.outputs ?? 1
    const attributes = options.attributes ?? {}
    const name = this.fresh(options.name ?? op)
    this.taken.add(name)
    const facts = inputs.map((v) => (v === null ? null : this.facts[v]!))
    const shell = { domain, op, attributes, outputs: new Array<null>(count).fill(null) }
    const out = inferCall(
      callOf(shell, this.opsets.get(domain) ?? 1, facts),
      inputs.map((v) => v !== null),
    )
    const outputs = out.map((f, i) =>
      this.value({ name: this.fresh(count === 1 ? `${name}_out` : `${name}_out${i}`), type: f.type }, f),
    )
    this.nodes.push({ name, domain, op, inputs, outputs, attributes, captures: options.captures ?? [] })
    return outputs
  }

  /** Adds a node of one output. */
  node(op: string, inputs: readonly (ValueId | null)[], attributes: Attributes = {}, domain = ''): ValueId {
    return this.multi(op, inputs, { attributes, domain })[0]!
  }

  /** Declares an output; the value takes this name (through an Identity where it is an input, a constant or named already). */
  output(value: ValueId, name: string): void {
    const id = this.isMade(value) && !this.outputs.includes(value) ? value : this.node('Identity', [value])
    this.rename(id, name)
    this.outputs.push(id)
  }

  /** Lists the input or output of this name as an output: a model may list an input, and an output twice. */
  listAsOutput(name: string): void {
    const listed = [...this.inputs, ...this.outputs].find((v) => this.nameOf(v) === name)
    if (listed === undefined) throw new InvariantError(`no input or output is called ${name}`)
    this.outputs.push(listed)
  }

  /** An axis of an input that has this size, or null. */
  inputAxis(size: Dim): { readonly value: ValueId; readonly axis: number } | null {
    for (const value of this.inputs) {
      const axis = this.typeOf(value)?.shape.findIndex((d) => dimEquals(d, size)) ?? -1
      if (axis >= 0) return { value, axis }
    }
    return null
  }

  /** True of what a node makes; inputs and constants are not made. */
  isMade(value: ValueId): boolean {
    return this.nodes.some((n) => n.outputs.includes(value))
  }

  nameOf(value: ValueId): string {
    return this.values[value]!.name
  }

  typeOf(value: ValueId): TensorType | null {
    return this.facts[value]!.type
  }

  /** Says of what type a value is of which inference does not know. */
  declare(value: ValueId, type: TensorType): void {
    this.values[value] = { ...this.values[value]!, type }
    this.facts[value] = { ...this.facts[value]!, type }
  }

  /** Gives a value a name of the caller's choice. */
  rename(value: ValueId, name: string): void {
    const old = this.values[value]!
    if (old.name === name) return
    if (this.taken.has(name)) this.moveAway(name)
    this.taken.delete(old.name)
    this.taken.add(name)
    this.values[value] = { ...old, name }
  }

  build(): Graph {
    if (this.outputs.length === 0) throw new InvariantError(`graph ${this.name} has no outputs`)
    return {
      name: this.name,
      opsets: this.opsets,
      values: this.values,
      inputs: this.inputs,
      outputs: this.outputs,
      initializers: this.initializers,
      nodes: this.nodes,
    }
  }

  private moveAway(name: string): void {
    const at = this.values.findIndex((v) => v.name === name)
    const pinned = this.inputs.includes(at as ValueId) || this.outputs.includes(at as ValueId)
    if (pinned) throw new InvariantError(`two values must be called ${name}`)
    this.values[at] = { ...this.values[at]!, name: this.fresh(name) }
  }

  private value(value: Value, fact: Fact): ValueId {
    this.taken.add(value.name)
    this.values.push(value)
    this.facts.push(fact)
    return (this.values.length - 1) as ValueId
  }

  /** A name that nothing has: `name`, or `name` with the next number. */
  private fresh(name: string): string {
    if (!this.taken.has(name)) return name
    for (let i = this.counters.get(name) ?? 1; ; i++)
      if (!this.taken.has(`${name}_${i}`)) {
        this.counters.set(name, i + 1)
        return `${name}_${i}`
      }
  }
}
