// The messages between us and the worker process that alone loads ONNX Runtime. Who blocks on whom: the parent sends one
// request and waits for its one reply (or for the worker's death, or for the time limit, and then kills it) before it sends
// the next; the worker says that it is ready, then blocks on nothing but the next request, works on one at a time, and ends
// when the channel closes.
// Messages travel with structured clone ('advanced' serialization), tensors as the raw bytes they are.
import type { Feeds, SessionOptions } from './backend.ts'

/** What executes, named as the worker's argument: one of ONNX Runtime's execution providers, or the reference interpreter. */
export type EngineName = 'cpu' | 'webgpu' | 'cuda' | 'reference'

/** Files that a profiled session leaves. */
export interface ProfileFiles {
  /** The graph that runs, as ONNX Runtime wrote it. */
  readonly loweredPath: string
  /** ONNX Runtime appends a time stamp and `.json`. */
  readonly profilePrefix: string
}

/** Files that lowering leaves. */
export interface LoweredFiles {
  /** The graph that would run, as ONNX Runtime wrote it. */
  readonly loweredPath: string
  /** Where its large weights go; null: into the graph, but for those that lie in files already. */
  readonly dataPath: string | null
}

export interface OpenRequest {
  readonly kind: 'open'
  readonly session: number
  readonly modelPath: string
  readonly options: SessionOptions
  readonly files: ProfileFiles | null
}

export interface Opened {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** What the user should know of how the session runs, such as work that fell back to the CPU. */
  readonly warnings: readonly string[]
}

export type Request =
  | { readonly kind: 'versions' }
  | ({ readonly kind: 'lower'; readonly modelPath: string } & LoweredFiles)
  | OpenRequest
  /** Keeps a set of inputs under a number, so that they are sent once for many timings. */
  | { readonly kind: 'keep'; readonly id: number; readonly feeds: Feeds }
  | { readonly kind: 'forget'; readonly id: number }
  | { readonly kind: 'run'; readonly session: number; readonly feeds: number }
  | {
      readonly kind: 'time'
      readonly session: number
      readonly feeds: number
      readonly repeats: number
      readonly batch: number
    }
  | { readonly kind: 'profile'; readonly session: number; readonly feeds: number; readonly runs: number }
  | { readonly kind: 'close'; readonly session: number }

/** What each request is answered with. */
export interface Answers {
  /** Version of the engine and the names of the providers in it. */
  readonly versions: { readonly version: string; readonly providers: readonly string[] }
  readonly lower: null
  readonly open: Opened
  readonly keep: null
  readonly forget: null
  readonly run: Feeds
  /** Milliseconds per run, one number for each repeat. */
  readonly time: readonly number[]
  readonly profile: null
  readonly close: null
}
export type RequestKind = Request['kind']

/** Runs before the profiled ones, which the reader of the profile drops. */
export const PROFILE_WARM_UP_RUNS = 2

/** Id of the first reply, which answers nothing: the engine is loaded, or it is not and each request will be told why. */
export const READY_ID = 0

export interface RequestMessage {
  readonly id: number
  readonly request: Request
}

export type ReplyMessage =
  | { readonly id: number; readonly ok: true; readonly value: Answers[RequestKind] }
  | { readonly id: number; readonly ok: false; readonly reason: string }
