// Normalisations and embeddings.
import { UnsupportedError } from '../../base/errors.ts'
import { float, int } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { elementCount } from '../../ir/shape.ts'
import { type Context, type Handlers, handler } from './context.ts'
import { type Arguments, listItem, tensorItem } from './item.ts'

const epsilon = (a: Arguments, otherwise = 1e-5) => float(Math.fround(a.number('eps', otherwise)))

/** Over the last `normalized_shape.length` axes. */
function layerNorm(c: Context, a: Arguments): ValueId {
  const x = c.tensor(a, 'input')
  const shape = a.ints('normalized_shape')
  const { dtype } = c.type(x, a.where)
  const gain = c.optional(a, 'weight') ?? c.filled(dtype, shape, 1)
  const bias = c.optional(a, 'bias')
  return c.node('LayerNormalization', bias === null ? [x, gain] : [x, gain, bias], {
    axis: int(-shape.length),
    epsilon: epsilon(a),
  })
}

/** x / sqrt(mean(x^2) + eps) * weight over the last axes. */
function rmsNorm(c: Context, a: Arguments): ValueId {
  const x = c.tensor(a, 'input')
  const { dtype } = c.type(x, a.where)
  const axes = a.ints('normalized_shape').map((_, i) => -1 - i)
  const eps = a.number('eps', dtype === 'float64' ? 2 ** -52 : 2 ** -23)
  const meanSquare = c.node('ReduceMean', [c.op('Mul', x, x), c.ints(axes)], { keepdims: int(1) })
  const normed = c.op('Div', x, c.op('Sqrt', c.op('Add', meanSquare, c.filled(dtype, [], eps))))
  const weight = c.optional(a, 'weight')
  return weight === null ? normed : c.op('Mul', normed, weight)
}

function batchNorm(c: Context, a: Arguments): ValueId {
  if (a.boolean('training', false))
    throw new UnsupportedError(`${a.where} in training mode; trace the model after .eval()`)
  const x = c.tensor(a, 'input')
  const shape = [c.shape(x, a.where)[1]!]
  const { dtype } = c.type(x, a.where)
  const gain = c.optional(a, 'weight') ?? c.filled(dtype, shape, 1)
  const bias = c.optional(a, 'bias') ?? c.filled(dtype, shape, 0)
  return c.node('BatchNormalization', [x, gain, bias, c.tensor(a, 'running_mean'), c.tensor(a, 'running_var')], {
    epsilon: epsilon(a),
  })
}

/** Statistics of the batch itself, as instance norms decompose into. */
function batchNormOfBatch(c: Context, a: Arguments): ValueId {
  const x = c.tensor(a, 'input')
  const shape = c.shape(x, a.where)
  const { dtype } = c.type(x, a.where)
  const axes = c.ints(shape.map((_, d) => d).filter((d) => d !== 1))
  const centred = c.op('Sub', x, c.node('ReduceMean', [x, axes], { keepdims: int(1) }))
  const variance = c.node('ReduceMean', [c.op('Mul', centred, centred), axes], { keepdims: int(1) })
  const deviation = c.op('Sqrt', c.op('Add', variance, c.filled(dtype, [], a.number('eps', 1e-5))))
  return affine(c, a, c.op('Div', centred, deviation), shape)
}

/** Through InstanceNormalization on [batch, groups, rest], as PyTorch's exporter writes it. */
function groupNorm(c: Context, a: Arguments): ValueId {
  const x = c.tensor(a, 'input')
  const shape = c.shape(x, a.where)
  const { dtype } = c.type(x, a.where)
  const groups = a.int('num_groups')
  const grouped = c.op('Reshape', x, c.ints([shape[0]!, groups, elementCount(shape.slice(1)) / groups]))
  const normed = c.node(
    'InstanceNormalization',
    [grouped, c.filled(dtype, [groups], 1), c.filled(dtype, [groups], 0)],
    { epsilon: epsilon(a) },
  )
  return affine(c, a, c.op('Reshape', normed, c.ints(shape)), shape)
}

function instanceNorm(c: Context, a: Arguments): ValueId {
  const x = c.tensor(a, 'input')
  const channels = c.shape(x, a.where)[1]!
  const { dtype } = c.type(x, a.where)
  if (a.has('running_mean')) throw new UnsupportedError(`${a.where} with running statistics`)
  const [gain, bias] = [
    c.optional(a, 'weight') ?? c.filled(dtype, [channels], 1),
    c.optional(a, 'bias') ?? c.filled(dtype, [channels], 0),
  ]
  return c.node('InstanceNormalization', [x, gain, bias], { epsilon: epsilon(a) })
}

/** Times `weight` plus `bias`, both per channel. */
function affine(c: Context, a: Arguments, x: ValueId, shape: readonly number[]): ValueId {
  const column = [shape[1]!, ...shape.slice(2).map(() => 1)]
  const raised = (name: string) => (a.has(name) ? c.op('Reshape', c.tensor(a, name), c.ints(column)) : null)
  const [weight, bias] = [raised('weight'), raised('bias')]
  const scaled = weight === null ? x : c.op('Mul', x, weight)
  return bias === null ? scaled : c.op('Add', scaled, bias)
}

function embedding(c: Context, a: Arguments): ValueId {
  return c.node('Gather', [c.tensor(a, 'weight'), c.tensor(a, 'input')], { axis: int(0) })
}

export const neural: Handlers = {
  layer_norm: handler('input normalized_shape weight bias eps cudnn_enable', layerNorm),
  'aten.native_layer_norm': {
    signature: 'input normalized_shape weight bias eps',
    run: (c, a) => listItem([tensorItem(layerNorm(c, a))]),
  },
  rms_norm: handler('input normalized_shape weight eps', rmsNorm),
  batch_norm: handler('input running_mean running_var weight bias training momentum eps', batchNorm),
  'aten.batch_norm': handler(
    'input weight bias running_mean running_var training momentum eps cudnn_enabled',
    batchNorm,
  ),
  'aten._native_batch_norm_legit_no_training': {
    signature: 'input weight bias running_mean running_var momentum eps',
    run: (c, a) => listItem([tensorItem(batchNorm(c, a))]),
  },
  'aten._native_batch_norm_legit': {
    signature: 'input weight bias training momentum eps',
    run: (c, a) => listItem([tensorItem(batchNormOfBatch(c, a))]),
  },
  group_norm: handler('input num_groups weight bias eps cudnn_enabled', groupNorm),
  instance_norm: handler('input running_mean running_var weight bias use_input_stats momentum eps', instanceNorm),
  'aten.instance_norm': handler(
    'input weight bias running_mean running_var use_input_stats momentum eps cudnn_enabled',
    instanceNorm,
  ),
  'aten.native_group_norm': {
    signature: 'input weight bias batch channels size num_groups eps',
    run: (c, a) => listItem([tensorItem(groupNorm(c, a))]),
  },
  embedding: handler('input weight padding_idx max_norm norm_type scale_grad_by_freq sparse', embedding),
  'aten.embedding': handler('weight input padding_idx scale_grad_by_freq sparse', embedding),
}
