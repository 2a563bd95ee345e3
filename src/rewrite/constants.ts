// Constants live in a table outside the e-graph; an e-node holds an id, so no rule ever looks inside a constant's class.
// Expressions over constants are evaluated when they are added, in float64, and rounded once at the end. Two results are
// one constant if their signatures agree (dtype, shape, norm and two random projections to 1e-13 of the norm): that is
// what makes differently associated weight products coincide. Each derived constant keeps its recipe.
import { createHash } from 'node:crypto'
import type { Brand } from '../base/brand.ts'
import { createRandom } from '../base/random.ts'
import { isFloat } from '../ir/dtype.ts'
import { elementCount } from '../ir/shape.ts'
import { fromNdArray, type NdArray, type Tensor, type TensorType, toNdArray, typedView } from '../ir/tensor.ts'

export type ConstantId = Brand<number, 'ConstantId'>

/** How a constant came to be: a tensor of the model, or an operator applied to constants. */
export type Recipe =
  | { readonly kind: 'given'; readonly name: string }
  | { readonly kind: 'derived'; readonly op: string; readonly args: readonly ConstantId[] }

interface Entry {
  readonly dtype: Tensor['dtype']
  readonly shape: readonly number[]
  readonly recipe: Recipe
  tensor: Tensor | null
  array: NdArray | null
}

const SIGNATURE_TOLERANCE = 1e-13

export class ConstantTable {
  private readonly entries: Entry[] = []
  private readonly byRecipe = new Map<string, ConstantId | null>()
  private readonly byBytes = new Map<string, ConstantId>()
  private readonly bySignature = new Map<string, { readonly id: ConstantId; readonly signature: Signature }[]>()
  private elementsLeft: number

  /** `elementLimit`: how many elements derived constants may have in all; beyond it `derive` refuses. */
  constructor(elementLimit = 100_000_000) {
    this.elementsLeft = elementLimit
  }

  get size(): number {
    return this.entries.length
  }

  /** A constant of the model; equal tensors are one constant. */
  given(t: Tensor, name: string): ConstantId {
    const key = bytesKey(t)
    const known = this.byBytes.get(key)
    if (known !== undefined) return known
    const id = this.push({ dtype: t.dtype, shape: t.shape, recipe: { kind: 'given', name }, tensor: t, array: null })
    this.byBytes.set(key, id)
    if (isFloat(t.dtype) && t.dtype !== 'bfloat16') this.remember(id, signatureOf(floatsOf(t)))
    return id
  }

  /** The constant that `compute` gives. Asked once per recipe key; null if it fails or would exceed the limit. */
  derive(op: string, args: readonly ConstantId[], elements: number, compute: () => NdArray | null): ConstantId | null {
    const key = `${op}(${args.join(',')})`
    const known = this.byRecipe.get(key)
    if (known !== undefined) return known
    const array = elements > this.elementsLeft ? null : compute()
    const id = array && this.settle(array, { kind: 'derived', op, args })
    this.byRecipe.set(key, id)
    return id
  }

  /** A constant made by a rule itself (an identity kernel, a scalar). */
  literal(array: NdArray): ConstantId {
    return this.settle(array, { kind: 'derived', op: 'literal', args: [] })
  }

  type(id: ConstantId): TensorType {
    const { dtype, shape } = this.entries[id]!
    return { dtype, shape }
  }

  shape(id: ConstantId): readonly number[] {
    return this.entries[id]!.shape
  }

  recipe(id: ConstantId): Recipe {
    return this.entries[id]!.recipe
  }

  /** Values in float64. */
  array(id: ConstantId): NdArray {
    const e = this.entries[id]!
    e.array ??= toNdArray(e.tensor!)
    return e.array
  }

  /** Values as the model will hold them: as given, or rounded once. */
  tensor(id: ConstantId): Tensor {
    const e = this.entries[id]!
    e.tensor ??= fromNdArray(e.array!)
    return e.tensor
  }

  private push(entry: Entry): ConstantId {
    this.entries.push(entry)
    return (this.entries.length - 1) as ConstantId
  }

  private settle(array: NdArray, recipe: Recipe): ConstantId {
    const entry: Entry = { dtype: array.dtype, shape: array.shape, recipe, tensor: null, array }
    if (!isFloat(array.dtype)) return this.settleExact(entry)
    const signature = signatureOf(array.data)
    const twin = this.findTwin(entry, signature)
    if (twin !== null) return twin
    this.elementsLeft -= elementCount(array.shape)
    const id = this.push(entry)
    this.remember(id, signature)
    return id
  }

  private settleExact(entry: Entry): ConstantId {
    const t = fromNdArray(entry.array!)
    const key = bytesKey(t)
    const known = this.byBytes.get(key)
    if (known !== undefined) return known
    const id = this.push({ ...entry, tensor: t })
    this.byBytes.set(key, id)
    return id
  }

  private remember(id: ConstantId, signature: Signature): void {
    const key = bucketKey(this.entries[id]!, signature.norm)
    const bucket = this.bySignature.get(key)
    if (bucket) bucket.push({ id, signature })
    else this.bySignature.set(key, [{ id, signature }])
  }

  private findTwin(entry: Entry, s: Signature): ConstantId | null {
    const slack = s.norm * SIGNATURE_TOLERANCE
    const keys = new Set([s.norm - slack, s.norm, s.norm + slack].map((n) => bucketKey(entry, n)))
    for (const key of keys)
      for (const other of this.bySignature.get(key) ?? []) if (sameSignature(s, other.signature, slack)) return other.id
    return null
  }
}

interface Signature {
  readonly norm: number
  readonly first: number
  readonly second: number
  /** Tells where they are: 1 / -0 is not 1 / 0. */
  readonly negativeZeros: number
}

const sameSignature = (a: Signature, b: Signature, slack: number): boolean =>
  a.negativeZeros === b.negativeZeros &&
  Math.abs(a.norm - b.norm) <= slack &&
  Math.abs(a.first - b.first) <= slack &&
  Math.abs(a.second - b.second) <= slack

const bucketKey = (e: Entry, norm: number): string => `${e.dtype}[${e.shape}]${norm.toPrecision(9)}`

/** Fixed pseudo-random vectors of coprime lengths; their product does not repeat within 8 million elements. */
const [longNoise, shortNoise] = (() => {
  const random = createRandom(20261124)
  return [4093, 2039].map((n) => Float64Array.from({ length: n }, () => random.next() + 0.5))
})() as [Float64Array, Float64Array]

/** Values of a float tensor, without a copy where the processor knows the dtype. */
const floatsOf = (t: Tensor): Float64Array | Float32Array =>
  t.dtype === 'float32' || t.dtype === 'float64' ? (typedView(t) as Float32Array) : toNdArray(t).data

function signatureOf(data: Float64Array | Float32Array): Signature {
  let square = 0
  let first = 0
  let second = 0
  let long = 0
  let short = 0
  let negativeZeros = 0
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!
    const r = longNoise[long]! * shortNoise[short]!
    square += x * x
    first += x * r
    second += x * (r * r - 1)
    if (++long === longNoise.length) long = 0
    if (++short === shortNoise.length) short = 0
    if (x === 0 && Object.is(x, -0)) negativeZeros += r
  }
  return { norm: Math.sqrt(square), first, second, negativeZeros }
}

function bytesKey(t: Tensor): string {
  const hash = createHash('sha256').update(t.bytes)
  for (const s of t.strings ?? []) hash.update(`${s.length}:`).update(s)
  return `${t.dtype}[${t.shape}]${hash.digest('base64')}`
}
