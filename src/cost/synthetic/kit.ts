// What recipes of synthetic kernels are built with: a graph that grows, inputs that each kernel has to itself, weights, and
// draws of the sizes that real models have.
import type { Random } from '../../base/random.ts'
import { type Attributes, ints } from '../../ir/attribute.ts'
import { GraphBuilder } from '../../ir/builder.ts'
import type { Graph, ValueId } from '../../ir/graph.ts'
import { type ConcreteShape, elementCount, isConcrete } from '../../ir/shape.ts'
import type { Tensor } from '../../ir/tensor.ts'

/** Largest operand, elements: 8 MB of float32. */
export const ELEMENT_LIMIT = 2_000_000
/** Largest weight, elements. */
const WEIGHT_LIMIT = 2_400_000
/** Most operations of one kernel: about 10 ms on one core. */
export const FLOP_LIMIT = 4e8

/** Weights are runs of this many standard normal numbers: drawing millions would take longer than running them. */
const POOL = 1 << 16

export class Kit {
  readonly random: Random
  readonly builder: GraphBuilder
  private readonly pool: Float32Array
  private inputs = 0
  private outputs = 0

  constructor(name: string, random: Random) {
    this.random = random
    this.builder = new GraphBuilder(
      name,
      new Map([
        ['', 20],
        ['com.microsoft', 1],
      ]),
    )
    this.pool = Float32Array.from({ length: POOL }, () => random.normal())
  }

  /** A fresh activation: an input of the graph through a Neg, so that it is warm, in memory of its own, and not constant. */
  fed(shape: ConcreteShape): ValueId {
    return this.builder.node('Neg', [this.builder.input(`x${this.inputs++}`, 'float32', shape)])
  }

  /** A constant of standard deviation 1 / sqrt(fanIn). */
  weight(shape: ConcreteShape, fanIn = 1): ValueId {
    const scale = 1 / Math.sqrt(Math.max(1, fanIn))
    return this.floats(shape, (z) => z * scale)
  }

  /** A constant in (0.5, 1.5), for gains and variances. */
  gain(shape: ConcreteShape): ValueId {
    return this.floats(shape, (z) => 1 + Math.tanh(z) / 2)
  }

  scalar(value: number, shape: ConcreteShape = []): ValueId {
    return this.floats(shape, () => value)
  }

  /** Whole numbers in [0, below). */
  indices(shape: ConcreteShape, below: number): ValueId {
    const data = BigInt64Array.from({ length: elementCount(shape) }, () => BigInt(this.random.below(below)))
    return this.builder.constant({ dtype: 'int64', shape, bytes: new Uint8Array(data.buffer) })
  }

  int64s(values: readonly number[]): ValueId {
    return this.builder.int64s(values)
  }

  op(name: string, inputs: readonly (ValueId | null)[], attributes: Attributes = {}): ValueId {
    const colon = name.indexOf(':')
    return this.builder.node(name.slice(colon + 1), inputs, attributes, name.slice(0, Math.max(0, colon)))
  }

  /** Sizes of a value that inference knows in numbers, or null. */
  shapeOf(value: ValueId): ConcreteShape | null {
    const shape = this.builder.typeOf(value)?.shape
    return shape && isConcrete(shape) ? shape : null
  }

  /** Lets one element of a result out: flattened first (free), since runtimes push slices and transposes through each other. */
  finish(value: ValueId): void {
    const flat = this.op('Reshape', [value, this.int64s([-1])])
    const first = this.op('Slice', [flat, this.int64s([0]), this.int64s([1])])
    this.builder.output(first, `y${this.outputs++}`)
  }

  build(): Graph {
    return this.builder.build()
  }

  chance(p: number): boolean {
    return this.random.next() < p
  }

  /** Log-uniform whole number in [low, high]. */
  size(low: number, high: number): number {
    return Math.min(high, Math.max(low, Math.round(low * (high / low) ** this.random.next())))
  }

