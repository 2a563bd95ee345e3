// Measured times as plain data, as fitting and judging want them. The dataset room reads rows from disk; the flows turn them
// into these.
import type { Kernel } from './kernel.ts'

/** One measured kernel. */
export interface KernelSample {
  /** Index into `Samples.kernels`. */
  readonly kernel: number
  /** Microseconds of one execution, as profiled: not yet corrected for the profiler's own cost. */
  readonly micros: number
  /** Where it was measured: inside a real graph, or inside a synthetic one. */
  readonly source: 'profile' | 'synthetic'
  /** Root graph it ran in; null for synthetic graphs. */
  readonly root: string | null
  readonly family: string | null
}

/** One measured variant of a root graph. */
export interface GraphSample {
  readonly variant: string
  readonly root: string
  readonly family: string
  /** Recipes that made it, each the same word in every root; none when it was drawn at random. 'original' is the root itself. */
  readonly plans: readonly string[]
  /** Executed kernels: pairs of index into `Samples.kernels` and how often it runs. */
  readonly counts: readonly (readonly [kernel: number, count: number])[]
  /** End-to-end microseconds of one run: geometric mean over independent repeats. */
  readonly micros: number
  /** Times of the independent repeats, microseconds. */
  readonly repeats: readonly number[]
  /** Standard deviation of the logarithm of `micros`. */
  readonly noise: number
  /** Sum of profiled kernel durations of one run, microseconds, uncorrected; null when it was not profiled. */
  readonly profiledMicros: number | null
}

export interface Samples {
  /** Distinct kernels. */
  readonly kernels: readonly Kernel[]
  readonly kernelSamples: readonly KernelSample[]
  readonly graphs: readonly GraphSample[]
}
