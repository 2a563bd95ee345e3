// Random typed graphs around the pattern of a rule: the samples of rule-samples.ts, built by a builder that changes what it is
// asked for. Sizes go through a random multiplicative map, so that reshapes and groups still fit; operands lose and gain axes;
// constants become inputs and inputs constants; attributes, operators and what surrounds the pattern are drawn.
import { type Attributes, float, int, ints, text } from '../../../src/ir/attribute.ts'
import { GraphBuilder } from '../../../src/ir/builder.ts'
import type { DType } from '../../../src/ir/dtype.ts'
import type { Graph, ValueId } from '../../../src/ir/graph.ts'
import { type ConcreteShape, elementCount, isConcrete } from '../../../src/ir/shape.ts'
import { tensor } from '../../../src/ir/tensor.ts'
import { type BuildSample, SAMPLE_OPSETS, Sample } from '../sample.ts'
import type { Choices } from './choices.ts'

/** What came out makes no graph: the case is not counted. */
export class NoGraph extends Error {}

const UNARY =
  'Relu Neg Abs Sigmoid Tanh LeakyRelu Identity Softplus Elu HardSigmoid HardSwish Erf Sign Floor Exp'.split(' ')
const ELEMENT_LIMIT = 3000

class WildBuilder extends GraphBuilder {
  size: (n: number) => number = (n) => n

  /** Target shapes, as the samples write them. */
  override int64s(values: readonly number[], name?: string): ValueId {
    return this.plain(values.map(this.size), name)
  }
  /** Numbers that are not sizes. */
  plain(values: readonly number[], name?: string): ValueId {
    return super.int64s(values, name)
  }
}

export class WildSample extends Sample {
  private readonly wild: WildBuilder
  private readonly choices: Choices
  private readonly dtype: DType
  private readonly primes: ReadonlyMap<number, number>
  private readonly made: ValueId[] = []
  private inputs = 0
  /** How much rarer than usual the pattern is changed: long ones would hardly ever stay one. */
  private readonly rarity: number
  /** Inside what this class builds itself nothing more is changed. */
  private calm = 0

  constructor(choices: Choices, valueSeed: number) {
    const wild = new WildBuilder('wild', SAMPLE_OPSETS)
    super(valueSeed, wild)
    this.wild = wild
    this.choices = choices
    this.dtype = choices.pick(['float32', 'float32', 'float64'] as const)
    this.rarity = choices.pick([1, 4])
    this.primes = new Map(
      [2, 3, 5].map((p) => [p, choices.pick([p, p, p, 1, 2, 3, 4, p === 5 ? 6 : p, choices.rarely(8) ? 0 : p])]),
    )
    wild.size = (n) => this.sizeOf(n)
  }

  /** The size that stands for n in this case; the map is multiplicative. */
  private sizeOf(n: number): number {
    let rest = n
    let size = 1
    for (const [p, mapped] of this.primes)
      while (rest > 1 && rest % p === 0) {
        rest /= p
        size *= mapped
      }
    return n < 2 ? n : size * rest
  }

  private rarely(count: number): boolean {
    return this.choices.rarely(count * this.rarity)
  }

  private shapeOf(v: ValueId): ConcreteShape {
    const type = this.b.typeOf(v)
    if (!type || !isConcrete(type.shape) || elementCount(type.shape) > ELEMENT_LIMIT) throw new NoGraph()
    return type.shape
  }

  override size(): number {
    return 1 + this.choices.below(5)
  }

