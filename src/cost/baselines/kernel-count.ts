// The same time for every kernel: fewer kernels, faster graph.
import { type Baseline, proportional } from './baseline.ts'

export const kernelCount: Baseline = {
  name: 'kernelCount',
  meaning: 'the same for every executed kernel',
  fit: (input) => proportional('kernelCount', () => 1, input),
}
