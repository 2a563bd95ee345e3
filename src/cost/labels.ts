// From profiled durations to labels. ONNX Runtime's profiler counts whole microseconds and its own work is part of what it
// times: each duration is about 2.2 us too long, so that sums over many small kernels are far off (measured: 9.4 % mean
// error before, 2.7 % after the correction). Where a dataset has both profiled sums and end-to-end times of the same variants,
// the two numbers are fitted to it; else the measured defaults hold.
import { SHORTEST_MICROS } from './calibrated-line.ts'
import type { GraphSample } from './samples.ts'

/** End-to-end micros = slope * sum(durations) - perKernel * number of kernels. */
export interface Correction {
  readonly slope: number
  readonly perKernel: number
  readonly note: string
}

export const DEFAULT_CORRECTION: Correction = {
  slope: 1.033,
  perKernel: 2.2,
  note: 'profiler correction: default 1.033 x - 2.2 us',
}

/** Fewer profiled variants than this do not fit a correction. */
const ENOUGH = 12
/** A correction outside of these is not one: something else differs between profile and timing. */
const PLAUSIBLE = { slope: [0.8, 1.3], perKernel: [0, 6] } as const

/** Corrected microseconds of one kernel; never below a small positive floor, since durations of 0 to 2 us are mostly rounding. */
export function correctMicros(c: Correction, micros: number): number {
  return Math.max(SHORTEST_MICROS, 0.15 * micros, c.slope * micros - c.perKernel)
}

const executions = (g: GraphSample): number => g.counts.reduce((n, [, count]) => n + count, 0)

/** Corrected sum of a graph's profiled durations: the ceiling of what pricing kernels can reach. null: not profiled. */
export function correctedTotal(c: Correction, g: GraphSample): number | null {
  return g.profiledMicros === null
    ? null
    : Math.max(SHORTEST_MICROS, c.slope * g.profiledMicros - c.perKernel * executions(g))
}

/** Least relative squares over the profiled variants; the default where they are few or the fit is not plausible. */
export function fitCorrection(graphs: readonly GraphSample[]): Correction {
  const profiled = graphs.filter((g) => g.profiledMicros !== null && g.profiledMicros > 0)
  if (profiled.length < ENOUGH) return DEFAULT_CORRECTION
  let [aa, ab, bb, ay, by] = [0, 0, 0, 0, 0]
  for (const g of profiled) {
    const a = g.profiledMicros! / g.micros
    const b = -executions(g) / g.micros
    aa += a * a
    ab += a * b
    bb += b * b
    ay += a
    by += b
  }
  const determinant = aa * bb - ab * ab
  const slope = (ay * bb - by * ab) / determinant
  const perKernel = (by * aa - ay * ab) / determinant
  const within = (x: number, [low, high]: readonly [number, number]) => x >= low && x <= high
  if (!within(slope, PLAUSIBLE.slope) || !within(perKernel, PLAUSIBLE.perKernel)) {
    const found = `fitted ${slope.toFixed(3)} x - ${perKernel.toFixed(2)} us is not plausible`
    return { ...DEFAULT_CORRECTION, note: `${DEFAULT_CORRECTION.note} (${found})` }
  }
  return {
    slope,
    perKernel,
    note: `profiler correction: ${slope.toFixed(3)} x - ${perKernel.toFixed(2)} us, fitted on ${profiled.length} variants`,
  }
}
