// Samples of the operators that move elements, make tensors, or reduce them.
import { int, ints, text } from '../../../src/ir/attribute.ts'
import { tensor } from '../../../src/ir/tensor.ts'
import { type Sample, sample, samplesOf } from './sample.ts'

const reshapes: readonly Sample[] = [
  sample('Reshape', 'f[2,3,4] !i[2]=2,12'),
  sample('Reshape', 'f[2,3,4] !i[3]=0,-1,2'),
  sample('Reshape', 'f[2,3,4] !i[4]=0,3,2,-1'),
  sample('Reshape', 'f[6,4] !i[3]=-1,3,4'),
  sample('Reshape', 'f[5,1,4] !i[3]=0,0,4'),
  sample('Reshape', 'f[2,2,1] !i[3]=-1,0,1'),
  sample('Reshape', 'f[0,3] !i[2]=3,0', { allowzero: int(1) }),
  sample('Reshape', 'f[2,6]', { shape: ints([2, 3, 2]) }, { opset: 1 }),
  sample('Reshape', '!i[6] !i[1]=-1'),
  ...[0, 1, 2, -1, 3].map((axis) => sample('Flatten', 'f[2,3,4]', { axis: int(axis) })),
  sample('Squeeze', 'f[2,1,3,1] !i[1]=1'),
  sample('Squeeze', 'f[2,1,3,1] !i[2]=-1,1'),
  sample('Squeeze', 'f[2,1,3,1]'),
  sample('Squeeze', 'f[2,1,3]', { axes: ints([1]) }, { opset: 11 }),
  sample('Unsqueeze', 'f[2,3] !i[2]=0,-1'),
  sample('Unsqueeze', 'f[2,3]', { axes: ints([1]) }, { opset: 11 }),
  sample('Unsqueeze', '!i[] !i[1]=0'),
  sample('Shape', 'f[2,3,4]'),
  sample('Shape', 'f[2,3,4]', { start: int(-2), end: int(-1) }),
  sample('Size', 'f[2,3,4]'),
]

const moves: readonly Sample[] = [
  sample('Transpose', 'f[2,3,4]'),
  sample('Transpose', 'f[2,3,4]', { perm: ints([1, 0, 2]) }),
  sample('Expand', 'f[3,1] !i[3]=2,1,4'),
  sample('Expand', 'f[3,4] !i[1]=1'),
  sample('Expand', '!i[1]=7 !i[1]=3'),
  sample('Tile', 'f[2,3] !i[2]=1,2'),
  sample('Tile', 'f[2,3,1] !i[3]=2,1,3'),
  sample('Tile', 'f[2,3] !i[]=2 !i[]=1', {}, { opset: 1 }),
  sample('DepthToSpace', 'f[2,8,2,3]', { blocksize: int(2) }),
  sample('DepthToSpace', 'f[2,8,2,3]', { blocksize: int(2), mode: text('CRD') }),
  sample('SpaceToDepth', 'f[2,2,4,6]', { blocksize: int(2) }),
  sample('ReverseSequence', 'f[4,3,2] i[3]=2,4,1'),
  sample('ReverseSequence', 'f[3,4] i[3]=2,4,1', { time_axis: int(1), batch_axis: int(0) }),
  sample('Trilu', 'f[2,3,4]'),
  sample('Trilu', 'f[3,4] !i[]=-1', { upper: int(0) }),
  sample('Concat', 'f[2,3] f[2,4]', { axis: int(1) }),
  sample('Concat', 'f[2,3,2] f[2,3,2] f[2,3,2]', { axis: int(-3) }),
  sample('Concat', '!i[2] !i[1]', { axis: int(0) }),
  sample('Concat', 'f[2,3] f[2,4]', {}, { opset: 1 }),
  sample('Split', 'f[6,3]', {}, { outputs: 3, opset: 13 }),
  sample('Split', 'f[2,7]', { axis: int(1), num_outputs: int(3) }, { outputs: 3 }),
  sample('Split', 'f[2,5] !i[2]=2,3', { axis: int(-1) }, { outputs: 2 }),
  sample('Split', '!i[5] !i[2]=2,3', {}, { outputs: 2 }),
  sample('Split', 'f[5,2]', { split: ints([4, 1]) }, { outputs: 2, opset: 11 }),
  ...['constant', 'reflect', 'edge', 'wrap'].map((mode) => sample('Pad', 'f[3,4] !i[4]=0,2,0,1', { mode: text(mode) })),
  sample('Pad', 'f[3,4] !i[4]=-1,0,1,2 !f[]=1.5'),
  sample('Pad', 'f[2,3,4] !i[2]=1,2 - !i[1]=-2'),
  sample('Pad', 'f[3,4]', { pads: ints([1, 0, 2, 0]) }, { opset: 2 }),
  sample('Pad', 'f[3,4]', { paddings: ints([1, 0, 2, 0]) }, { opset: 1 }),
  sample('Compress', 'f[3,4] !b[4]=1,0,0,1', { axis: int(1) }),
  sample('Compress', 'f[2,2] b[4]'),
]

