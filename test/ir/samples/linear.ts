// Samples of products, convolutions, pools, normalisations, recurrence, attention and quantisation.
import { type Attributes, float, int, ints, text } from '../../../src/ir/attribute.ts'
import { type Sample, sample, samplesOf } from './sample.ts'

const products: readonly Sample[] = [
  ...samplesOf('MatMul', 'f[3,4] f[4,5]', 'f[4] f[4,5]', 'f[3,4] f[4]', 'f[4] f[4]', 'z[5,3] z[3,1]'),
  ...samplesOf('MatMul', 'f[2,3,4] f[4,5]', 'f[2,1,3,4] f[3,4,2]', 'f[4] f[2,4,3]', 'f[2,3,4] f[4]', 'f[1,4] f[2,4,3]'),
  sample('MatMul', 'f[9,7] f[7,11]'),
  sample('MatMul', 'k[3,4] k[4,5]'),
  ...samplesOf(
    'Gemm',
    'f[3,4] f[4,5]',
    'f[3,4] f[4,5] f[5]',
    'f[3,4] f[4,5] f[3,1]',
    'f[3,4] f[4,5] f[]',
    'f[3,4] f[4,5] f[3,5]',
  ),
  sample('Gemm', 'f[4,3] f[5,4] f[1,5]', { transA: int(1), transB: int(1), alpha: float(0.5), beta: float(-2) }),
  sample('Gemm', 'f[4,3] f[5,4]', { transA: int(1), transB: int(1), alpha: float(0.5) }),
  sample('Gemm', 'f[3,4] f[4,5] f[5]', {}, { opset: 7 }),
  ...[
    ['f[3,4] f[4,5]', 'ij,jk->ik'],
    ['f[3,4] f[4,5]', 'ij,jk'],
    ['f[2,3,4] f[2,4,5]', 'bij,bjk->bik'],
    ['f[2,3,4] f[2,5,4]', 'bij, bkj -> bki'],
    ['f[2,3,4] f[4,5]', '...j,jk->...k'],
    ['f[2,3,4]', 'ijk->kj'],
    ['f[3,3]', 'ii->i'],
    ['f[3,3]', 'ii'],
    ['f[3,4] f[3,4] f[4,2]', 'ij,ij,jk->ki'],
    ['f[3] f[4]', 'i,j->ij'],
    ['f[2,3,4] f[1,4,5]', '...ij,...jk->...ik'],
    ['f[3,4] f[3,4]', 'ij,ij->'],
    ['f[2,4,3,5] f[2,6,3,5]', 'bqhd,bkhd->bhqk'],
  ].map(([inputs, equation]) => sample('Einsum', inputs!, { equation: text(equation!) })),
  ...samplesOf(
    'MatMulInteger',
    'w[3,4] w[4,5]',
    'w[3,4] w[4,5] w[] w[]',
    'w[3,4] e[4,5] w[]=7 e[5]',
    'w[2,3,4] w[2,4,5] w[]=3',
  ),
]

export const pads = (...values: readonly number[]): Attributes => ({ pads: ints(values) })
export const strides = (...values: readonly number[]): Attributes => ({ strides: ints(values) })
export const kernel = (...values: readonly number[]): Attributes => ({ kernel_shape: ints(values) })
const autoPad = (name: string): Attributes => ({ auto_pad: text(name) })

