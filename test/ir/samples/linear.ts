// Samples of products, convolutions, pools, normalisations, resampling, recurrence, attention and quantisation.
import { type Attributes, float, floats, int, ints, text } from '../../../src/ir/attribute.ts'
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

const pads = (...values: readonly number[]): Attributes => ({ pads: ints(values) })
const strides = (...values: readonly number[]): Attributes => ({ strides: ints(values) })
const kernel = (...values: readonly number[]): Attributes => ({ kernel_shape: ints(values) })
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

const UP = 'f[1,2,3,4] - !p[4]=1,1,2,1.5'
const DOWN = 'f[1,2,6,8] - !p[4]=1,1,0.5,0.7'
const TO_SIZES = 'f[1,2,3,4] - - !i[4]=1,2,5,6'
const resamples: readonly Sample[] = [
  ...['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'].flatMap((name) =>
    ['nearest', 'linear', 'cubic'].flatMap((mode) =>
      [UP, DOWN, TO_SIZES].map((inputs) =>
        sample('Resize', inputs, { mode: text(mode), coordinate_transformation_mode: text(name) }, { opset: 19 }),
      ),
    ),
  ),
  ...['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].map((name) =>
    sample('Resize', DOWN, { nearest_mode: text(name) }, { opset: 13 }),
  ),
  sample('Resize', UP, { mode: text('cubic'), cubic_coeff_a: float(-0.5), exclude_outside: int(1) }),
  ...['linear', 'cubic'].map((mode) => sample('Resize', DOWN, { mode: text(mode), antialias: int(1) })),
  sample('Resize', 'f[1,2,3,4] - !p[2]=2,3', { axes: ints([3, 2]) }),
  sample('Resize', 'f[1,2,3,4] - - !i[2]=7,9', { axes: ints([2, 3]), keep_aspect_ratio_policy: text('not_larger') }),
  sample('Resize', 'f[1,2,3,4] - - !i[2]=7,9', { axes: ints([2, 3]), keep_aspect_ratio_policy: text('not_smaller') }),
  sample('Resize', 'f[1,1,4,5] !f[8]=0,0,0.2,-0.1,1,1,0.9,1.2 - !i[4]=1,1,3,4', {
    mode: text('linear'),
    coordinate_transformation_mode: text('tf_crop_and_resize'),
    extrapolation_value: float(7),
  }),
  ...['nearest', 'linear'].flatMap((mode) => [
    sample('Resize', 'f[1,2,3,4] !p[4]=1,1,2,3', { mode: text(mode) }, { opset: 10 }),
    sample('Resize', 'f[1,2,6,8] !p[4]=1,1,0.5,0.5', { mode: text(mode) }, { opset: 10 }),
    sample('Upsample', 'f[1,2,3,4] !p[4]=1,1,2,3', { mode: text(mode) }, { opset: 9 }),
    sample('Upsample', 'f[1,2,3,4]', { mode: text(mode), scales: floats([1, 1, 2, 3]) }, { opset: 7 }),
  ]),
  ...['linear', 'nearest', 'cubic'].flatMap((mode) =>
    ['zeros', 'border', 'reflection'].flatMap((padding) =>
      [0, 1].map((corners) =>
        sample(
          'GridSample',
          'f[2,3,4,5] f[2,3,2,2]',
          { mode: text(mode), padding_mode: text(padding), align_corners: int(corners) },
          { opset: 20 },
        ),
      ),
    ),
  ),
  sample('GridSample', 'f[1,2,3,4,5] f[1,2,2,2,3]', { mode: text('linear') }),
  sample('GridSample', 'f[1,2,4,5] f[1,3,3,2]', { mode: text('bilinear') }, { opset: 16 }),
  sample('AffineGrid', 'f[2,2,3] !i[4]=2,1,3,4'),
  sample('AffineGrid', 'f[1,3,4] !i[5]=1,1,2,3,4', { align_corners: int(1) }),
]

const regions: readonly Sample[] = [
  ...['half_pixel', 'output_half_pixel'].flatMap((mode) =>
    ['avg', 'max'].map((pool) =>
      sample(
        'RoiAlign',
        'f[2,3,6,7] f[3,4]=0,0,4,5,1,0.5,3.5,6,2,1,5,5 i[3]=0,1,0',
        {
          coordinate_transformation_mode: text(mode),
          mode: text(pool),
          output_height: int(2),
          output_width: int(3),
          sampling_ratio: int(2),
        },
        { opset: 16 },
      ),
    ),
  ),
  sample(
    'RoiAlign',
    'f[1,2,6,7] f[1,4]=0,0,10,12 i[1]=0',
    {
      spatial_scale: float(0.5),
      output_height: int(2),
      output_width: int(2),
    },
    { opset: 10 },
  ),
  sample('MaxRoiPool', 'f[2,3,6,7] f[2,5]=0,0,0,6,5,1,2,1,5,5', { pooled_shape: ints([2, 2]) }, { opset: 21 }),
  sample('MaxUnpool', 'f[1,1,2,2] i[1,1,2,2]=5,7,13,15', { ...kernel(2, 2), ...strides(2, 2) }, { opset: 11 }),
  sample('Col2Im', 'f[2,12,6] !i[2]=3,4 !i[2]=2,2'),
  sample('Col2Im', 'f[1,12,12] !i[2]=5,6 !i[2]=2,3', {
    ...pads(0, 1, 1, 0),
    dilations: ints([2, 1]),
    ...strides(1, 2),
  }),
  sample('DeformConv', 'f[1,2,4,5] f[3,2,2,2] f[1,8,3,4] f[3] p[1,4,3,4]'),
  sample('DeformConv', 'f[1,4,5,5] f[2,2,2,2] f[1,16,3,3]', {
    group: int(2),
    offset_group: int(2),
    ...strides(2, 2),
    ...pads(1, 1, 0, 0),
  }),
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
  ...resamples,
  ...regions,
  ...recurrences,
  ...attentions,
  ...quantizations,
]
