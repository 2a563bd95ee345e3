// Wall-clock seconds per named stage.

export class Stopwatch {
  private readonly startedAt = performance.now()
  private readonly stages = new Map<string, number>()

  /** Runs `body` and adds its time to the stage. */
  async time<T>(stage: string, body: () => T | Promise<T>): Promise<T> {
    const start = performance.now()
    try {
      return await body()
    } finally {
      this.stages.set(stage, (this.stages.get(stage) ?? 0) + (performance.now() - start) / 1000)
    }
  }

  /** Seconds of a stage so far. */
  seconds(stage: string): number {
    return this.stages.get(stage) ?? 0
  }

  /** Seconds since the stopwatch was made. */
  total(): number {
    return (performance.now() - this.startedAt) / 1000
  }
}
