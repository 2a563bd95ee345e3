// What a workload is: a seeded builder of one graph at several named sizes, with weights scaled so that activations stay
// O(1). Sizes: `small` (well under a millisecond or a few), `full` (1-30 ms on one core), and where an identity has a
// break-even point, `reverse`: the side on which the rewrite loses, so that data sets hold both answers. Any other name is a
// published or deployed size (`cora`, `b0`) that may be slow: benchmarks ask for it, data sets only by its name.
import { UserError } from '../../base/errors.ts'
import { createRandom, type Random } from '../../base/random.ts'
import type { Graph } from '../../ir/graph.ts'
import { elementCount, isConcrete } from '../../ir/shape.ts'
import { type Tensor, tensor } from '../../ir/tensor.ts'
import { foldWeights } from './fold-weights.ts'
import { Net } from './net.ts'

export type Suite = 'seed' | 'algebra' | 'merges' | 'blocks' | 'papers' | 'exporters'

/** How the values of an input are drawn. Inputs without a rule are standard normal. */
export type InputRule =
  | { readonly kind: 'ids'; readonly below: number } // uniform in [0, below)
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'adjacency'; readonly degree: number } // rows of `degree` neighbours that sum to 1
export type InputRules = Readonly<Record<string, InputRule>>

/** Sizes that data sets take unless another is named. */
export const USUAL_SIZES: readonly string[] = ['small', 'full', 'reverse']

export interface Workload {
  readonly name: string
  /** Data sets are split by family: graphs of one family follow from the same identity or architecture. */
  readonly family: string
  readonly suite: Suite
  readonly sizes: readonly string[]
  /** What a person would expect an optimiser to find; 'nothing' in so many words where that is the answer. */
  readonly expected: string
  /** The graph; the same (size, seed) gives the same bytes. Throws UserError on a size that is not in `sizes`. */
  build(size: string, seed: number): Graph
  /** What a person would write instead: the same inputs and weights, the same outputs. null: nobody wrote it. At `reverse` it is
   * the graph as it is. Throws like `build`. */
  readonly byHand: ((size: string, seed: number) => Graph) | null
  inputs(size: string): InputRules
}

/** What a family file writes down; `Dims` are the numbers that a size stands for. */
export interface Recipe<Dims> {
  readonly name: string
  readonly family: string
  readonly suite: Suite
  readonly expected: string
  readonly sizes: Readonly<Record<string, Dims>>
  /** ONNX opset that the graph is written for; default 20. */
  readonly opset?: number
  inputs?(dims: Dims): InputRules
  build(net: Net, dims: Dims): void
  /** Draws the same weights in the same order; what it computes from weights alone becomes a weight (fold-weights.ts). */
  byHand?(net: Net, dims: Dims): void
}

export function workload<Dims>(recipe: Recipe<Dims>): Workload {
  const dims = (size: string): Dims => {
    if (Object.hasOwn(recipe.sizes, size)) return recipe.sizes[size]!
    throw new UserError({
      code: 'unknown-size',
      where: `workload ${recipe.name}`,
      expected: `one of the sizes ${Object.keys(recipe.sizes).join(', ')}`,
      got: size,
      fix: 'name one of these',
    })
  }
  const graphOf = (write: Recipe<Dims>['build'], size: string, seed: number): Graph => {
    const net = new Net(`${recipe.name}-${size}`, createRandom(seed), recipe.opset ?? 20)
    write(net, dims(size))
    return net.builder.build()
  }
  const { byHand } = recipe
  return {
    name: recipe.name,
    family: recipe.family,
    suite: recipe.suite,
    expected: recipe.expected,
    sizes: Object.keys(recipe.sizes),
    build: (size, seed) => graphOf(recipe.build, size, seed),
    byHand: byHand
      ? (size, seed) =>
          size === 'reverse' ? graphOf(recipe.build, size, seed) : foldWeights(graphOf(byHand, size, seed))
      : null,
    inputs: (size) => recipe.inputs?.(dims(size)) ?? {},
  }
}

/** Values for every input of a graph whose input shapes are numbers. */
export function drawInputs(graph: Graph, rules: InputRules, random: Random): Readonly<Record<string, Tensor>> {
  const feeds: Record<string, Tensor> = {}
  for (const id of graph.inputs) {
    const { name, type } = graph.values[id]!
    if (!type || !isConcrete(type.shape)) throw new UserError(unbound(name))
    feeds[name] = tensor(type.dtype, type.shape, draw(rules[name] ?? null, type.shape, random))
  }
  return feeds
}

function unbound(name: string) {
  return {
    code: 'unbound-shape',
    where: `input ${name}`,
    expected: 'a shape of numbers',
    got: 'a symbolic one',
    fix: 'bind it',
  }
}

function draw(rule: InputRule | null, shape: readonly number[], random: Random): Float64Array {
  const out = new Float64Array(elementCount(shape))
  if (rule?.kind === 'adjacency') return adjacency(out, shape.at(-1)!, rule.degree, random)
  const next = drawer(rule, random)
  for (let i = 0; i < out.length; i++) out[i] = next()
  return out
}

function drawer(rule: Exclude<InputRule, { kind: 'adjacency' }> | null, random: Random): () => number {
  if (rule === null) return random.normal
  if (rule.kind === 'ids') return () => random.below(rule.below)
  return () => rule.low + (rule.high - rule.low) * random.next()
}

function adjacency(out: Float64Array, columns: number, degree: number, random: Random): Float64Array {
  for (let row = 0; row < out.length; row += columns) {
    for (let k = 0; k < degree; k++) out[row + random.below(columns)]! += 1 / degree
  }
  return out
}
