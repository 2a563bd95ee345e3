// Trains the ensemble. Roots are dealt into as many folds as there are members; each member leaves its fold out and stops where
// its choices there are best (regret, not loss). So every root has a prediction by a member that never saw it, and the
// members' disagreement is the uncertainty. Deterministic for a seed and a backend: the number of steps decides, no clock.
import type { NamedTensorMap } from '@tensorflow/tfjs-core'
import { createRandom, type Random } from '../../base/random.ts'
import { medianAbsoluteDeviation } from '../../base/statistics.ts'
import { calibrate, priceByCalibration } from '../baselines/calibrated-roofline.ts'
import { evaluate, predictGraphs } from '../evaluate.ts'
import { featureMatrix, type KernelFacts } from '../features.ts'
import { type Correction, correctMicros } from '../labels.ts'
import type { GraphSample, KernelSample, Samples } from '../samples.ts'
import type { Tf } from '../tensorflow.ts'
import { type BatchSizes, createDrawer, type LabelledKernel } from './batches.ts'
import {
  LAYER_SIZES,
  type Layer,
  type Member,
  type NetworkParameters,
  networkModel,
  type Scaling,
  scaleFeatures,
  scalingOf,
} from './network.ts'
import {
  createNetwork,
  type LossWeights,
  lossOf,
  readLayers,
  type TensorNetwork,
  variablesOf,
} from './tensor-network.ts'

export interface FitOptions {
  readonly seed: number
  /** Ensemble size, and number of folds; at most the number of roots. */
  readonly members: number
  /** Most steps per member. */
  readonly steps: number
  /** Steps between two looks at the fold that is left out. */
  readonly checkEvery: number
  /** Looks without improvement after which a member stops. */
  readonly patience: number
  /** Keep the weights that chose best in the fold that is left out, or the last ones. */
  readonly keep: 'best' | 'last'
  readonly learningRate: number
  readonly batch: BatchSizes
  readonly weights: LossWeights
  readonly onProgress?: (p: Progress) => void
  /** True once this share (0 to 1) of the time is used up: the member that is trained stops. */
  readonly isLate?: (share: number) => boolean
}

export const DEFAULT_FIT: Omit<FitOptions, 'seed'> = {
  members: 5,
  steps: 2000,
  checkEvery: 100,
  patience: 8,
  keep: 'best',
  learningRate: 2e-3,
  batch: { kernels: 384, roots: 5, variantsPerRoot: 16 },
  weights: { kernel: 1, graph: 1, pair: 1, decay: 1e-5 },
}

export interface Progress {
  readonly member: number
  readonly members: number
  readonly step: number
  readonly steps: number
  readonly loss: number
  /** Lower is better; 0 is perfect. */
  readonly score: number
}

export interface FitResult {
  readonly parameters: NetworkParameters
  /** Steps of each member until it stopped. */
  readonly steps: readonly number[]
  /** Predicted microseconds of each graph by the member that left its root out; null where all members saw it. */
  readonly unseen: readonly (number | null)[]
}

/** Everything the members share. */
interface Context {
  readonly tf: Tf
  readonly facts: readonly KernelFacts[]
  readonly samples: Samples
  readonly correction: Correction
  readonly scaling: Scaling
  readonly features: Float32Array
  readonly options: FitOptions
}

/** Fits the ensemble. `facts` are those of `samples.kernels`. Needs at least one kernel sample. */
export async function fitNetwork(
  tf: Tf,
  samples: Samples,
  facts: readonly KernelFacts[],
  correction: Correction,
  wanted: FitOptions,
): Promise<FitResult> {
  const raw = featureMatrix(facts)
  const scaling = scalingOf(raw)
  const options = { ...wanted, weights: forRoots(wanted.weights, new Set(samples.graphs.map((g) => g.root)).size) }
  const context: Context = { tf, facts, samples, correction, scaling, features: scaleFeatures(raw, scaling), options }
  const folds = foldsOfRoots(samples.graphs, options.members, createRandom(options.seed))
  const unseen = new Array<number | null>(samples.graphs.length).fill(null)
  const trained: TrainedMember[] = []
  for (let m = 0; m < options.members; m++) {
    const held = folds[m] ?? new Set<string>()
    const result = await trainMember(context, m, held)
    trained.push(result)
    const left = [...samples.graphs.keys()].filter((i) => held.has(samples.graphs[i]!.root))
    const predicted = predictGraphs(
      memberModel(context, result.member),
      facts,
      left.map((i) => samples.graphs[i]!),
    )
    left.forEach((i, at) => {
      unseen[i] = predicted[at]!
    })
  }
  return { parameters: { scaling, members: trained.map((t) => t.member) }, steps: trained.map((t) => t.steps), unseen }
}

