// How large a body's values are and how often it runs, to price it by: numbers from the graph around it where they are known, usual
// ones elsewhere. They are never written into the body.
import { type Bindings, dimNames, evaluateDim } from '../ir/dim.ts'
import type { Graph, Node } from '../ir/graph.ts'
import { evaluateShape } from '../ir/shape.ts'
import { integersOf } from '../ir/tensor.ts'
import { usualSize } from './sample-shapes.ts'

/** Iterations of a loop of which nothing is known. */
const ASSUMED_ITERATIONS = 16

export interface BodySizes {
  /** Numbers for the names of all dimensions of the inputs. */
  readonly bindings: Bindings
  readonly shapes: ReadonlyMap<string, readonly number[]>
}

/** Sizes of a body whose inputs are typed. `outer`: what is known around it. */
export function bodySizes(body: Graph, outer: Bindings): BodySizes {
  const bindings = new Map(outer)
  const shapes = new Map<string, readonly number[]>()
  for (const v of body.inputs) {
    const { name, type } = body.values[v]!
    const { shape } = type!
    shape.forEach((d, axis) => {
      if (typeof d === 'number') return
      for (const open of dimNames(d)) if (!bindings.has(open)) bindings.set(open, usualSize(shape, axis, name))
    })
    shapes.set(name, evaluateShape(shape, bindings)!)
  }
  return { bindings, shapes }
}

/** How often a body runs in one call of its node: each branch of an If half the time, never not at all. */
export function iterationsOf(node: Node, outer: Graph, bindings: Bindings): number {
  if (node.op === 'If') return 0.5
  const first = node.op === 'Loop' ? node.inputs[0] : node.inputs.at(-1)
  if (first == null) return ASSUMED_ITERATIONS
  const trips = node.op === 'Loop' ? tripCount(outer, first) : scanLength(node, outer, first, bindings)
  return trips === null ? ASSUMED_ITERATIONS : Math.max(1, trips)
}

/** A bound far beyond what runs is how exporters write "while the condition holds". */
const UNBOUNDED = 1e6

function tripCount(outer: Graph, v: Graph['inputs'][number]): number | null {
  const constant = outer.initializers.get(v)
  const trips = constant && Number(integersOf(constant)?.[0] ?? UNBOUNDED)
  return trips !== undefined && trips < UNBOUNDED ? trips : null
}

function scanLength(node: Node, outer: Graph, v: Graph['inputs'][number], bindings: Bindings): number | null {
  const axes = node.attributes.scan_input_axes
  const axis = axes?.kind === 'ints' ? Number(axes.value.at(-1) ?? 0) : 0
  const size = outer.values[v]!.type?.shape.at(axis)
  return size === undefined ? null : evaluateDim(size, bindings)
}
