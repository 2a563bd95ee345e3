// Samples of operators of ONNX Runtime's own domains, and of those that have types but no values.
import { type Attributes, float, int, ints, text } from '../../../src/ir/attribute.ts'
import { type Sample, sample } from './sample.ts'

const ort = (op: string, inputs: string, attributes: Attributes = {}, outputs = 1): Sample =>
  sample(op, inputs, attributes, { domain: 'com.microsoft', opset: 1, outputs })
const blocked = (op: string, inputs: string, attributes: Attributes = {}): Sample =>
  sample(op, inputs, attributes, { domain: 'com.microsoft.nchwc', opset: 1 })

export const runtimeSamples: readonly Sample[] = [
  ort('FusedConv', 'f[2,3,5,6] f[4,3,1,3] f[4] f[2,4,5,4]', { activation: text('Relu') }),
  ort('FusedMatMul', 'f[4,3] f[4,5]', { transA: int(1), alpha: float(0.5) }),
  ort('FusedMatMul', 'f[3,2,4] f[2,5,4]', { transBatchA: int(1), transB: int(1) }),
  ort('TransposeMatMul', 'f[4,3] f[4,5]', { transA: int(1) }),
  ort('FusedMatMulActivation', 'f[3,4] f[4,5]', { activation: text('Tanh') }),
  ort('FusedGemm', 'f[3,4] f[4,5] f[5]', { activation: text('LeakyRelu'), activation_alpha: float(0.5) }),
  ort('GemmFastGelu', 'f[3,4] f[4,5] f[5]'),
  ort('Inverse', 'f[2,3,3]'),
  ort('SkipLayerNormalization', 'f[2,3,4] f[2,3,4] f[4] f[4] f[4]', {}, 4),
  ort('SkipSimplifiedLayerNormalization', 'f[2,3,4] f[3,4] f[4]'),
  ort(
    'EmbedLayerNormalization',
    'k[2,3]=0,1,2,3,4,5 k[2,3]=0,0,1,1,0,1 f[6,4] f[3,4] f[2,4] f[4] f[4] k[2,3]=1,1,0,1,1,1',
    {},
    2,
  ),
  ort('Gelu', 'f[2,3]'),
  ort('QuickGelu', 'f[2,3]'),
  ort('BiasGelu', 'f[2,3] f[3]'),
  ort('FastGelu', 'f[2,3] f[3]'),
  ort('FastGelu', 'f[2,3]'),
  ort('BiasAdd', 'f[2,5,3] f[3] f[2,5,3]'),
  ort('BiasSoftmax', 'f[2,3,4] f[2,1,4]', { axis: int(2), is_inner_broadcast: int(0) }),
  ort('BiasSplitGelu', 'f[2,3,8] f[8]'),
  ort('BiasDropout', 'f[2,3] f[3] f[2,3] !f[]=0.5', {}, 2),
  ort('MultiHeadAttention', 'f[2,4,6] f[2,5,6] f[2,5,8] f[20]', { num_heads: int(2) }),
  ort('RotaryEmbedding', 'f[2,5,12] i[1]=1 f[8,2] f[8,2]', { num_heads: int(3) }),
  sample('MemcpyFromHost', 'f[2,3]', {}, { opset: 1 }),
  sample('MemcpyToHost', 'f[2,3]', {}, { opset: 1 }),
]

/** Operators whose records give types and work only: random ones, and what exists only inside ONNX Runtime. */
export const runtimeTypedOnlySamples: readonly Sample[] = [
  sample('RandomNormal', '', { shape: ints([2, 3]) }),
  sample('RandomUniform', '', { shape: ints([2, 3]), dtype: int(11) }),
  sample('RandomNormalLike', 'f[2,3]'),
  sample('RandomUniformLike', 'i[2,3]', { dtype: int(1) }),
  sample('Bernoulli', 'u[2,3]'),
  sample('Multinomial', 'f[2,3]', { sample_size: int(4) }),
  ort('Attention', 'f[2,5,8] f[8,24] f[24]', { num_heads: int(2) }),
  ort('QAttention', 'w[2,5,8] w[8,24] f[24] f[] f[]', { num_heads: int(2) }),
  ort('DecoderMaskedMultiHeadAttention', 'f[2,1,8] f[2,1,8] f[2,1,8]', { num_heads: int(2) }),
  ort('GroupQueryAttention', 'f[2,5,8] f[2,5,4] f[2,5,4] - - k[2] k[]', { num_heads: int(4), kv_num_heads: int(2) }),
  ort('GroupNorm', 'f[2,4,4,8] f[8] f[8]', { groups: int(4) }),
  ort('SkipGroupNorm', 'f[2,4,4,8] f[8] f[8] f[2,4,4,8]', { groups: int(4) }),
  blocked('Conv', 'f[1,16,5,6] f[32,16,3,3]'),
  blocked('MaxPool', 'f[1,16,5,6]', { kernel_shape: ints([2, 2]) }),
  blocked('AveragePool', 'f[1,16,5,6]', { kernel_shape: ints([2, 2]) }),
  blocked('GlobalMaxPool', 'f[1,16,5,6]'),
  blocked('GlobalAveragePool', 'f[1,16,5,6]'),
  blocked('Upsample', 'f[1,16,5,6]', { scales: ints([1, 1, 2, 2]) }),
  blocked('ReorderInput', 'f[1,16,5,6]'),
  blocked('ReorderOutput', 'f[1,16,5,6]', { channels: int(12) }),
]
