// Samples of products, convolutions, pooling, normalisation, resizing and attention.
import { float, floats, int, ints, text } from '../../../src/ir/attribute.ts'
import { type Sample, sample, samplesOf } from './sample.ts'

const window = (kernel: readonly number[], more: Record<string, ReturnType<typeof ints>> = {}) => ({
  kernel_shape: ints(kernel),
  ...more,
})

const products: readonly Sample[] = [
  ...samplesOf('MatMul', 'f[3,4] f[4,5]', 'f[2,3,4] f[4,5]', 'f[4] f[4,5]', 'f[2,1,3,4] f[3,4,2]', 'f[3,4] f[4]'),
  sample('Gemm', 'f[3,4] f[4,5] f[5]', { alpha: float(0.5), beta: float(2) }),
  sample('Gemm', 'f[4,3] f[5,4]', { transA: int(1), transB: int(1) }),
  sample('Gemm', 'f[3,4] f[4,5] f[3,1]'),
  sample('MatMulInteger', 'w[3,4] w[4,5] w[]=3 w[]=7'),
  sample('MatMulInteger', 'w[3,4] e[4,5] w[] e[5]'),
  ...['ij,jk->ik', 'bij,bkj->bik', 'ij->ji'].map((equation) =>
    sample(
      'Einsum',
      { 'ij,jk->ik': 'f[3,4] f[4,5]', 'bij,bkj->bik': 'f[2,3,4] f[2,5,4]', 'ij->ji': 'f[3,4]' }[equation]!,
      { equation: text(equation) },
    ),
  ),
]

const convolutions: readonly Sample[] = [
  sample('Conv', 'f[2,3,5,6] f[4,3,3,3]', window([3, 3], { pads: ints([1, 1, 1, 1]), strides: ints([2, 1]) })),
  sample('Conv', 'f[2,3,5,6] f[4,3,1,1] f[4]'),
  sample('Conv', 'f[2,4,5,6] f[4,1,3,3]', { group: int(4) }),
  sample('Conv', 'f[2,4,5] f[6,2,3]', { group: int(2), auto_pad: text('SAME_UPPER') }),
  sample('Conv', 'f[2,3,5,6] f[4,3,3,1]', { pads: ints([1, 0, 1, 0]) }),
  sample('ConvInteger', 'w[2,3,4,5] w[4,3,1,1] w[]=9'),
  sample('ConvTranspose', 'f[2,3,4,5] f[3,2,3,3]', { strides: ints([2, 2]) }),
  sample('ConvTranspose', 'f[2,4,5] f[4,3,2] f[6]', { group: int(2), pads: ints([1, 0]) }),
  sample('ConvTranspose', 'f[2,3,4,5] f[3,2,1,1]'),
]

const pools: readonly Sample[] = [
  ...['MaxPool', 'AveragePool', 'LpPool'].flatMap((op) => [
    sample(op, 'f[2,3,5,6]', window([2, 3], { strides: ints([2, 1]), pads: ints([0, 1, 1, 0]) })),
    sample(op, 'f[2,3,5]', window([1])),
  ]),
  sample('MaxPool', 'f[2,3,5,6]', window([2, 2], { dilations: ints([2, 1]) }), { outputs: 2 }),
  sample('AveragePool', 'f[2,3,5]', {
    kernel_shape: ints([2]),
    strides: ints([2]),
    ceil_mode: int(1),
    count_include_pad: int(1),
  }),
  ...samplesOf('GlobalAveragePool GlobalMaxPool GlobalLpPool', 'f[2,3,4,5]', 'f[2,3,4]'),
]

const normalizations: readonly Sample[] = [
  sample('BatchNormalization', 'f[2,3,4] f[3] f[3] f[3] p[3]'),
  sample('LayerNormalization', 'f[2,3,4] f[4] f[4]'),
  sample('LayerNormalization', 'f[2,3,4] f[3,4]', { axis: int(1) }, { outputs: 3 }),
  sample('RMSNormalization', 'f[2,3,4] f[4]'),
  sample('SimplifiedLayerNormalization', 'f[2,3,4] f[4]'),
  sample('InstanceNormalization', 'f[2,3,4,5] f[3] f[3]'),
  sample('GroupNormalization', 'f[2,4,3] f[4] f[4]', { num_groups: int(2) }),
  sample('GroupNormalization', 'f[2,4,3] f[2] f[2]', { num_groups: int(2) }, { opset: 18 }),
  sample('LpNormalization', 'f[2,3,4]', { axis: int(1), p: int(1) }),
  sample('LRN', 'f[2,5,3]', { size: int(3) }),
  sample('MeanVarianceNormalization', 'f[2,3,4,5]'),
]

