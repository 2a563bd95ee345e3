// The canonical operators, written as ONNX nodes that hold at every input shape.
import { InvariantError } from '../base/errors.ts'
import { type Attributes, getFloat, getInt, int, ints } from '../ir/attribute.ts'
import type { GraphBuilder } from '../ir/builder.ts'
import { addDims, type Dim, dimEquals, subDims } from '../ir/dim.ts'
import type { ValueId } from '../ir/graph.ts'
import { isConcrete, type Shape } from '../ir/shape.ts'
import { tensor } from '../ir/tensor.ts'
import type { AxisGroups } from './axis-groups.ts'
import { type IndexVector, indexList } from './index-vector.ts'
import { type Scatter, scatterAttributes, type TensorOp } from './tensor-op.ts'

type Structural = Extract<
  TensorOp,
  { kind: 'lin' | 'reshape' | 'transpose' | 'select' | 'concat' | 'expand' | 'scatter' }
>

/** "To the end" in a Slice. Numbers beyond 2^53 are not exact in float64; ONNX clamps this one all the same. */
const TO_THE_END = 2 ** 31 - 1

export function decodeStructure(b: GraphBuilder, op: Structural, inputs: readonly ValueId[], out: Shape): ValueId {
  const x = inputs[0]!
  switch (op.kind) {
    case 'lin':
      return decodeLin(b, x, inputs[1]!, op.axis, out.length)
    case 'reshape':
      return decodeReshape(b, x, op.groups, out)
    case 'transpose':
      return b.node('Transpose', [x], { perm: ints(op.perm) })
    case 'select':
      return decodeSelect(b, x, op.axis, op.index)
    case 'concat':
      return b.node('Concat', inputs, { axis: int(op.axis) })
    case 'expand':
      return b.node('Expand', [x, expandTarget(b, op.sizes)])
    case 'scatter':
      return decodeScatter(b, op, x, inputs[1]!, out)
    default:
      return op satisfies never
  }
}

/** Into zeros. Lowering shares those, and the repeated positions. */
function decodeScatter(b: GraphBuilder, op: Scatter, x: ValueId, at: ValueId, out: Shape): ValueId {
  const zero = b.constant(tensor(b.typeOf(x)!.dtype, [], [0]), 'zero')
  const zeros = b.node('Expand', [zero, expandTarget(b, out)])
  const positions =
    op.spelling === 'ScatterND'
      ? b.node('Reshape', [at, b.int64s([-1, 1])])
      : b.node('Expand', [at, b.node('Shape', [x])])
  return b.node(op.spelling, [zeros, positions, x], scatterAttributes(op))
}

/** The sizes of repeated axes: numbers, or those of inputs. */
function expandTarget(b: GraphBuilder, sizes: readonly (Dim | null)[]): ValueId {
  const numbers = sizes.map((s) => s ?? 1)
  if (isConcrete(numbers)) return b.int64s(numbers)
  const entries = numbers.map((s) => (typeof s === 'number' ? b.int64s([s]) : inputSize(b, s)))
  return entries.length === 1 ? entries[0]! : b.node('Concat', entries, { axis: int(0) })
}

function inputSize(b: GraphBuilder, size: Dim): ValueId {
  const found = b.inputAxis(size)
  if (found === null) throw new InvariantError('a repetition names a size that no input has')
  return gatherSizes(b, found.value, [found.axis])
}

/** Any axis: as a product on the last axis, transposed there and back. Lowering adds the better spellings. */
function decodeLin(b: GraphBuilder, x: ValueId, w: ValueId, axis: number, rank: number): ValueId {
  const last = rank - 1
  if (axis === last) return b.node('MatMul', [x, w])
  const swap = ints(Array.from({ length: rank }, (_, i) => (i === axis ? last : i === last ? axis : i)))
  return b.node('Transpose', [b.node('MatMul', [b.node('Transpose', [x], { perm: swap }), w])], { perm: swap })
}

