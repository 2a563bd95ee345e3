// Layers on top of GraphBuilder: what a model author writes. Random weights are uniform with standard deviation
// gain / sqrt(fan-in), so that activations keep their scale from layer to layer.
import { InvariantError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { type Attributes, int, ints } from '../../ir/attribute.ts'
import { GraphBuilder } from '../../ir/builder.ts'
import type { ValueId } from '../../ir/graph.ts'
import { elementCount, isConcrete } from '../../ir/shape.ts'
import { tensor } from '../../ir/tensor.ts'

export interface ConvOptions {
  readonly stride?: number
  /** Default: `dilation * floor(kernel / 2)`, which keeps the size at stride 1. */
  readonly pad?: number
  readonly groups?: number
  readonly dilation?: number
  /** Default true. */
  readonly bias?: boolean
  /** Height and width, where they differ. */
  readonly kernel?: readonly [number, number]
  readonly pads?: readonly [number, number, number, number]
}

export interface PoolOptions {
  readonly stride?: number
  readonly pad?: number
}

/** ReLU halves the second moment, so weights before it are larger. */
const RELU_GAIN = Math.SQRT2

export class Net {
  readonly builder: GraphBuilder
  readonly random: Random
  readonly opset: number

  constructor(name: string, random: Random, opset: number) {
    this.builder = new GraphBuilder(name, new Map([['', opset]]))
    this.random = random
    this.opset = opset
  }

  input(name: string, ...shape: number[]): ValueId {
    return this.builder.input(name, 'float32', shape)
  }

  ids(name: string, ...shape: number[]): ValueId {
    return this.builder.input(name, 'int64', shape)
  }

  output(value: ValueId, name = 'out'): void {
    this.builder.output(value, name)
  }

  /** Sizes of a value; they are always numbers in a workload. */
  shape(value: ValueId): readonly number[] {
    const type = this.builder.typeOf(value)
    if (!type || !isConcrete(type.shape))
      throw new InvariantError(`workload ${this.builder.name}: a value has no inferred shape`)
    return type.shape
  }

  /** A random constant of standard deviation `gain / sqrt(fanIn)`; fan-in defaults to the second last axis. */
  weight(shape: readonly number[], fanIn = shape.at(-2) ?? 1, gain = 1): ValueId {
    const scale = (gain * Math.sqrt(3)) / Math.sqrt(fanIn)
    const { next } = this.random
    const values = Float64Array.from({ length: elementCount(shape) }, () => (2 * next() - 1) * scale)
    return this.builder.constant(tensor('float32', shape, values), 'w')
  }

  /** A random constant in [low, high): biases, gains, statistics. */
  uniform(shape: readonly number[], low: number, high: number): ValueId {
    const { next } = this.random
    const values = Float64Array.from({ length: elementCount(shape) }, () => low + (high - low) * next())
    return this.builder.constant(tensor('float32', shape, values), 'b')
  }

  scalar(value: number, ...shape: number[]): ValueId {
    return this.builder.constant(tensor('float32', shape, new Float64Array(elementCount(shape)).fill(value)), 'k')
  }

  op(name: string, ...inputs: (ValueId | null)[]): ValueId {
    return this.builder.node(name, inputs)
  }

  node(name: string, inputs: readonly (ValueId | null)[], attributes: Attributes): ValueId {
    return this.builder.node(name, inputs, attributes)
  }

  add(x: ValueId, y: ValueId): ValueId {
    return this.op('Add', x, y)
  }

  mul(x: ValueId, y: ValueId): ValueId {
    return this.op('Mul', x, y)
  }

  matmul(x: ValueId, y: ValueId): ValueId {
    return this.op('MatMul', x, y)
  }

  relu(x: ValueId): ValueId {
    return this.op('Relu', x)
  }

  /** MatMul by a fresh weight, no bias. */
  project(x: ValueId, width: number, gain = 1): ValueId {
    return this.matmul(x, this.weight([this.shape(x).at(-1)!, width], undefined, gain))
  }

  /** MatMul and bias, as exporters write `nn.Linear`. */
  linear(x: ValueId, width: number, gain = 1): ValueId {
    return this.add(this.project(x, width, gain), this.uniform([width], -0.1, 0.1))
  }

  conv(x: ValueId, channels: number, kernel: number, o: ConvOptions = {}): ValueId {
    const [height, width] = o.kernel ?? [kernel, kernel]
    const groups = o.groups ?? 1
    const perGroup = this.shape(x)[1]! / groups
    const pad = o.pad ?? (o.dilation ?? 1) * Math.floor(kernel / 2)
    const weight = this.weight([channels, perGroup, height, width], perGroup * height * width, RELU_GAIN)
    const bias = o.bias === false ? [] : [this.uniform([channels], -0.1, 0.1)]
    return this.node('Conv', [x, weight, ...bias], {
      kernel_shape: ints([height, width]),
      pads: ints(o.pads ?? [pad, pad, pad, pad]),
      strides: ints([o.stride ?? 1, o.stride ?? 1]),
      dilations: ints([o.dilation ?? 1, o.dilation ?? 1]),
      group: int(groups),
    })
  }

  convRelu(x: ValueId, channels: number, kernel: number, o: ConvOptions = {}): ValueId {
    return this.relu(this.conv(x, channels, kernel, o))
  }

  pool(kind: 'MaxPool' | 'AveragePool', x: ValueId, kernel: number, o: PoolOptions = {}): ValueId {
    const { stride = kernel, pad = 0 } = o
    return this.node(kind, [x], {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
    })
  }

  concat(values: readonly ValueId[], axis: number): ValueId {
    return this.node('Concat', values, { axis: int(axis) })
  }

  transpose(x: ValueId, perm: readonly number[]): ValueId {
    return this.node('Transpose', [x], { perm: ints(perm) })
  }

  reshape(x: ValueId, shape: readonly number[]): ValueId {
    return this.op('Reshape', x, this.builder.int64s(shape, 'shape'))
  }

  slice(x: ValueId, axis: number, start: number, end: number): ValueId {
    const at = (n: number, name: string) => this.builder.int64s([n], name)
    return this.op('Slice', x, at(start, 'starts'), at(end, 'ends'), at(axis, 'axes'))
  }

  /** Equal parts along an axis. */
  split(x: ValueId, parts: number, axis: number): ValueId[] {
    const size = this.shape(x).at(axis)! / parts
    const sizes = this.builder.int64s(new Array<number>(parts).fill(size), 'split')
    return this.builder.multi('Split', [x, sizes], { attributes: { axis: int(axis) }, outputs: parts })
  }

  expand(x: ValueId, shape: readonly number[]): ValueId {
    return this.op('Expand', x, this.builder.int64s(shape, 'shape'))
  }

  gather(table: ValueId, ids: ValueId, axis = 0): ValueId {
    return this.node('Gather', [table, ids], { axis: int(axis) })
  }

  softmax(x: ValueId, axis = -1): ValueId {
    return this.node('Softmax', [x], { axis: int(axis) })
  }

  /** A reduction over one axis; axes are an input since opset 18 (ReduceSum: 13). */
  reduce(kind: 'ReduceMean' | 'ReduceSum' | 'ReduceMax', x: ValueId, axis: number, keep: boolean): ValueId {
    const keepdims = int(keep ? 1 : 0)
    const asInput = this.opset >= (kind === 'ReduceSum' ? 13 : 18)
    if (asInput) return this.node(kind, [x, this.builder.int64s([axis], 'axes')], { keepdims })
    return this.node(kind, [x], { axes: ints([axis]), keepdims })
  }

  /** Spatial resize to height x width of an image batch. */
  resize(x: ValueId, height: number, width: number, mode: 'nearest' | 'linear'): ValueId {
    const [batch, channels] = this.shape(x)
    const sizes = this.builder.int64s([batch!, channels!, height, width], 'sizes')
    const coordinates = mode === 'nearest' ? 'asymmetric' : 'half_pixel'
    return this.node('Resize', [x, null, null, sizes], {
      mode: { kind: 'string', value: mode },
      coordinate_transformation_mode: { kind: 'string', value: coordinates },
      nearest_mode: { kind: 'string', value: 'floor' },
    })
  }

  layerNorm(x: ValueId): ValueId {
    const width = this.shape(x).at(-1)!
    const gain = this.uniform([width], 0.8, 1.2)
    const shift = this.uniform([width], -0.1, 0.1)
    return this.node('LayerNormalization', [x, gain, shift], {
      axis: int(-1),
      epsilon: { kind: 'float', value: Math.fround(1e-5) },
    })
  }

  batchNorm(x: ValueId): ValueId {
    const channels = this.shape(x)[1]!
    const [gain, shift] = [this.uniform([channels], 0.8, 1.2), this.uniform([channels], -0.1, 0.1)]
    const [mean, variance] = [this.uniform([channels], -0.1, 0.1), this.uniform([channels], 0.8, 1.2)]
    return this.node('BatchNormalization', [x, gain, shift, mean, variance], {
      epsilon: { kind: 'float', value: Math.fround(1e-5) },
    })
  }

  gelu(x: ValueId): ValueId {
    return this.op('Gelu', x)
  }

  sigmoid(x: ValueId): ValueId {
    return this.op('Sigmoid', x)
  }

  tanh(x: ValueId): ValueId {
    return this.op('Tanh', x)
  }
}
