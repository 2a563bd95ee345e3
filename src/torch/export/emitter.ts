// What turns nodes of an ir graph into FX nodes. An emitter of one operator asks for its operands as torch arguments and adds
// calls; the last call of a node carries the value's own name.
import { UnsupportedError } from '../../base/errors.ts'
import { getInt, getInts } from '../../ir/attribute.ts'
import { type DType, isFloat } from '../../ir/dtype.ts'
import { type Graph, type Node, opsetOf, qualifiedName, type ValueId } from '../../ir/graph.ts'
import { isConcrete } from '../../ir/shape.ts'
import { integersOf, type Tensor, type TensorType, toNdArray } from '../../ir/tensor.ts'
import { type FxArg, type FxNode, type FxOpcode, type Kwargs, literal, node } from '../fx-graph.ts'
import { float32Text, floatText, isIdentifier, Namespace, snakeCase } from '../python-text.ts'

/** Writes one operator; returns its outputs in order. */
export type Emit = (e: Emitter, n: Node) => FxArg | readonly FxArg[]
export type Emits = Readonly<Record<string, Emit>>

/** `values`: names of the ir values where Python allows; `operators`: what torch.fx would call them. */
export type Naming = 'values' | 'operators'

export class Emitter {
  readonly graph: Graph
  readonly nodes: FxNode[] = []
  /** Buffers that the graph reads, by attribute name. */
  readonly weights = new Map<string, Tensor>()
  private readonly naming: Naming
  private readonly names = new Namespace()
  private readonly args = new Map<ValueId, FxArg>()
  private wanted: string | null = null

  constructor(graph: Graph, naming: Naming) {
    this.graph = graph
    this.naming = naming
  }

  placeholder(value: ValueId): void {
    const name = this.names.create(this.graph.values[value]!.name)
    this.push('placeholder', name, name, [], [])
    this.args.set(value, node(name))
  }

  /** Runs an emitter under the name that the node's first output should have. */
  emit(n: Node, emit: Emit): void {
    const [first] = n.outputs
    const name = first === null || first === undefined ? '' : this.graph.values[first]!.name
    this.wanted = this.naming === 'values' && isIdentifier(name) ? name : null
    const results = emit(this, n)
    const outputs = Array.isArray(results) ? (results as readonly FxArg[]) : [results as FxArg]
    n.outputs.forEach((value, i) => {
      if (value === null) return
      if (outputs[i] === undefined) throw new UnsupportedError(`output ${i} of ${where(n)} in PyTorch`)
      this.args.set(value, outputs[i])
    })
  }

  /** A torch argument for a value; constants become buffers. */
  value(value: ValueId): FxArg {
    const known = this.args.get(value)
    if (known) return known
    const constant = this.graph.initializers.get(value)
    if (!constant) throw new UnsupportedError(`value ${this.graph.values[value]!.name} in PyTorch`)
    const arg = this.buffer(constant, this.graph.values[value]!.name)
    this.args.set(value, arg)
    return arg
  }

  /** A constant as an attribute of the module. */
  buffer(t: Tensor, name: string): FxArg {
    const target = this.names.create(name.replaceAll(/[^0-9A-Za-z_]+/g, '_'))
    this.weights.set(target, t)
    this.push('get_attr', target, target, [], [])
    return node(target)
  }

  /** Input `i` as a tensor. */
  tensor(n: Node, i: number): FxArg {
    const value = n.inputs[i]
    if (value === null || value === undefined) throw new UnsupportedError(`${where(n)} without input ${i}`)
    return this.value(value)
  }

  has(n: Node, i: number): boolean {
    return n.inputs[i] !== null && n.inputs[i] !== undefined
  }

  /** Input `i`, where a Python number may stand for a 0-d constant. */
  operand(n: Node, i: number): FxArg {
    return this.number(n, i) ?? this.tensor(n, i)
  }

  /** Input `i` as a Python number, or null: it is no 0-d constant. */
  number(n: Node, i: number): FxArg | null {
    const constant = this.constant(n, i)
    if (!constant || constant.shape.length > 0 || constant.strings) return null
    const value = toNdArray(constant).data[0]!
    return numberText(value, constant.dtype)
  }

