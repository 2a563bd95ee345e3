// For every rule a graph in which it must fire, with sizes and values drawn from a seed. The rule tests run each: the rule fires,
// and every e-node of the e-graph has the value of its class. A rule without a sample fails by name.
import { createRandom, type Random } from '../../src/base/random.ts'
import { type Attributes, float, int, ints } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import { elementCount } from '../../src/ir/shape.ts'
import { tensor } from '../../src/ir/tensor.ts'

export const SAMPLE_OPSETS: ReadonlyMap<string, number> = new Map([['', 21]])

/** A builder with the shorthand that samples need. */
export class Sample {
  readonly b: GraphBuilder
  readonly random: Random
  constructor(seed: number, b = new GraphBuilder('sample', SAMPLE_OPSETS)) {
    this.b = b
    this.random = createRandom(seed)
  }
  /** A size from 2 to 5, never the same as a fixed 1. */
  size(): number {
    return 2 + this.random.below(4)
  }
  x(shape: readonly number[], name = `x${this.random.below(1e6)}`): ValueId {
    return this.b.input(name, 'float32', shape)
  }
  w(shape: readonly number[]): ValueId {
    return this.b.constant(
      tensor(
        'float32',
        shape,
        Array.from({ length: elementCount(shape) }, () => this.random.normal()),
      ),
      'w',
    )
  }
  c(value: number, shape: readonly number[] = []): ValueId {
    return this.b.constant(tensor('float32', shape, new Array<number>(elementCount(shape)).fill(value)), 'c')
  }
  op(name: string, inputs: readonly (ValueId | null)[], attributes: Attributes = {}): ValueId {
    return this.b.node(name, inputs, attributes)
  }
  slice(x: ValueId, axis: number, start: number, end: number): ValueId {
    return this.op('Slice', [x, this.b.int64s([start]), this.b.int64s([end]), this.b.int64s([axis])])
  }
  conv(x: ValueId, w: ValueId, pad: number, group = 1): ValueId {
    return this.op('Conv', [x, w], { pads: ints([pad, pad, pad, pad]), group: int(group) })
  }
  mean(x: ValueId, axes: readonly number[]): ValueId {
    return this.op('ReduceMean', [x, this.b.int64s(axes)], { keepdims: int(1) })
  }
}

export type BuildSample = (s: Sample) => ValueId

/** The graph of a sample. */
export function buildSample(build: BuildSample, seed: number): Graph {
  const s = new Sample(seed)
  s.b.output(build(s), 'y')
  return s.b.build()
}

function hardSwishParts(s: Sample, x: ValueId): ValueId {
  return s.op('Clip', [s.op('Add', [x, s.c(3)]), s.c(0), s.c(6)])
}
function layerNormParts(s: Sample, x: ValueId): readonly [ValueId, ValueId] {
  const centred = s.op('Sub', [x, s.mean(x, [-1])])
  const variance = s.mean(s.op('Pow', [centred, s.c(2)]), [-1])
  return [centred, s.op('Sqrt', [s.op('Add', [variance, s.c(1e-5)])])]
}

export const ruleSamples: Readonly<Record<string, readonly BuildSample[]>> = {
  'recognise-hard-sigmoid': [(s) => s.op('Div', [hardSwishParts(s, s.x([2, 3])), s.c(6)])],
  'recognise-hard-swish': [
    (s) => {
      const x = s.x([2, 3])
      return s.op('Div', [s.op('Mul', [x, hardSwishParts(s, x)]), s.c(6)])
    },
    (s) => {
      const x = s.x([2, 3])
      return s.op('Mul', [x, s.op('HardSigmoid', [x], { alpha: float(1 / 6), beta: float(0.5) })])
    },
  ],
  'recognise-gelu': [
    (s) => {
      const x = s.x([2, 5])
      const gate = s.op('Add', [s.op('Erf', [s.op('Div', [x, s.c(Math.SQRT2)])]), s.c(1)])
      return s.op('Mul', [x, s.op('Mul', [s.c(0.5), gate])])
    },
    (s) => {
      const x = s.x([2, 5])
      const gate = s.op('Add', [s.op('Erf', [s.op('Mul', [x, s.c(Math.SQRT1_2)])]), s.c(1)])
      return s.op('Mul', [s.op('Mul', [x, gate]), s.c(0.5)])
    },
    (s) => {
      const x = s.x([2, 5])
      const cube = s.op('Mul', [s.c(0.044715), s.op('Pow', [x, s.c(3)])])
      const gate = s.op('Add', [
        s.op('Tanh', [s.op('Mul', [s.c(Math.sqrt(2 / Math.PI)), s.op('Add', [x, cube])])]),
        s.c(1),
      ])
      return s.op('Mul', [s.op('Mul', [s.c(0.5), x]), gate])
    },
  ],
  'recognise-layer-norm': [(s) => s.op('Div', [...layerNormParts(s, s.x([2, 3, 4]))])],
  'layer-norm-scale': [(s) => s.op('Mul', [s.op('LayerNormalization', [s.x([2, 3, 4]), s.w([4])]), s.w([4])])],
  'layer-norm-shift': [
    (s) => s.op('Add', [s.op('LayerNormalization', [s.x([2, 3, 4]), s.w([4]), s.w([4])]), s.w([4])]),
    (s) => s.op('Add', [s.op('LayerNormalization', [s.x([2, 3, 4]), s.w([4])]), s.w([4])]),
  ],
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
  ],
  'concat-of-selects': [
    (s) => {
      const x = s.x([2, 6])
      return s.op('Concat', [s.slice(x, 1, 1, 3), s.slice(x, 1, 3, 6)], { axis: int(1) })
    },
  ],
  'expand-up': [
    (s) => s.op('MatMul', [s.op('Expand', [s.x([2, 1, 3]), s.b.int64s([2, 5, 3])]), s.w([3, 4])]),
    (s) => s.op('Add', [s.op('Expand', [s.x([2, 1]), s.b.int64s([2, 4])]), s.x([2, 4])]),
  ],
  'lin-push': [
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
  ],
  'lin-pull': [
    (s) => s.mean(s.op('MatMul', [s.x([2, 5, 3]), s.w([3, 2])]), [1]),
    (s) => s.op('MatMul', [s.x([4, 5]), s.op('MatMul', [s.x([5, 3]), s.w([3, 2])])]),
    (s) => s.op('GlobalAveragePool', [s.conv(s.x([1, 3, 4, 4]), s.w([2, 3, 1, 1]), 0)]),
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
  'scale-out': [
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
  'constant-out': [
    (s) => s.op('MatMul', [s.op('Add', [s.x([4, 3]), s.w([3])]), s.w([3, 2])]),
    (s) => s.conv(s.op('Add', [s.x([1, 3, 5, 5]), s.w([3, 1, 1])]), s.w([2, 3, 3, 3]), 0),
    (s) => s.mean(s.op('Add', [s.x([2, 5, 3]), s.w([3])]), [1]),
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
  'pool-of-monotone': [
    (s) => s.op('MaxPool', [s.op('Relu', [s.x([1, 2, 4, 4])])], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }),
  ],
  'map-table': [
    (s) => s.op('Relu', [s.op('Gather', [s.w([5, 3]), s.b.input('ids', 'int64', [2, 4])], { axis: int(0) })]),
    (s) => s.op('Add', [s.op('Gather', [s.w([5, 3]), s.b.input('ids', 'int64', [2, 4])], { axis: int(0) }), s.w([3])]),
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