/** Fewer roots than this determine little beyond what their kernels tell. */
const ENOUGH_ROOTS = 20

/** With few roots the network could bend single kernels until the few totals fit: what graphs say then weighs less. */
function forRoots(weights: LossWeights, roots: number): LossWeights {
  const trust = Math.min(1, roots / ENOUGH_ROOTS)
  return { ...weights, graph: trust * weights.graph, pair: trust * weights.pair }
}

/** Share of the roots that a single member leaves out: 1 / LEAST_FOLDS. */
const LEAST_FOLDS = 5

/** The roots that each member leaves out; nothing where there are fewer than two roots. */
function foldsOfRoots(graphs: readonly GraphSample[], members: number, random: Random): ReadonlySet<string>[] {
  const roots = random.shuffle([...new Set(graphs.map((g) => g.root))])
  if (roots.length < 2) return []
  const folds = Math.min(roots.length, Math.max(LEAST_FOLDS, members))
  return Array.from({ length: members }, (_, m) => new Set(roots.filter((_, i) => i % folds === m % folds)))
}

/** Without graphs, a member leaves out a share of the distinct kernels instead of roots. */
function leftOutKernels({ samples, options }: Context, member: number): (kernel: number) => boolean {
  const distinct = [...new Set(samples.kernelSamples.map((s) => s.kernel))]
  const folds = Math.max(LEAST_FOLDS, options.members)
  if (samples.graphs.length > 0 || distinct.length < folds) return () => false
  const order = createRandom(options.seed).shuffle(distinct)
  const left = new Set(order.filter((_, i) => i % folds === member))
  return (kernel) => left.has(kernel)
}

interface TrainedMember {
  readonly member: Member
  readonly steps: number
}

const memberModel = ({ scaling }: Context, member: Member) => networkModel('member', { scaling, members: [member] })

function labelsOf({ correction }: Context, samples: readonly KernelSample[]): LabelledKernel[] {
  return samples.map(({ kernel, micros, source }) => {
    const corrected = correctMicros(correction, micros)
    return { kernel, logMicros: Math.log(corrected), weight: corrected / (corrected + 4), source }
  })
}

/** First layers by He, the last one zero, so that training starts from the roofline. */
function initialLayers(random: Random): Layer[] {
  return LAYER_SIZES.slice(1).map((outputs, i) => {
    const inputs = LAYER_SIZES[i]!
    const last = i === LAYER_SIZES.length - 2
    // Some 40 of the inputs are not zero in one row.
    const deviation = last ? 0 : Math.sqrt(2 / Math.min(inputs, 64))
    return {
      kernel: Float32Array.from({ length: inputs * outputs }, () => deviation * random.normal()),
      bias: new Float32Array(outputs),
    }
  })
}

/** Where scale and overhead start: what makes the roofline's totals right in the median. */
function startOf(logBase: Float64Array, graphs: readonly GraphSample[]): { logScale: number; logOverhead: number } {
  if (graphs.length === 0) return { logScale: 0, logOverhead: -20 }
  const ratios = graphs.map((g) =>
    Math.log(g.micros / g.counts.reduce((s, [k, n]) => s + n * Math.exp(logBase[k]!), 0)),
  )
  ratios.sort((a, b) => a - b)
  const fastest = graphs.reduce((least, g) => Math.min(least, g.micros), Infinity)
  return { logScale: ratios[ratios.length >> 1]!, logOverhead: Math.log(Math.min(10, fastest / 10)) }
}

