// Shapes to price and to measure at. Dimensions that a model leaves open get a usual size, which is said aloud and never
// written into the model; `--shape` and the user's own inputs decide instead where they are given.
import { UserError } from '../base/errors.ts'
import { bindShapes, type InputShapes } from '../ir/bind.ts'
import { dimKey } from '../ir/dim.ts'
import type { Graph } from '../ir/graph.ts'
import type { Shape } from '../ir/shape.ts'

export interface SampleShapes {
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Dimensions that were guessed, as `x.0 = 1`. */
  readonly guesses: readonly string[]
}

/** What open dimensions are taken to be. */
export interface UsualSizes {
  /** Of pictures. */
  readonly height: number
  readonly width: number
  /** Steps, tokens, samples, nodes. */
  readonly length: number
}

/** The usual sizes, and what to try where a model refuses them: heads want the picture that they were made for, readers of text a line of
 * it, tables of positions are short, stacks of strided convolutions over time need many samples. */
const SAMPLE_SIZES: readonly UsualSizes[] = [
  { height: 320, width: 320, length: 128 },
  { height: 224, width: 224, length: 64 },
  { height: 48, width: 320, length: 512 },
  { height: 32, width: 320, length: 32 },
  { height: 256, width: 256, length: 16 },
  { height: 640, width: 640, length: 16_000 },
  { height: 512, width: 512, length: 1 },
  { height: 32, width: 32, length: 1 },
]

/** Shapes for every fed input at the usual sizes, the most usual first: different ones, at which no operator contradicts them. Where all
 * are contradicted, the first, so that the runtime may say why. */
export function* usualSamples(
  graph: Graph,
  known: ReadonlyMap<string, readonly number[]>,
): Generator<SampleShapes, void, void> {
  const samples = SAMPLE_SIZES.map((usual) => sampleShapes(graph, known, usual))
  const different = [...new Map(samples.map((s) => [JSON.stringify([...s.shapes]), s])).values()]
  let isFitting = false
  for (const sample of different) {
    if (!isTypedAt(graph, sample.shapes)) continue
    isFitting = true
    yield sample
  }
  if (!isFitting) yield different[0]!
}

function isTypedAt(graph: Graph, shapes: InputShapes): boolean {
  try {
    bindShapes(graph, shapes)
    return true
  } catch (error) {
    if (error instanceof UserError) return false
    throw error
  }
}

/** A shape for every fed input: `known` where given, usual sizes for open dimensions. One name has one size everywhere. */
export function sampleShapes(
  graph: Graph,
  known: ReadonlyMap<string, readonly number[]>,
  usual: UsualSizes = SAMPLE_SIZES[0]!,
): SampleShapes {
  const readsEdges = hasEdges(graph)
  const sizes = sizesFromKnown(graph, known)
  const guesses: string[] = []
  const shapes = new Map<string, readonly number[]>()
  for (const v of graph.inputs) {
    const { name, type } = graph.values[v]!
    if (graph.initializers.has(v) || !type) continue
    const shape = type.shape.map((d, axis) => {
      const size = known.get(name)?.[axis] ?? (typeof d === 'number' ? d : sizes.get(dimKey(d)))
      if (size !== undefined) return size
      const guess = axis === 0 && readsEdges ? usual.length : usualSize(type.shape, axis, name, usual)
      sizes.set(dimKey(d), guess)
      guesses.push(`${name}[${axis}] = ${guess}`)
      return guess
    })
    shapes.set(name, shape)
  }
  return { shapes, guesses }
}

function sizesFromKnown(graph: Graph, known: ReadonlyMap<string, readonly number[]>): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const v of graph.inputs) {
    const { name, type } = graph.values[v]!
    type?.shape.forEach((d, axis) => {
      const size = known.get(name)?.[axis]
      if (typeof d !== 'number' && size !== undefined) sizes.set(dimKey(d), size)
    })
  }
  return sizes
}

/** Pairs of node numbers, as graph networks read them: the first dimension of their other inputs counts nodes, not a batch. */
function hasEdges({ inputs, values }: Graph): boolean {
  return inputs.some((v) => {
    const { name, type } = values[v]!
    const isPairs = type?.dtype === 'int64' && type.shape.length === 2 && type.shape[0] === 2
    return isPairs && (typeof type.shape[1] !== 'number' || /edge/i.test(name))
  })
}

/** One in a batch; a picture or a sequence of the usual size. */
export function usualSize(shape: Shape, axis: number, name: string, usual = SAMPLE_SIZES[0]!): number {
  if (axis === 0 || (axis === 1 && isState(shape, name))) return 1
  const { height, width, length } = usual
  const rows = heightAxis(shape)
  if (axis === rows) return height
  if (axis - 1 === rows) return width
  return /mask|ids|token|position/i.test(name) || shape.length <= 3 ? length : Math.ceil(length / 2)
}

/** What a recurrent layer hands on, [layers, batch, units]; `last_hidden_state` is a sequence. */
const isState = (shape: Shape, name: string): boolean =>
  shape.length === 3 && typeof shape[0] === 'number' && /^(h|c|state|hidden|cell)(_?\d|_?n|_?in)?$/i.test(name)

const isColour = (d: Shape[number] | undefined): boolean => d === 1 || d === 3

/** Of pictures with channels first or last; -1: it is none. */
function heightAxis(shape: Shape): number {
  if (shape.length !== 4) return -1
  return isColour(shape[1]) ? 2 : isColour(shape[3]) ? 1 : -1
}
