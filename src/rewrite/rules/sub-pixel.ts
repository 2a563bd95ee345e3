// Pictures enlarged by whole blocks. A transposed convolution whose windows do not overlap computes each pixel of a block (a phase) by a map
// of channels: a 1x1 convolution with all phases as channels, and DepthToSpace. What follows pixel by pixel is done before the
// picture is enlarged, so that the next one composes with it, and only the last result is put in its places.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, getInts, getText, int, text } from '../../ir/attribute.ts'
import { mulDims } from '../../ir/dim.ts'
import { type Shape, shapeEquals } from '../../ir/shape.ts'
import { ndarray } from '../../ir/tensor.ts'
import { convolve } from '../canonical-conv.ts'
import { positions, range } from '../index-vector.ts'
import { recordOf } from '../properties.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import type { TensorOp } from '../tensor-op.ts'
import { pointwise, pointwiseAttributes } from './conv.ts'
import { varyingAxes } from './scale.ts'

export const SOURCE = 'sub-pixel convolution (Shi et al. 2016, arXiv:1609.05158); docs/rules.md, blocks of pixels'

/** How DepthToSpace places channels: in blocks of size x size. DCR: channels of a phase side by side; CRD: phases of a channel side by side. */
interface Blocks {
  readonly size: number
  readonly mode: 'DCR' | 'CRD'
}

/** Elements of the map of all phases. */
const LARGEST_MAP = 2 ** 20

/** convT(x, W) = DepthToSpace(x W'), W' the kernel as a matrix [C, phases x M] */
function* deconvolutionAsLin(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [x, w] = t.children(n) as [ClassId, ClassId]
  if (op.kind !== 'onnx' || t.children(n).length !== 2 || t.rank(x) !== 4 || t.type(x)!.dtype !== 'float32') return
  if (!t.isConstant(w)) return yield refuse('its kernel is not constant')
  const [channels, outputs, height, width] = t.shape(w) as [number, number, number, number]
  if (height !== width) return yield refuse('its kernel is not square')
  if (!isDisjoint(t, n)) return yield refuse('its windows overlap, leave gaps or are cut')
  const matrix = t.reshape(t.transpose(w, [0, 2, 3, 1]), [channels, height * width * outputs])!
  yield depthToSpace(t, t.lin(x, matrix, 1), { size: height, mode: 'DCR' })
}

/** Windows of a transposed convolution lie side by side, and all of them are kept. */
export function isDisjoint(t: TensorEGraph, n: NodeId): boolean {
  const op = t.op(n)
  if (op.kind !== 'onnx') return false
  const all = (name: string, missing: number, isWanted: (v: number, i: number) => boolean) =>
    getInts(op.attributes, name, [missing, missing]).every(isWanted)
  const kernel = t.shape(t.child(n, 1)).slice(2)
  return (
    ['NOTSET', 'VALID'].includes(getText(op.attributes, 'auto_pad', 'NOTSET')) &&
    getInts(op.attributes, 'output_shape', null) === null &&
    getInt(op.attributes, 'group', 1) === 1 &&
    all('strides', 1, (v, i) => v === kernel[i]) &&
    all('dilations', 1, (v) => v === 1) &&
    all('pads', 0, (v) => v === 0) &&
    all('output_padding', 0, (v) => v === 0)
  )
}

/** f(DepthToSpace x, c) = DepthToSpace f(x, c for each phase) */
function* pointwiseInPhases(t: TensorEGraph, n: NodeId): Results {
  const record = recordOf(t.op(n))
  if (!record?.elementwise || record.deterministic === false) return
  const { shape: whole, dtype } = t.type(t.egraph.classOf(n))!
  const picture = t.children(n).find((c) => shapeEquals(t.shape(c), whole) && enlarged(t, c).length > 0)
  if (picture === undefined) return
  if (t.type(picture)!.dtype !== dtype) return yield refuse('it changes the type of the elements')
  for (const { blocks } of enlarged(t, picture)) {
    const phases = t.children(n).map((c) => inPhases(t, c, blocks, whole))
    if (phases.includes(null)) yield refuse('another operand is no such picture and varies from pixel to pixel')
    else
      yield depthToSpace(
        t,
        partByPart(t, phases as ClassId[], (parts) => t.must(t.rebuild(t.op(n), parts))),
        blocks,
      )
  }
}