function decodeReshape(b: GraphBuilder, x: ValueId, groups: AxisGroups, out: Shape): ValueId {
  const shape = b.typeOf(x)!.shape
  const axes = (which: (inputs: number, outputs: number) => boolean, side: 'in' | 'out') =>
    listAxes(groups, which, side)
  const plain = groups.every((g) => (g.inputs === 1 && g.sizes.length <= 1) || (g.inputs === 0 && g.sizes.length === 1))
  const dropped = axes((i, o) => i === 1 && o === 0, 'in')
  const inserted = axes((i, o) => i === 0 && o === 1, 'out')
  if (plain && dropped.length === 0) return axisNode(b, 'Unsqueeze', x, inserted)
  if (plain && inserted.length === 0) return axisNode(b, 'Squeeze', x, dropped)
  // Nothing follows from a count of 0 elements, and a plain 0 would copy the input's size.
  if (shape.includes(0) && isConcrete(out) && (b.opsets.get('') ?? 1) >= 14)
    return b.node('Reshape', [x, b.int64s(out)], { allowzero: int(1) })
  return b.node('Reshape', [x, reshapeTarget(b, x, groups, shape)])
}

function listAxes(
  groups: AxisGroups,
  which: (inputs: number, outputs: number) => boolean,
  side: 'in' | 'out',
): number[] {
  const found: number[] = []
  let at = 0
  for (const g of groups) {
    if (which(g.inputs, g.sizes.length)) found.push(at)
    at += side === 'in' ? g.inputs : g.sizes.length
  }
  return found
}

/** Squeeze and Unsqueeze take their axes as an attribute before opset 13, as an input since. */
function axisNode(b: GraphBuilder, op: 'Squeeze' | 'Unsqueeze', x: ValueId, axes: readonly number[]): ValueId {
  return (b.opsets.get('') ?? 1) >= 13 ? b.node(op, [x, b.int64s(axes)]) : b.node(op, [x], { axes: ints(axes) })
}

/** x / sqrt(mean x^2 + eps) * gain over the last axis of float32, in the pieces that ONNX Runtime fuses: ONNX has the operator
 * since opset 23 only. Null for any other. */
export function decodeRmsNorm(b: GraphBuilder, attributes: Attributes, [x, gain]: readonly ValueId[]): ValueId | null {
  const type = b.typeOf(x!)
  const axis = getInt(attributes, 'axis', -1)
  if (type?.dtype !== 'float32' || (axis !== -1 && axis !== type.shape.length - 1)) return null
  const number = (value: number) => b.constant(tensor('float32', [], [value]), 'number')
  const square = b.node('Pow', [x!, number(2)])
  const mean =
    (b.opsets.get('') ?? 1) >= 18
      ? b.node('ReduceMean', [square, b.int64s([axis])], { keepdims: int(1) })
      : b.node('ReduceMean', [square], { axes: ints([axis]), keepdims: int(1) })
  const root = b.node('Sqrt', [b.node('Add', [mean, number(getFloat(attributes, 'epsilon', 1e-5))])])
  return b.node('Mul', [b.node('Div', [x!, root]), gain!])
}

/** The target of a Reshape: numbers, 0 for an axis that keeps its place, one -1, and the rest computed from Shape. */
function reshapeTarget(b: GraphBuilder, x: ValueId, groups: AxisGroups, shape: Shape): ValueId {
  const entries: ({ readonly number: number } | { readonly computed: ValueId })[] = []
  let open = true
  let from = 0
  let to = 0
  for (const g of groups) {
    const axes = Array.from({ length: g.inputs }, (_, i) => from + i)
    const fixed = g.sizes.reduce<number>((p, s) => (typeof s === 'number' ? p * s : p), 1)
    for (const size of g.sizes) {
      const number = entryNumber(size, axes, fixed, shape, to, g.sizes.length)
      if (number !== null) entries.push({ number })
      else if (size === null && open) {
        entries.push({ number: -1 })
        open = false
      } else entries.push({ computed: size === null ? quotient(b, x, axes, fixed) : namedSize(b, x, size, shape) })
      to++
    }
    from += g.inputs
  }
  if (entries.every((e) => 'number' in e)) return b.int64s(entries.map((e) => (e as { number: number }).number))
  return b.node(
    'Concat',
    entries.map((e) => ('number' in e ? b.int64s([e.number]) : e.computed)),
    { axis: int(0) },
  )
}

