// A side of a law as a graph. Both sides get the same inputs in the same order and the same weights, so that they can be compared.
import type { Random } from '../../../src/base/random.ts'
import { float, int, ints } from '../../../src/ir/attribute.ts'
import { GraphBuilder } from '../../../src/ir/builder.ts'
import type { Graph, ValueId } from '../../../src/ir/graph.ts'
import { elementCount } from '../../../src/ir/shape.ts'
import { type Tensor, tensor } from '../../../src/ir/tensor.ts'
import { SAMPLE_OPSETS } from '../sample.ts'
import { isWeight, type Law, type Term } from './notation.ts'
import { groupsOf, type Shapes } from './sizes.ts'

const EPSILON = Math.fround(1e-5)
/** What BatchNormalization takes per channel. */
const PER_CHANNEL = ['G', 'B', 'M', 'V']

/** Tensors for the weights of a law; `V`, a variance, is positive. With `computed`, weights are inputs: none. */
export function drawWeights(shapes: Shapes, random: Random, computed: boolean): ReadonlyMap<string, Tensor> {
  const names = computed ? [] : [...shapes.keys()].filter(isWeight)
  return new Map(
    names.map((name) => {
      const shape = shapes.get(name)!
      const draw = () => (name === 'V' ? 0.5 + Math.abs(random.normal()) : random.normal())
      return [name, tensor('float32', shape, Array.from({ length: elementCount(shape) }, draw))]
    }),
  )
}

/** The shapes, with those of BatchNormalization's parameters as the vectors they are: one number for each kernel of `A`. */
export function withVectors(law: Law, shapes: Shapes): Shapes {
  const isNorm = law.left.some((t) => t.op === 'batchnorm')
  const vector = [shapes.get('A')?.[0] ?? 0]
  return new Map([...shapes].map(([name, s]) => [name, isNorm && PER_CHANNEL.includes(name) ? vector : s]))
}

/** The graph of one side. `parts`: shapes of the left side's outputs, which `first` and `second` cut out. */
export function buildSide(
  side: readonly Term[],
  shapes: Shapes,
  weights: ReadonlyMap<string, Tensor>,
  parts: readonly (readonly number[])[] = [],
): Graph {
  const builder = new SideBuilder(shapes, weights, parts)
  side.forEach((t, i) => {
    builder.b.output(builder.value(t), `out${i}`)
  })
  return builder.b.build()
}

class SideBuilder {
  readonly b = new GraphBuilder('law', SAMPLE_OPSETS)
  private readonly variables = new Map<string, ValueId>()
  private readonly parts: readonly (readonly number[])[]

  constructor(shapes: Shapes, weights: ReadonlyMap<string, Tensor>, parts: readonly (readonly number[])[]) {
    this.parts = parts
    for (const [name, shape] of shapes) {
      const t = weights.get(name)
      this.variables.set(name, t ? this.b.constant(t, name) : this.b.input(name, 'float32', shape))
    }
  }

  value(t: Term): ValueId {
    if (t.op === 'name') return this.variables.get(t.name)!
    const args = t.args.map((x) => this.value(x)) as [ValueId, ValueId, ...ValueId[]]
    switch (t.op) {
      case '+':
        return this.b.node('Add', args)
      case '*':
        return this.b.node('Mul', args)
      case '@':
        return this.b.node('MatMul', args)
      case '|':
        return this.b.node('Concat', args, { axis: int(1) })
      case ';':
        return this.b.node('Concat', args, { axis: int(0) })
      case 'relu':
        return this.b.node('Relu', args)
      case 'batchnorm':
        return this.b.node('BatchNormalization', args, { epsilon: float(EPSILON) })
      case 'conv':
        return this.conv(t.flags, args[0], args[1])
      case 'convnorm':
        return this.convNorm(t.flags, args)
      case 'enlarge':
        return this.enlarge(args[0], args[1])
      case 'merge':
        return this.merge(args[0])
      default:
        return this.cut(t.op, args[0])
    }
  }

  private shape(v: ValueId): readonly number[] {
    return this.b.typeOf(v)!.shape as readonly number[]
  }

  private conv(flags: readonly string[], x: ValueId, w: ValueId): ValueId {
    const pad = flags.includes('valid') ? 0 : (this.shape(w)[2]! - 1) / 2
    const stride = flags.includes('s2') ? 2 : 1
    const attributes = {
      pads: ints([pad, pad, pad, pad]),
      strides: ints([stride, stride]),
      group: int(groupsOf(flags)),
    }
    const out = this.b.node('Conv', [x, w], attributes)
    return flags.includes('relu') ? this.b.node('Relu', [out]) : out
  }

  /** The convolution with the factor of the normalisation in its kernels, and the shift added. */
  private convNorm(flags: readonly string[], [x, w, g, b, m, v]: readonly ValueId[]): ValueId {
    const epsilon = this.b.constant(tensor('float32', [], [EPSILON]))
    const factor = this.b.node('Div', [g!, this.b.node('Sqrt', [this.b.node('Add', [v!, epsilon])])])
    const shift = this.b.node('Sub', [b!, this.b.node('Mul', [m!, factor])])
    const column = (y: ValueId, shape: readonly number[]) => this.b.node('Reshape', [y, this.b.int64s(shape)])
    const scaled = this.b.node('Mul', [w!, column(factor, [-1, 1, 1, 1])])
    return this.b.node('Add', [this.conv(flags, x!, scaled), column(shift, [1, -1, 1, 1])])
  }

  private enlarge(small: ValueId, large: ValueId): ValueId {
    const pad = (this.shape(large)[2]! - this.shape(small)[2]!) / 2
    return this.b.node('Pad', [small, this.b.int64s([0, 0, pad, pad, 0, 0, pad, pad])])
  }

  /** Kernels of four groups as those of two: each pair side by side, zeros where a kernel has no channels. */
  private merge(w: ValueId): ValueId {
    const [rows, channels, height, width] = this.shape(w) as [number, number, number, number]
    const size = rows / 4
    const zeros = this.b.constant(
      tensor('float32', [size, channels, height, width], new Array(size * channels * height * width).fill(0)),
    )
    const blocks = [0, 1, 2, 3].map((i) => {
      const block = this.slice(w, 0, i * size, (i + 1) * size)
      return this.b.node('Concat', i % 2 === 0 ? [block, zeros] : [zeros, block], { axis: int(1) })
    })
    return this.b.node('Concat', blocks, { axis: int(0) })
  }

  private cut(op: string, x: ValueId): ValueId {
    const axis = op.endsWith('|') ? 1 : 0
    const first = this.parts[0]![axis]!
    return op.startsWith('first')
      ? this.slice(x, axis, 0, first)
      : this.slice(x, axis, first, first + this.parts[1]![axis]!)
  }

  private slice(x: ValueId, axis: number, start: number, end: number): ValueId {
    return this.b.node('Slice', [x, this.b.int64s([start]), this.b.int64s([end]), this.b.int64s([axis])])
  }
}

/** Shapes of the outputs of a graph. */
export const outputShapes = (g: Graph): readonly (readonly number[])[] =>
  g.outputs.map((v) => g.values[v]!.type!.shape as readonly number[])