const attention: readonly Sample[] = [
  sample('Attention', 'f[2,3,4,8] f[2,3,5,8] f[2,3,5,6]'),
  sample('Attention', 'f[2,6,4,8] f[2,3,5,8] f[2,3,5,6] f[2,6,4,5]'),
  sample('Attention', 'f[2,3,4,8] f[2,3,4,8] f[2,3,4,6]', { is_causal: int(1) }),
  sample('Attention', 'f[2,4,24] f[2,5,24] f[2,5,18]', { q_num_heads: int(3), kv_num_heads: int(3) }),
  sample('RotaryEmbedding', 'f[2,3,5,4] f[6,2] f[6,2] i[2,5]=0,1,2,3,4,5,4,3,2,1'),
  sample('RotaryEmbedding', 'f[2,5,12] f[2,5,2] f[2,5,2]', { num_heads: int(3) }),
]

const resizes: readonly Sample[] = [
  ...['nearest', 'linear', 'cubic'].map((mode) => sample('Resize', 'f[1,2,3,4] - !f[4]=1,1,2,2', { mode: text(mode) })),
  sample('Resize', 'f[2,3,4,5] - - !i[4]=2,3,7,10', {
    mode: text('linear'),
    coordinate_transformation_mode: text('align_corners'),
  }),
  sample('Resize', 'f[2,3,4,5] - - !i[2]=8,5', { axes: ints([2, 3]) }),
  sample('Resize', 'f[2,3,4,5] !f[4]=1,1,2,2', { mode: text('linear') }, { opset: 10 }),
  sample('Upsample', 'f[2,3,4,5] !f[4]=1,1,2,3', {}, { opset: 9 }),
  sample('Upsample', 'f[2,3,4,5]', { scales: floats([1, 1, 2, 2]), mode: text('linear') }, { opset: 7 }),
]

const recurrences: readonly Sample[] = [
  sample('RNN', 'f[5,2,3] f[1,4,3] f[1,4,4] f[1,8]', { hidden_size: int(4) }, { outputs: 2 }),
  sample(
    'GRU',
    'f[5,2,3] f[2,12,3] f[2,12,4]',
    { hidden_size: int(4), direction: text('bidirectional') },
    { outputs: 2 },
  ),
  sample(
    'LSTM',
    'f[5,2,3] f[1,16,3] f[1,16,4] f[1,32] k[2]=5,3 f[1,2,4] f[1,2,4]',
    { hidden_size: int(4) },
    { outputs: 3 },
  ),
  sample(
    'LSTM',
    'f[2,5,3] f[1,16,3] f[1,16,4]',
    { hidden_size: int(4), layout: int(1), direction: text('reverse') },
    { outputs: 3 },
  ),
]

const quantized: readonly Sample[] = [
  sample('QuantizeLinear', 'f[2,3] !p[]=0.1 w[]=128'),
  sample('QuantizeLinear', 'f[2,3,4] p[3] e[3]'),
  sample('DequantizeLinear', 'w[2,3] !p[]=0.1 w[]=128'),
  sample('DequantizeLinear', 'e[2,3,4] p[3]'),
  sample('DynamicQuantizeLinear', 'f[2,3]', {}, { outputs: 3 }),
  sample('QLinearMatMul', 'w[3,4] p[]=0.1 w[]=12 w[4,5] p[]=0.2 w[]=100 p[]=9 w[]=128'),
  sample('QLinearConv', 'w[2,3,4,5] p[]=0.1 w[]=12 w[4,3,1,1] p[]=0.2 w[]=100 p[]=9 w[]=128 k[4]'),
]

const grids: readonly Sample[] = [
  ...['linear', 'nearest', 'cubic'].map((mode) => sample('GridSample', 'f[2,3,4,5] u[2,3,2,2]', { mode: text(mode) })),
  sample('GridSample', 'f[2,3,4,5] u[2,3,2,2]', { align_corners: int(1), padding_mode: text('reflection') }),
  sample('AffineGrid', 'f[2,2,3] !i[4]=2,3,4,5'),
]

export const layerSamples: readonly Sample[] = [
  ...products,
  ...convolutions,
  ...pools,
  ...normalizations,
  ...attention,
  ...resizes,
  ...recurrences,
  ...quantized,
  ...grids,
]
