// Constants live in a table outside the e-graph; an e-node holds an id, so no rule ever looks inside a constant's class.
// Expressions over constants are evaluated when they are added, in float64, and rounded once at the end. Two results are
// one constant if their values are (twin-index.ts). Each derived constant keeps its recipe; large ones that are scaled, shifted,
// transposed or regrouped copies of others keep nothing else, are told apart by it, and are computed when they are read.
import { createHash } from 'node:crypto'
import type { Brand } from '../base/brand.ts'
import { isFloat } from '../ir/dtype.ts'
import { elementCount } from '../ir/shape.ts'
import { fromNdArray, type NdArray, type Tensor, type TensorType, toNdArray } from '../ir/tensor.ts'
import { type ChangeOp, combineChanges, isTellable, plainOperand } from './changes.ts'
import {
  changedRows,
  collectRows,
  type Gather,
  gatherOf,
  type Rows,
  rowsOfArray,
  rowsOfTensor,
} from './constant-rows.ts'
import { broadcastView, compacted, rowsOfView, type StridedView, viewKey, wholeView } from './strided-view.ts'
import { flushedRows, subnormalRuns, subnormalShare } from './subnormals.ts'
import { TwinIndex } from './twin-index.ts'

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
  /** Made of one of which small numbers were made zero: as numbers the two are nearly equal, and yet no twins. */
  readonly isFlushed?: boolean
  /** Where the values come from if neither is there. */
  readonly rows?: Rows
  /** Of a scaled or shifted copy that is known by this alone. */
  readonly change?: Change
  /** Of what is another's elements in another order. */
  readonly view?: { readonly base: ConstantId; readonly view: StridedView }
}

interface Change {
  readonly op: ChangeOp
  readonly base: ConstantId
  readonly small: ConstantId
}

export class ConstantTable {
  private readonly entries: Entry[] = []
  private readonly byRecipe = new Map<string, ConstantId | null>()
  private readonly byBytes = new Map<string, ConstantId[]>()
  private readonly twins = new TwinIndex<ConstantId>((id) => this.rows(id))
  private readonly uniforms = new Map<ConstantId, number | null>()
  private readonly subnormals = new Map<ConstantId, number>()
  private readonly subnormalsAlong = new Map<string, number>()
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
    const known = this.withBytes(t)
    if (known !== null) return known
    const id = this.push({ dtype: t.dtype, shape: t.shape, recipe: { kind: 'given', name }, tensor: t, array: null })
    this.rememberBytes(id, t)
    if (isFloat(t.dtype) && t.dtype !== 'bfloat16') this.twins.postpone(id, formOf(t), 'values')
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

  /** x * small or x + small, the small one broadcasting to the shape of x: computed when read. One change of x, or several of one
   * form, are known by what they do to x; a mixture by its signature. */
  changed(op: ChangeOp, x: ConstantId, small: ConstantId): ConstantId {
    const key = `${op}(${x},${small})`
    const known = this.byRecipe.get(key)
    if (known != null) return known
    const id = this.changedBy(op, x, small)
    this.byRecipe.set(key, id)
    return id
  }

  private changedBy(op: ChangeOp, x: ConstantId, small: ConstantId): ConstantId {
    const { change } = this.entries[x]!
    const next = plainOperand(this.array(small))
    if (!isTellable(op, next)) return this.changedByValue(op, x, small)
    if (change?.op !== op) return this.changedByRecipe(op, x, this.literal(next))
    const both = combineChanges(op, this.array(change.small), next)
    if (both === null) return this.changedByValue(op, x, small)
    return both === 'none' ? change.base : this.changedByRecipe(op, change.base, this.literal(both))
  }

  private changedByValue(op: ChangeOp, x: ConstantId, small: ConstantId): ConstantId {
    const entry = this.changedEntry(op, x, small)
    return this.settleFloat(entry, entry.rows)
  }

  private changedByRecipe(op: ChangeOp, base: ConstantId, small: ConstantId): ConstantId {
    const key = `${op} of (${base},${small})`
    const id =
      this.byRecipe.get(key) ?? this.push({ ...this.changedEntry(op, base, small), change: { op, base, small } })
    this.byRecipe.set(key, id)
    return id
  }

  private changedEntry(op: ChangeOp, x: ConstantId, small: ConstantId) {
    const { dtype, shape } = this.entries[x]!
    const rows = changedRows(op, this.rows(x), this.array(small), shape)
    const recipe: Recipe = { kind: 'derived', op, args: [x, small] }
    return { dtype, shape, recipe, tensor: null, array: null, rows, isFlushed: this.isOfFlushed(recipe) }
  }

