// Samples of the operators that exist only inside ONNX Runtime (domain com.microsoft).
import { type Attributes, float, floats, int, ints, text } from '../../../src/ir/attribute.ts'
import { type Sample, sample } from './sample.ts'

const ort = (op: string, inputs: string, attributes: Attributes = {}, outputs = 1): Sample =>
  sample(op, inputs, attributes, { domain: 'com.microsoft', opset: 1, outputs })

export const ortSamples: readonly Sample[] = [
  ...['Relu', 'Sigmoid', 'Tanh'].map((activation) =>
    ort('FusedConv', 'f[2,3,5,6] f[4,3,3,3] f[4]', { activation: text(activation) }),
  ),
  ort('FusedConv', 'f[1,2,5,6] f[3,2,1,1] f[3]', { activation: text('LeakyRelu'), activation_params: floats([0.2]) }),
  ort('FusedConv', 'f[1,2,5,6] f[3,2,1,1] f[3]', { activation: text('Clip'), activation_params: floats([-0.5, 0.5]) }),
  ort('FusedConv', 'f[1,2,5,6] f[3,2,1,1] f[3]', {
    activation: text('HardSigmoid'),
    activation_params: floats([0.2, 0.5]),
  }),
  ort('FusedConv', 'f[1,2,5,6] f[3,2,3,3] f[3] f[1,3,5,6]', { activation: text('Relu'), pads: ints([1, 1, 1, 1]) }),
  ort('FusedConv', 'f[1,4,5,6] f[4,1,3,3]', { group: int(4), activation: text('Relu') }),
  ort('FusedMatMul', 'f[3,4] f[4,5]', { alpha: float(0.25) }),
  ort('FusedMatMul', 'f[2,4,3] f[2,5,4]', { transA: int(1), transB: int(1), alpha: float(0.5) }),
  ort('FusedMatMul', 'f[3,2,4] f[2,4,5]', { transBatchA: int(1) }),
  ort('FusedMatMul', 'f[4,2,3] f[5,2,4]', { transBatchA: int(1), transA: int(1), transBatchB: int(1), transB: int(1) }),
  ort('TransposeMatMul', 'f[3,4] f[5,4]', { transB: int(1) }),
  ort('FusedGemm', 'f[3,4] f[4,5] f[5]', { activation: text('Relu') }),
  ort('FusedGemm', 'f[4,3] f[5,4] f[3,5]', {
    activation: text('LeakyRelu'),
    activation_alpha: float(0.1),
    transA: int(1),
    transB: int(1),
    alpha: float(2),
  }),
  ort('Inverse', 'f[2,3,3]'),
  ort('Gelu', 'f[2,3]'),
  ort('QuickGelu', 'f[2,3]'),
  ort('QuickGelu', 'f[2,3]', { alpha: float(1) }),
  ort('BiasGelu', 'f[2,3,4] f[4]'),
  ort('FastGelu', 'f[2,3,4]'),
  ort('FastGelu', 'f[2,3,4] f[4]'),
  ort('SkipLayerNormalization', 'f[2,3,4] f[2,3,4] f[4]', { epsilon: float(0.01) }),
  ort('SkipLayerNormalization', 'f[2,3,4] f[2,3,4] f[4] f[4] f[4]'),
  ort('SkipLayerNormalization', 'f[2,3,4] f[1,3,4] f[4] f[4]'),
  ort('SkipSimplifiedLayerNormalization', 'f[2,3,4] f[2,3,4] f[4]', { epsilon: float(0.01) }),
  ort(
    'EmbedLayerNormalization',
    'k[2,3]=0,1,2,3,4,5 k[2,3]=0,0,1,1,0,1 f[6,4] f[5,4] f[2,4] f[4] f[4] k[2,3]=1,1,0,1,1,1',
    { epsilon: float(0.01) },
    2,
  ),
  ort('MultiHeadAttention', 'f[2,4,6] f[2,5,6] f[2,5,6]', { num_heads: int(2) }),
  ort('MultiHeadAttention', 'f[2,4,6] f[2,5,6] f[2,5,6] f[18] - f[2,2,4,5]', { num_heads: int(2), scale: float(0.4) }),
  ort('RotaryEmbedding', 'f[2,4,24] i[2,4]=0,1,2,3,4,5,6,7 f[9,4] f[9,4]'),
  ort('RotaryEmbedding', 'f[2,3,4,8] i[1]=2 f[9,4] f[9,4]', { interleaved: int(1) }),
  ort('DynamicQuantizeMatMul', 'f[3,4] e[4,5] p[]'),
  ort('DynamicQuantizeMatMul', 'f[2,3,4] w[4,5] p[5] w[5] f[5]'),
  ort('MatMulIntegerToFloat', 'w[3,4] e[4,5] p[] p[]'),
  ort('MatMulIntegerToFloat', 'w[3,4] w[4,5] p[] p[5] w[] w[5] f[5]'),
  ort('MatMulNBits', 'f[3,32] w[5,2,8] f[10]', { K: int(32), N: int(5), bits: int(4), block_size: int(16) }),
  ort('MatMulNBits', 'f[2,3,40] w[4,3,8] f[12] w[8]', { K: int(40), N: int(4), bits: int(4), block_size: int(16) }),
  ort('MatMulNBits', 'f[3,32] w[5,2,16] f[10]', { K: int(32), N: int(5), bits: int(8), block_size: int(16) }),
  ort('QLinearAdd', 'w[2,3] p[]=0.02 w[]=90 w[3] p[]=0.03 w[]=110 p[]=0.05 w[]=120'),
  ort('QLinearMul', 'e[2,3] p[]=0.02 e[]=9 e[2,1] p[]=0.03 e[]=-4 p[]=0.05 e[]=3'),
  ort('QLinearSigmoid', 'w[2,3] p[]=0.02 w[]=90 p[]=0.004 w[]=1'),
  ort('QLinearLeakyRelu', 'w[2,3] p[]=0.02 w[]=90 p[]=0.02 w[]=40', { alpha: float(0.2) }),
  ort('QLinearWhere', 'b[2,3] w[2,3] p[]=0.02 w[]=90 w[3] p[]=0.03 w[]=110 p[]=0.05 w[]=120'),
  ort('QLinearConcat', 'p[]=0.03 w[]=100 w[2,3] p[]=0.02 w[]=90 w[2,2] p[]=0.04 w[]=120', { axis: int(1) }),
  ort('QGemm', 'w[3,4] p[]=0.02 w[]=90 e[4,5] p[]=0.03 e[]=3 k[5]'),
  ort('QGemm', 'w[3,4] p[]=0.02 w[]=90 e[5,4] p[5] e[5] k[5] p[]=20 w[]=128', { transB: int(1) }),
  ort('QLinearAveragePool', 'w[1,2,5,6] p[]=0.02 w[]=90 p[]=0.037 w[]=100', {
    kernel_shape: ints([3, 2]),
    pads: ints([1, 0, 1, 0]),
  }),
  ort('QLinearAveragePool', 'w[1,5,6,2] p[]=0.02 w[]=90 p[]=0.037 w[]=100', {
    kernel_shape: ints([3, 2]),
    channels_last: int(1),
  }),
  ort('QLinearGlobalAveragePool', 'w[2,3,5,6] p[]=0.02 w[]=90 p[]=0.03 w[]=100'),
  ort('QLinearGlobalAveragePool', 'w[2,5,6,3] p[]=0.02 w[]=90 p[]=0.03 w[]=100', { channels_last: int(1) }),
  ort('QuantizeLinear', 'f[2,3,4] p[]=0.02 w[]=128'),
  ort('DequantizeLinear', 'w[2,3,4] p[]=0.02 w[]=128'),
  ort('QLinearConv', 'w[1,5,5,2] p[]=0.02 w[]=100 !w[3,2,3,3] p[]=0.03 w[]=90 p[]=3 w[]=120', {
    channels_last: int(1),
  }),
  ort('QLinearConv', 'w[1,2,5,5] p[]=0.02 w[]=100 e[3,2,1,1] p[3] e[3]=0,0,0 p[]=30 w[]=120 k[3]'),
  ort('QLinearSoftmax', 'w[2,3,8] p[]=0.05 w[]=90 p[]=0.004 w[]=0', { axis: int(-1), opset: int(13) }),
  ort('NhwcMaxPool', 'w[1,5,6,2]', { kernel_shape: ints([2, 2]) }),
]

