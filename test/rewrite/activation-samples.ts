// Samples of the rules that recognise operators and that write activations in pieces (rule-samples.ts).
import { float } from '../../src/ir/attribute.ts'
import type { ValueId } from '../../src/ir/graph.ts'
import type { BuildSample, Sample } from './sample.ts'

function hardSwishParts(s: Sample, x: ValueId): ValueId {
  return s.op('Clip', [s.op('Add', [x, s.c(3)]), s.c(0), s.c(6)])
}
function layerNormParts(s: Sample, x: ValueId): readonly [ValueId, ValueId] {
  const centred = s.op('Sub', [x, s.mean(x, [-1])])
  const variance = s.mean(s.op('Pow', [centred, s.c(2)]), [-1])
  return [centred, s.op('Sqrt', [s.op('Add', [variance, s.c(1e-5)])])]
}

/** e^-|x| */
const decay = (s: Sample, x: ValueId): ValueId => s.op('Exp', [s.op('Neg', [s.op('Abs', [x])])])

/** 1 / sqrt(mean (x - mean)^2 + eps) */
function inverseDeviation(s: Sample, x: ValueId, mean: ValueId, meanOf: (c: ValueId) => ValueId): ValueId {
  const centred = s.op('Sub', [x, mean])
  const variance = meanOf(s.op('Mul', [centred, centred]))
  return s.op('Reciprocal', [s.op('Sqrt', [s.op('Add', [variance, s.c(1e-5)])])])
}

