// Numbers for publication: the same measurement in several processes. Memory layout is drawn anew in each, and may favour one
// variant by some per cent within a process; only what holds across processes is a gain.
import { createRandom } from '../base/random.ts'
import { median } from '../base/statistics.ts'
import type { Backend, Feeds, Outcome } from '../runtime/index.ts'
import {
  joinTimings,
  type Measurement,
  type MeasureOptions,
  measure,
  type TimedModel,
  type VariantTiming,
} from './measure.ts'

export interface ProcessOptions extends MeasureOptions {
  /** At least 3 for numbers that are published. */
  readonly processes: number
}

/** All processes together, and each by itself. */
export interface ProcessMeasurement extends Measurement {
  readonly perProcess: readonly Measurement[]
}

/** Measures in so many fresh backends, one after the other. A variant that fails in one has failed. */
export async function measureInProcesses(
  create: () => Backend,
  reference: TimedModel,
  variants: readonly TimedModel[],
  feeds: Feeds,
  options: ProcessOptions,
): Promise<Outcome<ProcessMeasurement>> {
  const share = options.timeLimitMs === undefined ? {} : { timeLimitMs: options.timeLimitMs / options.processes }
  const parts: Measurement[] = []
  for (let p = 0; p < options.processes; p++) {
    const backend = create()
    const part = await measure(backend, reference, variants, feeds, { ...options, ...share, seed: options.seed + p })
    await backend.close()
    if (!part.ok) return part
    parts.push(part.value)
  }
  return { ok: true, value: { ...joinMeasurements(parts, options.seed), perProcess: parts } }
}

function joinMeasurements(parts: readonly Measurement[], seed: number): Measurement {
  const random = createRandom(seed)
  const joinOne = (timings: readonly VariantTiming[]): VariantTiming => {
    const failed = timings.find((t) => t.kind === 'failed')
    return (
      failed ??
      joinTimings(
        timings.filter((t) => t.kind === 'timed'),
        random,
      )
    )
  }
  return {
    reference: joinTimings(
      parts.map((p) => p.reference),
      random,
    ),
    variants: parts[0]!.variants.map((_, i) => joinOne(parts.map((p) => p.variants[i]!))),
    noise: median(parts.map((p) => p.noise)),
    warnings: [...new Set(parts.flatMap((p) => p.warnings))],
  }
}
