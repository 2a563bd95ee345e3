// The stored record of an `optimize` run, from the run: what --json prints, what `report` reads, what the page shows.
import { createRandom } from '../base/random.ts'
import { bootstrapInterval, median, type Summary } from '../base/statistics.ts'
import type { describeMachine, Measurement, Timed, VariantTiming } from '../bench/index.ts'
import type { CostModel } from '../cost/cost-model.ts'
import type { Run } from '../optimize.ts'
import type { RunRecord, RunTiming } from '../report/index.ts'
import { RUN_SCHEMA } from '../report/index.ts'
import type { LoweredGraph } from '../runtime/index.ts'
import { speedupOf } from '../search/choose.ts'
import { diffKernels } from '../search/kernel-diff.ts'
import type { Ranked } from '../search/rank.ts'
import type { Verified } from '../trial/trial.ts'
import type { Replay } from './replay.ts'
import { commandLine } from './shell.ts'

export interface Occasion {
  /** The command that was run. */
  readonly command: string
  /** Path of the page, or null. */
  readonly report: string | null
  /** What a failed verification left. */
  readonly replay: Replay | null
  readonly machine: ReturnType<typeof describeMachine>
  readonly madeAt: Date
}

/** The measurement that counts: the confirmation of the choice, else the one that it was chosen by. */
const finalMeasurement = (run: Run): Measurement | null => run.confirmation ?? run.measurement

/** Timing of the chosen variant, or null: none was chosen, or it was not measured. */
function chosenTiming(run: Run): Timed | null {
  const name = run.chosen?.ranked.id
  return finalMeasurement(run)?.variants.find((v): v is Timed => v.kind === 'timed' && v.name === name) ?? null
}

const shortSummary = ({ median: middle, iqr, n }: Summary) => ({ median: middle, iqr, n })

/** The chosen variant, else the best one that computes the same, else the best that was compared. */
const judged = ({ chosen, verified }: Run): Verified | null =>
  chosen ?? verified.find((v) => v.verification.passed) ?? verified[0] ?? null

function timings(run: Run): RunTiming[] {
  const m = run.measurement
  if (m === null) return []
  const random = createRandom(run.options.seed)
  const timed = (t: Timed, role: RunTiming['role']): RunTiming => {
    const { low, high } = bootstrapInterval(t.samplesMs, median, random)
    return { name: t.name, role, medianMs: t.time.median, lowMs: low, highMs: high, ratio: t.ratio.median }
  }
  const ofVariant = (v: VariantTiming): RunTiming => {
    if (v.kind === 'failed')
      return { name: v.name, role: 'failed', medianMs: null, lowMs: null, highMs: null, ratio: null, reason: v.reason }
    if (v.name === run.chosen?.ranked.id) return timed(v, 'chosen')
    return v.dropped ? { ...timed(v, 'dropped'), reason: 'clearly slower' } : timed(v, 'measured')
  }
  return [timed(m.reference, 'original'), ...m.variants.map(ofVariant)]
}

function candidates(run: Run): RunRecord['candidates'] {
  const measured = new Map(timings(run).map((t) => [t.name, t.medianMs]))
  const chosen = run.chosen?.ranked.id
  return [run.ranking.original, ...run.ranking.variants].map(({ id, predictedMs }) => ({
    name: id,
    predictedMs,
    measuredMs: measured.get(id) ?? null,
    role: id === 'original' ? 'original' : id === chosen ? 'chosen' : 'other',
  }))
}

function verified(run: Run): RunRecord['verified'] {
  const one = judged(run)
  if (one === null) return null
  const { passed, inputs, outputs } = one.verification
  const most = (pick: (o: (typeof outputs)[number]) => number) => Math.max(0, ...outputs.map(pick))
  return { passed, inputs, maxAbs: most((o) => o.maxAbs), maxRel: most((o) => o.maxRel) }
}

function rules(run: Run): RunRecord['rules'] {
  const counts = [...(run.chosen?.ranked.candidate?.rules ?? new Map<string, number>())]
  const laws = new Map(run.explored.rules.map((r) => [r.name, r.law]))
  const rows = counts.map(([name, count]) => ({ name, count, ...(laws.has(name) && { law: laws.get(name)! }) }))
  return rows.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
}

function bodies({ bodies: { found }, chosen }: Run): RunRecord['bodies'] {
  if (found.length === 0) return null
  const kept = found.flatMap(({ where, reason }) => (reason === null ? [] : [{ where, reason }]))
  const used = chosen?.ranked.hasOptimisedBodies ?? false
  return { found: found.length, optimised: found.length - kept.length, used, kept }
}

/** Predicted milliseconds by operator, the most expensive first. */
function kernelsByOperator(ranked: Ranked, model: CostModel): { op: string; count: number; ms: number }[] {
  const prices = model.price(ranked.kernels)
  const groups = new Map<string, { op: string; count: number; ms: number }>()
  ranked.kernels.forEach((kernel, i) => {
    const group = groups.get(kernel.op) ?? { op: kernel.op, count: 0, ms: 0 }
    groups.set(kernel.op, { op: kernel.op, count: group.count + 1, ms: group.ms + prices[i]! / 1000 })
  })
  return [...groups.values()].sort((a, b) => b.ms - a.ms)
}

