// The stored record of one optimisation: everything that the page shows and that `optimize --json` prints, as plain data. The
// page is a pure function of it. Times are milliseconds per run, medians over interleaved blocks, unless the name says otherwise.
import { z } from 'zod'

export const RUN_SCHEMA = 'allotrope.optimize/1'

const nonNegative = z.number().nonnegative()
const count = z.number().int().nonnegative()

/** Median, interquartile range, and number of samples. */
const summary = z.object({ median: nonNegative, iqr: nonNegative, n: count })

const timing = z.object({
  name: z.string(),
  role: z.enum(['original', 'chosen', 'measured', 'dropped', 'failed']),
  medianMs: nonNegative.nullable(),
  /** 95 % interval of the median; null where it was not measured. */
  lowMs: nonNegative.nullable(),
  highMs: nonNegative.nullable(),
  /** Time over the original's, within blocks; below 1 is faster. */
  ratio: nonNegative.nullable(),
  /** Why there is no time, or why it was dropped. */
  reason: z.string().optional(),
})

const candidate = z.object({
  name: z.string(),
  predictedMs: nonNegative,
  measuredMs: nonNegative.nullable(),
  role: z.enum(['original', 'chosen', 'other']),
})

const output = z.object({ name: z.string(), maxAbs: nonNegative, maxRel: nonNegative, tolerance: nonNegative })

/** Kernels of one operator, as the runtime executes them. `ms` is predicted, or profiled where `kernelSource` says so. */
const kernel = z.object({ op: z.string(), count, ms: nonNegative })

/** A kernel as a node of what the runtime executes. */
const graphNode = z.object({
  op: z.string(),
  /** Of the first output, `1x64x24x160`. */
  shape: z.string(),
  /** Predicted. */
  ms: nonNegative,
  /** Nodes whose outputs it reads, by index. */
  sources: z.array(count),
  /** The other graph has no node that corresponds to it. */
  changed: z.boolean(),
})

export const runSchema = z.object({
  schema: z.literal(RUN_SCHEMA),
  /** ISO 8601. */
  madeAt: z.string(),
  /** The command that was run. */
  command: z.string(),
  input: z.string(),
  output: z.string().nullable(),
  report: z.string().nullable(),
  /** Folder that shows how a variant differs, where none passed verification. */
  replay: z.string().nullable().default(null),
  gain: z.boolean(),
  /** Stopped by the user while it measured: what was chosen is the best so far. */
  interrupted: z.boolean().default(false),
  /** How the verdict came about; `reason` explains `no-gain`. */
  verdict: z.object({ kind: z.enum(['gain', 'predicted-gain', 'no-gain']), reason: z.string() }),
  device: z.string(),
  threads: count,
  seed: z.number().int(),
  /** Shapes of the inputs that were measured. */
  shapes: z.record(z.string(), z.array(count)),
  costModel: z.string(),
  originalMs: summary.nullable(),
  chosenMs: summary.nullable(),
  speedup: nonNegative.nullable(),
  speedupInterval: z.tuple([nonNegative, nonNegative]).nullable(),
  predictedSpeedup: nonNegative.nullable(),
  variants: count,
  distinctAfterLowering: count,
  measured: count,
  /** Relative standard deviation of one timing of the original against itself. */
  noise: nonNegative.nullable(),
  timings: z.array(timing),
  candidates: z.array(candidate),
  /** Of the chosen variant, or of the best one where none was chosen. */
  verified: z.object({ passed: z.boolean(), inputs: count, maxAbs: nonNegative, maxRel: nonNegative }).nullable(),
  outputs: z.array(output),
  rules: z.array(z.object({ name: z.string(), count, law: z.string().optional() })),
  /** Of the rules that were asked about: where they looked, and why they did not fire. */
  misses: z
    .array(
      z.object({
        rule: z.string(),
        looked: count,
        fires: count,
        refused: z.array(z.object({ reason: z.string(), count, where: z.string(), eNode: z.string() })),
      }),
    )
    .default([]),
  /** Rule applications behind the chosen variant, oldest first. */
  steps: z
    .array(
      z.object({
        rule: z.string(),
        law: z.string(),
        where: z.string(),
        before: z.string(),
        after: z.string(),
        /** Numbers of both e-nodes in the search that `recipe` repeats. */
        nodes: z.tuple([count, count]).optional(),
      }),
    )
    .default([]),
  /** Of If, Loop and Scan, in the model; null: there are none. */
  bodies: z
    .object({
      found: count,
      optimised: count,
      /** The chosen variant has the optimised ones; their rules are among `rules`, their steps not among `steps`. */
      used: z.boolean(),
      /** Why the others stay as they are. */
      kept: z.array(z.object({ where: z.string(), reason: z.string() })),
    })
    .nullable()
    .default(null),
  /** What the search depends on beside the model, and the e-nodes that it came to. Null in records of before 0.2. */
  recipe: z
    .object({
      /** Shapes that were fixed for good. */
      shapes: z.record(z.string(), z.array(count)),
      rules: z.string().nullable(),
      ruleFiles: z.array(z.string()),
      /** What is rounded later was left as it is. */
      keepsRounded: z.boolean().default(false),
      /** Channels of one block of the runtime's blocked layout, where it has one. */
      blockSize: z.union([z.literal(8), z.literal(16)]).default(8),
      eNodes: count,
    })
    .nullable()
    .default(null),
  saturation: z.object({
    iterations: count,
    eNodes: count,
    eClasses: count,
    stopReason: z.string(),
    seconds: nonNegative,
    growth: z.array(z.object({ iteration: count, eNodes: count, eClasses: count })),
  }),
  kernels: z
    .object({ source: z.enum(['predicted', 'profiled']), original: z.array(kernel), chosen: z.array(kernel) })
    .nullable(),
  /** Both graphs in order of execution. Absent in records of before 0.2; null where they are not known. */
  graphs: z
    .object({ original: z.array(graphNode), chosen: z.array(graphNode) })
    .nullable()
    .default(null),
  bytes: z.object({ original: count, chosen: count.nullable() }),
  seconds: z.record(z.string(), nonNegative),
  machine: z.object({
    cpu: z.string(),
    cores: count,
    memoryBytes: nonNegative,
    os: z.string(),
    loadAverage: z.array(z.number()),
    versions: z.record(z.string(), z.string()),
  }),
  warnings: z.array(z.string()),
  /** The commands that a reader would type next. */
  next: z.array(z.object({ command: z.string(), purpose: z.string() })),
})

export type RunRecord = z.infer<typeof runSchema>
export type RunTiming = z.infer<typeof timing>