  override x(shape: readonly number[]): ValueId {
    const sizes = this.bent(shape.map(this.wild.size))
    return this.rarely(8) ? this.weights(sizes) : this.fed(sizes)
  }
  override ids(shape: readonly number[]): ValueId {
    return this.b.input(`x${this.inputs++}`, 'int64', shape.map(this.wild.size))
  }
  override zeros(shape: readonly number[]): ValueId {
    const value = { kind: 'tensor', value: tensor(this.dtype, [1], [0]) } as const
    return this.op('ConstantOfShape', [this.b.int64s(shape)], { value })
  }
  override w(shape: readonly number[]): ValueId {
    const sizes = this.bent(shape.map(this.wild.size))
    return this.rarely(12) ? this.fed(sizes) : this.weights(sizes)
  }
  override tiny(shape: readonly number[]): ValueId {
    const sizes = this.bent(shape.map(this.wild.size))
    const draw = () => this.random.normal() * this.choices.pick([1, 1e-38, 1e-39, 1e-42])
    return this.b.constant(tensor(this.dtype, sizes, Array.from({ length: elementCount(sizes) }, draw)), 'w')
  }
  override c(value: number, shape: readonly number[] = []): ValueId {
    const sizes = this.rarely(8) ? [...shape, 1] : shape
    const number = this.rarely(16) ? this.choices.pick([0, 1, -1, 2, 0.5]) : value
    return this.b.constant(tensor(this.dtype, sizes, new Array<number>(elementCount(sizes)).fill(number)), 'c')
  }

  private fed(shape: readonly number[]): ValueId {
    return this.b.input(`x${this.inputs++}`, this.dtype, shape)
  }
  private weights(shape: readonly number[]): ValueId {
    const draw = this.choices.pick([() => this.random.normal(), () => this.random.below(5) - 2, () => 0])
    return this.b.constant(tensor(this.dtype, shape, Array.from({ length: elementCount(shape) }, draw)), 'w')
  }

  /** Now and then an axis of size 1, one axis less, or one more. */
  private bent(shape: readonly number[]): readonly number[] {
    if (!this.rarely(5)) return shape
    const at = this.choices.below(Math.max(1, shape.length))
    const bend = this.choices.below(4)
    if (bend === 1) return shape.slice(1)
    if (bend === 2) return [1, ...shape]
    if (bend === 3) return [2, ...shape]
    return shape.map((d, i) => (i === at ? 1 : d))
  }

  override op(name: string, inputs: readonly (ValueId | null)[], attributes: Attributes = {}): ValueId {
    if (this.calm > 0) return this.keep(this.b.node(name, inputs, attributes))
    const operands = inputs.map((v) => (v !== null && this.rarely(12) ? this.around(v) : v))
    const out = this.altered(name, operands, attributes)
    return this.rarely(12) ? this.around(out) : out
  }

  private keep(v: ValueId): ValueId {
    this.shapeOf(v)
    this.made.push(v)
    return v
  }

  /** The operator, or one like it. */
  private altered(name: string, inputs: readonly (ValueId | null)[], attributes: Attributes): ValueId {
    const { choices } = this
    const node = (op: string, a = attributes) => this.keep(this.b.node(op, inputs, a))
    const rank = inputs[0] === null ? 0 : this.shapeOf(inputs[0]!).length
    const axis = () => choices.below(Math.max(1, 2 * rank)) - rank
    switch (name) {
      case 'Add':
      case 'Mul': {
        const op = this.rarely(12) ? (name === 'Add' ? 'Sub' : 'Div') : name
        return this.keep(this.b.node(op, choices.rarely(3) ? [...inputs].reverse() : inputs))
      }
      case 'Relu':
        return this.rarely(2) ? node(choices.pick(UNARY), {}) : node(name)
      case 'Transpose':
        return this.rarely(4) ? node(name, { perm: ints(choices.permutation(rank)) }) : node(name)
      case 'Concat':
      case 'Softmax':
        return this.rarely(5) ? node(name, { axis: int(axis()) }) : node(name)
      case 'LayerNormalization':
        return this.rarely(5) ? node(name, { axis: int(axis()), epsilon: float(0.5) }) : node(name)
      case 'ScatterElements':
      case 'ScatterND':
        return this.rarely(4) ? node(name, this.scatterAttributes(name, rank)) : node(name)
      case 'MaxPool':
        return this.rarely(2) ? this.pool(inputs) : node(name)
      case 'ConvTranspose':
        return this.rarely(3) ? node(name, this.convTransposeAttributes()) : node(name)
      case 'Resize':
        return this.rarely(2) ? node(name, this.resizeAttributes()) : node(name)
      case 'HardSigmoid':
        return this.rarely(6) ? node(name, { alpha: float(0.3), beta: float(0.4) }) : node(name)
      case 'ReduceMean':
        return this.rarely(6) ? node(choices.pick(['ReduceSum', 'ReduceMax', 'ReduceL2'])) : node(name)
      default:
        return node(name)
    }
  }

