// What executes graphs. A backend runs in a child process, so that a crash, a hang or a memory blow-up in it is an outcome
// (`SessionOutcome`), not the end of ours.
import type { KernelTable } from '../cost/kernel.ts'
import type { Tensor } from '../ir/tensor.ts'

/** What the user may ask for with --device. */
export type DeviceName = 'cpu' | 'webgpu' | 'cuda'

export interface Availability {
  readonly available: boolean
  /** What it is (adapter name, version), or why it is not there. */
  readonly reason: string
  /** How to get it; empty when available. */
  readonly fix: string
}

export interface SessionOptions {
  readonly threads: number
  /** 'disabled' is the oracle of verification. */
  readonly optimization: 'all' | 'disabled'
  /** Flush subnormal numbers to zero; on for labels. */
  readonly denormalAsZero?: boolean
  readonly profile?: boolean
}

export type Feeds = Readonly<Record<string, Tensor>>

/** One executed kernel of a profiled run; `micros` is the sum over runs divided by runs. */
export interface ProfiledKernel {
  readonly name: string
  readonly op: string
  readonly provider: string
  readonly micros: number
}

/** Anything a session can say instead of an answer. Values, not exceptions. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly kind: 'error' | 'crash' | 'timeout' | 'out-of-memory'; readonly reason: string }

/** A loaded model in a child process. */
export interface Session {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: Feeds): Promise<Outcome<Readonly<Record<string, Tensor>>>>
  /** Milliseconds of each of `repeats` timed batches of `batch` runs on the same feeds, outputs pre-allocated, per run. */
  time(feeds: Feeds, options: { readonly repeats: number; readonly batch: number }): Promise<Outcome<readonly number[]>>
  /** Per-kernel times of `runs` runs; needs `profile: true`. Ends the profile. */
  profile(feeds: Feeds, runs: number): Promise<Outcome<readonly ProfiledKernel[]>>
  close(): Promise<void>
}

export interface Backend {
  readonly name: DeviceName | 'reference'
  probe(): Promise<Availability>
  /** The kernels that a model file would execute at these input shapes, without running it. */
  lower(modelPath: string, shapes: ReadonlyMap<string, readonly number[]>): Promise<Outcome<KernelTable>>
  open(modelPath: string, options: SessionOptions): Promise<Outcome<Session>>
  /** Ends the child processes. */
  close(): Promise<void>
}
