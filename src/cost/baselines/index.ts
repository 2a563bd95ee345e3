// The table of baselines. To add one: one file and one row.
import type { Baseline } from './baseline.ts'
import { boostedTrees } from './boosted-trees.ts'
import { bytes } from './bytes.ts'
import { calibratedRoofline } from './calibrated-roofline.ts'
import { flops } from './flops.ts'
import { kernelCount } from './kernel-count.ts'
import { opTable } from './op-table.ts'
import { roofline } from './roofline.ts'

/** Every way of pricing kernels that is fitted and shown beside the learned model. */
export const baselines: readonly Baseline[] = [
  flops,
  bytes,
  kernelCount,
  roofline,
  calibratedRoofline,
  opTable,
  boostedTrees,
]