/** f(operands); where pictures are parts side by side, of each part by itself, so that what makes a part takes it up. */
function partByPart(
  t: TensorEGraph,
  operands: readonly ClassId[],
  f: (operands: readonly ClassId[]) => ClassId,
): ClassId {
  const parts = channelParts(t, operands.find((c) => !t.isConstant(c))!)
  const columns = operands.map((c) => partsLike(t, c, parts ?? []))
  if (parts === null || columns.includes(null)) return f(operands)
  return t.concat(
    parts.map((_, i) => f(columns.map((column) => column![i]!))),
    1,
  )
}

/** c in parts of as many channels as `parts` have; null where it does not lie in such. */
function partsLike(t: TensorEGraph, c: ClassId, parts: readonly ClassId[]): readonly ClassId[] | null {
  const counts = parts.map((p) => t.shape(p)[1] as number)
  if (!t.isConstant(c)) {
    const own = channelParts(t, c)
    return own?.length === parts.length && own.every((p, i) => t.shape(p)[1] === counts[i]) ? own : null
  }
  if (t.constantElements(c) === 1) return parts.map(() => c)
  const starts = counts.map((_, i) => counts.slice(0, i).reduce((a, b) => a + b, 0))
  return counts.map((count, i) => t.select(c, 1, range(starts[i]!, count)))
}

/** The values that lie side by side along the channels of c. */
export function channelParts(t: TensorEGraph, c: ClassId): readonly ClassId[] | null {
  const n = t.nodes(c, 'concat').find((m) => {
    const op = t.op(m)
    return op.kind === 'concat' && op.axis === 1 && t.children(m).every((p) => typeof t.shape(p)[1] === 'number')
  })
  return n === undefined ? null : t.children(n)
}

/** An operand before its phases were put in their places: such a picture, or a constant of a number for each channel at most. */
function inPhases(t: TensorEGraph, c: ClassId, blocks: Blocks, whole: Shape): ClassId | null {
  if (t.isConstant(c)) return constantInPhases(t, c, blocks)
  if (!shapeEquals(t.shape(c), whole)) return null
  return enlarged(t, c).find((e) => e.blocks.size === blocks.size && e.blocks.mode === blocks.mode)?.x ?? null
}

function constantInPhases(t: TensorEGraph, c: ClassId, { size, mode }: Blocks): ClassId | null {
  if (t.constantElements(c) === 1) return c
  if (t.rank(c) !== 4 || !varyingAxes(t, c).every((a) => a === 1)) return null
  const [channels, phases] = [t.constantElements(c), size * size]
  const order = (phase: number, channel: number) => (mode === 'DCR' ? [phase, channel] : [channel, phase])
  const once = t.must(t.reshape(c, order(1, channels)))
  return t.reshape(t.must(t.expand(once, order(phases, channels))), [1, phases * channels, 1, 1])
}

/** DepthToSpace(x) W = DepthToSpace(x W'), W' a map of the channels of each phase: of parts side by side; among zeros; in groups */
function* linInPhases(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  if (op.kind !== 'lin' || op.axis !== 1) return
  const [picture, w] = t.children(n) as [ClassId, ClassId]
  const [kernel, channels] = [pointwise(t, n), t.shape(w)[0]!]
  for (const { x, blocks } of enlarged(t, picture)) {
    const parts = blocks.mode === 'DCR' ? channelParts(t, x) : null
    if (parts?.every((p) => t.shape(p)[1] === channels)) {
      const mapped = parts.map((p) => t.lin(p, w, 1))
      yield depthToSpace(t, t.concat(mapped, 1), blocks)
      continue
    }
    if (t.constantElements(w) * blocks.size ** 4 > LARGEST_MAP) yield refuse('the map of all phases would be too large')
    else yield depthToSpace(t, t.lin(x, mapOfPhases(t, w, blocks), 1), blocks)
    if (kernel !== null && blocks.mode === 'DCR') yield depthToSpace(t, inGroups(t, x, kernel.w, blocks), blocks)
  }
}

/** Each phase by itself: a 1x1 convolution of as many groups. */
function inGroups(t: TensorEGraph, x: ClassId, w: ClassId, { size }: Blocks): ClassId {
  const phases = size * size
  return convolve(t, x, t.concat(new Array<ClassId>(phases).fill(w), 0), pointwiseAttributes(2, phases))
}

