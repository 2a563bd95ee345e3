// The stored record of one comparison of predicted and measured times. Figures are averages over groups (the variants of one
// root graph); a figure may be null, and `notes` says why.
import { z } from 'zod'

export const COMPARE_SCHEMA = 'allotrope.compare/1'

const figure = z.number().nullable()
const metrics = z.object({
  mape: figure,
  within10: figure,
  kendallTau: figure,
  tauCeiling: figure,
  pairwise: figure,
  top1Regret: z.object({ mean: z.number(), p90: z.number(), max: z.number() }).nullable(),
  top5Regret: figure,
  gainCapture: figure,
  notes: z.array(z.string()).optional(),
})

const point = z.object({
  family: z.string(),
  root: z.string(),
  predictedMs: z.number().positive(),
  measuredMs: z.number().positive(),
})

export const compareSchema = z.object({
  schema: z.literal(COMPARE_SCHEMA),
  madeAt: z.string(),
  command: z.string(),
  dataset: z.string(),
  modelName: z.string(),
  split: z.enum(['family', 'root', 'as-is']),
  groups: z.number().int().nonnegative(),
  rows: z.number().int().nonnegative(),
  /** What the timings were taken on. */
  device: z.string(),
  model: metrics,
  baselines: z.record(z.string(), metrics),
  /** The model's figures on each family that was left out. */
  families: z.array(z.object({ family: z.string(), groups: z.number().int(), rows: z.number().int(), metrics })),
  /** Predictions of left-out graphs. */
  points: z.array(point),
  notes: z.array(z.string()),
  next: z.array(z.object({ command: z.string(), purpose: z.string() })),
})

export type CompareRecord = z.infer<typeof compareSchema>
export type MetricsRecord = z.infer<typeof metrics>
