// Time proportional to floating-point operations. One operation is added to each kernel, so that copies are not free.
import { type Baseline, proportional } from './baseline.ts'

export const flops: Baseline = {
  name: 'flops',
  meaning: 'proportional to floating-point operations',
  fit: (input) => proportional('flops', (f) => f.work.flops + 1, input),
}
