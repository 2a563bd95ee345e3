// One line of a calibrated roofline: micros = launch + flops * perFlop + bytes * perByte, all three >= 0, fitted to relative
// errors. Non-negative least squares over three unknowns is solved exactly by trying every set of active unknowns.

export interface Line {
  /** Microseconds that an execution costs whatever its size. */
  readonly launch: number
  /** Microseconds per operation. */
  readonly perFlop: number
  /** Microseconds per byte moved. */
  readonly perByte: number
}

export interface LinePoint {
  readonly flops: number
  readonly bytes: number
  readonly micros: number
}

/** Shorter times than this are noise of the profiler, microseconds. */
export const SHORTEST_MICROS = 0.3

export const priceByLine = (l: Line, flops: number, bytes: number): number =>
  Math.max(SHORTEST_MICROS / 3, l.launch + flops * l.perFlop + bytes * l.perByte)

export const scaleLine = (l: Line, s: number): Line => ({
  launch: l.launch * s,
  perFlop: l.perFlop * s,
  perByte: l.perByte * s,
})

const ROUNDS = 6
/** Relative error beyond which a point counts less (Huber). */
const HUBER = 0.5

/** The line of least Huber relative error through the points, scaled so that its median error is zero. Needs a point. */
export function fitLine(points: readonly LinePoint[]): Line {
  const unit = unitsOf(points)
  let weights = points.map(() => 1)
  let line: Line = { launch: 0, perFlop: 0, perByte: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const [launch, perFlop, perByte] = solveNonNegative(points, weights, unit)
    line = { launch, perFlop: perFlop / unit.flops, perByte: perByte / unit.bytes }
    weights = points.map((p) => {
      const error = Math.abs(priceByLine(line, p.flops, p.bytes) / p.micros - 1)
      return error <= HUBER ? 1 : HUBER / error
    })
  }
  return scaleLine(line, Math.exp(medianLogError(line, points)))
}

/** Median of log(measured / predicted). */
export function medianLogError(line: Line, points: readonly LinePoint[]): number {
  const errors = points.map((p) => Math.log(p.micros / priceByLine(line, p.flops, p.bytes))).sort((a, b) => a - b)
  const middle = errors.length >> 1
  return errors.length % 2 === 1 ? errors[middle]! : (errors[middle - 1]! + errors[middle]!) / 2
}

/** Typical sizes, so that the equations are well scaled. */
function unitsOf(points: readonly LinePoint[]): { readonly flops: number; readonly bytes: number } {
  const mean = (of: (p: LinePoint) => number) => points.reduce((s, p) => s + of(p) / p.micros, 0) / points.length
  return { flops: mean((p) => p.flops) || 1, bytes: mean((p) => p.bytes) || 1 }
}

type Triple = [number, number, number]

function solveNonNegative(
  points: readonly LinePoint[],
  weights: readonly number[],
  unit: { readonly flops: number; readonly bytes: number },
): Triple {
  const columns = points.map(
    (p): Triple => [1 / p.micros, p.flops / unit.flops / p.micros, p.bytes / unit.bytes / p.micros],
  )
  let best: Triple = [0, 0, 0]
  let bestLoss = Infinity
  for (let active = 1; active < 8; active++) {
    const x = solveActive(
      columns,
      weights,
      [0, 1, 2].filter((i) => (active >> i) & 1),
    )
    if (!x || x.some((v) => v < 0)) continue
    const loss = columns.reduce((s, c, i) => s + weights[i]! * (c[0] * x[0] + c[1] * x[1] + c[2] * x[2] - 1) ** 2, 0)
    if (loss < bestLoss) [best, bestLoss] = [x, loss]
  }
  return best
}

/** Weighted least squares over the active unknowns by Cramer's rule on the normal equations; null where they are singular. */
function solveActive(columns: readonly Triple[], weights: readonly number[], active: readonly number[]): Triple | null {
  const a = active.map((i) => active.map((j) => columns.reduce((s, c, r) => s + weights[r]! * c[i]! * c[j]!, 0)))
  const b = active.map((i) => columns.reduce((s, c, r) => s + weights[r]! * c[i]!, 0))
  const scale = a.reduce((p, row, i) => p * row[i]!, 1)
  const whole = determinant(a)
  if (!(Math.abs(whole) > 1e-10 * scale)) return null
  const x: Triple = [0, 0, 0]
  active.forEach((unknown, i) => {
    x[unknown] = determinant(a.map((row, r) => row.map((v, c) => (c === i ? b[r]! : v)))) / whole
  })
  return x
}

function determinant(a: readonly (readonly number[])[]): number {
  if (a.length === 1) return a[0]![0]!
  if (a.length === 2) return a[0]![0]! * a[1]![1]! - a[0]![1]! * a[1]![0]!
  return a[0]!.reduce(
    (s, v, c) => s + (c % 2 === 0 ? v : -v) * determinant(a.slice(1).map((row) => row.filter((_, j) => j !== c))),
    0,
  )
}
