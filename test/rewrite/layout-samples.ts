// Samples of the rules about the runtime's blocked layout.
import { ints } from '../../src/ir/attribute.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import type { BuildSample, Sample } from './sample.ts'

const biased = (s: Sample, x: ValueId, shape: readonly [number, ...number[]]): ValueId =>
  s.op('Add', [s.conv(x, s.w(shape), 0), s.w([shape[0], 1, 1])])

export const layoutSamples: Readonly<Record<string, readonly BuildSample[]>> = {
  'stretch-operand': [
    (s) => {
      const x = s.x([2, 3, 4, 5])
      return s.op('Mul', [x, s.op('HardSigmoid', [s.mean(x, [2, 3])])])
    },
    (s) => s.op('Add', [s.op('Sigmoid', [s.x([1, 3, 1, 1])]), s.x([1, 3, 1, 4])]),
  ],
  'pad-inner': [
    (s) => s.conv(s.op('Relu', [biased(s, s.x([1, 4, 3, 3]), [9, 4, 1, 1])]), s.w([2, 9, 3, 3]), 1),
    (s) => s.conv(s.op('Sigmoid', [s.conv(s.x([1, 3, 4, 4]), s.w([10, 3, 2, 2]), 0)]), s.w([3, 10, 1, 1]), 0),
    (s) => {
      const inner = s.op('Add', [s.conv(s.x([2, 2, 1, 1]), s.w([11, 2, 1, 1]), 0), s.c(0.5)])
      const squeezed = s.op('HardSwish', [inner])
      return s.op('Transpose', [s.conv(squeezed, s.w([4, 11, 1, 1]), 0)], { perm: ints([0, 2, 3, 1]) })
    },
  ],
}
