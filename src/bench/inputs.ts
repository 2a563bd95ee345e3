// Inputs to verify and to time with. Networks behave differently on what they were made for than on noise (sparsity after
// ReLU, saturated softmax, subnormals, early argmax), so the first set looks like real data: pictures, token ids, masks,
// signals. All of it is drawn from a seed. Contents by shape and name; the names are those that exporters use.
import { UserError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { bindInputs, type InputShapes } from '../ir/bind.ts'
import { DTYPES, type DType, isFloat } from '../ir/dtype.ts'
import type { Graph } from '../ir/graph.ts'
import { elementCount, isConcrete, shapeText } from '../ir/shape.ts'
import { fromNdArray, type Tensor } from '../ir/tensor.ts'
import type { Feeds } from '../runtime/index.ts'
import { drawPicture, type PictureLayout } from './picture.ts'
import { vocabularyBounds } from './vocabulary.ts'

/** One input of a model, with a shape of numbers. */
export interface InputSpec {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Integers must stay below; null where nothing in the graph says so. */
  readonly bound: number | null
}

export const INPUT_KINDS = ['structured', 'noise', 'zeros', 'ones', 'small', 'large'] as const
export type InputKind = (typeof INPUT_KINDS)[number]

/** Values for all inputs of a model, and where they come from. */
export interface InputSet {
  readonly label: string
  readonly feeds: Feeds
}

/** Integers of unknown range stay below this, as most uses allow small ones. */
const DEFAULT_BOUND = 50
/** Larger inputs do not fit into memory in several copies. */
const MAX_ELEMENTS = 2 ** 28
const SMALL = 1e-3
const LARGE = 1e2

/** The inputs that must be fed, at these shapes. Throws UserError where a dimension stays open or one is absurdly large. */
export function inputSpecs(graph: Graph, shapes: InputShapes): readonly InputSpec[] {
  const bound = bindInputs(graph, shapes)
  const bounds = vocabularyBounds(bound)
  const fed = bound.inputs.filter((v) => !bound.initializers.has(v)).map((v) => bound.values[v]!)
  return fed.map(({ name, type }) => {
    if (!type || !isConcrete(type.shape)) throw openShape(name, type ? shapeText(type.shape) : 'no tensor shape')
    if (elementCount(type.shape) > MAX_ELEMENTS) throw tooLarge(name, shapeText(type.shape))
    return { name, dtype: type.dtype, shape: type.shape, bound: bounds.get(name) ?? null }
  })
}

function tooLarge(name: string, got: string): UserError {
  const expected = `an input of at most ${MAX_ELEMENTS} elements`
  return new UserError({ code: 'bad-shape', where: `input ${name}`, expected, got, fix: 'choose smaller sizes' })
}

function openShape(name: string, got: string): UserError {
  return new UserError({
    code: 'open-shape',
    where: `input ${name}`,
    expected: 'a shape of numbers',
    got,
    fix: `bind it, for example with --shape ${name}=1x3x224x224`,
  })
}

/** Seeded values of one kind for every input. */
export function makeInputs(specs: readonly InputSpec[], kind: InputKind, random: Random): InputSet {
  const feeds = Object.fromEntries(specs.map((spec, i) => [spec.name, makeInput(spec, kind, random.fork(i + 1))]))
  return { label: kind, feeds }
}

/** Values of one kind for one input. */
export function makeInput(spec: InputSpec, kind: InputKind, random: Random): Tensor {
  if (spec.dtype === 'string') return strings(spec, random)
  const count = elementCount(spec.shape)
  const data =
    DTYPES[spec.dtype].kind === 'bool' || !isFloat(spec.dtype) ? wholes(spec, kind, random) : reals(spec, kind, random)
  return fromNdArray({
    dtype: spec.dtype,
    shape: spec.shape,
    data: data.length === count ? data : data.slice(0, count),
  })
}

function filled(count: number, next: (i: number) => number): Float64Array {
  const out = new Float64Array(count)
  for (let i = 0; i < count; i++) out[i] = next(i)
  return out
}

function reals(spec: InputSpec, kind: InputKind, random: Random): Float64Array {
  const count = elementCount(spec.shape)
  switch (kind) {
    case 'structured':
      return structuredReals(spec, random)
    case 'noise':
      return filled(count, random.normal)
    case 'zeros':
      return new Float64Array(count)
    case 'ones':
      return filled(count, () => 1)
    case 'small':
      return filled(count, () => SMALL * random.normal())
    case 'large':
      return filled(count, () => LARGE * random.normal())
    default:
      return kind satisfies never
  }
}

function structuredReals(spec: InputSpec, random: Random): Float64Array {
  const layout = pictureLayout(spec.shape)
  if (layout) return drawPicture(layout, random)
  if (isMask(spec.name)) return mask(spec.shape, random)
  return signal(spec.shape, random)
}

/** Planes of 1 or 3 channels, channels first or last. */
export function pictureLayout(shape: readonly number[]): PictureLayout | null {
  if (shape.length !== 4) return null
  const [a, b, c, d] = shape as [number, number, number, number]
  const isChannels = (n: number) => n === 1 || n === 3
  if (isChannels(b) && c > 3 && d > 3) return { images: a, channels: b, height: c, width: d, channelsLast: false }
  if (isChannels(d) && b > 3 && c > 3) return { images: a, channels: d, height: b, width: c, channelsLast: true }
  return null
}

/** A slowly changing signal along the last axis (autoregressive, unit variance), as audio features and hidden states are. */
function signal(shape: readonly number[], random: Random): Float64Array {
  const length = shape.at(-1) ?? 1
  const memory = 0.8
  let x = 0
  return filled(elementCount(shape), (i) => {
    x = i % length === 0 ? random.normal() : memory * x + Math.sqrt(1 - memory ** 2) * random.normal()
    return x
  })
}

const isMask = (name: string): boolean => /mask|padding/i.test(name)
const isPosition = (name: string): boolean => /position|pos_ids/i.test(name)
const isSegment = (name: string): boolean => /token_type|segment/i.test(name)

function wholes(spec: InputSpec, kind: InputKind, random: Random): Float64Array {
  const count = elementCount(spec.shape)
  const bound = boundOf(spec)
  if (kind === 'zeros') return new Float64Array(count)
  if (kind === 'ones') return filled(count, () => Math.min(1, bound - 1))
  if (kind !== 'structured') return filled(count, () => random.below(bound))
  const length = spec.shape.at(-1) ?? 1
  if (isMask(spec.name) || spec.dtype === 'bool') return mask(spec.shape, random)
  if (isPosition(spec.name)) return filled(count, (i) => Math.min(i % length, bound - 1))
  if (isSegment(spec.name)) return filled(count, (i) => Math.min(i % length < length / 2 ? 0 : 1, bound - 1))
  const layout = pictureLayout(spec.shape)
  if (layout && spec.bound === null && bound > 127) return pixels(layout, bound, random)
  return filled(count, () => zipf(bound, random))
}

function boundOf(spec: InputSpec): number {
  if (spec.dtype === 'bool') return 2
  if (spec.bound !== null) return Math.max(1, spec.bound)
  const isByte = spec.dtype === 'uint8' || spec.dtype === 'int8'
  if (isByte && pictureLayout(spec.shape)) return spec.dtype === 'uint8' ? 256 : 128
  return DEFAULT_BOUND
}

/** A picture in whole numbers from 0 to `bound` - 1. */
function pixels(layout: PictureLayout, bound: number, random: Random): Float64Array {
  return drawPicture(layout, random).map((x) => Math.round(((x + 1) / 2) * (bound - 1)))
}

/** Rows of ones that end in zeros, at least half ones, the first row whole. */
function mask(shape: readonly number[], random: Random): Float64Array {
  const length = shape.at(-1) ?? 1
  let kept = length
  return filled(elementCount(shape), (i) => {
    if (i % length === 0) kept = i === 0 ? length : Math.ceil(length / 2) + random.below(Math.floor(length / 2) + 1)
    return i % length < kept ? 1 : 0
  })
}

/** Word frequencies: rank r with probability about 1 / r, by inverting the continuous law. */
function zipf(bound: number, random: Random): number {
  return Math.min(bound - 1, Math.floor((bound + 1) ** random.next()) - 1)
}

function strings(spec: InputSpec, random: Random): Tensor {
  const words = ['the', 'of', 'graph', 'tensor', '', 'Ω']
  const encoder = new TextEncoder()
  const list = Array.from({ length: elementCount(spec.shape) }, () => encoder.encode(random.pick(words)))
  return { dtype: 'string', shape: spec.shape, bytes: new Uint8Array(0), strings: list }
}