  /** x with its elements in another order, which `see` says of any view: nothing is computed. Null where no view says it. */
  viewed(op: string, x: ConstantId, see: (v: StridedView) => StridedView | null): ConstantId | null {
    const key = `${op}(${x})`
    const known = this.byRecipe.get(key)
    if (known != null) return known
    const id = this.viewedBy(op, x, see)
    if (id !== null) this.byRecipe.set(key, id)
    return id
  }

  private viewedBy(op: string, x: ConstantId, see: (v: StridedView) => StridedView | null): ConstantId | null {
    const e = this.entries[x]!
    if (e.change) return this.viewedChange(op, e.change, e.shape, see)
    if (e.rows && !e.view) return null
    const { base, view } = e.view ?? { base: x, view: wholeView(e.shape) }
    const next = see(view)
    if (next === null) return null
    if (viewKey(next) === viewKey(wholeView(this.shape(base)))) return base
    const key = `${viewKey(next)} of ${base}`
    const id = this.byRecipe.get(key) ?? this.settleView(op, x, base, next)
    this.byRecipe.set(key, id)
    return id
  }

  /** What is changed and seen otherwise is seen otherwise and changed. */
  private viewedChange(
    op: string,
    { op: change, base, small }: Change,
    shape: readonly number[],
    see: (v: StridedView) => StridedView | null,
  ): ConstantId | null {
    const next = see(broadcastView(this.shape(small), shape))
    const seen = next && this.viewed(op, base, see)
    if (next === null || seen === null) return null
    return this.changed(change, seen, this.literal(compacted(this.array(small), next)))
  }

  /** Views of different things are told apart by that, and compared by value only with what is no view. */
  private settleView(op: string, x: ConstantId, base: ConstantId, view: StridedView): ConstantId {
    const source = this.entries[base]!
    const rows = rowsOfView(view, lazyGather(source))
    const recipe: Recipe = { kind: 'derived', op, args: [x] }
    const entry = {
      dtype: source.dtype,
      shape: view.shape,
      recipe,
      tensor: null,
      array: null,
      rows,
      view: { base, view },
      isFlushed: this.isOfFlushed(recipe),
    }
    if (this.twins.hasValues(formOf(entry))) return this.settleFloat(entry, rows)
    const id = this.push(entry)
    this.twins.postpone(id, formOf(entry), 'view')
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
    if (e.rows && !e.view) return collected(e.rows, e)
    e.array ??= e.rows ? collected(e.rows, e) : toNdArray(e.tensor!)
    return e.array
  }

  /** Values as the model will hold them: as given, or rounded once. Those of changed constants are computed when they are read. */
  tensor(id: ConstantId): Tensor {
    const e = this.entries[id]!
    e.tensor ??= e.rows ? lazyTensor(e.rows, e) : fromNdArray(e.array!)
    return e.tensor
  }

  /** Values row by row in float64. */
  rows(id: ConstantId): Rows {
    const e = this.entries[id]!
    return e.rows ?? (e.array ? rowsOfArray(e.array) : rowsOfTensor(e.tensor!))
  }

  /** The number that all elements are; null where they differ, or there are none. Asked once. */
  uniform(id: ConstantId): number | null {
    const known = this.uniforms.get(id)
    if (known !== undefined) return known
    const number = uniformOf(this.rows(id))
    this.uniforms.set(id, number)
    return number
  }

  /** Share of its numbers that are below the normal range of its type; 0 but for float32. Asked once. */
  subnormalShare(id: ConstantId): number {
    const { dtype, view } = this.entries[id]!
    if (dtype !== 'float32') return 0
    if (view !== undefined) return this.subnormalShare(view.base)
    const share = this.subnormals.get(id) ?? subnormalShare(this.rows(id))
    this.subnormals.set(id, share)
    return share
  }

  /** Share of its runs of 16 numbers along an axis that have such. Asked once of each axis. */
  subnormalRuns(id: ConstantId, axis: number): number {
    if (this.subnormalShare(id) === 0) return 0
    const key = `${id}:${axis}`
    const share = this.subnormalsAlong.get(key) ?? subnormalRuns(this.array(id), axis)
    this.subnormalsAlong.set(key, share)
    return share
  }

  /** The same with zeros for those. */
  flushed(id: ConstantId): ConstantId {
    const key = `flush(${id})`
    const known = this.byRecipe.get(key)
    if (known != null) return known
    const recipe: Recipe = { kind: 'derived', op: 'flush', args: [id] }
    const { dtype, shape } = this.entries[id]!
    const rows = flushedRows(this.rows(id))
    const flushed = this.push({ dtype, shape, recipe, tensor: null, array: null, rows, isFlushed: true })
    this.byRecipe.set(key, flushed)
    return flushed
  }

