// Convolutions that enlarge a picture, phase by phase. A convolution of a picture whose pixels were repeated reads each of them several times;
// a transposed convolution spreads each over several places. For the pixels at one place of a block (a phase) either is a small
// convolution of the small picture: of 3x3 taps after doubling 2x2 are left. DepthToSpace puts the phases in place.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, getInts, getText, int, ints } from '../../ir/attribute.ts'
import { dimEquals, mulDims } from '../../ir/dim.ts'
import { type NdArray, ndarray } from '../../ir/tensor.ts'
import { convolve } from '../canonical-conv.ts'
import { areWhole, repeatsPixels, resizeFactors } from '../resize-factors.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { type Kernel, kernelOf } from './conv.ts'
import { depthToSpace, isDisjoint, SOURCE } from './sub-pixel.ts'

/** Larger blocks are of too many small convolutions. */
const LARGEST_BLOCK = 4

/** How many pixels of the small picture after the one at hand a tap reads, along an axis, for the pixels at a phase of a block. null: it
 * reads none of them. */
type Offset = (tap: number, pad: number, phase: number) => number | null

/** conv(x repeated, W) = DepthToSpace [conv(x, W_p) for each phase p] */
function* resizedInPhases(t: TensorEGraph, n: NodeId): Results {
  const kernel = t.op(n).kind === 'lin' ? null : kernelOf(t, n)
  if (kernel === null) return
  for (const r of t.nodes(kernel.x, 'Resize')) {
    const op = t.op(r)
    if (op.kind !== 'onnx' || !repeatsPixels(op)) continue
    const factors = resizeFactors(t, r, op)
    const [batch, channels, size, width] = factors !== null && areWhole(factors) ? factors : []
    if (batch !== 1 || channels !== 1 || size !== width)
      yield refuse('it is not enlarged by one whole, known factor on both sides')
    else
      yield* phaseByPhase(t, n, { ...kernel, x: t.child(r, 0) }, size!, (tap, pad, phase) =>
        Math.floor((phase + tap - pad) / size!),
      )
  }
}

/** convT(x, W) = DepthToSpace [conv(x, W_p) for each phase p] */
function* deconvolutionInPhases(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [x, w] = t.children(n) as [ClassId, ClassId]
  if (op.kind !== 'onnx' || t.children(n).length !== 2 || t.rank(x) !== 4 || isDisjoint(t, n)) return
  if (!t.isConstant(w) || getInt(op.attributes, 'group', 1) !== 1)
    return yield refuse('its kernel is not constant, or in groups')
  if (getText(op.attributes, 'auto_pad', 'NOTSET') !== 'NOTSET' || op.attributes.output_shape)
    return yield refuse('its padding follows from its size')
  const [size, width] = getInts(op.attributes, 'strides', [1, 1]) as [number, number]
  if (size !== width) return yield refuse('its strides differ')
  const attributes = { dilations: ints([1, 1]), pads: ints([0, 0, 0, 0]), ...op.attributes, strides: ints([1, 1]) }
  yield* phaseByPhase(t, n, { x, w: t.transpose(w, [1, 0, 2, 3]), attributes }, size, (tap, pad, phase) => {
    const offset = (phase + pad - tap) / size
    return Number.isInteger(offset) ? offset : null
  })
}

/** What `n` is of the small picture `kernel.x`, whose pixels become blocks of size x size. */
function* phaseByPhase(
  t: TensorEGraph,
  n: NodeId,
  { x, w, attributes }: Kernel,
  size: number,
  offset: Offset,
): Results {
  const [small, large] = [t.shape(x), t.shape(t.egraph.classOf(n))]
  if (t.rank(x) !== 4 || t.type(x)!.dtype !== 'float32') return
  const isPlain = ['strides', 'dilations'].every((name) => getInts(attributes, name, []).every((v) => v === 1))
  if (!isPlain || size < 2 || size > LARGEST_BLOCK) return yield refuse('strides, dilations or the block are too large')
  if (![2, 3].every((axis) => dimEquals(large[axis]!, mulDims(small[axis]!, size))))
    return yield refuse('it does not make one block of each pixel')
  const [height, width] = (t.shape(w) as number[]).slice(2) as [number, number]
  const [top, left] = getInts(attributes, 'pads', []) as [number, number]
  const phases = Array.from({ length: size }, (_, phase) => phase)
  const rows = phases.map((phase) => tapsOf(height, (tap) => offset(tap, top, phase)))
  const columns = phases.map((phase) => tapsOf(width, (tap) => offset(tap, left, phase)))
  const parts = rows.flatMap((row) => columns.map((column) => convOfTaps(t, x, w, row, column)))
  yield depthToSpace(t, t.concat(parts, 1), { size, mode: 'DCR' })
}

/** What a kernel's taps come to along an axis: which of them are added up to each new tap, [taps, new taps], and how many of those lie
 * before and after the pixel at hand. */
interface Taps {
  readonly map: NdArray
  readonly before: number
  readonly after: number
}

function tapsOf(count: number, offset: (tap: number) => number | null): Taps {
  const offsets = Array.from({ length: count }, (_, tap) => offset(tap))
  const read = [0, ...offsets.filter((o) => o !== null)]
  const [first, last] = [Math.min(...read), Math.max(...read)]
  const span = last - first + 1
  const data = new Float64Array(count * span)
  for (const [tap, o] of offsets.entries()) if (o !== null) data[tap * span + o - first] = 1
  return { map: ndarray('float32', [count, span], data), before: -first, after: last }
}

function convOfTaps(t: TensorEGraph, x: ClassId, w: ClassId, row: Taps, column: Taps): ClassId {
  const kernel = t.lin(t.lin(w, t.literal(row.map), 2), t.literal(column.map), 3)
  const ones = ints([1, 1])
  return convolve(t, x, kernel, {
    group: int(1),
    kernel_shape: ints(t.shape(kernel).slice(2) as number[]),
    strides: ones,
    dilations: ones,
    pads: ints([row.before, column.before, row.after, column.after]),
  })
}

const rule = ruleMaker({ source: SOURCE })

export const phaseRules: readonly Rule[] = [
  rule(
    'resized-in-phases',
    'conv(x repeated, W) = DepthToSpace [conv(x, W1), conv(x, W2), ..]',
    ['Conv'],
    resizedInPhases,
    'float32 pictures, each pixel repeated 2, 3 or 4 times on both sides; strides 1; one group; W is constant',
    { exactness: 'finite' },
  ),
  rule(
    'deconvolution-in-phases',
    'convT(x, W) = DepthToSpace [conv(x, W1), conv(x, W2), ..]',
    ['ConvTranspose'],
    deconvolutionInPhases,
    'float32 pictures, each pixel a block of 2, 3 or 4 on both sides; windows overlap; one group; W is constant',
    { exactness: 'finite' },
  ),
]
