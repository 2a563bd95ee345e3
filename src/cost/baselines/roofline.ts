// The plain roofline (Williams, Waterman, Patterson 2009): the larger of operations over peak rate and bytes over bandwidth,
// plus a launch. The two peaks are what the device was seen to reach: the 95th percentile over the measured kernels.
import { SHORTEST_MICROS } from '../calibrated-line.ts'
import type { Baseline, KernelLabel } from './baseline.ts'

/** One thread of a current x86 core, where nothing was measured. Operations and bytes per microsecond. */
const DEFAULT_PEAK = { flops: 50_000, bytes: 10_000 }
/** Shorter kernels do not show the device's peak, microseconds. */
const LONG_ENOUGH = 20

function peak(labels: readonly KernelLabel[], measure: (l: KernelLabel) => number, otherwise: number): number {
  const rates = labels.filter((l) => l.micros >= LONG_ENOUGH).map((l) => measure(l) / l.micros)
  rates.sort((a, b) => a - b)
  return rates[Math.floor(0.95 * rates.length)] || otherwise
}

export const roofline: Baseline = {
  name: 'roofline',
  meaning: 'the larger of flops / peak rate and bytes / bandwidth, not calibrated',
  fit: ({ labels }) => {
    const flopsPerMicro = peak(labels, (l) => l.facts.work.flops, DEFAULT_PEAK.flops)
    const bytesPerMicro = peak(labels, (l) => l.facts.work.bytesRead + l.facts.work.bytesWritten, DEFAULT_PEAK.bytes)
    return {
      name: 'roofline',
      priceFacts: (facts) =>
        Float64Array.from(
          facts,
          ({ work }) =>
            SHORTEST_MICROS +
            Math.max(work.flops / flopsPerMicro, (work.bytesRead + work.bytesWritten) / bytesPerMicro),
        ),
    }
  },
}
