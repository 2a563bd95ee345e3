// Predicted against measured: any model of kernels over the variants of measured graphs, grouped by root.
import type { FactsModel } from './facts-model.ts'
import type { KernelFacts } from './features.ts'
import { type Group, type Metrics, metricsOf } from './metrics.ts'
import type { GraphSample } from './samples.ts'

/** Predicted microseconds of each graph: overhead plus the prices of its kernels. `facts` are those of `Samples.kernels`. */
export function predictGraphs(
  model: FactsModel,
  facts: readonly KernelFacts[],
  graphs: readonly GraphSample[],
): Float64Array {
  const at = new Map<number, number>()
  for (const g of graphs) for (const [k] of g.counts) if (!at.has(k)) at.set(k, at.size)
  const prices = model.priceFacts([...at.keys()].map((k) => facts[k]!))
  return Float64Array.from(graphs, (g) => {
    let total = model.overheadMicros ?? 0
    for (const [k, n] of g.counts) total += n * prices[at.get(k)!]!
    return total
  })
}

/** Groups by root, with a prediction per graph; graphs whose prediction is null are left out. */
export function groupByRoot(
  graphs: readonly GraphSample[],
  predicted: ArrayLike<number | null>,
  absolute: boolean,
): Group[] {
  const groups = new Map<string, Group['variants'][number][]>()
  graphs.forEach((g, i) => {
    const prediction = predicted[i]
    if (prediction === null || prediction === undefined) return
    const { micros: measured, repeats, noise, plans } = g
    const variant = { predicted: prediction, measured, repeats, noise, isOriginal: plans.includes('original') }
    const group = groups.get(g.root)
    if (group) group.push(variant)
    else groups.set(g.root, [variant])
  })
  return [...groups].map(([root, variants]) => ({ root, absolute, variants }))
}

/** All metrics of a model of kernels. */
export function evaluate(model: FactsModel, facts: readonly KernelFacts[], graphs: readonly GraphSample[]): Metrics {
  return metricsOf(groupByRoot(graphs, predictGraphs(model, facts, graphs), true))
}
