// The registry of operators: every record, by qualified name. To add an operator, write a record in the file of its family.
import { qualifiedName } from '../graph.ts'
import type { Op } from '../op.ts'
import { attentionOps } from './attention.ts'
import { axisWise } from './axis-wise.ts'
import { batchNormalizationOps } from './batch-normalization.ts'
import { channelsLastOps } from './channels-last.ts'
import { convOps } from './conv.ts'
import { convTransposeOps } from './conv-transpose.ts'
import { deformConvOps } from './deform-conv.ts'
import { einsumOps } from './einsum.ts'
import { elementwiseActivation } from './elementwise-activation.ts'
import { elementwiseArithmetic } from './elementwise-arithmetic.ts'
import { elementwiseCast } from './elementwise-cast.ts'
import { elementwiseLogic } from './elementwise-logic.ts'
import { elementwiseMath } from './elementwise-math.ts'
import { generators } from './generate.ts'
import { gridSampleOps } from './grid-sample.ts'
import { layerNormalizationOps } from './layer-normalization.ts'
import { layoutGather } from './layout-gather.ts'
import { layoutJoin } from './layout-join.ts'
import { layoutMove } from './layout-move.ts'
import { layoutReshape } from './layout-reshape.ts'
import { slice } from './layout-slice.ts'
import { linearOps } from './linear.ts'
import { normalizeOps } from './normalize.ts'
import { ortAttentionOps } from './ort-attention.ts'
import { ortFusedOps } from './ort-fused.ts'
import { ortGroupAttentionOps } from './ort-group-attention.ts'
import { ortNchwcOps } from './ort-nchwc.ts'
import { ortNormalizeOps } from './ort-normalize.ts'
import { ortPointwiseOps } from './ort-pointwise.ts'
import { ortQuantizedOps } from './ort-quantized.ts'
import { ortQuantizedPointwiseOps } from './ort-quantized-pointwise.ts'
import { poolOps } from './pool.ts'
import { quantizeOps } from './quantize.ts'
import { recurrentOps } from './recurrent.ts'
import { reductions } from './reduce.ts'
import { regionOps } from './region.ts'
import { resizeOps } from './resize.ts'
import { unpoolOps } from './unpool.ts'
import { windows } from './windows.ts'

const families: readonly (readonly Op[])[] = [
  elementwiseArithmetic,
  elementwiseMath,
  elementwiseLogic,
  elementwiseActivation,
  elementwiseCast,
  layoutReshape,
  layoutMove,
  layoutJoin,
  [slice],
  layoutGather,
  generators,
  windows,
  reductions,
  axisWise,
  linearOps,
  einsumOps,
  convOps,
  convTransposeOps,
  poolOps,
  batchNormalizationOps,
  layerNormalizationOps,
  normalizeOps,
  attentionOps,
  resizeOps,
  regionOps,
  deformConvOps,
  unpoolOps,
  gridSampleOps,
  recurrentOps,
  quantizeOps,
  ortAttentionOps,
  ortGroupAttentionOps,
  ortFusedOps,
  ortNchwcOps,
  ortNormalizeOps,
  ortPointwiseOps,
  channelsLastOps,
  ortQuantizedOps,
  ortQuantizedPointwiseOps,
]

const registry = new Map<string, Op>(families.flat().map((op) => [qualifiedName(op.domain, op.name), op]))

/** All records. */
export const ops: readonly Op[] = [...registry.values()]

/** The record, or null: the operator is opaque. */
export function findOp(domain: string, name: string): Op | null {
  return registry.get(qualifiedName(domain, name)) ?? null
}
