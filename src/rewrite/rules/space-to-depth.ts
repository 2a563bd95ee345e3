// Pictures taken apart into their phases: every second row and column, side by side as channels, by slices (the Focus layer of YOLOv5 and
// YOLOX) or SpaceToDepth. A convolution of that is one of the picture itself, of larger stride.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, getInts, ints } from '../../ir/attribute.ts'
import { type Dim, dimEquals, mulDims } from '../../ir/dim.ts'
import { ndarray } from '../../ir/tensor.ts'
import { convolve } from '../canonical-conv.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { kernelOf } from './conv.ts'

/** Every `step`-th pixel of a picture, from a row and a column on. */
interface Phase {
  readonly x: ClassId
  readonly row: number
  readonly column: number
  readonly step: number
}

/** Elements of the new kernel. */
const LARGEST_KERNEL = 2 ** 20

/** conv([x from (i, j) on by s, ..], W) = conv(x, W') of stride s */
function* convOfPhases(t: TensorEGraph, n: NodeId): Results {
  const kernel = kernelOf(t, n)
  if (kernel === null || t.rank(kernel.x) !== 4 || t.type(kernel.x)!.dtype !== 'float32') return
  const phases = phasesOf(t, kernel.x)
  if (phases === null) return
  const { x, step } = phases[0]!
  const [strides, pads, dilations] = ['strides', 'pads', 'dilations'].map((name) =>
    getInts(kernel.attributes, name, []),
  )
  if (dilations!.some((d) => d !== 1) || pads!.length === 0) return yield refuse('it is dilated, or padded by its size')
  if (t.constantElements(kernel.w) * step ** 2 > LARGEST_KERNEL)
    return yield refuse('the new kernel would be too large')
  const w = spread(t, kernel.w, phases, step)
  yield convolve(t, x, w, {
    ...kernel.attributes,
    kernel_shape: ints(t.shape(w).slice(2) as number[]),
    strides: ints(strides!.map((s) => s * step)),
    pads: ints(pads!.map((p) => p * step)),
  })
}

/** The phases of one picture that lie side by side along the channels of c; null if it is none of that. */
function phasesOf(t: TensorEGraph, c: ClassId): readonly Phase[] | null {
  for (const n of t.nodes(c, 'concat')) {
    const op = t.op(n)
    if (op.kind !== 'concat' || op.axis !== 1) continue
    const phases = t.children(n).map((part) => phaseOf(t, part))
    const [first] = phases
    if (
      first &&
      phases.every((p) => p !== null && p.step === first.step && t.egraph.find(p.x) === t.egraph.find(first.x))
    )
      return phases as Phase[]
  }
  return t.nodes(c, 'SpaceToDepth').map((n) => phasesOfBlocks(t, n))[0] ?? null
}

function phasesOfBlocks(t: TensorEGraph, n: NodeId): readonly Phase[] | null {
  const op = t.op(n)
  if (op.kind !== 'onnx') return null
  const step = getInt(op.attributes, 'blocksize', 1)
  const places = Array.from({ length: step }, (_, i) => i)
  return places.flatMap((row) => places.map((column) => ({ x: t.child(n, 0), row, column, step })))
}

/** A part that is every so many rows of every so many columns, or the other way round. */
function phaseOf(t: TensorEGraph, part: ClassId): Phase | null {
  for (const outer of everySo(t, part))
    for (const inner of everySo(t, outer.x)) {
      if (outer.axis === inner.axis || outer.step !== inner.step) continue
      const [row, column] = outer.axis === 2 ? [outer.start, inner.start] : [inner.start, outer.start]
      return { x: inner.x, row, column, step: outer.step }
    }
  return null
}

/** What c is as every `step`-th position of an axis of a picture, all of which is taken. */
function everySo(t: TensorEGraph, c: ClassId) {
  return t.nodes(c, 'select').flatMap((n) => {
    const op = t.op(n)
    if (op.kind !== 'select' || op.axis < 2 || op.index.kind !== 'range') return []
    const { start, step, count } = op.index
    const x = t.child(n, 0)
    if (step < 2 || typeof start !== 'number' || start < 0 || start >= step) return []
    return isWhole(count, step, t.shape(x)[op.axis]!) ? [{ x, axis: op.axis, start, step }] : []
  })
}

const isWhole = (count: Dim, step: number, size: Dim): boolean => dimEquals(mulDims(count, step), size)

/** The kernel [M, phases x C, k, l] on the picture itself: [M, C, k x step, l x step]. */
function spread(t: TensorEGraph, w: ClassId, phases: readonly Phase[], step: number): ClassId {
  const [outputs, inputs, height, width] = t.shape(w) as [number, number, number, number]
  const { dtype, data } = t.constants.array(t.constantOf(w)!)
  const channels = inputs / phases.length
  const [rows, columns] = [height * step, width * step]
  const wide = new Float64Array(outputs * channels * rows * columns)
  data.forEach((value, i) => {
    const [column, row] = [i % width, Math.floor(i / width) % height]
    const [input, output] = [Math.floor(i / (width * height)) % inputs, Math.floor(i / (width * height * inputs))]
    const phase = phases[Math.floor(input / channels)]!
    const [y, x] = [row * step + phase.row, column * step + phase.column]
    const at = ((output * channels + (input % channels)) * rows + y) * columns + x
    wide[at] = wide[at]! + value
  })
  return t.literal(ndarray(dtype, [outputs, channels, rows, columns], wide))
}

const rule = ruleMaker({
  source: 'Ultralytics YOLOv5, issue 4825: Focus as a 6x6 convolution of stride 2',
  exactness: 'finite',
})

export const spaceToDepthRules: readonly Rule[] = [
  rule(
    'conv-of-phases',
    'conv([x by s from 0 on, x by s from 1 on, ..], W) = conv(x, W) of stride s',
    ['Conv', 'lin'],
    convOfPhases,
    'float32 pictures; every s-th row and column, or SpaceToDepth; one group; W is constant',
  ),
]
