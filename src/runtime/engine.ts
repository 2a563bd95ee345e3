// What the worker process needs of something that executes models. Failures are thrown; the worker reports them.
import type { Feeds, SessionOptions } from './backend.ts'
import type { Answers, LoweredFiles, Opened, ProfileFiles } from './protocol.ts'

/** A model in the worker's memory. */
export interface Loaded extends Opened {
  run(feeds: Feeds): Promise<Feeds>
  /** Milliseconds per run of each of `repeats` batches; outputs are allocated before. */
  time(feeds: Feeds, repeats: number, batch: number): Promise<readonly number[]>
  /** PROFILE_WARM_UP_RUNS runs and then `runs`; leaves the files that were named at opening. */
  profile(feeds: Feeds, runs: number): Promise<void>
  close(): Promise<void>
}

export interface Engine {
  versions(): Answers['versions']
  open(modelPath: string, options: SessionOptions, files: ProfileFiles | null): Promise<Loaded>
  /** Writes the model that would be executed. */
  lower(modelPath: string, files: LoweredFiles): Promise<void>
}