const convolutions: readonly Sample[] = [
  ...samplesOf(
    'Conv',
    'f[2,3,5,6] f[4,3,3,3]',
    'f[2,3,5,6] f[4,3,1,1]',
    'f[2,3,5,6] f[4,3,1,1] f[4]',
    'f[1,3,7] f[2,3,3] f[2]',
  ),
  sample('Conv', 'f[1,2,4,5,4] f[3,2,2,3,1]'),
  sample('Conv', 'f[2,3,5,6] f[4,3,3,2] f[4]', { ...pads(1, 0, 2, 1), ...strides(2, 1), dilations: ints([1, 2]) }),
  sample('Conv', 'f[2,4,5,6] f[6,2,3,3] f[6]', { group: int(2), ...pads(1, 1, 1, 1) }),
  sample('Conv', 'f[2,4,5,6] f[4,1,3,3]', { group: int(4), ...pads(1, 1, 1, 1) }),
  sample('Conv', 'f[2,4,5,6] f[4,1,3,3] f[4]', { group: int(4) }),
  sample('Conv', 'f[2,4,5,6] f[8,1,1,1]', { group: int(4) }),
  sample('Conv', 'f[2,3,5,6] f[4,3,1,3]', pads(0, 1, 0, 1)),
  sample('Conv', 'f[2,3,5,6] f[4,3,1,1]', strides(1, 2)),
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map((name) =>
    sample('Conv', 'f[1,2,5,6] f[3,2,2,3]', { ...autoPad(name), ...strides(2, 2) }),
  ),
  ...samplesOf(
    'ConvInteger',
    'w[1,2,5,5] w[3,2,3,3]',
    'w[1,2,5,5] w[3,2,3,3] w[]=9',
    'w[2,2,5,5] w[3,2,1,1] w[]=9 w[]=4',
  ),
  ...samplesOf(
    'ConvTranspose',
    'f[2,3,4,5] f[3,2,3,3]',
    'f[2,3,4,5] f[3,2,3,3] f[2]',
    'f[2,3,4,5] f[3,2,1,1]',
    'f[1,2,5] f[2,3,2]',
  ),
  sample('ConvTranspose', 'f[1,3,4,5] f[3,2,3,3]', {
    ...strides(2, 3),
    ...pads(1, 0, 0, 1),
    output_padding: ints([1, 0]),
  }),
  sample('ConvTranspose', 'f[1,4,4,5] f[4,3,2,3] f[6]', { group: int(2), dilations: ints([2, 1]) }),
  sample('ConvTranspose', 'f[1,4,4,5] f[4,1,2,3]', { group: int(4) }),
  sample('ConvTranspose', 'f[1,2,3,4] f[2,2,3,3]', { ...strides(2, 2), output_shape: ints([6, 8]) }),
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map((name) =>
    sample('ConvTranspose', 'f[1,2,3,4] f[2,2,3,3]', { ...autoPad(name), ...strides(2, 2) }),
  ),
]

const pools: readonly Sample[] = [
  ...['MaxPool', 'AveragePool', 'LpPool'].flatMap((op) => [
    sample(op, 'f[2,3,5,6]', kernel(3, 2)),
    sample(op, 'f[2,3,7]', { ...kernel(3), ...strides(2), ...pads(1, 1) }),
    sample(op, 'f[1,2,6,7]', { ...kernel(2, 3), ...strides(2, 2), ...pads(0, 1, 1, 1) }),
    sample(op, 'f[2,3,5,6]', kernel(1, 3)),
    sample(op, 'f[1,2,9,8]', { ...kernel(3, 2), dilations: ints([2, 3]) }),
    ...['SAME_UPPER', 'SAME_LOWER'].map((name) =>
      sample(op, 'f[1,2,5,6]', { ...kernel(3, 2), ...strides(2, 2), ...autoPad(name) }),
    ),
    sample(op, 'f[1,2,5,6]', { ...kernel(3, 2), ...strides(2, 2), ...autoPad('VALID') }),
  ]),
  ...['MaxPool', 'AveragePool'].flatMap((op) => [
    sample(op, 'f[1,2,6,7]', { ...kernel(3, 3), ...strides(2, 2), ceil_mode: int(1) }),
    sample(op, 'f[1,2,6,7]', { ...kernel(2, 2), ...strides(3, 3), ...pads(1, 1, 1, 1), ceil_mode: int(1) }),
    sample(op, 'f[1,1,4,4,4]', kernel(2, 3, 2)),
  ]),
  sample('AveragePool', 'f[1,2,6,7]', { ...kernel(3, 3), ...pads(1, 1, 1, 1), count_include_pad: int(1) }),
  sample('AveragePool', 'f[1,2,6,7]', {
    ...kernel(3, 3),
    ...strides(2, 2),
    ...pads(1, 1, 1, 1),
    count_include_pad: int(1),
    ceil_mode: int(1),
  }),
  sample('MaxPool', 'f[1,2,5,6]', { ...kernel(2, 2), ...strides(2, 1) }, { outputs: 2 }),
  sample('MaxPool', 'f[2,2,5,6]', { ...kernel(2, 2), storage_order: int(1) }, { outputs: 2 }),
  sample('MaxPool', 'w[1,2,5,6]', kernel(3, 3)),
  sample('LpPool', 'f[1,2,5,6]', { ...kernel(2, 2), p: int(3) }),
  ...samplesOf('GlobalAveragePool GlobalMaxPool', 'f[2,3,4,5]', 'f[2,3,6]'),
  sample('GlobalLpPool', 'f[2,3,6]', {}, { opset: 21 }),
  sample('GlobalLpPool', 'f[2,3,4,5]', { p: int(1) }, { opset: 21 }),
]

