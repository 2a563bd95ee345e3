// What executes graphs. A backend runs in a child process, so that a crash, a hang or a memory blow-up in it is an outcome
// (`Outcome`), not the end of ours.
import type { Kernel, KernelTable } from '../cost/kernel.ts'
import type { Tensor } from '../ir/tensor.ts'
import type { Model } from '../onnx/index.ts'

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
  /** Flush subnormal numbers to zero; on for labels. A property of the worker process: such sessions get a worker of their own. */
  readonly denormalAsZero?: boolean
  readonly profile?: boolean
}

export type Feeds = Readonly<Record<string, Tensor>>

/** One executed kernel of a profiled run; `micros` is the sum over runs divided by runs. */
export interface ProfiledKernel {
  readonly name: string
  /** Qualified name where the lowered graph tells it, else as the profile has it. */
  readonly op: string
  readonly provider: string
  readonly micros: number
  /** Of every call, in microseconds, as the profiler has them: whole numbers, about 2.2 too long each (profile.ts). */
  readonly durations: readonly number[]
  /** The kernel with its shapes and attributes; null where a shape was not seen. */
  readonly kernel: Kernel | null
}

/** Anything a session can say instead of an answer. Values, not exceptions. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly kind: 'error' | 'crash' | 'timeout' | 'out-of-memory'; readonly reason: string }

/** A loaded model in a child process. It outlives the process: after a crash or a kill, the next call loads it again. */
export interface Session {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** What the user should know of how it runs, such as work that fell back to the CPU. */
  readonly warnings: readonly string[]
  run(feeds: Feeds): Promise<Outcome<Feeds>>
  /** Milliseconds of each of `repeats` timed batches of `batch` runs on the same feeds, outputs pre-allocated, per run. The
   * same `feeds` object is sent to the process once, so it must not change. */
  time(feeds: Feeds, options: { readonly repeats: number; readonly batch: number }): Promise<Outcome<readonly number[]>>
  /** Per-kernel times of `runs` runs; needs `profile: true`. Ends the profile. */
  profile(feeds: Feeds, runs: number): Promise<Outcome<readonly ProfiledKernel[]>>
  close(): Promise<void>
}

/** Shapes of the inputs, by name. */
export type InputShapes = ReadonlyMap<string, readonly number[]>

/** What a model would execute, as a graph. */
export interface LoweredGraph {
  readonly kernels: KernelTable
  /** For each kernel, those whose outputs it reads; null where only a run tells the kernels. */
  readonly sources: readonly (readonly number[])[] | null
}

export interface Backend {
  readonly name: DeviceName | 'reference'
  probe(): Promise<Availability>
  /** The kernels that a model (a file, or in memory) would execute at these input shapes, in order, without running it. */
  lower(model: string | Model, shapes: InputShapes): Promise<Outcome<KernelTable>>
  /** The same, with which kernel feeds which. */
  lowerGraph(model: string | Model, shapes: InputShapes): Promise<Outcome<LoweredGraph>>
  open(modelPath: string, options: SessionOptions): Promise<Outcome<Session>>
  /** Process ids of the child processes that run now. */
  pids(): Promise<readonly number[]>
  /** Ends the child processes and removes temporary files. */
  close(): Promise<void>
}

export const failure = (kind: 'error' | 'crash' | 'timeout' | 'out-of-memory', reason: string) =>
  ({ ok: false, kind, reason }) as const
