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

/** A shape for every fed input: `known` where given, usual sizes for open dimensions. One name has one size everywhere. */
export function sampleShapes(graph: Graph, known: ReadonlyMap<string, readonly number[]>): SampleShapes {
  const sizes = sizesFromKnown(graph, known)
  const guesses: string[] = []
  const shapes = new Map<string, readonly number[]>()
  for (const v of graph.inputs) {
    const { name, type } = graph.values[v]!
    if (graph.initializers.has(v) || !type) continue
    const shape = type.shape.map((d, axis) => {
      const size = known.get(name)?.[axis] ?? (typeof d === 'number' ? d : sizes.get(dimKey(d)))
      if (size !== undefined) return size
      const guess = usualSize(type.shape, axis, name)
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

/** One in a batch; a picture of 320 (a line of text if it is under 100 high); a sequence of 128. */
export function usualSize(shape: Shape, axis: number, name: string): number {
  if (axis === 0) return 1
  const isPicture = shape.length === 4 && (shape[1] === 1 || shape[1] === 3)
  if (isPicture) return 320
  return /mask|ids|token|position/i.test(name) || shape.length <= 3 ? 128 : 64
}
