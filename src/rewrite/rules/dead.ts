// Channels that do not matter: the weights that read them are zero, or they hold one number at every position, since the
// weights or the factor that make them are zero (pruning leaves such). What reads them does without, and the selection of
// the others moves down to what makes them (movement.ts).
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt } from '../../ir/attribute.ts'
import { elementCount } from '../../ir/shape.ts'
import { ndarray } from '../../ir/tensor.ts'
import { convolve } from '../canonical-conv.ts'
import type { Rows } from '../constant-rows.ts'
import type { ConstantId } from '../constants.ts'
import { positions } from '../index-vector.ts'
import { axesOf, recordOf } from '../properties.ts'
import { type Rule, refuse } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { kernelOf } from './conv.ts'
import { operandPairs, varyingAxes } from './scale.ts'

const SOURCE = '0 x = 0 for finite x (docs/rules.md, dead channels)'

/** How many operators down one looks for what makes a channel. */
const DEPTH = 6

/** Channels that are one number at every position. */
type Fixed = ReadonlyMap<number, number>
const NONE: Fixed = new Map()

const known = new WeakMap<TensorEGraph, Map<string, readonly number[]>>()

/** Positions along `axis` of a constant at which all others are zero. */
function zerosAlong(t: TensorEGraph, c: ConstantId, axis: number): readonly number[] {
  const id = t.constants.sameZeros(c)
  const memo = known.get(t) ?? new Map<string, readonly number[]>()
  known.set(t, memo)
  const key = `${id}:${axis}`
  const zeros = memo.get(key) ?? findZeros(t.constants.rows(id), t.constants.shape(id), axis)
  memo.set(key, zeros)
  return zeros
}

/** Rows are looked at only while one of their positions may still be all zeros: most weights are done after a few. */
function findZeros({ rows, columns, fill }: Rows, shape: readonly number[], axis: number): readonly number[] {
  const size = shape[axis]!
  const inner = elementCount(shape.slice(axis + 1))
  const dead = new Set(Array.from({ length: size }, (_, j) => j))
  const row = new Float64Array(columns)
  for (let r = 0; r < rows && dead.size > 0; r++) {
    const start = r * columns
    const first = Math.floor(start / inner)
    const isOne = Math.floor((start + columns - 1) / inner) === first
    if (isOne && !dead.has(first % size)) continue
    fill(r, row)
    if (isOne) row.some((x) => x !== 0) && dead.delete(first % size)
    else
      for (let i = 0; i < columns && dead.size > 0; i++)
        row[i] !== 0 && dead.delete(Math.floor((start + i) / inner) % size)
  }
  return [...dead]
}

const zeros = (t: TensorEGraph, c: ClassId, axis: number): readonly number[] =>
  t.isConstant(c) && t.constantElements(c) > 0 ? zerosAlong(t, t.constantOf(c)!, axis) : []

const allZero = (channels: readonly number[]): Fixed => new Map(channels.map((j) => [j, 0]))

/** Of channels that are summed up with weights, only those of zeros stay one number. */
const onlyZeros = (fixed: Fixed): Fixed => new Map([...fixed].filter(([, v]) => v === 0))

/** How deep one still looks, and what was found of class, axis and depth: there are far more ways down than places. */
interface Look {
  readonly depth: number
  readonly found: Map<string, Fixed>
}

/** The channels of c along `axis` that are one number, as far as one of its e-nodes tells. */
function fixedChannels(
  t: TensorEGraph,
  c: ClassId,
  axis: number,
  look: Look = { depth: DEPTH, found: new Map() },
): Fixed {
  if (look.depth === 0 || t.type(c) === null || t.isConstant(c)) return NONE
  const key = `${t.egraph.find(c)}:${axis}:${look.depth}`
  const before = look.found.get(key)
  if (before !== undefined) return before
  const below = { ...look, depth: look.depth - 1 }
  const found = t.egraph.nodesOf(c).flatMap((n) => (t.isTyped(n) ? [...fixedAt(t, n, axis, below)] : []))
  const fixed = found.length === 0 ? NONE : new Map(found)
  look.found.set(key, fixed)
  return fixed
}

function fixedAt(t: TensorEGraph, n: NodeId, axis: number, look: Look): Fixed {
  const op = t.op(n)
  switch (op.kind) {
    case 'lin':
      return op.axis === axis
        ? allZero(zeros(t, t.child(n, 1), 1))
        : onlyZeros(fixedChannels(t, t.child(n, 0), axis, look))
    case 'transpose':
    case 'reshape':
    case 'expand':
      return fixedThrough(t, n, axis, look)
    case 'concat':
      return op.axis === axis ? fixedOfConcat(t, n, axis, look) : NONE
    case 'onnx':
      return op.output === 0 && op.domain === '' ? fixedOfOnnx(t, n, op.op, axis, look) : NONE
    default:
      return NONE
  }
}

function fixedThrough(t: TensorEGraph, n: NodeId, axis: number, look: Look): Fixed {
  const from = axesOf(t, n)?.[axis]?.[0]
  return typeof from === 'number' ? fixedChannels(t, t.child(n, 0), from, look) : NONE
}

function fixedOfConcat(t: TensorEGraph, n: NodeId, axis: number, look: Look): Fixed {
  const out = new Map<number, number>()
  let start = 0
  for (const part of t.children(n)) {
    const size = t.shape(part)[axis]
    if (typeof size !== 'number') return NONE
    for (const [j, v] of fixedChannels(t, part, axis, look)) out.set(start + j, v)
    start += size
  }
  return out
}

