// For every rule a graph in which it must fire, with sizes and values drawn from a seed. The rule tests run each: the rule fires,
// and every e-node of the e-graph has the value of its class. A rule without a sample fails by name.
import { float, int, ints } from '../../src/ir/attribute.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { activationSamples } from './activation-samples.ts'
import { gatherSamples } from './gather-samples.ts'
import { layoutSamples } from './layout-samples.ts'
import { recurrentSamples } from './recurrent-samples.ts'
import type { BuildSample, Sample } from './sample.ts'
import { subPixelSamples } from './sub-pixel-samples.ts'

/** Weights that continue as zeros along an axis. */
const halfZero = (s: Sample, shape: readonly number[], axis: number): ValueId =>
  s.op('Concat', [s.w(shape), s.op('Mul', [s.w(shape), s.c(0)])], { axis: int(axis) })

/** Two values as one, along a new axis. */
const stack = (s: Sample, shape: readonly number[], axis: number): ValueId => {
  const parts = [0, 1].map(() => s.op('Unsqueeze', [s.op('Relu', [s.x(shape)]), s.b.int64s([axis])]))
  return s.op('Concat', parts, { axis: int(axis) })
}

const rowsAt = (s: Sample, table: ValueId, ids: ValueId): ValueId => s.op('Gather', [table, ids], { axis: int(0) })