const normalizations: readonly Sample[] = [
  sample('BatchNormalization', 'f[2,3,4,5] f[3] f[3] f[3] p[3]'),
  sample('BatchNormalization', 'f[4,3] f[3] f[3] f[3] p[3]', { epsilon: float(0.01) }),
  sample('BatchNormalization', 'f[2,3,4] f[3] f[3] f[3] p[3]', {}, { opset: 9 }),
  sample('BatchNormalization', 'f[2,3,4] f[3] f[3] f[3] p[3]', { training_mode: int(1) }, { outputs: 3 }),
  sample('LayerNormalization', 'f[2,3,4] f[4]'),
  sample('LayerNormalization', 'f[2,3,4] f[4] f[4]', { epsilon: float(0.01) }),
  sample('LayerNormalization', 'f[2,3,4] f[3,4] f[3,4]', { axis: int(1) }),
  sample('LayerNormalization', 'f[2,3,4] f[4] f[4]', {}, { outputs: 3 }),
  sample('RMSNormalization', 'f[2,3,4] f[4]', { epsilon: float(0.01) }),
  sample('RMSNormalization', 'f[2,3,4] f[3,4]', { axis: int(-2) }),
  sample('SimplifiedLayerNormalization', 'f[2,3,4] f[4]', { epsilon: float(0.01) }),
  sample('InstanceNormalization', 'f[2,3,4,5] f[3] f[3]', { epsilon: float(0.01) }),
  sample('GroupNormalization', 'f[2,6,4] f[6] f[6]', { num_groups: int(3) }),
  sample('GroupNormalization', 'f[2,6,4] f[6] f[6]', { num_groups: int(6) }),
  sample('GroupNormalization', 'f[2,6,4] f[3] f[3]', { num_groups: int(3) }, { opset: 18 }),
  sample('LpNormalization', 'f[2,3,4]'),
  sample('LpNormalization', 'f[2,3,4]', { axis: int(1), p: int(1) }),
  sample('LRN', 'f[2,5,3,4]', { size: int(3), alpha: float(0.5), beta: float(0.6), bias: float(1.5) }),
  sample('MeanVarianceNormalization', 'f[2,3,4,5]'),
  sample('MeanVarianceNormalization', 'f[2,3,4,5]', { axes: ints([2, 3]) }),
]

