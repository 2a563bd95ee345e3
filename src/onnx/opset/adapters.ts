// The adapters: operator and opset -> rewriting of a node to its definition in that opset. One for each change marked `!`
// in table.ts; a test compares the two.
import { getInt, int, text } from '../../ir/attribute.ts'
import {
  clip11,
  dft20,
  dropout12,
  dropping,
  intsToInput,
  pad2,
  pad11,
  reductionAxes,
  slice10,
  split2,
  split18,
  tile6,
  topK10,
} from './attribute-inputs.ts'
import { broadcast7, cast6, pRelu7, selu6 } from './broadcasting.ts'
import { type Adapter, refuse, withAttribute } from './context.ts'
import { batchNorm9, batchNorm14, groupNorm21, inferenceOnly7, softmax13 } from './normalizing.ts'
import { gridSample20, lpPool2, resize11, resize13, roiAlign16, upsample7, upsample9, upsample10 } from './resizing.ts'

const CONSUMED = `Abs Add BatchNormalization Ceil Clip Div Dropout Elu Exp Floor HardSigmoid InstanceNormalization LeakyRelu Log Max Mean Min Mul
  Neg PRelu Reciprocal Relu Selu Sigmoid Sqrt Sub Sum Tanh`
const BROADCASTING = 'Add And Div Equal Greater Less Mul Or Pow Sub Xor'
const REDUCTIONS =
  'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSumSquare'

const words = (list: string): string[] => list.split(/\s+/)
const all = (list: string, opset: number, adapter: Adapter): [string, Adapter][] =>
  words(list).map((op) => [`${op}:${opset}`, adapter])

const reshape5: Adapter = (node, context) => {
  const bare = dropping('consumed_inputs')(node, context)
  return 'refused' in bare ? bare : intsToInput('shape', 1)(bare[0]!, context)
}
const concat4: Adapter = (node) => [withAttribute(node, 'axis', int(getInt(node.attributes, 'axis', 1)))]
const scatter11: Adapter = (node) => [{ ...node, op: 'ScatterElements' }]
const scan9: Adapter = () => refuse('it scans a batch of sequences')
/** The default direction was misspelt until opset 3. */
const gru3: Adapter = (node) => {
  const d = node.attributes.direction
  return [d?.kind === 'string' && d.value === 'foward' ? withAttribute(node, 'direction', text('forward')) : node]
}

const adapters = new Map<string, Adapter>([
  ...all(CONSUMED, 6, dropping('consumed_inputs')),
  ...all(BROADCASTING, 7, broadcast7),
  ...all('Softmax LogSoftmax Hardmax', 13, softmax13),
  ...all('Squeeze Unsqueeze', 13, intsToInput('axes', 1)),
  ...all(REDUCTIONS, 18, reductionAxes),
  ...all('GRU LSTM RNN', 7, dropping('output_sequence')),
  ...all('GlobalLpPool LpPool', 2, lpPool2),
  ...all('BatchNormalization Dropout', 7, inferenceOnly7),
  ['BatchNormalization:9', batchNorm9],
  ['BatchNormalization:14', batchNorm14],
  ['Cast:6', cast6],
  ['Clip:11', clip11],
  ['Concat:4', concat4],
  ['DFT:20', dft20],
  ['Dropout:12', dropout12],
  ['GRU:3', gru3],
  ['Gemm:7', dropping('broadcast')],
  ['GridSample:20', gridSample20],
  ['GroupNormalization:21', groupNorm21],
  ['PRelu:7', pRelu7],
  ['Pad:2', pad2],
  ['Pad:11', pad11],
  ['ReduceSum:13', reductionAxes],
  ['Reshape:5', reshape5],
  ['Resize:11', resize11],
  ['Resize:13', resize13],
  ['RoiAlign:16', roiAlign16],
  ['Scan:9', scan9],
  ['Scatter:11', scatter11],
  ['Selu:6', selu6],
  ['Slice:10', slice10],
  ['Split:2', split2],
  ['Split:13', intsToInput('split', 1)],
  ['Split:18', split18],
  ['Tile:6', tile6],
  ['TopK:10', topK10],
  ['Upsample:7', upsample7],
  ['Upsample:9', upsample9],
  ['Upsample:10', upsample10],
])

export const adapterFor = (op: string, opset: number): Adapter | null => adapters.get(`${op}:${opset}`) ?? null

/** `Softmax:13` and so on. */
export const adapterNames: readonly string[] = [...adapters.keys()]
