// Samples of the rules about rows that a tensor of positions picks.
import { int, ints } from '../../src/ir/attribute.ts'
import type { BuildSample } from './sample.ts'

export const gatherSamples: Readonly<Record<string, readonly BuildSample[]>> = {
  'gather-down': [
    (s) => {
      const mapped = s.op('Add', [s.op('MatMul', [s.x([5, 4]), s.w([4, 3])]), s.x([5, 3])])
      return s.op('Gather', [s.op('Relu', [mapped]), s.ids([2])], { axis: int(0) })
    },
    (s) => {
      const scores = s.op('MatMul', [s.x([2, 5, 3]), s.op('Transpose', [s.x([2, 5, 3])], { perm: ints([0, 2, 1]) })])
      const mixed = s.op('MatMul', [s.op('Softmax', [scores], { axis: int(-1) }), s.x([2, 5, 3])])
      return s.op('Gather', [mixed, s.ids([])], { axis: int(1) })
    },
    (s) =>
      s.op('Gather', [s.op('Concat', [s.x([5, 2]), s.x([5, 3])], { axis: int(-1) }), s.ids([1])], { axis: int(0) }),
  ],
  'gather-up': [
    (s) => s.op('Relu', [s.op('Gather', [s.x([5, 4]), s.ids([7])], { axis: int(0) })]),
    (s) => s.mean(s.op('Mul', [s.op('Gather', [s.x([5, 4]), s.ids([7])], { axis: int(0) }), s.w([4])]), [1]),
    (s) => {
      const ids = s.ids([7])
      const picked = (shape: readonly number[]) => s.op('Gather', [s.x(shape), ids], { axis: int(0) })
      return s.op('Mul', [picked([5, 4]), s.op('Unsqueeze', [picked([5]), s.b.int64s([1])])])
    },
  ],
  'factor-to-row': [
    (s) => {
      const [from, to] = [s.ids([7]), s.ids([7])]
      const factors = s.op('Mul', [s.op('Gather', [s.x([5]), from]), s.op('Gather', [s.x([5]), to])])
      return s.op('Mul', [s.op('Unsqueeze', [factors, s.b.int64s([1])]), s.op('Gather', [s.x([5, 3]), from])])
    },
    (s) => {
      const from = s.ids([7])
      const factors = s.op('Mul', [s.op('Gather', [s.x([5, 1]), from]), s.x([7, 1])])
      return s.op('Mul', [factors, s.op('Gather', [s.x([5, 3]), from])])
    },
  ],
  'factor-from-scatter': [
    (s) => {
      const ids = s.ids([7])
      const weighted = s.op('Mul', [s.x([7, 3]), s.op('Gather', [s.x([5, 1]), ids])])
      return s.scatter(s.zeros([5, 3]), ids, weighted)
    },
    (s) => {
      const ids = s.ids([7])
      const weighted = s.op('Mul', [s.x([7, 3]), s.op('Gather', [s.x([5, 3]), ids])])
      return s.scatterRows(s.zeros([5, 3]), ids, weighted)
    },
  ],
}