  private pool(inputs: readonly (ValueId | null)[]): ValueId {
    const { choices } = this
    const pads = [0, 0, 0, 0].map(() => choices.below(2))
    const common = { kernel_shape: ints([2, 1 + choices.below(2)]), strides: ints([1 + choices.below(2), 1]) }
    const padding: Attributes = choices.rarely(2) ? { pads: ints(pads) } : {}
    const ceil: Attributes = choices.rarely(3) ? { ceil_mode: int(1) } : {}
    const op = choices.pick(['MaxPool', 'AveragePool'])
    const counted: Attributes = op === 'AveragePool' && choices.rarely(2) ? { count_include_pad: int(1) } : {}
    return this.keep(this.b.node(op, inputs, { ...common, ...padding, ...ceil, ...counted }))
  }

  private scatterAttributes(name: string, rank: number): Attributes {
    const { choices } = this
    const axis: Attributes = name === 'ScatterND' ? {} : { axis: int(choices.below(2 * rank) - rank) }
    return { ...axis, reduction: text(choices.pick(['add', 'none', 'mul', 'max'])) }
  }

  private convTransposeAttributes(): Attributes {
    const { choices } = this
    return {
      strides: ints([1 + choices.below(2), 1 + choices.below(2)]),
      pads: ints([0, 0, 0, 0].map(() => choices.below(2))),
      dilations: ints([1 + choices.below(2), 1]),
    }
  }

  private resizeAttributes(): Attributes {
    const { choices } = this
    return {
      mode: text(choices.pick(['nearest', 'linear', 'cubic'])),
      coordinate_transformation_mode: text(
        choices.pick(['half_pixel', 'align_corners', 'asymmetric', 'pytorch_half_pixel']),
      ),
      ...(choices.rarely(4) ? { antialias: int(1) } : {}),
    }
  }