  /** The plainest constant of which the same elements are zero: scaled copies lead back to what they are copies of. */
  sameZeros(id: ConstantId): ConstantId {
    const change = this.entries[id]!.change
    return change?.op === 'Mul' ? this.sameZeros(change.base) : id
  }

  private isOfFlushed(recipe: Recipe): boolean {
    return recipe.kind === 'derived' && recipe.args.some((id) => this.entries[id]!.isFlushed)
  }

  private push(entry: Entry): ConstantId {
    this.entries.push(entry)
    return (this.entries.length - 1) as ConstantId
  }

  private settle(array: NdArray, recipe: Recipe): ConstantId {
    const { dtype, shape } = array
    const entry: Entry = { dtype, shape, recipe, tensor: null, array, isFlushed: this.isOfFlushed(recipe) }
    if (!isFloat(array.dtype)) return this.settleExact(entry)
    const before = this.entries.length
    const id = this.settleFloat(entry, rowsOfArray(array))
    if (id >= before) this.elementsLeft -= elementCount(array.shape)
    return id
  }

  /** The entry's twin, or else the entry itself. */
  private settleFloat(entry: Entry, rows: Rows): ConstantId {
    return this.twins.settle(formOf(entry), rows, entry.view ? 'view' : 'values', () => this.push(entry))
  }

  private settleExact(entry: Entry): ConstantId {
    const t = fromNdArray(entry.array!)
    const known = this.withBytes(t)
    if (known !== null) return known
    const id = this.push({ ...entry, tensor: t })
    this.rememberBytes(id, t)
    return id
  }

  private withBytes(t: Tensor): ConstantId | null {
    const alike = this.byBytes.get(sampleKey(t)) ?? []
    return alike.find((id) => sameContents(this.entries[id]!.tensor!, t)) ?? null
  }

  private rememberBytes(id: ConstantId, t: Tensor): void {
    const key = sampleKey(t)
    this.byBytes.set(key, [...(this.byBytes.get(key) ?? []), id])
  }
}

/** Only constants of one form are compared. */
const formOf = (e: Pick<Entry, 'dtype' | 'shape' | 'isFlushed'>): string =>
  `${e.dtype}[${e.shape}]${e.isFlushed ? ' flushed' : ''}`

function uniformOf({ rows, columns, fill }: Rows): number | null {
  if (rows === 0 || columns === 0) return null
  const row = new Float64Array(columns)
  fill(0, row)
  const first = row[0]!
  for (let r = 0; r < rows; r++) {
    if (r > 0) fill(r, row)
    if (row.some((x) => x !== first)) return null
  }
  return first
}

/** Of the elements that the model or a rule gave. */
function lazyGather(e: Entry): Gather {
  let gather: Gather | null = null
  return (start, offsets, out) => {
    gather ??= gatherOf(e.array ?? e.tensor!)
    gather(start, offsets, out)
  }
}

function collected(rows: Rows, { dtype, shape }: Entry): NdArray {
  const data = new Float64Array(elementCount(shape))
  collectRows(rows, data)
  return { dtype, shape, data }
}

function lazyTensor(rows: Rows, entry: Entry): Tensor {
  const { dtype, shape } = entry
  let bytes: Uint8Array | null = null
  return {
    dtype,
    shape,
    get bytes() {
      bytes ??= roundedBytes(rows, entry)
      return bytes
    },
  }
}

function roundedBytes(rows: Rows, entry: Entry): Uint8Array {
  if (entry.dtype !== 'float32') return fromNdArray(collected(rows, entry)).bytes
  const data = new Float32Array(elementCount(entry.shape))
  collectRows(rows, data)
  return new Uint8Array(data.buffer)
}

/** Bytes at the start, in the middle and at the end that a key is made of: large tensors are read whole only beside alike ones. */
const SAMPLE_BYTES = 4096

function sampleKey(t: Tensor): string {
  if (t.bytes.length <= WHOLE_BYTES && !t.strings) return `${t.dtype}[${t.shape}]${wholeKey(t.bytes)}`
  const hash = createHash('sha256')
  const last = Math.max(0, t.bytes.length - SAMPLE_BYTES)
  for (const at of [0, last >> 1, last]) hash.update(t.bytes.subarray(at, at + SAMPLE_BYTES))
  for (const s of t.strings ?? []) hash.update(`${s.length}:`).update(s)
  return `${t.dtype}[${t.shape}]${hash.digest('base64')}`
}

/** Tensors this small are their own key. */
const WHOLE_BYTES = 128

const wholeKey = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('latin1')

/** For tensors of one sample, and so of one type: strings are in the sample as a whole. */
const sameContents = (a: Tensor, b: Tensor): boolean =>
  a.bytes.length === b.bytes.length && Buffer.compare(a.bytes, b.bytes) === 0