export const activationSamples: Readonly<Record<string, readonly BuildSample[]>> = {
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
  'recognise-layer-norm-in-terms': [
    (s) => {
      const x = s.x([2, 3, 4])
      const mean = s.mean(x, [-1])
      const scale = s.op('Mul', [inverseDeviation(s, x, mean, (c) => s.mean(c, [-1])), s.w([4])])
      return s.op('Add', [s.op('Mul', [x, scale]), s.op('Sub', [s.w([4]), s.op('Mul', [mean, scale])])])
    },
    (s) => {
      const x = s.x([2, 3, 4])
      const mean = s.op('GlobalAveragePool', [x])
      const scale = inverseDeviation(s, x, mean, (c) => s.op('GlobalAveragePool', [c]))
      return s.op('Add', [s.op('Mul', [s.op('Neg', [mean]), scale]), s.op('Mul', [scale, x])])
    },
    (s) => {
      const x = s.x([3, 4])
      const mean = s.mean(x, [1])
      const scale = s.op('Mul', [s.w([4]), inverseDeviation(s, x, mean, (c) => s.mean(c, [1]))])
      const shift = s.op('Add', [s.op('Neg', [s.op('Mul', [scale, mean])]), s.w([4])])
      return s.op('Add', [s.op('Mul', [x, scale]), shift])
    },
  ],
  'recognise-rms-norm': [
    (s) => {
      const x = s.x([2, 3, 4])
      const square = s.mean(s.op('Pow', [x, s.c(2)]), [-1])
      return s.op('Div', [x, s.op('Sqrt', [s.op('Add', [square, s.c(1e-6)])])])
    },
    (s) => {
      const x = s.x([3, 4])
      const square = s.mean(s.op('Mul', [x, x]), [1])
      return s.op('Mul', [s.op('Reciprocal', [s.op('Sqrt', [s.op('Add', [square, s.c(1e-6)])])]), x])
    },
  ],
  'layer-norm-scale': [(s) => s.op('Mul', [s.op('LayerNormalization', [s.x([2, 3, 4]), s.w([4])]), s.w([4])])],
  'layer-norm-shift': [
    (s) => s.op('Add', [s.op('LayerNormalization', [s.x([2, 3, 4]), s.w([4]), s.w([4])]), s.w([4])]),
    (s) => s.op('Add', [s.op('LayerNormalization', [s.x([2, 3, 4]), s.w([4])]), s.w([4])]),
  ],
  'recognise-sigmoid': [
    (s) => s.op('Div', [s.c(1), s.op('Add', [s.op('Exp', [s.op('Neg', [s.x([2, 3])])]), s.c(1)])]),
    (s) => {
      const x = s.x([2, 3])
      return s.op('Div', [x, s.op('Add', [s.op('Exp', [s.op('Mul', [x, s.c(-1)])]), s.c(1)])])
    },
    (s) => s.op('Reciprocal', [s.op('Add', [s.op('Exp', [s.op('Neg', [s.x([2, 3])])]), s.c(1)])]),
  ],
  'recognise-softsign': [
    (s) => {
      const x = s.x([2, 3])
      return s.op('Div', [x, s.op('Add', [s.op('Abs', [x]), s.c(1)])])
    },
  ],
  'recognise-clip': [
    (s) => s.op('Min', [s.op('Max', [s.x([2, 3]), s.c(-0.5)]), s.c(1)]),
    (s) => s.op('Max', [s.op('Min', [s.x([2, 3]), s.c(1)]), s.c(0)]),
    (s) => s.op('Min', [s.op('Relu', [s.x([2, 3])]), s.c(1)]),
  ],
  'recognise-affine-hard-sigmoid': [
    (s) => s.op('Clip', [s.op('Add', [s.op('Mul', [s.x([2, 3]), s.c(0.2)]), s.c(0.5)]), s.c(0), s.c(1)]),
  ],
  'recognise-leaky-relu': [
    (s) => {
      const x = s.x([2, 3])
      return s.op('Max', [x, s.op('Mul', [x, s.c(0.1)])])
    },
    (s) => {
      const x = s.x([2, 3])
      return s.op('Sub', [s.op('Relu', [x]), s.op('Mul', [s.c(0.25), s.op('Relu', [s.op('Neg', [x])])])])
    },
    (s) => s.op('PRelu', [s.x([2, 3]), s.c(-0.3, [1])]),
    (s) => {
      const x = s.x([2, 3])
      return s.op('Where', [s.op('Greater', [x, s.c(0)]), x, s.op('Mul', [x, s.c(0.1)])])
    },
    (s) => {
      const x = s.x([2, 3])
      return s.op('Where', [s.op('Less', [x, s.c(0)]), s.op('Mul', [x, s.c(3)]), x])
    },
  ],
  'softplus-in-pieces': [(s) => s.op('Softplus', [s.x([2, 3])])],
  'mish-by-exponential': [
    (s) => s.op('Mish', [s.x([2, 3])]),
    (s) => {
      const x = s.x([2, 3])
      return s.op('Mul', [x, s.op('Tanh', [s.op('Softplus', [x])])])
    },
    (s) => {
      const x = s.x([2, 3])
      return s.op('Mul', [s.op('Tanh', [s.op('Log', [s.op('Add', [s.op('Exp', [x]), s.c(1)])])]), x])
    },
  ],
  'prelu-in-pieces': [
    (s) => s.op('PRelu', [s.x([1, 4, 3, 3]), s.c(0.2, [4, 1, 1])]),
    (s) => s.op('PRelu', [s.x([1, 4, 3, 3]), s.w([4, 1, 1])]),
  ],
  'product-of-exponentials': [
    (s) => s.op('Mul', [decay(s, s.x([2, 3])), decay(s, s.x([2, 3]))]),
    (s) => s.op('Mul', [decay(s, s.x([2, 1])), s.op('Exp', [s.op('Clip', [s.x([1, 3]), s.c(-3), s.c(3)])])]),
  ],
  'exponential-of-sum': [
    (s) => s.op('Exp', [s.op('Add', [s.op('Tanh', [s.x([2, 1])]), s.op('Neg', [s.op('Abs', [s.x([1, 3])])])])]),
    (s) =>
      s.op('Exp', [
        s.op('Add', [s.op('Min', [s.x([2, 1]), s.c(2)]), s.op('Mul', [s.op('Relu', [s.x([1, 3])]), s.c(-0.5)])]),
      ]),
  ],
}