function fixedOfOnnx(t: TensorEGraph, n: NodeId, op: string, axis: number, look: Look): Fixed {
  if (op === 'Conv') {
    const kernel = axis === 1 ? kernelOf(t, n, 'any') : null
    return kernel === null ? NONE : allZero(zeros(t, kernel.w, 0))
  }
  if (op === 'MaxPool' || op === 'GlobalAveragePool')
    return axis === 1 ? fixedChannels(t, t.child(n, 0), axis, look) : NONE
  if (op === 'Add' || op === 'Mul') return fixedOfPair(t, n, op, axis, look)
  return recordOf(t.op(n))?.elementwise ? fixedOfFunction(t, n, axis, look) : NONE
}

/** A sum or product with a constant per channel; a factor of 0 fixes what it meets. */
function fixedOfPair(t: TensorEGraph, n: NodeId, op: 'Add' | 'Mul', axis: number, look: Look): Fixed {
  for (const [x, k] of operandPairs(t, n)) {
    const size = t.shape(x)[axis]
    if (!t.isConstant(k) || !varyingAxes(t, k).every((a) => a === axis) || typeof size !== 'number') continue
    const { data } = t.constants.array(t.constantOf(k)!)
    const at = (j: number) => data[data.length === 1 ? 0 : j]!
    const inner = [...fixedChannels(t, x, axis, look)]
    const fixed = inner.map(([j, v]) => [j, op === 'Add' ? v + at(j) : v * at(j)] as const)
    const killed = op === 'Mul' && data.length === size ? zeros(t, k, axis).map((j) => [j, 0] as const) : []
    return new Map([...fixed, ...killed])
  }
  return NONE
}

/** A function of one value, its other operands single numbers. */
function fixedOfFunction(t: TensorEGraph, n: NodeId, axis: number, look: Look): Fixed {
  const [x, ...rest] = t.children(n) as [ClassId, ...ClassId[]]
  if (t.isConstant(x) || !rest.every((c) => t.isConstant(c) && t.constantElements(c) === 1)) return NONE
  const inner = [...fixedChannels(t, x, axis, look)]
  if (inner.length === 0) return NONE
  const sizes = t.shape(x).map((_, a) => (a === axis ? inner.length : 1))
  const values = ndarray(
    t.type(x)!.dtype,
    sizes,
    Float64Array.from(inner, ([, v]) => v),
  )
  const image = t.constantOf(t.make(t.op(n), [t.literal(values), ...rest]))
  if (image === null) return NONE
  const { data } = t.constants.array(image)
  return new Map(inner.map(([j], i) => [j, data[i]!]))
}

/** x W = x' W' + c without the channels of x that are fixed, or that W does not read */
function* deadInLin(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  if (op.kind !== 'lin') return
  const [x, w] = t.children(n) as [ClassId, ClassId]
  const fixed = new Map([...fixedChannels(t, x, op.axis), ...allZero(zeros(t, w, 0))])
  const live = liveOf(t.shape(w)[0] as number, fixed)
  if (live === null) return
  const used = t.lin(t.select(x, op.axis, positions(live)), t.select(w, 0, positions(live)), op.axis)
  const carrying = [...fixed].filter(([, v]) => v !== 0)
  if (!carrying.every(([, v]) => Number.isFinite(v))) yield refuse('a channel is fixed to a value that is not finite')
  else if (carrying.length === 0) yield used
  else yield t.add(used, imageOf(t, n, w, carrying))
}

/** What fixed channels add to every position. */
function imageOf(t: TensorEGraph, n: NodeId, w: ClassId, fixed: readonly (readonly [number, number])[]): ClassId {
  const op = t.op(n) as { readonly axis: number }
  const values = ndarray(
    t.type(w)!.dtype,
    [1, fixed.length],
    Float64Array.from(fixed, ([, v]) => v),
  )
  const rows = t.select(w, 0, positions(fixed.map(([j]) => j)))
  const image = t.lin(t.literal(values), rows, 1)
  const shape = t.shape(t.child(n, 0)).map((_, a) => (a === op.axis ? t.shape(w)[1]! : 1))
  return t.reshape(image, shape)!
}

/** conv(x, W) = conv(x', W') without the channels of x that are zero, or that W does not read */
function* deadInConv(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  const [x, w, bias] = t.children(n) as [ClassId, ClassId, ClassId?]
  if (op.kind !== 'onnx' || bias !== undefined || !t.isConstant(w) || getInt(op.attributes, 'group', 1) !== 1) return
  const fixed = fixedChannels(t, x, 1)
  const dead = new Map([...[...fixed].filter(([, v]) => v === 0), ...allZero(zeros(t, w, 1))])
  if (dead.size < fixed.size) yield refuse('padding would set a fixed channel to 0')
  const live = liveOf(t.shape(w)[1] as number, dead)
  if (live !== null) yield convolve(t, t.select(x, 1, positions(live)), t.select(w, 1, positions(live)), op.attributes)
}

/** The other channels, in order; null where all or none are left. */
function liveOf(count: number, dead: Fixed): number[] | null {
  if (dead.size === 0) return null
  const live = Array.from({ length: count }, (_, j) => j).filter((j) => !dead.has(j))
  return live.length === 0 || live.length === count ? null : live
}

export const deadRules: readonly Rule[] = [
  {
    name: 'dead-channels',
    law: 'x W = x[live] W[live] + c; conv(x, W) = conv(x[live], W[live])',
    condition: 'the other channels are one number at every position (for conv: 0), or W is 0 there; x is finite',
    source: SOURCE,
    exactness: 'finite',
    families: ['lin', 'Conv'],
    depth: DEPTH + 2,
    *apply(t, n) {
      yield* t.op(n).kind === 'lin' ? deadInLin(t, n) : deadInConv(t, n)
    },
  },
]
