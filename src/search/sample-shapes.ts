// Shapes to price and to measure at. Dimensions that a model leaves open get a usual size, which is said aloud and never
// written into the model; `--shape` and the user's own inputs decide instead where they are given.
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
  readonly picture: number
  readonly sequence: number
}

/** The usual sizes, and what to try where a model refuses them: tables of positions are shorter, stacks of strided convolutions need
 * more samples, heads want the size they were made for. */
export const SAMPLE_SIZES: readonly UsualSizes[] = [
  { picture: 320, sequence: 128 },
  { picture: 224, sequence: 64 },
  { picture: 256, sequence: 32 },
  { picture: 640, sequence: 16 },
  { picture: 512, sequence: 16_000 },
  { picture: 32, sequence: 1 },
]

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
      const guess = axis === 0 && readsEdges ? usual.sequence : usualSize(type.shape, axis, name, usual)
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
  if (axis === 0) return 1
  const { picture, sequence } = usual
  const isPicture = shape.length === 4 && (shape[1] === 1 || shape[1] === 3)
  if (isPicture) return picture
  return /mask|ids|token|position/i.test(name) || shape.length <= 3 ? sequence : Math.ceil(sequence / 2)
}
