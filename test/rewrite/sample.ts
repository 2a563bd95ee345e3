// What the samples of rules are built with: a graph builder with shorthand, sizes and values drawn from a seed.
import { createRandom, type Random } from '../../src/base/random.ts'
import { type Attributes, int, ints, text } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import { elementCount } from '../../src/ir/shape.ts'
import { tensor } from '../../src/ir/tensor.ts'

export const SAMPLE_OPSETS: ReadonlyMap<string, number> = new Map([['', 21]])

/** A builder with the shorthand that samples need. */
export class Sample {
  readonly b: GraphBuilder
  readonly random: Random
  constructor(seed: number, b = new GraphBuilder('sample', SAMPLE_OPSETS)) {
    this.b = b
    this.random = createRandom(seed)
  }
  /** A size from 2 to 5, never the same as a fixed 1. */
  size(): number {
    return 2 + this.random.below(4)
  }
  x(shape: readonly number[], name = `x${this.random.below(1e6)}`): ValueId {
    return this.b.input(name, 'float32', shape)
  }
  w(shape: readonly number[]): ValueId {
    return this.b.constant(
      tensor(
        'float32',
        shape,
        Array.from({ length: elementCount(shape) }, () => this.random.normal()),
      ),
      'w',
    )
  }
  /** Weights of which every second one is subnormal. */
  tiny(shape: readonly number[]): ValueId {
    const draw = (_: unknown, i: number) => this.random.normal() * (i % 2 === 0 ? 1 : 1e-39)
    return this.b.constant(tensor('float32', shape, Array.from({ length: elementCount(shape) }, draw)), 'w')
  }
  c(value: number, shape: readonly number[] = []): ValueId {
    return this.b.constant(tensor('float32', shape, new Array<number>(elementCount(shape)).fill(value)), 'c')
  }
  op(name: string, inputs: readonly (ValueId | null)[], attributes: Attributes = {}): ValueId {
    return this.b.node(name, inputs, attributes)
  }
  slice(x: ValueId, axis: number, start: number, end: number): ValueId {
    return this.op('Slice', [x, this.b.int64s([start]), this.b.int64s([end]), this.b.int64s([axis])])
  }
  conv(x: ValueId, w: ValueId, pad: number, group = 1): ValueId {
    return this.op('Conv', [x, w], { pads: ints([pad, pad, pad, pad]), group: int(group) })
  }
  /** Positions, to be used with tables of 5 rows. */
  ids(shape: readonly number[]): ValueId {
    return this.b.input(`ids${this.random.below(1e6)}`, 'int64', shape)
  }
  /** Rows of x, a matrix, added to those of data at the positions ids. */
  scatter(data: ValueId, ids: ValueId, x: ValueId): ValueId {
    const at = this.op('Expand', [this.op('Unsqueeze', [ids, this.b.int64s([1])]), this.op('Shape', [x])])
    return this.op('ScatterElements', [data, at, x], { reduction: text('add') })
  }
  /** The same in whole rows. */
  scatterRows(data: ValueId, ids: ValueId, x: ValueId): ValueId {
    const at = this.op('Unsqueeze', [ids, this.b.int64s([1])])
    return this.op('ScatterND', [data, at, x], { reduction: text('add') })
  }
  zeros(shape: readonly number[]): ValueId {
    return this.op('ConstantOfShape', [this.b.int64s(shape)])
  }
  mean(x: ValueId, axes: readonly number[]): ValueId {
    return this.op('ReduceMean', [x, this.b.int64s(axes)], { keepdims: int(1) })
  }
}

export type BuildSample = (s: Sample) => ValueId

/** The graph of a sample. */
export function buildSample(build: BuildSample, seed: number): Graph {
  const s = new Sample(seed)
  s.b.output(build(s), 'y')
  return s.b.build()
}