  override conv(x: ValueId, w: ValueId, pad: number, group = 1): ValueId {
    const { choices } = this
    const [input, kernel] = [this.rarely(12) ? this.around(x) : x, this.rarely(16) ? this.around(w) : w]
    const spatial = Math.max(0, this.shapeOf(kernel).length - 2)
    const each = (draw: () => number, count = spatial) => ints(Array.from({ length: count }, draw))
    const own = { pads: each(() => pad, 2 * spatial), group: int(this.sizeOf(group)) }
    const attributes: Attributes = this.rarely(3)
      ? {
          ...own,
          ...(choices.rarely(2) ? { pads: each(() => choices.below(3), 2 * spatial) } : {}),
          ...(choices.rarely(3) ? { strides: each(() => 1 + choices.below(2)) } : {}),
          ...(choices.rarely(3) ? { dilations: each(() => 1 + choices.below(2)) } : {}),
        }
      : own
    const auto = this.rarely(8)
    const { pads: _, ...unpadded } = attributes
    const padding = auto
      ? { ...unpadded, auto_pad: text(choices.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID'])) }
      : attributes
    const bias = this.rarely(8) ? [this.calmly(() => this.weights([this.shapeOf(kernel)[0]!]))] : []
    return this.keep(this.b.node('Conv', [input, kernel, ...bias], padding))
  }

  override mean(x: ValueId, axes: readonly number[]): ValueId {
    const { choices } = this
    const rank = this.shapeOf(x).length
    const other = () => choices.permutation(rank).slice(0, 1 + choices.below(rank))
    const over = this.rarely(6) ? other() : axes
    const keepdims = int(this.rarely(6) ? 0 : 1)
    return this.altered('ReduceMean', [x, this.wild.plain(over)], { keepdims })
  }

  override slice(x: ValueId, axis: number, start: number, end: number): ValueId {
    const { choices } = this
    const shape = this.shapeOf(x)
    const size = shape[axis] ?? 1
    if (this.rarely(6)) {
      const indices = Array.from({ length: choices.below(4) }, () => choices.below(2 * size) - size)
      return this.keep(this.b.node('Gather', [x, this.wild.plain(indices)], { axis: int(axis) }))
    }
    const along = this.rarely(8) ? choices.below(shape.length) : axis
    const from = this.rarely(2) ? choices.below(size + 1) - choices.below(2) * size : Math.min(start, size)
    const to = this.rarely(2) ? choices.below(size + 3) : Math.min(this.sizeOf(end), size)
    const one = (n: number) => this.wild.plain([n])
    const step = this.rarely(5) ? [one(choices.pick([1, 2, 3, -1]))] : []
    return this.keep(this.b.node('Slice', [x, one(from), one(to), one(along), ...step]))
  }

  private calmly<T>(build: () => T): T {
    this.calm++
    const built = build()
    this.calm--
    return built
  }

  /** Something that keeps the shape. */
  private around(v: ValueId): ValueId {
    if (this.b.typeOf(v)?.dtype !== this.dtype) return v
    const { choices } = this
    const shape = this.shapeOf(v)
    const narrow = shape.map((d) => (choices.rarely(2) ? d : 1)).slice(choices.below(2))
    return this.calmly(() => {
      switch (choices.below(9)) {
        case 0:
          return this.op(choices.pick(UNARY), [v])
        case 1:
          return this.op('Mul', [v, this.weights(narrow)])
        case 2:
          return this.op('Add', [v, this.weights(narrow)])
        case 3:
          return this.op(choices.pick(['Mul', 'Div']), [v, this.fed(narrow)])
        case 4:
          return this.op('Add', [this.fed(narrow), v])
        case 5:
          return this.op('Concat', [v, v], { axis: int(choices.below(Math.max(1, shape.length))) })
        case 6:
          return this.op('Softmax', [v], { axis: int(-1 - choices.below(Math.max(1, shape.length))) })
        case 7:
          return this.op('Where', [this.op('Greater', [v, this.fed(narrow)]), v, this.fed(narrow)])
        default:
          return this.op('Add', [v, v])
      }
    })
  }

  /** Something that may change the shape. */
  private after(v: ValueId): ValueId {
    const { choices } = this
    const shape = this.shapeOf(v)
    const rank = shape.length
    const axis = choices.below(Math.max(1, rank))
    return this.calmly(() => {
      switch (choices.below(10)) {
        case 0:
          return this.op('Transpose', [v], { perm: ints(choices.permutation(rank)) })
        case 1:
          return this.op('Reshape', [v, this.wild.plain([-1])])
        case 2:
          return this.op('Flatten', [v], { axis: int(axis) })
        case 3:
          return this.slice(v, axis, 0, shape[axis] ?? 1)
        case 4:
          return this.op('MatMul', [v, this.weights([shape.at(-1) ?? 1, 1 + choices.below(3)])])
        case 5:
          return this.op('Expand', [v, this.wild.plain([2, ...shape.map((d) => (d === 1 ? 2 : d))])])
        case 6:
          return this.op('ReduceMean', [v, this.wild.plain([axis])], { keepdims: int(choices.below(2)) })
        case 7:
          return this.op('Unsqueeze', [v, this.wild.plain([axis])])
        case 8:
          return this.op('MatMul', [this.weights([2, shape.at(-2) ?? 1]), v])
        default:
          return this.op('Concat', [v, v], { axis: int(axis) })
      }
    })
  }

  /** The graph of the pattern, with what follows it and what else reads its parts. */
  finish(build: BuildSample): Graph {
    let out = build(this)
    for (let i = this.choices.below(4); i > 0; i--) out = this.choices.rarely(2) ? this.around(out) : this.after(out)
    const extra = this.choices.rarely(4) ? [this.made[this.choices.below(this.made.length)]!] : []
    for (const [i, v] of [out, ...extra.filter((e) => e !== out)].entries()) this.b.output(v, `y${i}`)
    const graph = this.b.build()
    for (const { type } of graph.values)
      if (!type || !isConcrete(type.shape) || elementCount(type.shape) > ELEMENT_LIMIT) throw new NoGraph()
    return graph
  }
}