  constant(n: Node, i: number): Tensor | null {
    const value = n.inputs[i]
    return value === null || value === undefined ? null : (this.graph.initializers.get(value) ?? null)
  }

  /** Whole numbers of input `i`, or of an attribute where older opsets keep them; null: left out. */
  ints(n: Node, i: number, attribute?: string): readonly number[] | null {
    const listed = attribute === undefined ? null : getInts(n.attributes, attribute, null)
    if (listed) return listed
    if (!this.has(n, i)) return null
    const constant = this.constant(n, i)
    const values = constant ? integersOf(constant) : null
    if (!values) throw new UnsupportedError(`${where(n)} whose input ${i} is computed at run time, in PyTorch`)
    return values
  }

  type(n: Node, i: number): TensorType {
    const value = n.inputs[i]
    return this.typeOf(value ?? null, n)
  }

  shape(n: Node, i: number): readonly number[] {
    return concrete(this.type(n, i), n)
  }

  rank(n: Node, i: number): number {
    return this.type(n, i).shape.length
  }

  /** Sizes of output `i`. */
  outputShape(n: Node, i = 0): readonly number[] {
    return concrete(this.typeOf(n.outputs[i] ?? null, n), n)
  }

  /** The axis attribute, counted from the front. */
  axis(n: Node, rank: number, otherwise?: number): number {
    const axis = getInt(n.attributes, 'axis', otherwise ?? 0)
    return axis < 0 ? axis + rank : axis
  }

  opset(n: Node): number {
    return opsetOf(this.graph, n.domain)
  }

  call(target: string, args: readonly FxArg[], kwargs: Kwargs = []): FxArg {
    const name = this.name(snakeCase(target.slice(target.lastIndexOf('.') + 1)))
    this.push('call_function', name, target, args, kwargs)
    return node(name)
  }

  method(name: string, args: readonly FxArg[], kwargs: Kwargs = []): FxArg {
    const own = this.name(name)
    this.push('call_method', own, name, args, kwargs)
    return node(own)
  }

  module(target: string, args: readonly FxArg[]): FxArg {
    const name = this.name(target)
    this.push('call_module', name, target, args, [])
    return node(name)
  }

  /** The last call made so far takes the value's name; calls before it keep torch's. */
  private name(candidate: string): string {
    return this.names.create(this.wanted ?? candidate)
  }

  /** While `run` runs, calls are named after their functions: they are not the node's result. */
  inner<T>(run: () => T): T {
    const saved = this.wanted
    this.wanted = null
    const result = run()
    this.wanted = saved
    return result
  }

  private push(opcode: FxOpcode, name: string, target: string, args: readonly FxArg[], kwargs: Kwargs): void {
    this.nodes.push({ opcode, name, target, args, kwargs })
  }

  private typeOf(value: ValueId | null, n: Node): TensorType {
    const type = value === null ? null : this.graph.values[value]!.type
    if (!type) throw new UnsupportedError(`${where(n)} on a value of unknown shape, in PyTorch`)
    return type
  }
}

function concrete(type: TensorType, n: Node): readonly number[] {
  if (isConcrete(type.shape)) return type.shape
  throw new UnsupportedError(`${where(n)} on a symbolic shape, in PyTorch; bind it with --shape`)
}

export function where(n: Node): string {
  return `operator ${qualifiedName(n.domain, n.op)}`
}

/** A number as Python writes it; float32 in the fewest digits that give it back. */
export function numberText(value: number, dtype: DType): FxArg {
  if (!isFloat(dtype)) return literal(dtype === 'bool' ? (value === 0 ? 'False' : 'True') : String(value))
  return literal(dtype === 'float64' ? floatText(value) : float32Text(value))
}

export const integer = (n: number): FxArg => literal(String(n))
export const integers = (values: readonly number[]): FxArg => ({
  kind: 'sequence',
  form: 'list',
  items: values.map(integer),
})
export const bool = (b: boolean): FxArg => literal(b ? 'True' : 'False')