function kernels(run: Run): RunRecord['kernels'] {
  if (run.chosen === null) return null
  const { model } = run.cost
  return {
    source: 'predicted',
    original: kernelsByOperator(run.ranking.original, model),
    chosen: kernelsByOperator(run.chosen.ranked, model),
  }
}

/** One side of the picture of what changed. */
function graphNodes(
  { kernels, sources }: LoweredGraph,
  changed: readonly boolean[],
  model: CostModel,
): NonNullable<RunRecord['graphs']>['original'] {
  const prices = model.price(kernels)
  return kernels.map(({ op, outputs }, i) => ({
    op,
    shape: outputs[0]?.shape.join('x') ?? '',
    ms: prices[i]! / 1000,
    sources: [...(sources?.[i] ?? [])],
    changed: changed[i]!,
  }))
}

/** What the runtime executes of the original and of the chosen variant; null: none was chosen, or it cannot be told. */
function graphs({ chosen, ranking, cost: { model } }: Run): RunRecord['graphs'] {
  if (chosen === null || ranking.asWritten) return null
  const { original } = ranking
  const { before, after } = diffKernels(original.kernels, chosen.ranked.kernels)
  return { original: graphNodes(original, before, model), chosen: graphNodes(chosen.ranked, after, model) }
}

function saturation(run: Run): RunRecord['saturation'] {
  const { iterations, eNodes, eClasses, stopReason, seconds, perIteration } = run.explored.search
  const growth = perIteration.map((i) => ({ iteration: i.iteration, eNodes: i.eNodes, eClasses: i.eClasses }))
  return { iterations, eNodes, eClasses, stopReason: stopReason.kind, seconds, growth }
}

const STAGES = ['load', 'saturate', 'predict', 'verify', 'measure', 'write']

function secondsOf(run: Run): Record<string, number> {
  const stages = STAGES.map((stage) => [stage, run.stopwatch.seconds(stage)] as const)
  return { ...Object.fromEntries(stages), total: run.stopwatch.total() }
}

function machineOf({
  machine: { cpu, cores, memoryBytes, os, loadAverage, node, onnxruntime },
}: Occasion): RunRecord['machine'] {
  const versions = { node, ...(onnxruntime !== null && { onnxruntime }) }
  return { cpu, cores, memoryBytes, os, loadAverage: [...loadAverage], versions }
}

function next(run: Run, { replay }: Occasion): RunRecord['next'] {
  const { input } = run.options
  if (replay !== null) return [{ command: replay.command, purpose: 'see the difference again' }]
  if (run.chosen === null)
    return [{ command: commandLine(['inspect', input, '--nodes']), purpose: 'what is in the model' }]
  return [{ command: commandLine(['verify', input, run.outputPath]), purpose: 'compare the two models again' }]
}

const shapesOf = (shapes: ReadonlyMap<string, readonly number[]>): Record<string, number[]> =>
  Object.fromEntries([...shapes].map(([name, sizes]) => [name, [...sizes]]))

export function runRecord(run: Run, occasion: Occasion): RunRecord {
  const { options, verdict, ranking, prepared } = run
  const timing = chosenTiming(run)
  const speed = timing ? speedupOf(timing) : null
  const final = finalMeasurement(run)
  const { weightBytes } = prepared
  return {
    schema: RUN_SCHEMA,
    madeAt: occasion.madeAt.toISOString(),
    command: occasion.command,
    input: options.input,
    output: run.chosen ? run.outputPath : null,
    report: occasion.report,
    replay: occasion.replay?.folder ?? null,
    gain: run.chosen !== null,
    interrupted: run.interrupted,
    verdict: { kind: verdict.kind, reason: verdict.kind === 'no-gain' ? verdict.reason : '' },
    device: options.device,
    threads: options.threads,
    seed: options.seed,
    shapes: shapesOf(prepared.shapes),
    costModel: run.cost.model.name,
    originalMs: final && shortSummary(final.reference.time),
    chosenMs: timing && shortSummary(timing.time),
    speedup: speed?.speedup ?? null,
    speedupInterval: speed ? [...speed.interval] : null,
    predictedSpeedup: run.chosen ? ranking.original.predictedMs / run.chosen.ranked.predictedMs : null,
    variants: ranking.candidates,
    distinctAfterLowering: ranking.distinct,
    measured: run.measurement?.variants.length ?? 0,
    noise: run.measurement?.noise ?? null,
    timings: timings(run),
    candidates: candidates(run),
    verified: verified(run),
    outputs: (judged(run)?.verification.outputs ?? []).map((o) => ({ ...o })),
    rules: rules(run),
    misses: run.misses.map((m) => ({ ...m, refused: [...m.refused] })),
    steps: (run.chosen?.ranked.candidate?.steps() ?? []).map((s) => ({ ...s, nodes: [...s.nodes] })),
    bodies: bodies(run),
    recipe: {
      shapes: shapesOf(options.shapes),
      rules: options.rules,
      ruleFiles: [...(options.ruleFiles ?? [])],
      keepsRounded: run.keepsRounded,
      blockSize: run.explored.t.blockSize,
      eNodes: run.explored.phases.searched,
    },
    saturation: saturation(run),
    kernels: kernels(run),
    graphs: graphs(run),
    bytes: {
      original: weightBytes(prepared.original.graph),
      chosen: run.chosen && weightBytes(run.chosen.ranked.model.graph),
    },
    seconds: secondsOf(run),
    machine: machineOf(occasion),
    warnings: [...run.warnings],
    next: next(run, occasion),
  }
}