const recurrences: readonly Sample[] = [
  sample('RNN', 'f[5,2,3] f[1,4,3] f[1,4,4] f[1,8]', { hidden_size: int(4) }, { outputs: 2 }),
  sample(
    'RNN',
    'f[5,2,3] f[2,4,3] f[2,4,4] f[2,8] - f[2,2,4]',
    {
      hidden_size: int(4),
      direction: text('bidirectional'),
      activations: { kind: 'strings', value: ['Relu', 'Tanh'] },
    },
    { outputs: 2 },
  ),
  sample('GRU', 'f[5,2,3] f[1,12,3] f[1,12,4] f[1,24]', { hidden_size: int(4) }, { outputs: 2 }),
  sample(
    'GRU',
    'f[5,2,3] f[1,12,3] f[1,12,4] f[1,24] - f[1,2,4]',
    { hidden_size: int(4), linear_before_reset: int(1), direction: text('reverse') },
    { outputs: 2 },
  ),
  sample('LSTM', 'f[5,2,3] f[1,16,3] f[1,16,4] f[1,32]', { hidden_size: int(4) }, { outputs: 3 }),
  sample(
    'LSTM',
    'f[5,2,3] f[2,16,3] f[2,16,4] f[2,32] k[2]=3,5 f[2,2,4] f[2,2,4] f[2,12]',
    { hidden_size: int(4), direction: text('bidirectional') },
    { outputs: 3 },
  ),
  sample(
    'LSTM',
    'f[5,2,3] f[1,16,3] f[1,16,4]',
    { hidden_size: int(4), clip: float(0.3), input_forget: int(1) },
    { outputs: 3 },
  ),
]

const attentions: readonly Sample[] = [
  sample('Attention', 'f[2,3,4,8] f[2,3,5,8] f[2,3,5,6]'),
  sample('Attention', 'f[2,4,24] f[2,5,24] f[2,5,18]', { q_num_heads: int(3), kv_num_heads: int(3) }),
  sample('Attention', 'f[2,4,3,8] f[2,2,5,8] f[2,2,5,6] f[3,5]', { scale: float(0.3) }),
  sample('Attention', 'f[2,2,4,8] f[2,2,4,8] f[2,2,4,8]', { is_causal: int(1), softcap: float(2) }),
  sample('Attention', 'f[2,2,4,8] f[2,2,4,8] f[2,2,4,8] b[4,4]=1,0,0,0,1,1,0,0,1,1,1,0,1,1,1,1'),
  sample('RotaryEmbedding', 'f[2,3,4,8] f[9,4] f[9,4] i[2,4]=0,1,2,3,4,5,6,7'),
  sample('RotaryEmbedding', 'f[2,4,24] f[2,4,4] f[2,4,4]', { num_heads: int(3), interleaved: int(1) }),
]

const quantizations: readonly Sample[] = [
  sample('QuantizeLinear', 'f[2,3,4] p[]=0.02 w[]=128'),
  sample('QuantizeLinear', 'f[2,3,4] p[3] e[3]', { axis: int(1) }),
  sample('QuantizeLinear', 'f[2,3,4] p[]=0.02'),
  sample('QuantizeLinear', 'f[2,6] p[2,3] w[2,3]', { axis: int(1), block_size: int(2) }),
  sample('DequantizeLinear', 'w[2,3,4] p[]=0.02 w[]=128'),
  sample('DequantizeLinear', 'e[2,3,4] p[4] e[4]', { axis: int(-1) }),
  sample('DequantizeLinear', 'k[2,3] p[]=0.5'),
  sample('DequantizeLinear', 'w[2,6] p[2,3] w[2,3]', { axis: int(1), block_size: int(2) }),
  sample('DynamicQuantizeLinear', 'f[3,4]', {}, { outputs: 3 }),
  sample('QLinearMatMul', 'w[3,4] p[]=0.02 w[]=100 w[4,5] p[]=0.03 w[]=90 p[]=2 w[]=120'),
  sample('QLinearMatMul', 'w[2,3,4] p[]=0.02 w[]=100 e[4,5] p[5] e[5]=0,0,0,0,0 p[]=20 w[]=120'),
  sample('QLinearConv', 'w[1,2,5,5] p[]=0.02 w[]=100 w[3,2,3,3] p[]=0.03 w[]=90 p[]=3 w[]=120'),
  sample('QLinearConv', 'w[1,2,5,5] p[]=0.02 w[]=100 e[3,2,1,1] p[3] e[3]=0,0,0 p[]=30 w[]=120 k[3]'),
]

export const linearSamples: readonly Sample[] = [
  ...products,
  ...convolutions,
  ...pools,
  ...normalizations,
  ...recurrences,
  ...attentions,
  ...quantizations,
]
