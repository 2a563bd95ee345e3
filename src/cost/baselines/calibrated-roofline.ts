// The roofline calibrated per operator: launch + flops / rate + bytes / bandwidth, each operator with its own three numbers.
// An operator with few measurements takes the line of its class, times a shrunk scale; a class with few, the line of all.
// It is the learned model's foundation (the network learns the residual) and the baseline to beat.
import {
  fitLine,
  type Line,
  type LinePoint,
  medianLogError,
  priceByLine,
  SHORTEST_MICROS,
  scaleLine,
} from '../calibrated-line.ts'
import type { FactsModel } from '../facts-model.ts'
import type { KernelFacts } from '../features.ts'
import { isBlocked } from '../op-class.ts'
import type { Baseline, KernelLabel } from './baseline.ts'

export interface Calibration {
  readonly global: Line
  readonly classes: Readonly<Record<string, Line>>
  /** By `class/operator`. */
  readonly operators: Readonly<Record<string, Line>>
}

/** One thread of a current x86 core (AVX2 or better): a prior for where nothing was measured. */
export const DEFAULT_CALIBRATION: Calibration = {
  global: { launch: 2, perFlop: 1 / 40_000, perByte: 1 / 10_000 },
  classes: {
    view: { launch: 1, perFlop: 0, perByte: 0 },
    elementwise: { launch: 2, perFlop: 0, perByte: 1 / 12_000 },
    'conv-depthwise': { launch: 5, perFlop: 1 / 8_000, perByte: 1 / 8_000 },
    transpose: { launch: 3, perFlop: 0, perByte: 1 / 3_000 },
  },
  operators: {},
}

/** Fewer points than this do not determine a line of their own. */
const ENOUGH = 12
/** Points that weigh as much as the prior when a parent's line is scaled. */
const SHRINKAGE = 4

const pointOf = ({ facts, micros }: KernelLabel): LinePoint => ({
  flops: facts.work.flops,
  bytes: facts.work.bytesRead + facts.work.bytesWritten,
  micros: Math.max(SHORTEST_MICROS, micros),
})

/** The line of the points, or the parent's line moved part of the way towards them. */
function lineOf(points: readonly LinePoint[], parent: Line): Line {
  if (points.length >= ENOUGH) return fitLine(points)
  const trust = points.length / (points.length + SHRINKAGE)
  return points.length === 0 ? parent : scaleLine(parent, Math.exp(trust * medianLogError(parent, points)))
}

const operatorKey = (f: KernelFacts): string => `${f.opClass}/${f.kernel.op}`
/** Blocked and plain kernels of one class have nothing in common but the name. */
const classKey = (f: KernelFacts): string => (isBlocked(f.kernel.op) ? `${f.opClass}+blocked` : f.opClass)

function groupPoints(labels: readonly KernelLabel[], key: (f: KernelFacts) => string): Map<string, LinePoint[]> {
  const groups = new Map<string, LinePoint[]>()
  for (const l of labels) {
    const group = groups.get(key(l.facts))
    if (group) group.push(pointOf(l))
    else groups.set(key(l.facts), [pointOf(l)])
  }
  return groups
}

/** Lines of all operators that were measured. */
export function calibrate(labels: readonly KernelLabel[]): Calibration {
  const global = lineOf(labels.map(pointOf), DEFAULT_CALIBRATION.global)
  const classes: Record<string, Line> = {}
  const moved = labels.length === 0 ? 0 : medianLogError(DEFAULT_CALIBRATION.global, labels.map(pointOf))
  for (const [c, l] of Object.entries(DEFAULT_CALIBRATION.classes)) classes[c] = scaleLine(l, Math.exp(moved))
  for (const [c, points] of groupPoints(labels, classKey)) classes[c] = lineOf(points, classes[c] ?? global)
  const operators: Record<string, Line> = {}
  const parents = new Map(labels.map((l) => [operatorKey(l.facts), classes[classKey(l.facts)] ?? global]))
  for (const [o, points] of groupPoints(labels, operatorKey)) operators[o] = lineOf(points, parents.get(o)!)
  return { global, classes, operators }
}

/** Microseconds of a kernel by a calibration. */
export function priceByCalibration(c: Calibration, f: KernelFacts): number {
  const line = c.operators[operatorKey(f)] ?? c.classes[classKey(f)] ?? c.classes[f.opClass] ?? c.global
  return priceByLine(line, f.work.flops, f.work.bytesRead + f.work.bytesWritten)
}

export function calibratedModel(c: Calibration): FactsModel {
  return {
    name: 'rooflineCalibrated',
    priceFacts: (facts) => Float64Array.from(facts, (f) => priceByCalibration(c, f)),
  }
}

export const calibratedRoofline: Baseline = {
  name: 'rooflineCalibrated',
  meaning: 'launch + flops / rate + bytes / bandwidth, calibrated per operator',
  fit: ({ labels }) => calibratedModel(calibrate(labels)),
}
