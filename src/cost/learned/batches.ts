// Draws training batches: some measured kernels, and several variants of a few roots. Identical kernels recur across variants,
// so each distinct one is a single row; a graph's time is a row of counts times the column of kernel times.
import type { Random } from '../../base/random.ts'
import { FEATURES } from '../features.ts'
import type { GraphSample } from '../samples.ts'

/** Distinct kernels as the network sees them. */
export interface KernelTensors {
  /** Scaled, row-major [kernels, features]. */
  readonly features: Float32Array
  /** Logarithm of the calibrated roofline's microseconds. */
  readonly logBase: Float64Array
  /** Operator of each kernel. */
  readonly opOf: readonly string[]
}

/** A measured kernel, corrected. */
export interface LabelledKernel {
  readonly kernel: number
  readonly logMicros: number
  /** Short kernels are mostly rounding: they weigh less. */
  readonly weight: number
  readonly source: 'profile' | 'synthetic'
}

/** Everything as flat arrays: kernel rows first, then the distinct kernels of the graphs. */
export interface Batch {
  readonly rows: number
  readonly features: Float32Array
  readonly logBase: Float32Array
  readonly kernelRows: number
  readonly kernelLabels: Float32Array
  readonly kernelWeights: Float32Array
  /** [kernelRows, 2]: one-hot of synthetic, profile. */
  readonly sources: Float32Array
  readonly graphRows: number
  /** [graphRows, rows - kernelRows] */
  readonly counts: Float32Array
  readonly graphLabels: Float32Array
  readonly graphWeights: Float32Array
  /** [graphRows, graphRows]: weight of "row is slower than column". */
  readonly pairs: Float32Array
}

export interface BatchSizes {
  readonly kernels: number
  readonly roots: number
  readonly variantsPerRoot: number
}

export interface Drawer {
  draw(random: Random): Batch
}

function sample<T>(items: readonly T[], n: number, random: Random): readonly T[] {
  return items.length <= n ? items : random.shuffle(items).slice(0, n)
}

/** Prepares drawing from these labels and graphs. */
export function createDrawer(
  tensors: KernelTensors,
  labels: readonly LabelledKernel[],
  graphs: readonly GraphSample[],
  sizes: BatchSizes,
): Drawer {
  const byRoot = new Map<string, GraphSample[]>()
  for (const g of graphs) byRoot.set(g.root, [...(byRoot.get(g.root) ?? []), g])
  const roots = [...byRoot.values()]
  const pickLabel = balancedPicker(labels, tensors.opOf)
  return {
    draw: (random) => {
      const kernels = labels.length === 0 ? [] : Array.from({ length: sizes.kernels }, () => pickLabel(random))
      const chosen = sample(roots, sizes.roots, random).flatMap((g) => sample(g, sizes.variantsPerRoot, random))
      return assemble(tensors, kernels, chosen)
    },
  }
}

/** Picks an operator with a chance that grows with the root of its number of labels, then one of its labels: in graphs,
 * half of the kernels are copies and additions. */
function balancedPicker(
  labels: readonly LabelledKernel[],
  opOf: readonly string[],
): (random: Random) => LabelledKernel {
  const byOp = new Map<string, LabelledKernel[]>()
  for (const l of labels) {
    const same = byOp.get(opOf[l.kernel]!)
    if (same) same.push(l)
    else byOp.set(opOf[l.kernel]!, [l])
  }
  const groups = [...byOp.values()]
  let total = 0
  const upTo = groups.map((g) => {
    total += Math.sqrt(g.length)
    return total
  })
  return (random) => {
    const at = random.next() * total
    const index = upTo.findIndex((t) => at < t)
    return random.pick(groups[index < 0 ? groups.length - 1 : index]!)
  }
}

function assemble(tensors: KernelTensors, labels: readonly LabelledKernel[], graphs: readonly GraphSample[]): Batch {
  const column = new Map<number, number>()
  for (const g of graphs) for (const [k] of g.counts) if (!column.has(k)) column.set(k, column.size)
  const order = [...labels.map((l) => l.kernel), ...column.keys()]
  return {
    rows: order.length,
    features: gatherRows(tensors.features, order),
    logBase: Float32Array.from(order, (k) => tensors.logBase[k]!),
    kernelRows: labels.length,
    kernelLabels: Float32Array.from(labels, (l) => l.logMicros),
    kernelWeights: Float32Array.from(labels, (l) => l.weight),
    sources: Float32Array.from(labels.flatMap((l) => (l.source === 'synthetic' ? [1, 0] : [0, 1]))),
    graphRows: graphs.length,
    counts: countMatrix(graphs, column),
    graphLabels: Float32Array.from(graphs, (g) => Math.log(g.micros)),
    graphWeights: Float32Array.from(graphs, (g) => 1 / (1 + g.noise / 0.05)),
    pairs: pairMatrix(graphs),
  }
}

function gatherRows(x: Float32Array, order: readonly number[]): Float32Array {
  const width = FEATURES.length
  const out = new Float32Array(order.length * width)
  order.forEach((k, row) => {
    out.set(x.subarray(k * width, (k + 1) * width), row * width)
  })
  return out
}

function countMatrix(graphs: readonly GraphSample[], column: ReadonlyMap<number, number>): Float32Array {
  const out = new Float32Array(graphs.length * column.size)
  graphs.forEach((g, row) => {
    for (const [k, n] of g.counts) out[row * column.size + column.get(k)!]! += n
  })
  return out
}

/** Pairs of one root that differ by more than twice their noise; every root weighs the same. */
function pairMatrix(graphs: readonly GraphSample[]): Float32Array {
  const n = graphs.length
  const out = new Float32Array(n * n)
  const perRoot = new Map<string, number>()
  const telling: [number, string][] = []
  graphs.forEach((a, i) => {
    graphs.forEach((b, j) => {
      if (a.root !== b.root || Math.log(a.micros / b.micros) <= 2 * Math.hypot(a.noise, b.noise)) return
      telling.push([i * n + j, a.root])
      perRoot.set(a.root, (perRoot.get(a.root) ?? 0) + 1)
    })
  })
  for (const [at, root] of telling) out[at] = 1 / perRoot.get(root)!
  return out
}
