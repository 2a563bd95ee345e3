// The registry of operators: every record, by qualified name. To add an operator, write a record in the file of its family.
import { qualifiedName } from '../graph.ts'
import type { Op } from '../op.ts'
import { batchNormalizationOps } from './batch-normalization.ts'
import { convOps } from './conv.ts'
import { convTransposeOps } from './conv-transpose.ts'
import { einsumOps } from './einsum.ts'
import { layerNormalizationOps } from './layer-normalization.ts'
import { linearOps } from './linear.ts'
import { normalizeOps } from './normalize.ts'
import { poolOps } from './pool.ts'

const families: readonly (readonly Op[])[] = [
  linearOps,
  einsumOps,
  convOps,
  convTransposeOps,
  poolOps,
  batchNormalizationOps,
  layerNormalizationOps,
  normalizeOps,
]

const registry = new Map<string, Op>(families.flat().map((op) => [qualifiedName(op.domain, op.name), op]))

/** All records. */
export const ops: readonly Op[] = [...registry.values()]

/** The record, or null: the operator is opaque. */
export function findOp(domain: string, name: string): Op | null {
  return registry.get(qualifiedName(domain, name)) ?? null
}
