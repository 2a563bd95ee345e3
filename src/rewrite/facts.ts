// What is known of an e-class: type, the constant it is, and the contents of a small integer tensor. Facts are interned, so
// that the e-graph carries one int32 per class.
import { InvariantError } from '../base/errors.ts'
import { type Dim, dimEquals, dimKey } from '../ir/dim.ts'
import { shapeText } from '../ir/shape.ts'
import type { TensorType } from '../ir/tensor.ts'
import type { ConstantId } from './constants.ts'

export interface ClassFact {
  readonly type: TensorType | null
  readonly constant: ConstantId | null
  readonly contents: readonly Dim[] | null
}

export class FactTable {
  private readonly facts: ClassFact[] = []
  private readonly ids = new Map<string, number>()

  get(id: number): ClassFact {
    return this.facts[id]!
  }

  intern(fact: ClassFact): number {
    const type = fact.type ? `${fact.type.dtype}${shapeText(fact.type.shape)}` : '?'
    const key = `${type}|${fact.constant ?? ''}|${fact.contents?.map(dimKey).join(',') ?? ''}`
    const known = this.ids.get(key)
    if (known !== undefined) return known
    this.facts.push(fact)
    this.ids.set(key, this.facts.length - 1)
    return this.facts.length - 1
  }

  /** What is known of a class that is both. Two equal classes of different dtype, rank or size are a bug in a rule. */
  merge(a: number, b: number): number {
    if (a === b) return a
    const x = this.facts[a]!
    const y = this.facts[b]!
    return this.intern({
      type: mergeTypes(x.type, y.type),
      constant: x.constant ?? y.constant,
      contents: x.contents ?? y.contents,
    })
  }
}

function mergeTypes(a: TensorType | null, b: TensorType | null): TensorType | null {
  if (!a || !b) return a ?? b
  const clash = (x: Dim, y: Dim) => typeof x === 'number' && typeof y === 'number' && x !== y
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length || a.shape.some((d, i) => clash(d, b.shape[i]!))) {
    const text = (t: TensorType) => `${t.dtype}${shapeText(t.shape)}`
    throw new InvariantError(`a rule merged a ${text(a)} with a ${text(b)}`)
  }
  const simpler = (x: Dim, y: Dim): Dim => (dimEquals(x, y) || rank(x) <= rank(y) ? x : y)
  return { dtype: a.dtype, shape: a.shape.map((d, i) => simpler(d, b.shape[i]!)) }
}

/** Numbers before short expressions before long ones; ties by text, so that merging does not depend on the order. */
const rank = (d: Dim): string =>
  `${typeof d === 'number' ? 0 : 1}${dimKey(d).length.toString().padStart(6, '0')}${dimKey(d)}`
