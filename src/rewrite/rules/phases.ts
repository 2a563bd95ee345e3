// Convolutions that enlarge a picture or a line, phase by phase. A convolution of a picture whose pixels were repeated reads each of them
// several times; a transposed convolution spreads each over several places. For the pixels at one place of a block (a phase) either is
// a small convolution of the small picture: of 3x3 taps after doubling 2x2 are left. DepthToSpace puts the phases in place; those of
// a line are interleaved.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, getInts, getText, int, ints } from '../../ir/attribute.ts'
import { dimEquals, mulDims } from '../../ir/dim.ts'
import { type NdArray, ndarray } from '../../ir/tensor.ts'
import { convolve } from '../canonical-conv.ts'
import { areWhole, repeatsPixels, resizeFactors } from '../resize-factors.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { type Kernel, kernelOf } from './conv.ts'
import { depthToSpace, interleave, isDisjoint, SOURCE } from './sub-pixel.ts'

/** Larger blocks, of so many axes, are of too many small convolutions. */
const LARGEST_BLOCK: readonly number[] = [0, 16, 4]

/** How many pixels of the small picture after the one at hand a tap reads, along an axis, for the pixels at a phase of a block. null: it
 * reads none of them. */
type Offset = (tap: number, pad: number, phase: number) => number | null

/** conv(x repeated, W) = conv(x, W_p) for each phase p, interleaved */
function* resizedInPhases(t: TensorEGraph, n: NodeId): Results {
  const kernel = t.op(n).kind === 'lin' ? null : kernelOf(t, n)
  if (kernel === null) return
  for (const r of t.nodes(kernel.x, 'Resize')) {
    const op = t.op(r)
    if (op.kind !== 'onnx' || !repeatsPixels(op)) continue
    const factors = resizeFactors(t, r, op)
    const [batch, channels, ...sizes] = factors !== null && areWhole(factors) ? factors : []
    const [size] = sizes
    if (size === undefined || batch !== 1 || channels !== 1 || sizes.some((s) => s !== size))
      yield refuse('it is not enlarged by one whole, known factor along all its axes')
    else
      yield* phaseByPhase(t, n, { ...kernel, x: t.child(r, 0) }, size, (tap, pad, phase) =>
        Math.floor((phase + tap - pad) / size),
      )
  }
}

/** convT(x, W) = conv(x, W_p) for each phase p, interleaved */
function* deconvolutionInPhases(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [x, w] = t.children(n) as [ClassId, ClassId]
  if (op.kind !== 'onnx' || t.children(n).length !== 2 || (t.rank(x) === 4 && isDisjoint(t, n))) return
  if (!t.isConstant(w)) return yield refuse('its kernel is not constant')
  if (getText(op.attributes, 'auto_pad', 'NOTSET') !== 'NOTSET' || op.attributes.output_shape)
    return yield refuse('its padding follows from its size')
  const ones = t
    .shape(w)
    .slice(2)
    .map(() => 1)
  const strides = getInts(op.attributes, 'strides', ones)
  const size = strides[0] ?? 1
  if (strides.some((s) => s !== size)) return yield refuse('its strides differ')
  const attributes = {
    dilations: ints(ones),
    pads: ints([...ones, ...ones].map(() => 0)),
    ...op.attributes,
    strides: ints(ones),
  }
  yield* phaseByPhase(
    t,
    n,
    { x, w: turned(t, w, getInt(op.attributes, 'group', 1)), attributes },
    size,
    (tap, pad, phase) => {
      const offset = (phase + pad - tap) / size
      return Number.isInteger(offset) ? offset : null
    },
  )
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
  const spatial = t.rank(x) - 2
  if (t.type(x)!.dtype !== 'float32') return
  const isPlain = ['strides', 'dilations'].every((name) => getInts(attributes, name, []).every((v) => v === 1))
  if (!isPlain || size < 2 || size > (LARGEST_BLOCK[spatial] ?? 0))
    return yield refuse('strides, dilations or the block are too large')
  if (!small.every((d, axis) => axis < 2 || dimEquals(large[axis]!, mulDims(d, size))))
    return yield refuse('it does not make one block of each pixel')
  const pads = getInts(attributes, 'pads', [])
  const window = (t.shape(w) as number[]).slice(2)
  if (pads.some((pad, i) => pad < 0 || pad >= window[i % spatial]!))
    return yield refuse('it is padded beyond its window')
  const phases = Array.from({ length: size }, (_, phase) => phase)
  const taps = window.map((count, axis) =>
    phases.map((phase) => tapsOf(count, (tap) => offset(tap, pads[axis]!, phase))),
  )
  const parts = combinations(taps).map((own) => convOfTaps(t, x, w, getInt(attributes, 'group', 1), own))
  if (spatial === 2) return yield depthToSpace(t, t.concat(parts, 1), { size, mode: 'DCR' })
  const line = interleave(t, parts, 2)
  if (line !== null) yield line
}

/** A kernel [C, M / groups, ..] of a transposed convolution as one of a convolution, [M, C / groups, ..]. */
function turned(t: TensorEGraph, w: ClassId, groups: number): ClassId {
  const [inputs, perGroup, ...window] = t.shape(w) as [number, number, ...number[]]
  const apart = t.must(t.reshape(w, [groups, inputs / groups, perGroup, ...window]))
  const swapped = t.transpose(apart, [0, 2, 1, ...window.map((_, i) => i + 3)])
  return t.must(t.reshape(swapped, [groups * perGroup, inputs / groups, ...window]))
}

/** One of each list, the last list's running fastest. */
const combinations = <T>(lists: readonly (readonly T[])[]): (readonly T[])[] =>
  lists.reduce<(readonly T[])[]>((found, list) => found.flatMap((f) => list.map((x) => [...f, x])), [[]])

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

/** `taps`: of each axis. */
function convOfTaps(t: TensorEGraph, x: ClassId, w: ClassId, group: number, taps: readonly Taps[]): ClassId {
  const kernel = taps.reduce((k, { map }, axis) => t.lin(k, t.literal(map), axis + 2), w)
  const ones = ints(taps.map(() => 1))
  return convolve(t, x, kernel, {
    group: int(group),
    kernel_shape: ints(t.shape(kernel).slice(2) as number[]),
    strides: ones,
    dilations: ones,
    pads: ints([...taps.map((own) => own.before), ...taps.map((own) => own.after)]),
  })
}

const rule = ruleMaker({ source: SOURCE })

export const phaseRules: readonly Rule[] = [
  rule(
    'resized-in-phases',
    'conv(x repeated, W) = conv(x, W1), conv(x, W2), .. interleaved',
    ['Conv'],
    resizedInPhases,
    'float32; each pixel of a picture repeated 2, 3 or 4 times on both sides, of a line up to 16 times; strides 1; one group; W is constant',
    { exactness: 'finite' },
  ),
  rule(
    'deconvolution-in-phases',
    'convT(x, W) = conv(x, W1), conv(x, W2), .. interleaved',
    ['ConvTranspose'],
    deconvolutionInPhases,
    'float32; each pixel of a picture a block of 2, 3 or 4 on both sides, of a line up to 16; W is constant',
    { exactness: 'finite' },
  ),
]