const nhwc = (op: string, inputs: string, attributes: Attributes = {}): Sample =>
  sample(op, inputs, attributes, { domain: 'com.ms.internal.nhwc', opset: 22 })

/** Channels-last forms that ONNX Runtime has on other devices than the processor. */
export const channelsLastSamples: readonly Sample[] = [
  nhwc('Conv', 'f[2,5,6,3] f[4,3,3,3] f[4]', { pads: ints([1, 0, 1, 0]) }),
  nhwc('Conv', 'f[2,5,6,4] f[4,1,3,1]', { group: int(4) }),
  nhwc('Conv', 'f[2,5,6,3] f[4,3,1,1]'),
  nhwc('FusedConv', 'f[2,5,6,3] f[4,3,1,1] f[4] f[2,5,6,4]', { activation: text('Relu') }),
  nhwc('ConvTranspose', 'f[2,4,5,3] f[3,2,3,3]', { strides: ints([2, 2]) }),
  ...['MaxPool', 'AveragePool', 'LpPool'].map((op) => nhwc(op, 'f[2,5,6,3]', { kernel_shape: ints([2, 1]) })),
  ...['GlobalMaxPool', 'GlobalAveragePool', 'GlobalLpPool'].map((op) => nhwc(op, 'f[2,4,5,3]')),
  nhwc('BatchNormalization', 'f[2,4,5,3] f[3] f[3] f[3] p[3]'),
  nhwc('InstanceNormalization', 'f[2,4,5,3] f[3] f[3]'),
  nhwc('LRN', 'f[2,3,4,5]', { size: int(3) }),
  nhwc('GridSample', 'f[2,4,5,3] f[2,3,2,2]'),
  nhwc('DepthToSpace', 'f[2,2,3,8]', { blocksize: int(2) }),
  nhwc('SpaceToDepth', 'f[2,4,6,2]', { blocksize: int(2) }),
  ort('NhwcConv', 'f[2,5,6,3] f[4,3,3,3]'),
  ort('NhwcFusedConv', 'f[2,5,6,3] f[4,3,1,1] f[4] f[2,5,6,4]', { activation: text('Relu') }),
]

/** Types and work only. */
export const ortTypedOnlySamples: readonly Sample[] = [
  ort('DynamicQuantizeLSTM', 'f[5,2,3] w[1,3,16] w[1,4,16] f[1,32] - - - - f[1] w[1] f[1] w[1]', {}, 3),
  ort('QLinearReduceMean', 'w[2,3,4] p[] w[] p[] w[]', { axes: ints([1]), keepdims: int(0) }),
]