export const ruleSamples: Readonly<Record<string, readonly BuildSample[]>> = {
  ...activationSamples,
  'select-down': [
    (s) => s.slice(s.op('MatMul', [s.x([2, 5, 3]), s.w([3, 4])]), 1, 0, 1),
    (s) => s.slice(s.op('MatMul', [s.x([2, 5, 3]), s.w([3, 4])]), 2, 1, 3),
    (s) => s.slice(s.op('Softmax', [s.op('Add', [s.x([2, 5, 3]), s.x([5, 1])])], { axis: int(2) }), 1, 4, 5),
    (s) => s.slice(s.op('Concat', [s.x([2, 2]), s.x([2, 3]), s.x([2, 2])], { axis: int(1) }), 1, 1, 6),
    (s) =>
      s.slice(
        s.op('Transpose', [s.op('Reshape', [s.x([2, 5, 6]), s.b.int64s([2, 5, 2, 3])])], { perm: ints([0, 2, 1, 3]) }),
        2,
        0,
        2,
      ),
    (s) => s.slice(s.conv(s.x([1, 3, 5, 5]), s.w([4, 3, 3, 3]), 1), 1, 1, 3),
    (s) => s.slice(s.op('LayerNormalization', [s.x([2, 5, 4]), s.w([4])]), 1, 0, 1),
    (s) => s.slice(s.scatter(s.zeros([5, 3]), s.ids([7]), s.x([7, 3])), 1, 1, 3),
  ],
  'concat-of-selects': [
    (s) => {
      const x = s.x([2, 6])
      return s.op('Concat', [s.slice(x, 1, 1, 3), s.slice(x, 1, 3, 6)], { axis: int(1) })
    },
  ],
  'concat-up': [
    (s) => s.op('Concat', [s.op('Relu', [s.x([2, 3])]), s.op('Relu', [s.x([2, 4])])], { axis: int(1) }),
    (s) =>
      s.op('Concat', [s.op('Add', [s.x([2, 3]), s.w([3])]), s.op('Add', [s.x([2, 4]), s.w([1])])], { axis: int(1) }),
    (s) => {
      const y = s.x([1, 3])
      return s.op('Concat', [s.op('Mul', [s.x([2, 3]), y]), s.op('Mul', [s.x([4, 3]), y])], { axis: int(0) })
    },
  ],
  'select-up': [
    (s) => {
      const x = s.x([2, 5])
      const parts = [s.slice(x, 1, 0, 2), s.slice(x, 1, 2, 4)].map((p) => s.op('Relu', [p]))
      return s.op('MatMul', [parts[0]!, s.op('Transpose', [parts[1]!], { perm: ints([1, 0]) })])
    },
    (s) => {
      const x = s.x([2, 6])
      return s.op('Add', [s.op('Relu', [s.slice(x, 1, 0, 3)]), s.op('Relu', [s.slice(x, 1, 3, 6)])])
    },
  ],
  'expand-up': [
    (s) => s.op('MatMul', [s.op('Expand', [s.x([2, 1, 3]), s.b.int64s([2, 5, 3])]), s.w([3, 4])]),
    (s) => s.op('Add', [s.op('Expand', [s.x([2, 1]), s.b.int64s([2, 4])]), s.x([2, 4])]),
    (s) => s.scatter(s.zeros([5, 3]), s.ids([7]), s.op('Expand', [s.x([7, 1]), s.b.int64s([7, 3])])),
  ],
  'lin-push': [
    (s) => {
      const x = s.x([3, 4])
      return s.op('MatMul', [s.op('Add', [x, s.op('MatMul', [s.x([3, 3]), x])]), s.w([4, 2])])
    },
    (s) => s.op('MatMul', [s.op('MatMul', [s.x([5, 5]), s.x([5, 3])]), s.w([3, 2])]),
    (s) => s.op('MatMul', [s.mean(s.x([2, 5, 3]), [1]), s.w([3, 2])]),
    (s) => s.op('MatMul', [s.op('Transpose', [s.x([2, 3, 4])], { perm: ints([0, 2, 1]) }), s.w([3, 2])]),
    (s) =>
      s.conv(
        s.op('Resize', [s.x([1, 3, 4, 4]), null, s.b.constant(tensor('float32', [4], [1, 1, 2, 2]))], {}),
        s.w([2, 3, 1, 1]),
        0,
      ),
    (s) => s.op('MatMul', [s.op('Mul', [s.x([2, 5, 3]), s.x([2, 5, 1])]), s.w([3, 2])]),
    (s) => s.op('MatMul', [s.scatter(s.zeros([5, 3]), s.ids([7]), rowsAt(s, s.x([5, 3]), s.ids([7]))), s.w([3, 2])]),
    (s) => s.op('MatMul', [s.scatterRows(s.zeros([5, 3]), s.ids([7]), s.x([7, 3])), s.w([3, 2])]),
  ],
  'lin-pull': [
    (s) => s.mean(s.op('MatMul', [s.x([2, 5, 3]), s.w([3, 2])]), [1]),
    (s) => s.op('MatMul', [s.x([4, 5]), s.op('MatMul', [s.x([5, 3]), s.w([3, 2])])]),
    (s) => s.op('GlobalAveragePool', [s.conv(s.x([1, 3, 4, 4]), s.w([2, 3, 1, 1]), 0)]),
    (s) => s.scatter(s.zeros([5, 4]), s.ids([7]), s.op('MatMul', [s.x([7, 2]), s.w([2, 4])])),
    (s) =>
      s.scatterRows(s.zeros([5, 4]), s.ids([7]), rowsAt(s, s.op('MatMul', [s.x([5, 2]), s.w([2, 4])]), s.ids([7]))),
    (s) => {
      const w = s.w([3, 2])
      return s.op('Add', [s.op('MatMul', [s.x([4, 3]), w]), s.op('MatMul', [s.x([4, 3]), w])])
    },
  ],
  'lin-of-lin': [(s) => s.op('MatMul', [s.op('MatMul', [s.x([4, 3]), s.w([3, 5])]), s.w([5, 2])])],
  'lin-low-rank': [(s) => s.op('MatMul', [s.x([4, 6]), s.op('MatMul', [s.w([6, 2]), s.w([2, 6])])])],
  'lin-of-concat': [(s) => s.op('MatMul', [s.op('Concat', [s.x([4, 2]), s.x([4, 3])], { axis: int(1) }), s.w([5, 3])])],
  'concat-of-lins': [
    (s) => {
      const x = s.x([4, 3])
      return s.op('Concat', [s.op('MatMul', [x, s.w([3, 2])]), s.op('MatMul', [x, s.w([3, 4])])], { axis: int(1) })
    },
  ],
  'sum-of-lins': [
    (s) => {
      const x = s.x([4, 3])
      return s.op('Add', [s.op('MatMul', [x, s.w([3, 2])]), s.op('MatMul', [x, s.w([3, 2])])])
    },
    (s) => {
      const x = s.x([4, 3])
      return s.op('Add', [s.op('MatMul', [x, s.w([3, 3])]), x])
    },
    (s) => {
      const x = s.x([4, 3])
      return s.op('Add', [s.op('MatMul', [x, s.w([3, 1])]), x])
    },
  ],
  'lin-contract': [
    (s) => s.op('MatMul', [s.op('MatMul', [s.x([6, 3]), s.w([3, 4])]), s.x([4, 2])]),
    (s) => s.op('MatMul', [s.op('MatMul', [s.x([2, 6, 3]), s.w([3, 4])]), s.x([2, 4, 2])]),
    (s) => s.op('MatMul', [s.x([2, 3]), s.op('MatMul', [s.w([3, 4]), s.x([4, 5])])]),
  ],
  'matmul-associate': [
    (s) => s.op('MatMul', [s.op('MatMul', [s.x([2, 4, 3]), s.x([2, 3, 5])]), s.x([2, 5, 2])]),
    (s) => s.op('MatMul', [s.x([4, 3]), s.op('MatMul', [s.x([3, 5]), s.x([5, 2])])]),
    (s) => s.op('MatMul', [s.op('MatMul', [s.x([1, 4, 3]), s.x([2, 3, 5])]), s.x([2, 5, 2])]),
  ],
  'sum-of-matmuls': [
    (s) => {
      const x = s.x([4, 3])
      return s.op('Add', [s.op('MatMul', [x, s.x([3, 2])]), s.op('MatMul', [x, s.x([3, 2])])])
    },
    (s) => {
      const y = s.x([3, 2])
      return s.op('Add', [s.op('MatMul', [s.x([4, 3]), y]), s.op('MatMul', [s.x([4, 3]), y])])
    },
  ],
  'reduce-transposed': [
    (s) => s.mean(s.op('Transpose', [s.x([2, 5, 3])], { perm: ints([1, 2, 0]) }), [1]),
    (s) => s.op('ReduceMax', [s.op('Transpose', [s.x([2, 5, 3])], { perm: ints([2, 0, 1]) }), s.b.int64s([0, 1])]),
  ],
  'reduce-map': [
    (s) => s.mean(s.op('MatMul', [s.x([2, 5, 3]), s.w([3, 4])]), [2]),
    (s) => s.op('ReduceSum', [s.op('MatMul', [s.x([2, 5, 3]), s.w([3, 4])]), s.b.int64s([0, 2])]),
    (s) => s.mean(s.conv(s.x([1, 3, 4, 4]), s.w([2, 3, 1, 1]), 0), [1, 2, 3]),
  ],
  'reduce-stack': [
    (s) => s.op('ReduceSum', [stack(s, [2, 3], 1), s.b.int64s([1])], { keepdims: int(0) }),
    (s) => s.op('ReduceSum', [s.op('Mul', [stack(s, [2, 3, 2], 1), s.x([2, 2, 3, 1])]), s.b.int64s([1])]),
    (s) => s.mean(s.op('Mul', [s.x([2, 1, 1]), stack(s, [4, 3], 0)]), [0]),
  ],
  'reduce-weighted': [
    (s) => s.mean(s.op('Mul', [s.op('Add', [s.x([2, 5, 3]), s.w([3])]), s.x([2, 5, 1])]), [1]),
    (s) => {
      const projected = s.op('Add', [s.op('MatMul', [s.x([2, 5, 3]), s.w([3, 4])]), s.w([4])])
      return s.op('ReduceSum', [s.op('Mul', [projected, s.x([2, 5, 1])]), s.b.int64s([1])])
    },
  ],
  'scatter-apart': [
    (s) => s.scatter(s.x([5, 3]), s.ids([7]), s.x([7, 3])),
    (s) => s.scatterRows(s.x([5, 3]), s.ids([7]), s.x([7, 3])),
  ],
  'scatter-into': [
    (s) => s.op('Add', [s.x([5, 3]), s.scatter(s.zeros([5, 3]), s.ids([7]), s.x([7, 3]))]),
    (s) => s.op('Add', [s.x([5, 3]), s.scatterRows(s.zeros([5, 3]), s.ids([7]), s.x([7, 3]))]),
  ],
  'scale-out': [
    (s) => s.scatter(s.zeros([5, 3]), s.ids([7]), s.op('Mul', [s.x([7, 3]), s.x([1, 3])])),
    (s) => s.op('MatMul', [s.op('Mul', [s.x([4, 3]), s.x([4, 1])]), s.x([3, 2])]),
    (s) => s.op('MatMul', [s.op('Div', [s.x([4, 3]), s.x([4, 1])]), s.w([3, 2])]),
    (s) => s.op('Transpose', [s.op('Mul', [s.x([2, 4, 3]), s.x([1, 4, 1])])], { perm: ints([1, 2, 0]) }),
  ],
  'scale-in': [
    (s) => s.op('Mul', [s.op('MatMul', [s.x([4, 3]), s.x([3, 2])]), s.x([4, 1])]),
    (s) => s.op('Mul', [s.op('MatMul', [s.x([4, 3]), s.x([3, 2])]), s.x([1, 2])]),
  ],
  'scale-contract': [
    (s) => s.op('MatMul', [s.op('Mul', [s.x([4, 3]), s.x([1, 3])]), s.x([3, 2])]),
    (s) => s.op('MatMul', [s.x([4, 3]), s.op('Mul', [s.x([3, 2]), s.x([3, 1])])]),
  ],
  'diagonal-in': [(s) => s.op('MatMul', [s.op('Mul', [s.x([4, 3]), s.w([3])]), s.w([3, 2])])],
  'diagonal-out': [
    (s) => s.op('Mul', [s.op('MatMul', [s.x([4, 3]), s.w([3, 2])]), s.w([2])]),
    (s) => s.op('Mul', [s.conv(s.x([1, 4, 5, 5]), s.w([6, 2, 3, 3]), 1, 2), s.w([6, 1, 1])]),
    (s) =>
      s.op('Mul', [
        s.op('ConvTranspose', [s.x([1, 3, 4, 4]), s.w([3, 2, 2, 2])], { strides: ints([2, 2]) }),
        s.w([2, 1, 1]),
      ]),
  ],
  'diagonal-into-conv': [
    (s) => s.conv(s.op('Mul', [s.x([1, 3, 5, 5]), s.w([3, 1, 1])]), s.w([2, 3, 3, 3]), 1),
    (s) => s.conv(s.op('Mul', [s.x([1, 4, 5, 5]), s.w([4, 1, 1])]), s.w([6, 2, 3, 3]), 1, 2),
    (s) => s.conv(s.op('Mul', [s.x([1, 4, 5, 5]), s.c(1.5)]), s.w([4, 1, 3, 3]), 1, 4),
  ],
  'combine-terms': [(s) => s.op('Add', [s.op('Add', [s.x([4, 3]), s.w([3])]), s.w([4, 1])])],
  'combine-factors': [(s) => s.op('Mul', [s.op('Mul', [s.x([4, 3]), s.w([3])]), s.c(2.5)])],
  'distribute-factor': [(s) => s.op('Mul', [s.op('Add', [s.x([4, 3]), s.w([3])]), s.w([3])])],
  'float-term': [(s) => s.op('Add', [s.op('Add', [s.x([4, 3]), s.w([3])]), s.op('Add', [s.x([4, 3]), s.w([3])])])],
  'term-down': [
    (s) => {
      const resized = s.op('Resize', [s.x([1, 3, 4, 4]), null, s.b.constant(tensor('float32', [4], [1, 1, 2, 2]))], {})
      return s.op('Add', [resized, s.w([3, 1, 1])])
    },
    (s) => s.op('Add', [s.op('Add', [s.x([4, 3]), s.x([1, 3])]), s.w([3])]),
    (s) => {
      const maps = [2, 4].map((size) => s.op('MatMul', [s.x([4, size]), s.w([size, 3])]))
      return s.op('Add', [s.op('Add', maps), s.w([3])])
    },
    (s) => {
      const maps = [3, 4].map((channels) => s.conv(s.x([1, channels, 5, 5]), s.w([2, channels, 3, 3]), 1))
      return s.op('Add', [s.op('Add', maps), s.w([2, 1, 1])])
    },
  ],
  'constant-out': [
    (s) => s.mean(s.op('Add', [s.x([2, 5, 3]), s.w([5, 3])]), [1, 2]),
    (s) => s.op('ReduceSum', [s.op('Add', [s.x([2, 5, 3]), s.w([3])]), s.b.int64s([1, 2])]),
    (s) => s.op('MatMul', [s.op('Add', [s.x([4, 3]), s.w([3])]), s.w([3, 2])]),
    (s) => s.conv(s.op('Add', [s.x([1, 3, 5, 5]), s.w([3, 1, 1])]), s.w([2, 3, 3, 3]), 0),
    (s) => s.mean(s.op('Add', [s.x([2, 5, 3]), s.w([3])]), [1]),
    (s) => s.op('ReduceSum', [s.op('Add', [s.x([2, 5, 3]), s.w([3])]), s.b.int64s([0, 1])]),
    (s) => s.op('Transpose', [s.op('Add', [s.x([2, 5, 3]), s.w([5, 3])])], { perm: ints([0, 2, 1]) }),
    (s) => s.op('Reshape', [s.op('Add', [s.x([2, 6]), s.w([6])]), s.b.int64s([2, 2, 3])]),
    (s) => s.op('GlobalAveragePool', [s.op('Add', [s.x([1, 3, 4, 4]), s.w([3, 1, 1])])]),
    (s) =>
      s.op(
        'Resize',
        [s.op('Add', [s.x([1, 3, 4, 4]), s.w([3, 1, 1])]), null, s.b.constant(tensor('float32', [4], [1, 1, 2, 2]))],
        {},
      ),
  ],
  'conv-of-lin': [(s) => s.conv(s.conv(s.x([1, 3, 5, 5]), s.w([4, 3, 1, 1]), 0), s.w([2, 4, 3, 3]), 1)],
  'lin-of-conv': [(s) => s.conv(s.conv(s.x([1, 3, 5, 5]), s.w([4, 3, 3, 3]), 1), s.w([2, 4, 1, 1]), 0)],
  'conv-of-sum': [
    (s) => {
      const w = s.w([2, 3, 3, 3])
      return s.op('Add', [s.conv(s.x([1, 3, 5, 5]), w, 1), s.conv(s.x([1, 3, 5, 5]), w, 1)])
    },
  ],
  'reduce-product': [
    (s) => s.op('ReduceSum', [s.op('MatMul', [s.x([2, 4, 3]), s.x([2, 3, 5])]), s.b.int64s([2])]),
    (s) => s.mean(s.op('MatMul', [s.x([4, 3]), s.x([3, 5])]), [0]),
  ],
  'stack-inputs': [
    (s) => {
      const w = s.w([3, 2])
      return s.op('Mul', [s.op('MatMul', [s.x([1, 3]), w]), s.op('Tanh', [s.op('MatMul', [s.x([2, 3]), w])])])
    },
  ],
  'sum-of-convs': [
    (s) => {
      const x = s.x([1, 3, 5, 5])
      return s.op('Add', [s.conv(x, s.w([4, 3, 3, 3]), 1), s.conv(x, s.w([4, 3, 1, 1]), 0)])
    },
    (s) => {
      const x = s.x([1, 3, 5, 5])
      return s.op('Add', [s.conv(x, s.w([3, 3, 3, 3]), 1), x])
    },
    (s) => {
      const x = s.x([1, 3, 5, 5])
      return s.op('Add', [s.conv(x, s.w([3, 3, 3, 3]), 1), s.op('Mul', [x, s.w([3, 1, 1])])])
    },
    (s) => {
      const x = s.x([1, 4, 5, 5])
      return s.op('Add', [s.conv(x, s.w([4, 2, 3, 3]), 1, 2), x])
    },
  ],
  'merge-lins': [
    (s) => {
      const x = s.x([4, 3])
      return s.op('Mul', [s.op('MatMul', [x, s.w([3, 2])]), s.op('Relu', [s.op('MatMul', [x, s.w([3, 2])])])])
    },
    (s) => {
      const x = s.x([2, 4, 3])
      const linear = () => s.op('Add', [s.op('MatMul', [x, s.w([3, 2])]), s.w([2])])
      return s.op('MatMul', [linear(), s.op('Transpose', [linear()], { perm: ints([0, 2, 1]) })])
    },
  ],
  'merge-convs': [
    (s) => {
      const x = s.x([1, 3, 5, 5])
      return s.op('Mul', [s.conv(x, s.w([2, 3, 3, 3]), 1), s.op('Relu', [s.conv(x, s.w([2, 3, 3, 3]), 1)])])
    },
    (s) => {
      const x = s.x([1, 3, 5, 5])
      const small = s.op('Add', [s.conv(x, s.w([4, 3, 1, 1]), 0), s.w([4, 1, 1])])
      return s.op('Concat', [s.conv(x, s.w([2, 3, 3, 3]), 1), small], { axis: int(1) })
    },
  ],
  'concat-of-convs': [
    (s) => {
      const [x, y] = [s.x([1, 2, 5, 5]), s.x([1, 2, 5, 5])]
      return s.op('Concat', [s.conv(x, s.w([3, 2, 3, 3]), 1), s.conv(y, s.w([3, 2, 3, 3]), 1)], { axis: int(1) })
    },
    (s) => {
      const [x, w] = [s.x([1, 4, 5, 5]), () => s.w([3, 2, 3, 3])]
      return s.op('Concat', [s.conv(s.slice(x, 1, 0, 2), w(), 1), s.conv(s.slice(x, 1, 2, 4), w(), 1)], {
        axis: int(1),
      })
    },
  ],
  'merge-groups': [(s) => s.conv(s.x([1, 8, 5, 5]), s.w([12, 2, 3, 3]), 1, 4)],
  'conv-of-concat': [
    (s) => s.conv(s.op('Concat', [s.x([1, 2, 5, 5]), s.x([1, 3, 5, 5])], { axis: int(1) }), s.w([4, 5, 3, 3]), 1),
  ],
  'dead-channels': [
    (s) => {
      const hidden = s.op('Add', [s.op('MatMul', [s.x([5, 3]), halfZero(s, [3, 2], 1)]), s.w([4])])
      return s.op('MatMul', [s.op('Sigmoid', [hidden]), s.w([4, 2])])
    },
    (s) => s.op('MatMul', [s.op('Relu', [s.x([5, 4])]), halfZero(s, [2, 3], 0)]),
    (s) => s.conv(s.op('Relu', [s.conv(s.x([1, 3, 5, 5]), halfZero(s, [2, 3, 3, 3], 0), 1)]), s.w([3, 4, 3, 3]), 1),
    (s) => s.conv(s.op('Relu', [s.x([1, 4, 5, 5])]), halfZero(s, [3, 2, 3, 3], 1), 1),
    (s) => {
      const normed = s.op('Add', [s.op('Mul', [s.x([1, 4, 5, 5]), halfZero(s, [1, 2, 1, 1], 1)]), s.w([4, 1, 1])])
      return s.conv(s.op('Relu', [normed]), s.w([3, 4, 1, 1]), 0)
    },
  ],
  'flush-subnormals': [
    (s) => s.op('MatMul', [s.op('Relu', [s.x([5, 4])]), s.tiny([4, 3])]),
    (s) => s.op('MatMul', [s.tiny([4, 3]), s.x([3, 5])]),
    (s) => s.conv(s.x([1, 2, 5, 5]), s.tiny([4, 2, 3, 3]), 1),
    (s) => s.op('ConvTranspose', [s.x([1, 4, 3, 3]), s.tiny([4, 3, 2, 2])]),
  ],
  'sum-of-negations': [(s) => s.op('Add', [s.op('Neg', [s.x([4, 3])]), s.op('Neg', [s.x([1, 3])])])],
  factor: [
    (s) => {
      const x = s.x([4, 3])
      return s.op('Add', [x, s.op('Mul', [x, s.x([1, 3])])])
    },
    (s) => {
      const x = s.x([4, 3])
      return s.op('Add', [s.op('Mul', [x, s.x([4, 3])]), s.op('Mul', [x, s.x([4, 3])])])
    },
  ],
  ...gatherSamples,
  ...recurrentSamples,
  ...layoutSamples,
  ...subPixelSamples,
  'small-first': [
    (s) => s.op('Add', [s.op('Sub', [s.x([2, 5, 3]), s.x([2, 1, 3])]), s.x([2, 1, 3])]),
    (s) => s.op('Sub', [s.op('Sub', [s.x([2, 5, 3]), s.x([2, 1, 3])]), s.x([1, 1, 3])]),
    (s) => s.op('Sub', [s.op('Add', [s.x([2, 5, 3]), s.w([3])]), s.x([2, 1, 3])]),
    (s) => s.op('Add', [s.op('Sub', [s.x([3]), s.x([2, 5, 3])]), s.x([1, 5, 1])]),
    (s) => s.op('Mul', [s.op('Mul', [s.x([2, 5, 3]), s.x([5, 1])]), s.x([5, 1])]),
  ],
  'pool-of-monotone': [
    (s) => s.op('MaxPool', [s.op('Relu', [s.x([1, 2, 4, 4])])], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }),
    (s) => s.op('GlobalMaxPool', [s.op('Relu', [s.x([1, 2, 4, 4])])]),
    (s) => s.op('ReduceMax', [s.op('LeakyRelu', [s.x([2, 5, 3])], { alpha: float(0.2) }), s.b.int64s([1])]),
    (s) => s.op('ReduceMin', [s.op('Sigmoid', [s.x([2, 5, 3])]), s.b.int64s([0, 1])]),
  ],
  'max-of-terms': [
    (s) => s.op('ReduceMax', [s.op('Add', [s.x([2, 5, 3]), s.x([2, 1, 3])]), s.b.int64s([1])]),
    (s) => s.op('ReduceMin', [s.op('Mul', [s.x([2, 5, 3]), s.c(2, [3])]), s.b.int64s([1])]),
    (s) => s.op('GlobalMaxPool', [s.op('Add', [s.x([1, 2, 4, 4]), s.w([2, 1, 1])])]),
  ],
  'map-table': [
    (s) => s.op('Relu', [s.op('Gather', [s.w([5, 3]), s.b.input('ids', 'int64', [2, 4])], { axis: int(0) })]),
    (s) => s.op('Add', [s.op('Gather', [s.w([5, 3]), s.b.input('ids', 'int64', [2, 4])], { axis: int(0) }), s.w([3])]),
    (s) => {
      const rows = s.op('Gather', [s.w([5, 3]), s.b.input('ids', 'int64', [2, 4])], { axis: int(0) })
      return s.op('LayerNormalization', [rows, s.w([3]), s.w([3])])
    },
    (s) => s.op('Softmax', [s.op('Gather', [s.w([5, 3, 2]), s.b.input('ids', 'int64', [4])], { axis: int(0) })]),
  ],
  'mean-as-pool': [(s) => s.mean(s.x([1, 2, 4, 4]), [2, 3])],
  'pool-as-mean': [(s) => s.op('GlobalAveragePool', [s.x([1, 2, 4, 4])])],
  'double-as-sum': [(s) => s.op('Mul', [s.x([4]), s.c(2)])],
  'sum-as-double': [
    (s) => {
      const x = s.x([4])
      return s.op('Add', [x, x])
    },
  ],
  distribute: [(s) => s.op('Mul', [s.op('Add', [s.x([4]), s.x([4])]), s.c(2)])],
}
