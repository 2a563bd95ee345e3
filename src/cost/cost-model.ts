// The one interface of everything that predicts time: FLOPs, roofline, tables, trees, network.
import type { KernelTable } from './kernel.ts'

export interface CostModel {
  readonly name: string
  readonly featureVersion: number
  /** Predicted microseconds of one run of a graph outside its kernels; the graph's time is this plus its kernels' prices. */
  readonly overheadMicros?: number
  /** Predicted microseconds of each kernel, in the table's order: finite, positive, deterministic; a batch prices as its parts. */
  price(kernels: KernelTable): Float64Array
  /** Standard deviation of the logarithm of each price, where the model knows it. */
  uncertainty?(kernels: KernelTable): Float64Array
  /** Releases memory outside the JavaScript heap. */
  dispose?(): void
}