const positions: readonly Sample[] = [
  sample('Slice', 'f[5,6] !i[1]=1 !i[1]=4'),
  sample('Slice', 'f[5,6] !i[2]=-1,0 !i[2]=-6,9223372036854775807 !i[2]=1,0 !i[2]=-2,2'),
  sample('Slice', 'f[5,6] !i[1]=0 !i[1]=6 !i[1]=-1'),
  sample('Slice', '!i[5] !i[1]=1 !i[1]=-1'),
  sample('Slice', 'f[5,6]', { starts: ints([1]), ends: ints([2147483647]), axes: ints([1]) }, { opset: 1 }),
  sample('Gather', 'f[5,3] i[2,2]=0,4,-1,2'),
  sample('Gather', 'f[3,5,2] i[4]=0,4,-1,2', { axis: int(1) }),
  sample('Gather', 'f[3,5] !i[]=2', { axis: int(-1) }),
  sample('Gather', '!i[5] !i[2]=1,-1'),
  sample('GatherElements', 'f[3,4] i[2,4]=0,1,2,0,-1,0,1,2'),
  sample('GatherElements', 'f[3,4] i[3,2]=0,1,2,0,-1,1', { axis: int(1) }),
  sample('GatherND', 'f[3,4,2] i[2,2]=0,1,2,-1'),
  sample('GatherND', 'f[2,4,3] i[2,3,1]=0,1,2,3,1,0', { batch_dims: int(1) }),
  ...['none', 'add'].map((r) =>
    sample('ScatterElements', 'f[3,4] i[2,4]=0,1,2,0,-1,0,1,2 f[2,4]', { reduction: text(r) }),
  ),
  sample('ScatterElements', 'f[3,4] i[3,2]=0,1,2,0,-1,1 f[3,2]', { axis: int(1) }),
  ...['mul', 'max', 'min'].map((r) => sample('ScatterElements', 'k[3] i[3]=0,2,0 k[3]', { reduction: text(r) })),
  sample('Scatter', 'f[3,4] i[1,4]=0,1,2,0 f[1,4]', {}, { opset: 9 }),
  sample('ScatterND', 'f[4,3] i[2,1]=0,3 f[2,3]'),
  sample('ScatterND', 'f[4,3] i[3,1]=1,3,1 f[3,3]', { reduction: text('add') }),
]

const value = (dtype: 'int64' | 'float32', x: number) => ({
  value: { kind: 'tensor', value: tensor(dtype, [1], [x]) } as const,
})

const made: readonly Sample[] = [
  sample('Constant', '', { value_ints: ints([3, 1]) }),
  sample('Constant', '', value('float32', 2.5)),
  sample('ConstantOfShape', '!i[2]=2,3'),
  sample('ConstantOfShape', '!i[1]=4', value('int64', 7)),
  sample('Range', '!i[]=2 !i[]=11 !i[]=4'),
  sample('Range', '!f[]=1 !f[]=0 !f[]=-0.25'),
  ...samplesOf('HannWindow HammingWindow BlackmanWindow', '!i[]=8', '!k[]=5'),
  sample('HannWindow', '!i[]=7', { periodic: int(0), output_datatype: int(11) }),
  sample('EyeLike', 'f[3,4]', { k: int(1) }),
  sample('OneHot', 'i[2,3]=0,1,-1,7,2,1 !i[]=4 f[2]'),
  sample('OneHot', 'i[3]=0,1,2 !i[1]=3 f[2]', { axis: int(0) }),
  sample('NonZero', '!b[2,3]'),
]

const REDUCE = 'ReduceMean ReduceMax ReduceMin ReduceProd ReduceSumSquare ReduceL1 ReduceL2 ReduceLogSumExp'
const reduced: readonly Sample[] = [
  ...samplesOf(`ReduceSum ReduceLogSum ${REDUCE}`, 'p[2,3,4] !i[1]=1', 'p[2,3]'),
  ...`ReduceSum ${REDUCE}`.split(' ').map((op) => sample(op, 'f[2,3,4] !i[2]=-1,0', { keepdims: int(0) })),
  ...REDUCE.split(' ').map((op) => sample(op, 'f[2,3,4]', { axes: ints([2]) }, { opset: 11 })),
  sample('ReduceSum', 'f[2,3] !i[0]=', { noop_with_empty_axes: int(1) }),
  ...samplesOf('ReduceSum ReduceMax ReduceMin ReduceProd', '!i[3]'),
  ...['ArgMax', 'ArgMin'].flatMap((op) => [
    sample(op, 'f[2,3,4]', { axis: int(1) }),
    sample(op, 'k[3,8]', { axis: int(-1), keepdims: int(0), select_last_index: int(1) }),
  ]),
]

const along: readonly Sample[] = [
  ...['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((op) => [
    sample(op, 'f[2,3,4]'),
    sample(op, 'f[2,3,4]', { axis: int(1) }),
    sample(op, 'f[2,3,4]', {}, { opset: 11 }),
    sample(op, 'f[2,3,4]', { axis: int(2) }, { opset: 11 }),
  ]),
  sample('CumSum', 'f[2,3,4] !i[]=1'),
  sample('CumSum', 'f[2,3] !i[]=-1', { exclusive: int(1), reverse: int(1) }),
  sample('CumProd', 'f[2,3] !i[]=0', {}, { opset: 26 }),
  sample('TopK', 'f[3,5] !i[1]=2', {}, { outputs: 2 }),
  sample('TopK', 'f[5,3] !i[1]=2', { axis: int(0), largest: int(0) }, { outputs: 2 }),
  sample('TopK', 'f[3,5]', { k: int(5) }, { outputs: 2, opset: 1 }),
]

export const layoutSamples: readonly Sample[] = [...reshapes, ...moves, ...positions, ...made, ...reduced, ...along]
