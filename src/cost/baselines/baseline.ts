// A baseline: a cheap way to price kernels that any learned model has to beat. Fitted on the same measurements.
import type { FactsModel } from '../facts-model.ts'
import type { KernelFacts } from '../features.ts'
import type { GraphSample } from '../samples.ts'

/** A measured kernel with its facts; `micros` is corrected for the profiler. */
export interface KernelLabel {
  readonly facts: KernelFacts
  readonly micros: number
}

export interface FitInput {
  readonly labels: readonly KernelLabel[]
  /** Facts of the distinct kernels that `graphs` count. */
  readonly facts: readonly KernelFacts[]
  readonly graphs: readonly GraphSample[]
  readonly seed: number
}

export interface Baseline {
  /** Key under `baselines` in the JSON of `compare`. */
  readonly name: string
  readonly meaning: string
  fit(input: FitInput): FactsModel
}

/** A price proportional to one measure of a kernel; the factor is the median of time over measure, over graphs, else over kernels. */
export function proportional(name: string, measure: (f: KernelFacts) => number, input: FitInput): FactsModel {
  const measures = input.facts.map(measure)
  const ofGraphs = input.graphs.map((g) => g.micros / g.counts.reduce((s, [k, n]) => s + n * measures[k]!, 0))
  const ofKernels = input.labels.map((l) => l.micros / measure(l.facts))
  const factor = medianOf(ofGraphs) ?? medianOf(ofKernels) ?? 1e-3
  return { name, priceFacts: (facts) => Float64Array.from(facts, (f) => factor * measure(f)) }
}

/** Median of the finite, positive values; null where there are none. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = values.filter((v) => Number.isFinite(v) && v > 0).sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