/** w for each phase, among zeros. */
function mapOfPhases(t: TensorEGraph, w: ClassId, blocks: Blocks): ClassId {
  const [inputs, outputs] = t.shape(w) as [number, number]
  const { dtype, data } = t.constants.array(t.constantOf(w)!)
  const phases = blocks.size ** 2
  const map = new Float64Array(data.length * phases ** 2)
  for (let p = 0; p < phases; p++)
    for (let k = 0; k < inputs; k++)
      for (let m = 0; m < outputs; m++)
        map[channelOf(blocks, p, k, inputs) * phases * outputs + channelOf(blocks, p, m, outputs)] =
          data[k * outputs + m]!
  return t.literal(ndarray(dtype, [phases * inputs, phases * outputs], map))
}

/** DepthToSpace(DepthToSpace x) = DepthToSpace x', x' its channels in the order that larger blocks want */
function* enlargedTwice(t: TensorEGraph, n: NodeId): Results {
  const outer = blocksOf(t.op(n))
  if (outer === null) return
  const channels = t.shape(t.egraph.classOf(n))[1]
  if (typeof channels !== 'number') return yield refuse('the number of its channels is open')
  for (const { x, blocks: inner } of enlarged(t, t.child(n, 0))) {
    const size = inner.size * outer.size
    const between = channels * outer.size ** 2
    const order = new Array<number>(channels * size ** 2)
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++)
        for (let m = 0; m < channels; m++) {
          const last = channelOf(outer, (row % outer.size) * outer.size + (column % outer.size), m, channels)
          const first = Math.floor(row / outer.size) * inner.size + Math.floor(column / outer.size)
          order[(row * size + column) * channels + m] = channelOf(inner, first, last, between)
        }
    yield depthToSpace(t, t.select(x, 1, positions(order)), { size, mode: 'DCR' })
  }
}

/** Where a channel of a phase lies, of so many channels. */
const channelOf = ({ size, mode }: Blocks, phase: number, channel: number, channels: number): number =>
  mode === 'DCR' ? phase * channels + channel : channel * size * size + phase

/** What c is as DepthToSpace. */
const enlarged = (t: TensorEGraph, c: ClassId): { readonly x: ClassId; readonly blocks: Blocks }[] =>
  t.nodes(c, 'DepthToSpace').flatMap((n) => {
    const blocks = blocksOf(t.op(n))
    return blocks === null ? [] : [{ x: t.child(n, 0), blocks }]
  })

export function blocksOf(op: TensorOp): Blocks | null {
  if (op.kind !== 'onnx') return null
  const mode = getText(op.attributes, 'mode', 'DCR')
  return { size: getInt(op.attributes, 'blocksize', 1), mode: mode === 'CRD' ? 'CRD' : 'DCR' }
}

/** Before opset 11 there is one mode, which has no name. */
export function depthToSpace(t: TensorEGraph, x: ClassId, { size, mode }: Blocks): ClassId {
  if (size === 1) return x
  return t.onnx('DepthToSpace', [x], { blocksize: int(size), ...(mode === 'CRD' && { mode: text(mode) }) })
}

/** The parts woven along an axis: the first element of each, then the second of each, and so on. Null where the sizes cannot be written. */
export function interleave(t: TensorEGraph, parts: readonly ClassId[], axis: number): ClassId | null {
  const own = t.shape(parts[0]!)
  const apart = parts.map((p) => t.reshape(p, [...own.slice(0, axis + 1), 1, ...own.slice(axis + 1)]))
  const longer = own.map((d, i) => (i === axis ? mulDims(d, parts.length) : d))
  return apart.includes(null) ? null : t.reshape(t.concat(apart as ClassId[], axis + 1), longer)
}

const rule = ruleMaker({ source: SOURCE })

export const subPixelRules: readonly Rule[] = [
  rule(
    'deconvolution-as-lin',
    "convT(x, W) = DepthToSpace(x W')",
    ['ConvTranspose'],
    deconvolutionAsLin,
    'float32 pictures; square windows side by side; one group; W is constant',
  ),
  rule(
    'pointwise-in-phases',
    'f(DepthToSpace x, c) = DepthToSpace f(x, c)',
    'all',
    pointwiseInPhases,
    'f works element by element; c is such a picture, or constant in each channel',
    { exactness: 'exact' },
  ),
  rule(
    'lin-in-phases',
    "DepthToSpace(x) W = DepthToSpace(x W')",
    ['lin'],
    linInPhases,
    "W maps channels; W' is not too large",
    { exactness: 'finite' },
  ),
  rule(
    'enlarged-twice',
    "DepthToSpace(DepthToSpace x) = DepthToSpace x'",
    ['DepthToSpace'],
    enlargedTwice,
    'the number of channels is known',
    { exactness: 'exact' },
  ),
]