function entryNumber(
  size: Dim | null,
  axes: readonly number[],
  fixed: number,
  shape: Shape,
  to: number,
  outputs: number,
): number | null {
  if (typeof size === 'number') return size
  if (size !== null) return null
  const dims = axes.map((a) => shape[a]!)
  if (dims.every((d) => typeof d === 'number')) return (dims as number[]).reduce((p, d) => p * d, 1) / fixed
  return axes.length === 1 && outputs === 1 && axes[0] === to ? 0 : null
}

function gatherSizes(b: GraphBuilder, x: ValueId, axes: readonly number[]): ValueId {
  return b.node('Gather', [b.node('Shape', [x]), b.int64s(axes)], { axis: int(0) })
}

/** Product of the sizes of `axes` over `fixed`, as a vector of one. */
function quotient(b: GraphBuilder, x: ValueId, axes: readonly number[], fixed: number): ValueId {
  let product = gatherSizes(b, x, axes)
  if (axes.length > 1) {
    const asInput = (b.opsets.get('') ?? 1) >= 18
    product = asInput
      ? b.node('ReduceProd', [product, b.int64s([0])], { keepdims: int(1) })
      : b.node('ReduceProd', [product], { axes: ints([0]), keepdims: int(1) })
  }
  return fixed === 1 ? product : b.node('Div', [product, b.int64s([fixed])])
}

function namedSize(b: GraphBuilder, x: ValueId, size: Dim, shape: Shape): ValueId {
  const axis = shape.findIndex((d) => dimEquals(d, size))
  if (axis < 0) throw new InvariantError('a reshape names a size that its input does not have')
  return gatherSizes(b, x, [axis])
}

function decodeSelect(b: GraphBuilder, x: ValueId, axis: number, index: IndexVector): ValueId {
  const size = b.typeOf(x)!.shape[axis]!
  const bounds = sliceBounds(index, size)
  if (bounds === null) {
    const list = indexList(index)
    if (!list) throw new InvariantError('a select that cannot be written')
    return b.node('Gather', [x, b.int64s(list)], { axis: int(axis) })
  }
  const [start, end, step] = bounds
  const vector = (n: number) => b.constant(tensor('int64', [1], [n]), 'position')
  return b.node('Slice', [x, vector(start), vector(end), vector(axis), ...(step === 1 ? [] : [vector(step)])])
}

/** Start, end, step of a Slice, counted from the end where the size is symbolic; null if it is no ascending range or unknown. */
export function sliceBounds(index: IndexVector, size: Dim): readonly [number, number, number] | null {
  if (index.kind !== 'range' || index.step < 1) return null
  const last = index.step === 1 ? addDims(index.start, index.count) : null
  const start = fromEitherEnd(index.start, size)
  if (start === null) return null
  if (last !== null) {
    if (dimEquals(last, size)) return [start, TO_THE_END, 1]
    const end = fromEitherEnd(last, size)
    return end === null ? null : [start, end, 1]
  }
  const { start: first, count, step } = index
  return typeof first === 'number' && typeof count === 'number' ? [first, first + (count - 1) * step + 1, step] : null
}

function fromEitherEnd(at: Dim, size: Dim): number | null {
  if (typeof at === 'number') return at
  const rest = subDims(at, size)
  return typeof rest === 'number' && rest < 0 ? rest : null
}

/** True if `decodeSelect` can write it. */
export function isWritable(index: IndexVector, size: Dim): boolean {
  return sliceBounds(index, size) !== null || indexList(index) !== null
}
