// The table of workloads: every graph that data sets are collected on and that benchmarks report, by name.
import { UserError } from '../../base/errors.ts'
import { attention } from './attention.ts'
import { graphsAndScorers } from './blocks.ts'
import { broadcast } from './broadcast.ts'
import { convolutions } from './convolutions.ts'
import { decoders } from './decoders.ts'
import { elementWise } from './element-wise.ts'
import { encoders } from './encoders.ts'
import { leftovers, slowActivations, spelledActivations } from './exporters.ts'
import { convMerges, linearMerges } from './merges.ts'
import { cellPapers } from './papers-cells.ts'
import { residualPapers } from './papers-residual.ts'
import { sequencePapers } from './papers-sequence.ts'
import { plumbing } from './plumbing.ts'
import { pooling } from './pooling.ts'
import { products } from './products.ts'
import { resizing } from './resizing.ts'
import { seed } from './seed.ts'
import { selection } from './selection.ts'
import { sums } from './sums.ts'
import type { Workload } from './workload.ts'

export { drawInputs, type InputRule, type InputRules, type Suite, USUAL_SIZES, type Workload } from './workload.ts'

export const workloads: readonly Workload[] = [
  ...seed,
  ...products,
  ...sums,
  ...pooling,
  ...selection,
  ...broadcast,
  ...resizing,
  ...convolutions,
  ...elementWise,
  ...plumbing,
  ...attention,
  ...linearMerges,
  ...convMerges,
  ...encoders,
  ...graphsAndScorers,
  ...decoders,
  ...sequencePapers,
  ...residualPapers,
  ...cellPapers,
  ...spelledActivations,
  ...slowActivations,
  ...leftovers,
]

/** The workload of this name. Throws UserError with the nearest names otherwise. */
export function findWorkload(name: string): Workload {
  const found = workloads.find((w) => w.name === name)
  if (found) return found
  const near = workloads
    .filter((w) => w.name.includes(name) || w.family.includes(name) || w.suite === name)
    .map((w) => w.name)
  throw new UserError({
    code: 'unknown-workload',
    where: `workload ${name}`,
    expected: 'a name from the table of workloads',
    got: name,
    fix:
      near.length > 0
        ? `did you mean ${near.slice(0, 5).join(', ')}?`
        : '`allotrope collect --help` shows how to name them, and `all` takes every one',
  })
}
