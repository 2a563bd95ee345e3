// The inputs that a verification runs on: the user's own, then one that looks like real data, noise, the extremes, and, for
// models with open dimensions, a second size.
import { createRandom } from '../base/random.ts'
import { bindingsOf, type InputShapes } from '../ir/bind.ts'
import { dimNames } from '../ir/dim.ts'
import { isFloat } from '../ir/dtype.ts'
import type { Graph } from '../ir/graph.ts'
import { evaluateShape } from '../ir/shape.ts'
import { INPUT_KINDS, type InputKind, type InputSet, type InputSpec, inputSpecs, makeInputs } from './inputs.ts'
import { readInputSets } from './user-inputs.ts'

export interface InputSetOptions {
  readonly seed: number
  /** Default: all. */
  readonly kinds?: readonly InputKind[]
  /** Folder of the user's own inputs. */
  readonly folder?: string
}

/** Input sets for a model at these shapes, the user's first. Throws UserError where a dimension is left open. */
export function inputSets(graph: Graph, shapes: InputShapes, options: InputSetOptions): readonly InputSet[] {
  const random = createRandom(options.seed)
  const specs = inputSpecs(graph, shapes)
  const own = options.folder === undefined ? [] : readInputSets(options.folder, specs)
  const made = (options.kinds ?? kindsFor(specs)).map((kind, i) => makeInputs(specs, kind, random.fork(i)))
  const others = otherShapes(graph, shapes).map((other, i) => {
    const { feeds } = makeInputs(inputSpecs(graph, other), 'structured', random.fork(100 + i))
    return { label: `structured at ${shapesText(other)}`, feeds }
  })
  return [...own, ...made, ...others]
}

/** Whole numbers have no scale: where all inputs are such, small and large ones would be noise once more. */
const kindsFor = (specs: readonly InputSpec[]): readonly InputKind[] =>
  specs.some((spec) => isFloat(spec.dtype)) ? INPUT_KINDS : INPUT_KINDS.slice(0, INPUT_KINDS.indexOf('small'))

/** The one set to time with: the user's first, else the one that looks like real data. */
export function timingInputs(graph: Graph, shapes: InputShapes, options: InputSetOptions): InputSet {
  return inputSets(graph, shapes, { ...options, kinds: ['structured'] })[0]!
}

/** Other sizes for the open dimensions. The first steps by 32, which networks with strided layers take; the second changes the
 * leading dimensions alone, which almost all take. What the original refuses, verification leaves out and says so. */
export function otherShapes(graph: Graph, shapes: InputShapes): readonly InputShapes[] {
  const leading = leadingDims(graph)
  const sizes = bindingsOf(graph, shapes)
  const resize = (step: number): InputShapes => {
    const next = new Map([...sizes].map(([dim, size]) => [dim, leading.has(dim) ? size + 1 : size + step]))
    return new Map([...shapes].map(([name, given]) => [name, shapeUnder(graph, name, next) ?? given]))
  }
  const open = [...sizes.keys()]
  if (open.length === 0) return []
  return open.every((dim) => leading.has(dim)) ? [resize(0)] : [resize(32), resize(0)]
}

const fedValues = (graph: Graph) => graph.inputs.map((v) => graph.values[v]!)

/** Names of the dimensions that come first in some input: batch sizes, mostly. */
function leadingDims(graph: Graph): ReadonlySet<string> {
  const first = fedValues(graph).map((v) => v.type?.shape[0])
  return new Set(first.flatMap((d) => (d === undefined ? [] : [...dimNames(d)])))
}

function shapeUnder(graph: Graph, name: string, sizes: ReadonlyMap<string, number>): readonly number[] | null {
  const shape = fedValues(graph).find((v) => v.name === name)?.type?.shape
  return shape ? evaluateShape(shape, sizes) : null
}

const shapesText = (shapes: InputShapes): string => [...shapes].map(([name, s]) => `${name}=${s.join('x')}`).join(' ')
