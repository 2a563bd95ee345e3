// A model made ready for the search: read, raised to the operator set that rules write for, bound to the shapes that the user
// fixed, and given shapes to price and measure at.
import { bindingsOf, bindShapes } from '../ir/bind.ts'
import type { Bindings } from '../ir/dim.ts'
import { type Graph, opsetOf } from '../ir/graph.ts'
import { inferTypes } from '../ir/infer.ts'
import { tensorBytes } from '../ir/tensor.ts'
import { DEFAULT_OPSET, type Model, modelOf, raiseModel, readModelFile } from '../onnx/index.ts'
import { keepNamesApart } from './inner-names.ts'
import { type SampleShapes, sampleShapes, usualSamples } from './sample-shapes.ts'

export interface Prepared {
  /** The file as it is: what is verified and measured against. */
  readonly original: Model
  readonly originalPath: string
  /** What is searched: the same function, at the opset that rules write for, bound where the user asked. */
  readonly graph: Graph
  /** Concrete shapes of all inputs for pricing and measuring. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  readonly bindings: Bindings
  /** What a user should know: guessed sizes, an opset that could not be raised. */
  readonly notes: readonly string[]
  /** Some dimensions are open, and their sizes were guessed. */
  readonly isGuessed: boolean
  /** The same at different usual sizes, the most usual first. */
  guesses(): Iterable<Prepared>
  /** A graph in the envelope of the original file. */
  wrap(graph: Graph): Model
  /** Bytes of all constants of a graph. */
  weightBytes(graph: Graph): number
}

export interface PrepareOptions {
  /** Fixed for good (`--shape`). */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Only measured at: shapes of some inputs (`--sample`, the user's own inputs), given the names of all. */
  readonly samples: (inputNames: readonly string[]) => ReadonlyMap<string, readonly number[]>
  /** Where the samples were given, for complaints. Default: --sample. */
  readonly samplesFrom?: string
}

export function prepareModel(path: string, options: PrepareOptions): Prepared {
  return prepareGraph(readModelFile(path), path, options)
}

/** The same for a model in memory; `path` is where it is, or will be, on disk. */
export function prepareGraph(
  original: Model,
  path: string,
  options: PrepareOptions = { shapes: new Map(), samples: () => new Map() },
): Prepared {
  const notes: string[] = []
  const model = raised(original, notes)
  const graph = bindShapes(inferTypes(model.graph), options.shapes)
  const names = graph.inputs.map((v) => graph.values[v]!.name)
  const samples = options.samples(names)
  bindingsOf(graph, samples, options.samplesFrom ?? '--sample')
  const known = new Map([...samples, ...options.shapes])
  const apart = keepNamesApart(graph)
  const wrap = (g: Graph) => modelOf(apart(g), model)
  const at = (sample: SampleShapes): Prepared => ({
    original,
    originalPath: path,
    graph,
    shapes: sample.shapes,
    bindings: bindingsOf(graph, sample.shapes),
    notes: [...notes, ...guessNotes(sample)],
    isGuessed: sample.guesses.length > 0,
    *guesses() {
      for (const usual of usualSamples(graph, known)) yield at(usual)
    },
    wrap,
    weightBytes,
  })
  return at(sampleShapes(graph, known))
}

const guessNotes = ({ guesses }: SampleShapes): readonly string[] =>
  guesses.length === 0
    ? []
    : [`open dimensions, measured at ${guesses.join(', ')} (choose with --sample NAME=SIZES or --inputs DIR)`]

/** Bytes of all constants of a graph; bodies of its nodes count whole. */
export function weightBytes(graph: Graph): number {
  const attributes = graph.nodes.flatMap((n) => Object.values(n.attributes))
  const bodies = attributes.reduce((sum, a) => sum + (a.kind === 'opaque' ? a.bytes.length : 0), 0)
  return [...graph.initializers.values()].reduce((sum, t) => sum + tensorBytes(t), bodies)
}

/** The model at the opset that rules write for; where it cannot be raised, as it is, with a note. */
function raised(model: Model, notes: string[]): Model {
  const opset = opsetOf(model.graph, '')
  if (opset >= DEFAULT_OPSET) return model
  const result = raiseModel(model, DEFAULT_OPSET)
  if (result.ok) return result.model
  notes.push(`kept at opset ${opset}: ${result.reason}`)
  return model
}
