// Operators grouped by what their time depends on. One row per operator that a runtime is known to execute; anything else is
// `other`. The names are those of executed graphs: ONNX's own and ONNX Runtime's internal ones (com.microsoft, NCHWc).
import type { Kernel } from './kernel.ts'

export const OP_CLASSES = [
  'conv',
  'conv-pointwise',
  'conv-depthwise',
  'conv-transpose',
  'matmul',
  'elementwise',
  'activation',
  'softmax',
  'norm',
  'reduce',
  'transpose',
  'copy',
  'gather',
  'scatter',
  'view',
  'pool',
  'resize',
  'reorder',
  'attention',
  'recurrent',
  'quantized',
  'other',
] as const
export type OpClass = (typeof OP_CLASSES)[number]

const MS = 'com.microsoft:'
const NCHWC = 'com.microsoft.nchwc:'

/** Members of each class; the order fixes the columns of the operator one-hot (features.ts). */
const MEMBERS: Readonly<Partial<Record<OpClass, readonly string[]>>> = {
  conv: ['Conv', `${MS}FusedConv`, `${NCHWC}Conv`],
  'conv-transpose': ['ConvTranspose'],
  matmul: ['MatMul', 'Gemm', `${MS}FusedMatMul`, `${MS}FusedGemm`, 'Einsum'],
  elementwise: [
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Min',
    'Max',
    'Sum',
    'Mean',
    'Neg',
    'Abs',
    'Relu',
    'LeakyRelu',
    'PRelu',
    'Clip',
    'HardSigmoid',
    'HardSwish',
    'Where',
    'Cast',
    'Equal',
    'Less',
    'Greater',
    'LessOrEqual',
    'GreaterOrEqual',
    'And',
    'Or',
    'Not',
    'Floor',
    'Ceil',
    'Round',
    'Sign',
    'Mod',
    'BatchNormalization',
    'Trilu',
    'Dropout',
    'ThresholdedRelu',
    'IsNaN',
    'Xor',
    'BitShift',
  ],
  activation: [
    'Exp',
    'Log',
    'Sqrt',
    'Reciprocal',
    'Pow',
    'Erf',
    'Sigmoid',
    'Tanh',
    'Gelu',
    'Softplus',
    'Softsign',
    'Elu',
    'Selu',
    'Celu',
    'Mish',
    'Sin',
    'Cos',
    `${MS}Gelu`,
    `${MS}FastGelu`,
    `${MS}QuickGelu`,
    `${MS}BiasGelu`,
  ],
  softmax: ['Softmax', 'LogSoftmax', 'Hardmax', `${MS}BiasSoftmax`],
  norm: [
    'LayerNormalization',
    'InstanceNormalization',
    'GroupNormalization',
    'RMSNormalization',
    'SimplifiedLayerNormalization',
    `${MS}SkipLayerNormalization`,
    `${MS}SimplifiedLayerNormalization`,
    `${MS}SkipSimplifiedLayerNormalization`,
    'LRN',
    'LpNormalization',
    'MeanVarianceNormalization',
    `${MS}EmbedLayerNormalization`,
  ],
  reduce: [
    'ReduceMean',
    'ReduceSum',
    'ReduceMax',
    'ReduceMin',
    'ReduceProd',
    'ReduceL1',
    'ReduceL2',
    'ReduceSumSquare',
    'ReduceLogSumExp',
    'ReduceLogSum',
    'ArgMax',
    'ArgMin',
    'CumSum',
    'TopK',
  ],
  transpose: ['Transpose', 'DepthToSpace', 'SpaceToDepth'],
  copy: ['Concat', 'Slice', 'Split', 'Pad', 'Expand', 'Tile', 'ConstantOfShape', 'Range', 'EyeLike'],
  gather: ['Gather', 'GatherElements', 'GatherND', 'OneHot', 'NonZero', 'Compress'],
  scatter: ['Scatter', 'ScatterElements', 'ScatterND'],
  view: [
    'Identity',
    'Reshape',
    'Flatten',
    'Squeeze',
    'Unsqueeze',
    'Shape',
    'Size',
    'Constant',
    'MemcpyToHost',
    'MemcpyFromHost',
  ],
  pool: [
    'MaxPool',
    'AveragePool',
    'GlobalAveragePool',
    'GlobalMaxPool',
    'LpPool',
    `${NCHWC}MaxPool`,
    `${NCHWC}AveragePool`,
    `${NCHWC}GlobalAveragePool`,
    `${NCHWC}GlobalMaxPool`,
  ],
  resize: ['Resize', 'Upsample', 'GridSample', `${NCHWC}Upsample`],
  reorder: [`${NCHWC}ReorderInput`, `${NCHWC}ReorderOutput`],
  attention: [
    'Attention',
    `${MS}Attention`,
    `${MS}MultiHeadAttention`,
    `${MS}GroupQueryAttention`,
    'RotaryEmbedding',
    `${MS}RotaryEmbedding`,
  ],
  recurrent: ['LSTM', 'GRU', 'RNN'],
  quantized: [
    'QuantizeLinear',
    'DequantizeLinear',
    'DynamicQuantizeLinear',
    'MatMulInteger',
    'ConvInteger',
    'QLinearConv',
    'QLinearMatMul',
    `${MS}DynamicQuantizeMatMul`,
    `${MS}MatMulIntegerToFloat`,
    `${MS}QGemm`,
    `${MS}MatMulNBits`,
  ],
}

/** Every operator with a column of its own, in column order. */
export const KNOWN_OPS: readonly string[] = Object.values(MEMBERS).flat()

const classes = new Map<string, OpClass>(
  Object.entries(MEMBERS).flatMap(([c, names]) => names.map((name): [string, OpClass] => [name, c as OpClass])),
)

/** Class of a kernel; convolutions are told apart by their weights. */
export function opClassOf(k: Kernel): OpClass {
  const found = classes.get(k.op) ?? 'other'
  return found === 'conv' ? convClass(k) : found
}

function convClass(k: Kernel): OpClass {
  const weight = k.inputs[1]?.shape
  const output = k.outputs[0]?.shape
  if (!weight || !output) return 'conv'
  const groups = Number(k.attributes.group ?? 1)
  if (groups > 1 && groups >= (output[1] ?? 0)) return 'conv-depthwise'
  return weight.slice(2).every((d) => d === 1) && groups === 1 ? 'conv-pointwise' : 'conv'
}

/** True for kernels that read and write ONNX Runtime's blocked NCHWc layout. */
export const isBlocked = (op: string): boolean => op.startsWith(NCHWC)