  /** Channels: mostly what architectures use, sometimes anything. */
  channels(low = 8, high = 512): number {
    const usual = CHANNELS.filter((c) => c >= low && c <= high)
    return this.chance(0.75) && usual.length > 0 ? this.random.pick(usual) : this.size(low, high)
  }

  /** Height and width of a feature map. */
  plane(low = 4, high = 112): readonly [number, number] {
    const side = this.chance(0.7) ? this.random.pick(SIDES.filter((s) => s >= low && s <= high)) : this.size(low, high)
    return this.chance(0.75) ? [side, side] : [this.size(low, side), Math.min(320, side * this.size(1, 6))]
  }

  images(): number {
    return this.chance(0.85) ? 1 : this.size(2, 8)
  }

  /** Batch, positions and width of a sequence model. */
  sequence(): readonly [number, number, number] {
    const batch = this.chance(0.75) ? 1 : this.size(2, 16)
    const positions = this.chance(0.7) ? this.random.pick(POSITIONS) : this.size(1, 600)
    return [batch, positions, this.random.pick(WIDTHS)]
  }

  /** Any activation: rank 1 to 4, the sizes of feature maps, sequences and matrices. */
  anyShape(limit = ELEMENT_LIMIT): ConcreteShape {
    const draw = (): ConcreteShape => {
      const kind = this.random.next()
      if (kind < 0.4) return [this.images(), this.channels(), ...this.plane()]
      if (kind < 0.75) return this.sequence()
      if (kind < 0.85) {
        const [batch, positions, width] = this.sequence()
        return [batch, this.random.pick(HEADS), positions, this.chance(0.5) ? positions : Math.max(8, width >> 3)]
      }
      return kind < 0.95 ? [this.size(1, 3000), this.size(1, 2000)] : [this.size(1, 1e6)]
    }
    return this.until(draw, (shape) => elementCount(shape) <= limit)
  }

  /** Draws until it fits. Throws where practically nothing does: a mistake in the recipe. */
  until<T>(draw: () => T, fits: (x: T) => boolean): T {
    for (let i = 0; i < 20_000; i++) {
      const x = draw()
      if (fits(x)) return x
    }
    throw new RangeError('a recipe draws nothing that fits its limits')
  }

  private floats(shape: ConcreteShape, of: (z: number) => number): ValueId {
    const n = elementCount(shape)
    if (n > WEIGHT_LIMIT) throw new RangeError(`a weight of ${n} elements`)
    const data = new Float32Array(n)
    const start = this.random.below(POOL)
    for (let i = 0; i < n; i++) data[i] = of(this.pool[(start + i) & (POOL - 1)]!)
    const t: Tensor = { dtype: 'float32', shape, bytes: new Uint8Array(data.buffer) }
    return this.builder.constant(t)
  }
}

const CHANNELS = [
  3, 8, 12, 16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 120, 128, 160, 192, 240, 256, 288, 320, 384, 448, 480, 512,
  576, 672, 768, 960, 1024, 1280, 2048,
]
const SIDES = [1, 4, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 224]
const POSITIONS = [1, 2, 8, 16, 25, 32, 49, 50, 64, 77, 100, 128, 196, 197, 256, 384, 512]
const WIDTHS = [16, 32, 64, 96, 128, 160, 192, 256, 312, 384, 512, 768, 1024]
const HEADS = [1, 2, 4, 6, 8, 12, 16]

/** A recipe: builds one kernel, or a few that a runtime fuses or lays out together, and returns the result. */
export interface Recipe {
  readonly name: string
  /** How often it is drawn, relative to the others: roughly its share of kernels in real models, rare ones lifted. */
  readonly weight: number
  build(kit: Kit): ValueId
}

/** Height and width twice, as ONNX wants pads of a plane. */
export const padsOf = (h: number, w = h) => ints([h, w, h, w])
