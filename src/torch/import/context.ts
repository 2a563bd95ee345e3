// What every handler of a torch call works with: the graph being built, and torch's rules for mixing dtypes.
import { UnsupportedError, UserError } from '../../base/errors.ts'
import { type Attributes, int } from '../../ir/attribute.ts'
import type { GraphBuilder } from '../../ir/builder.ts'
import { DTYPES, type DType } from '../../ir/dtype.ts'
import type { ValueId } from '../../ir/graph.ts'
import { elementCount, isConcrete } from '../../ir/shape.ts'
import { type Tensor, type TensorType, tensor } from '../../ir/tensor.ts'
import { type Arguments, describe, type Item, tensorItem } from './item.ts'

/** A torch function: its signature (see `bind`) and what it builds. */
export interface Handler {
  readonly signature: string
  run(c: Context, a: Arguments): Item
}
export type Handlers = Readonly<Record<string, Handler>>

const CATEGORY: Readonly<Record<string, number>> = { bool: 0, int: 1, float: 2 }
const category = (dtype: DType): number => CATEGORY[DTYPES[dtype].kind] ?? 3

export class Context {
  readonly builder: GraphBuilder
  private readonly constants = new Map<ValueId, Tensor>()

  constructor(builder: GraphBuilder) {
    this.builder = builder
  }

  constant(t: Tensor, name = 'c'): ValueId {
    const id = this.builder.constant(t, name)
    this.constants.set(id, t)
    return id
  }

  /** The constant that a value is, or null. */
  constantOf(value: ValueId): Tensor | null {
    return this.constants.get(value) ?? null
  }

  /** A constant whose elements are all `value`. */
  filled(dtype: DType, shape: readonly number[], value: number): ValueId {
    return this.constant(tensor(dtype, shape, new Float64Array(elementCount(shape)).fill(value)))
  }

  op(name: string, ...inputs: (ValueId | null)[]): ValueId {
    return this.builder.node(name, inputs)
  }

  node(name: string, inputs: readonly (ValueId | null)[], attributes: Attributes): ValueId {
    return this.builder.node(name, inputs, attributes)
  }

  ints(values: readonly number[]): ValueId {
    return this.builder.int64s(values)
  }

  type(value: ValueId, where: string): TensorType {
    const type = this.builder.typeOf(value)
    if (type) return type
    throw new UserError({
      code: 'unknown-shape',
      where,
      expected: 'an input of known shape',
      got: 'a value whose shape depends on something that is not known',
      fix: 'bind the shapes of all inputs with --shape NAME=1x3x224x224, or paste print(graph_module) with its modules',
    })
  }

  shape(value: ValueId, where: string): readonly number[] {
    const { shape } = this.type(value, where)
    if (isConcrete(shape)) return shape
    throw new UnsupportedError(`${where} on a symbolic shape`)
  }

  cast(value: ValueId, dtype: DType, where: string): ValueId {
    if (this.type(value, where).dtype === dtype) return value
    return this.node('Cast', [value], { to: int(DTYPES[dtype].onnx) })
  }

  /** The tensor argument of this name. */
  tensor(a: Arguments, name: string): ValueId {
    const item = a.item(name)
    if (item.kind === 'tensor') return item.value
    throw a.mistake(name, 'a tensor', item)
  }

  optional(a: Arguments, name: string): ValueId | null {
    return a.has(name) ? this.tensor(a, name) : null
  }

  /** Operands with one dtype, by torch's promotion: Python numbers and 0-d tensors only count by their kind. */
  promote(items: readonly Item[], where: string, atLeast: DType | null = null): ValueId[] {
    const dtype = items.some((i) => i.kind === 'tensor') ? this.commonType(items, where) : 'float32'
    const raised = atLeast && category(atLeast) > category(dtype) ? atLeast : dtype
    return items.map((i) => this.asTensor(i, raised, where))
  }

  /** A tensor of this dtype; numbers become 0-d constants. */
  asTensor(item: Item, dtype: DType, where: string): ValueId {
    if (item.kind === 'tensor') return this.cast(item.value, dtype, where)
    if (item.kind === 'number') return this.filled(dtype, [], item.value)
    if (item.kind === 'boolean') return this.filled(dtype, [], item.value ? 1 : 0)
    throw new UserError({
      code: 'bad-torch-call',
      where,
      expected: 'a tensor or a number',
      got: describe(item),
      fix: 'trace the model again',
    })
  }

  private commonType(items: readonly Item[], where: string): DType {
    let best: { dtype: DType; weight: number } | null = null
    for (const item of items) {
      const found = this.weigh(item, where)
      if (!best || category(found.dtype) > category(best.dtype)) best = found
      else if (category(found.dtype) === category(best.dtype)) best = stronger(best, found)
    }
    return best!.dtype
  }

  /** Weight 2: a tensor with dimensions; 1: a 0-d tensor; 0: a Python number. */
  private weigh(item: Item, where: string): { dtype: DType; weight: number } {
    if (item.kind === 'number') return { dtype: item.float ? 'float32' : 'int64', weight: 0 }
    if (item.kind === 'boolean') return { dtype: 'bool', weight: 0 }
    if (item.kind !== 'tensor') throw new UnsupportedError(`${where} on ${describe(item)}`)
    const { dtype, shape } = this.type(item.value, where)
    return { dtype, weight: shape.length > 0 ? 2 : 1 }
  }
}

type Weighed = { readonly dtype: DType; readonly weight: number }

function stronger(a: Weighed, b: Weighed): Weighed {
  if (a.weight !== b.weight) return a.weight > b.weight ? a : b
  const mixedHalves =
    a.dtype !== b.dtype && DTYPES[a.dtype].bits === DTYPES[b.dtype].bits && DTYPES[a.dtype].kind === 'float'
  if (mixedHalves) return { ...a, dtype: 'float32' }
  return DTYPES[b.dtype].bits > DTYPES[a.dtype].bits ? b : a
}

/** A handler whose body returns one value. */
export function handler(signature: string, run: (c: Context, a: Arguments) => ValueId): Handler {
  return { signature, run: (c, a) => tensorItem(run(c, a)) }
}

/** Axes counted from the front; no argument or an empty list: all of them. */
export function axesOf(a: Arguments, name: string, rank: number): number[] {
  const given = a.has(name) ? a.ints(name) : []
  return given.length === 0 ? Array.from({ length: rank }, (_, i) => i) : given.map((d) => fromFront(d, rank, a.where))
}

export function fromFront(axis: number, rank: number, where: string): number {
  const at = axis < 0 ? axis + rank : axis
  if (Number.isInteger(at) && at >= 0 && at < Math.max(1, rank)) return at
  throw new UserError({
    code: 'bad-torch-call',
    where,
    expected: `a dimension of a tensor of rank ${rank}`,
    got: String(axis),
    fix: 'check the shapes',
  })
}
