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
]
