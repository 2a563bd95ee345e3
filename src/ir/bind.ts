// Fixes the dynamic dimensions of a graph: from shapes of its inputs, as a user gives them, to a graph that is typed with
// numbers wherever shape inference can follow.
import { UserError } from '../base/errors.ts'
import { type Dim, dimKey, dimNames, evaluateDim, substituteDim } from './dim.ts'
import type { Graph, Value } from './graph.ts'
import { inferTypes } from './infer.ts'
import { type Shape, shapeText } from './shape.ts'

/** Shapes of some inputs, by name. */
export type InputShapes = ReadonlyMap<string, readonly number[]>

function complain(where: string, expected: string, got: string, fix: string): UserError {
  return new UserError({ code: 'bad-shape', where, expected, got, fix })
}

/** The declared shapes of all inputs that are fed (initializers may also be listed as inputs). */
function fedInputs(graph: Graph): ReadonlyMap<string, Shape | null> {
  const fed = graph.inputs.filter((v) => !graph.initializers.has(v))
  return new Map(fed.map((v) => [graph.values[v]!.name, graph.values[v]!.type?.shape ?? null]))
}

/** Numbers for the names of dimensions that these input shapes determine. Throws UserError where they contradict the graph;
 * `from` tells where the shapes were given. */
export function bindingsOf(graph: Graph, shapes: InputShapes, from = '--shape'): ReadonlyMap<string, number> {
  const declared = fedInputs(graph)
  const bindings = new Map<string, number>()
  for (const [name, sizes] of shapes) {
    const shape = declared.get(name)
    if (shape === undefined) {
      throw complain(
        `${from} ${name}`,
        `one of the inputs ${[...declared.keys()].join(', ')}`,
        name,
        'name an input of the model',
      )
    }
    if (shape === null) continue
    if (shape.length !== sizes.length) {
      throw complain(
        `${from} ${name}`,
        `${shape.length} dimensions, as in ${shapeText(shape)}`,
        String(sizes.length),
        'give every dimension',
      )
    }
    shape.forEach((dim, axis) => {
      bindDim(bindings, dim, sizes[axis]!, `${from} ${name}, dimension ${axis}`)
    })
  }
  return bindings
}

function bindDim(bindings: Map<string, number>, dim: Dim, size: number, where: string): void {
  const isName = typeof dim !== 'number' && dimNames(dim).size === 1 && dimNames(dim).has(dim.key)
  if (isName && !bindings.has(dim.key)) bindings.set(dim.key, size)
  const known = evaluateDim(dim, bindings)
  if (known !== null && known !== size)
    throw complain(where, `${known} (${dimKey(dim)})`, String(size), 'make the shapes agree')
}

/** The same graph with these shapes put in and every type inferred again. */
export function bindShapes(graph: Graph, shapes: InputShapes): Graph {
  return inferTypes(bindInputs(graph, shapes))
}

/** The same graph with these shapes put into the types that it declares. Nothing is inferred: it may not run at them. */
export function bindInputs(graph: Graph, shapes: InputShapes): Graph {
  const bindings = bindingsOf(graph, shapes)
  const inputNames = new Set(fedInputs(graph).keys())
  const bound = (value: Value): Value => {
    if (!value.type) return value
    const given = inputNames.has(value.name) ? shapes.get(value.name) : undefined
    const shape = given ?? value.type.shape.map((d) => substituteDim(d, bindings))
    return { ...value, type: { dtype: value.type.dtype, shape } }
  }
  return { ...graph, values: graph.values.map(bound) }
}

/** Names of input dimensions that are still open, sorted. */
export function openDims(graph: Graph): readonly string[] {
  const names = new Set<string>()
  for (const shape of fedInputs(graph).values())
    for (const d of shape ?? []) for (const name of dimNames(d)) names.add(name)
  return [...names].sort()
}