async function trainMember(context: Context, index: number, held: ReadonlySet<string>): Promise<TrainedMember> {
  const { tf, facts, samples, options, features } = context
  const random = createRandom(options.seed).fork(index + 1)
  const graphs = samples.graphs.filter((g) => !held.has(g.root))
  const check = thinOut(held.size > 0 ? samples.graphs.filter((g) => held.has(g.root)) : graphs)
  const usable = samples.kernelSamples.filter((s) => s.root === null || !held.has(s.root))
  const isLeftOut = leftOutKernels(context, index)
  const labels = labelsOf(
    context,
    usable.filter((s) => !isLeftOut(s.kernel)),
  )
  const leftOut = samples.kernelSamples.filter((s) => (s.root !== null && held.has(s.root)) || isLeftOut(s.kernel))
  const checkLabels = labelsOf(context, leftOut)
  const calibration = calibrate(labels.map((l) => ({ facts: facts[l.kernel]!, micros: Math.exp(l.logMicros) })))
  const logBase = Float64Array.from(facts, (f) => Math.log(priceByCalibration(calibration, f)))
  const drawer = createDrawer({ features, logBase, opOf: facts.map((f) => f.kernel.op) }, labels, graphs, options.batch)
  const network = createNetwork(tf, initialLayers(random), startOf(logBase, graphs))
  const optimizer = tf.train.adam(options.learningRate)
  const memberNow = (): Member => ({
    calibration,
    layers: readLayers(network),
    logScale: network.logScale.dataSync()[0]!,
    overheadMicros: graphs.length === 0 ? 0 : Math.exp(network.logOverhead.dataSync()[0]!),
  })
  const score = (m: Member) => scoreOf(context, m, check, checkLabels)
  let best = { member: memberNow(), score: Infinity, steps: 0 }
  best = { ...best, score: score(best.member) }
  try {
    let stale = 0
    for (let step = 1; step <= options.steps && (stale < options.patience || options.keep === 'last'); step++) {
      setRate(optimizer, options.learningRate * (0.02 + 0.98 * 0.5 * (1 + Math.cos((Math.PI * step) / options.steps))))
      const loss = descend(context, network, optimizer, drawer.draw(random), step % options.checkEvery === 0)
      if (step % options.checkEvery !== 0) continue
      const member = memberNow()
      const now = score(member)
      stale = now < best.score ? 0 : stale + 1
      if (now < best.score || options.keep === 'last') best = { member, score: now, steps: step }
      options.onProgress?.({
        member: index,
        members: options.members,
        step,
        steps: options.steps,
        loss: loss!,
        score: now,
      })
      await new Promise((resolve) => setImmediate(resolve)) // lets a signal through
      if (options.isLate?.((index + 1) / options.members)) break
    }
  } finally {
    optimizer.dispose()
    for (const v of variablesOf(network)) v.dispose()
  }
  return { member: best.member, steps: best.steps }
}

/** Variants per root that are looked at while training: enough to tell, few enough to be quick. */
const CHECKED_VARIANTS = 150

/** At most that many variants of each root, evenly taken. */
function thinOut(graphs: readonly GraphSample[]): readonly GraphSample[] {
  const sizes = new Map<string, number>()
  for (const g of graphs) sizes.set(g.root, (sizes.get(g.root) ?? 0) + 1)
  const seen = new Map<string, number>()
  return graphs.filter((g) => {
    const at = seen.get(g.root) ?? 0
    seen.set(g.root, at + 1)
    return at % Math.ceil(sizes.get(g.root)! / CHECKED_VARIANTS) === 0
  })
}

/** tfjs has no schedule of learning rates; the field is protected in the types only. */
function setRate(optimizer: unknown, rate: number): void {
  ;(optimizer as { learningRate: number }).learningRate = rate
}

/** One step of Adam with the gradient's norm clipped to 1. Returns the loss if wanted: reading it waits for the device. */
function descend(
  { tf, options }: Context,
  network: TensorNetwork,
  optimizer: ReturnType<Tf['train']['adam']>,
  batch: ReturnType<ReturnType<typeof createDrawer>['draw']>,
  wanted: boolean,
): number | null {
  let loss: number | null = null
  tf.tidy(() => {
    const { value, grads } = tf.variableGrads(() => lossOf(tf, network, batch, options.weights), variablesOf(network))
    const norm = tf.sqrt(tf.addN(Object.values(grads).map((g) => tf.sum(tf.square(g)))))
    const factor = tf.div(1, tf.maximum(norm, 1))
    const clipped: NamedTensorMap = {}
    for (const [name, g] of Object.entries(grads)) clipped[name] = tf.mul(g, factor)
    optimizer.applyGradients(clipped as unknown as Parameters<typeof optimizer.applyGradients>[0])
    if (wanted) loss = value.dataSync()[0]!
  })
  return loss
}

/** What a member is stopped by: the regret of its choices first; wrong pairs and errors of graphs and of kernels too, since a
 * few left-out roots say little by their regrets alone. */
function scoreOf(
  context: Context,
  member: Member,
  graphs: readonly GraphSample[],
  labels: readonly LabelledKernel[],
): number {
  const kernelError = labels.length === 0 ? 0 : Math.min(1, kernelErrorOf(context, member, labels))
  if (graphs.length === 0) return kernelError
  const { top1Regret, pairwise, mape } = evaluate(memberModel(context, member), context.facts, graphs)
  return (top1Regret?.mean ?? 0) + 0.25 * (1 - (pairwise ?? 0) + Math.min(1, mape ?? 0) + kernelError)
}

/** Median absolute log error of kernels about its own median: profiles and end-to-end times differ by a common factor. */
function kernelErrorOf(context: Context, member: Member, labels: readonly LabelledKernel[]): number {
  const prices = memberModel(context, member).priceFacts(labels.map((l) => context.facts[l.kernel]!))
  return medianAbsoluteDeviation(labels.map((l, i) => l.logMicros - Math.log(prices[i]!)))
}
