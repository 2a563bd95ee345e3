// Gradient-boosted regression trees (Friedman 2001) on the learned model's own features: histogram splits, squared loss on the
// logarithm of time over the calibrated roofline, so that they start from the same foundation as the network.
import { createRandom, type Random } from '../../base/random.ts'
import { FEATURES, featureMatrix } from '../features.ts'
import type { Baseline } from './baseline.ts'
import { calibrate, priceByCalibration } from './calibrated-roofline.ts'

const TREES = 150
const DEPTH = 6
const BINS = 32
const RATE = 0.1
const LEAST_ROWS = 5
/** Share of the rows each tree sees (stochastic gradient boosting). */
const SUBSAMPLE = 0.6

/** A split sends a row left when its bin is at most `bin`; a leaf has `feature` -1. */
interface TreeNode {
  readonly feature: number
  readonly bin: number
  readonly value: number
  readonly left: TreeNode | null
  readonly right: TreeNode | null
}

const leaf = (value: number): TreeNode => ({ feature: -1, bin: 0, value, left: null, right: null })

/** Upper edges of the bins of each column: quantiles of its distinct values. */
function binEdges(x: Float32Array, rows: number, width: number): Float64Array[] {
  return Array.from({ length: width }, (_, c) => {
    const values = [...new Set(Array.from({ length: rows }, (_, r) => x[r * width + c]!))].sort((a, b) => a - b)
    const cuts = Math.min(BINS, values.length) - 1
    return Float64Array.from({ length: Math.max(0, cuts) }, (_, i) => {
      const at = Math.floor(((i + 1) * values.length) / (cuts + 1))
      return (values[at - 1]! + values[at]!) / 2
    })
  })
}

function toBins(x: Float32Array, edges: readonly Float64Array[]): Uint8Array {
  const width = edges.length
  const out = new Uint8Array(x.length)
  for (let i = 0; i < x.length; i++) {
    const e = edges[i % width]!
    let bin = 0
    while (bin < e.length && x[i]! > e[bin]!) bin++
    out[i] = bin
  }
  return out
}

interface Split {
  readonly feature: number
  readonly bin: number
  readonly gain: number
}

function bestSplit(
  bins: Uint8Array,
  width: number,
  target: Float64Array,
  rows: Int32Array,
  used: readonly number[],
): Split | null {
  let total = 0
  for (const r of rows) total += target[r]!
  let best: Split | null = null
  const sums = new Float64Array(BINS)
  const counts = new Int32Array(BINS)
  for (const feature of used) {
    sums.fill(0)
    counts.fill(0)
    for (const r of rows) {
      const b = bins[r * width + feature]!
      sums[b]! += target[r]!
      counts[b]!++
    }
    let sum = 0
    let n = 0
    for (let bin = 0; bin < BINS - 1; bin++) {
      sum += sums[bin]!
      n += counts[bin]!
      const rest = rows.length - n
      if (n < LEAST_ROWS || rest < LEAST_ROWS || counts[bin] === 0) continue
      const gain = (sum * sum) / n + ((total - sum) * (total - sum)) / rest - (total * total) / rows.length
      if (gain > 1e-9 && (!best || gain > best.gain)) best = { feature, bin, gain }
    }
  }
  return best
}

function grow(
  bins: Uint8Array,
  width: number,
  target: Float64Array,
  rows: Int32Array,
  used: readonly number[],
  depth: number,
): TreeNode {
  const mean = rows.length === 0 ? 0 : rows.reduce((s, r) => s + target[r]!, 0) / rows.length
  const split = depth === 0 || rows.length < 2 * LEAST_ROWS ? null : bestSplit(bins, width, target, rows, used)
  if (!split) return leaf(mean * RATE)
  const goesLeft = (r: number) => bins[r * width + split.feature]! <= split.bin
  const left = grow(bins, width, target, rows.filter(goesLeft), used, depth - 1)
  const right = grow(
    bins,
    width,
    target,
    rows.filter((r) => !goesLeft(r)),
    used,
    depth - 1,
  )
  return { feature: split.feature, bin: split.bin, value: 0, left, right }
}

function predict(tree: TreeNode, bins: Uint8Array, at: number): number {
  let node = tree
  while (node.left && node.right) node = bins[at + node.feature]! <= node.bin ? node.left : node.right
  return node.value
}

function boost(
  bins: Uint8Array,
  width: number,
  target: Float64Array,
  used: readonly number[],
  random: Random,
): TreeNode[] {
  const residual = Float64Array.from(target)
  const trees: TreeNode[] = []
  const all = Int32Array.from(target.keys())
  for (let t = 0; t < TREES; t++) {
    const tree = grow(
      bins,
      width,
      residual,
      all.filter(() => random.next() < SUBSAMPLE),
      used,
      DEPTH,
    )
    for (let r = 0; r < residual.length; r++) residual[r]! -= predict(tree, bins, r * width)
    trees.push(tree)
  }
  return trees
}

export const boostedTrees: Baseline = {
  name: 'boostedTrees',
  meaning: `${TREES} gradient-boosted trees of depth ${DEPTH} on the same features, over the calibrated roofline`,
  fit: ({ labels, seed }) => {
    const width = FEATURES.length
    const calibration = calibrate(labels)
    const x = featureMatrix(labels.map((l) => l.facts))
    const target = Float64Array.from(labels, (l) => Math.log(l.micros / priceByCalibration(calibration, l.facts)))
    const edges = binEdges(x, labels.length, width)
    const used = edges.flatMap((e, i) => (e.length > 0 ? [i] : []))
    const trees = boost(toBins(x, edges), width, target, used, createRandom(seed))
    return {
      name: 'boostedTrees',
      priceFacts: (facts) => {
        const bins = toBins(featureMatrix(facts), edges)
        const residual = (row: number) => trees.reduce((s, tree) => s + predict(tree, bins, row * width), 0)
        return Float64Array.from(facts, (f, row) => priceByCalibration(calibration, f) * Math.exp(residual(row)))
      },
    }
  },
}
