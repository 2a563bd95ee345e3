// Channels padded to whole blocks, of 8 or of 16. ONNX Runtime's blocked layout takes a convolution only where the channels that it
// reads are a multiple of 4, and a pool where they fill its blocks; else the picture is reordered, and convolved as a product, or
// channel by channel. Pruned networks, and those whose width was scaled without rounding, have 18, 27 or 58 channels; of mobile
// ones with squeeze-and-excite most have 24, 40, 72, 120 or 200, which do not fill blocks of 16.
//
// A value is widened by what makes it: weights get rows of zeros, everything else passes. What reads it gets columns of zeros.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, getInts, getText, int } from '../../ir/attribute.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { ndarray } from '../../ir/tensor.ts'
import { range } from '../index-vector.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import type { OnnxOp } from '../tensor-op.ts'
import { operandPairs } from './scale.ts'

/** Fewer channels are not padded. */
const FEWEST = 8
const PICTURE = 4

/** Of widened values: their further channels are zero, or hold some finite numbers. */
type Filling = 'zeros' | 'any'

const KEEP_ZERO = 'Relu LeakyRelu Tanh HardSwish Gelu Mish Elu Selu Celu Softsign Abs Neg'.split(' ')
const FINITE_AT_ZERO = 'Sigmoid HardSigmoid Softplus Exp Clip'.split(' ')
const POOLS = 'MaxPool AveragePool GlobalMaxPool GlobalAveragePool ReduceMean ReduceMax ReduceSum Resize'.split(' ')

/** Pictures are padded to these anyway while they are in the layout. */
const toWholeBlocks = ({ blockSize }: TensorEGraph, channels: number): number =>
  (blockSize - (channels % blockSize)) % blockSize

/** Channels that are missing to whole blocks; 0 where c is no picture, or has few channels. */
function missing(t: TensorEGraph, c: ClassId): number {
  const type = t.type(c)
  const channels = type?.shape[1]
  if (type?.dtype !== 'float32' || type.shape.length !== PICTURE || typeof channels !== 'number') return 0
  return channels < FEWEST ? 0 : toWholeBlocks(t, channels)
}

/** Widened values of one e-graph. Those that end in zeros are equal however they are made; of the others the first stays. */
class Widening {
  private readonly t: TensorEGraph
  private readonly zeros = new Map<ClassId, ClassId>()
  private readonly any = new Map<ClassId, ClassId>()
  private readonly open = new Set<string>()

  constructor(t: TensorEGraph) {
    this.t = t
  }

  /** c with `missing` further channels, or null. */
  of(c: ClassId, filling: Filling): ClassId | null {
    const { t } = this
    const key = t.egraph.find(c)
    const known = this.zeros.get(key) ?? (filling === 'any' ? this.any.get(key) : undefined)
    if (known !== undefined) return t.egraph.find(known)
    const mark = `${key}${filling}`
    if (this.open.has(mark) || missing(t, c) === 0 || t.isConstant(c)) return null
    this.open.add(mark)
    const made = this.firstOf(key, 'zeros') ?? (filling === 'any' ? this.firstOf(key, 'any') : null)
    this.open.delete(mark)
    return made
  }

  private firstOf(c: ClassId, filling: Filling): ClassId | null {
    for (const n of this.t.egraph.nodesOf(c).filter((m) => this.t.isTyped(m))) {
      const made = this.ofNode(n, filling)
      if (made === null) continue
      this[filling].set(c, made)
      return made
    }
    return null
  }

  /** The same, as the e-node `n` makes it. */
  ofNode(n: NodeId, filling: Filling): ClassId | null {
    const { t } = this
    const op = t.op(n)
    const children = t.children(n)
    if (missing(t, t.egraph.classOf(n)) === 0) return null
    if (op.kind === 'lin') return op.axis === 1 ? t.make(op, [children[0]!, this.rows(children[1]!, 1, n)]) : null
    if (op.kind === 'concat' && op.axis === 1) return this.concat(children, filling)
    if (op.kind !== 'onnx' || op.domain !== '' || op.outputCount !== 1) return null
    if (op.op === 'Conv') return this.conv(n, op)
    if (op.op === 'Add' || op.op === 'Mul') return this.binary(n, op.op, filling)
    if (POOLS.includes(op.op)) return isPerChannel(t, n, op) ? this.passing(n, op, filling) : null
    if (KEEP_ZERO.includes(op.op) || (op.op === 'Clip' && this.clipsAroundZero(n))) return this.passing(n, op, filling)
    return filling === 'any' && FINITE_AT_ZERO.includes(op.op) ? this.passing(n, op, 'zeros') : null
  }

  private passing(n: NodeId, op: OnnxOp, filling: Filling): ClassId | null {
    const [x, ...rest] = this.t.children(n) as [ClassId, ...ClassId[]]
    const wide = rest.every((c) => this.t.isConstant(c)) ? this.of(x, filling) : null
    return wide && this.t.make(op, [wide, ...rest])
  }

  private concat(parts: readonly ClassId[], filling: Filling): ClassId | null {
    const { t } = this
    const last = parts.at(-1)!
    const wide = missing(t, last) === 0 ? null : this.of(last, filling)
    const made = wide && t.concat([...parts.slice(0, -1), wide], 1)
    return made && toWholeBlocks(t, t.shape(made)[1] as number) === 0 ? made : null
  }

  private conv(n: NodeId, op: OnnxOp): ClassId | null {
    const { t } = this
    const [x, w, ...rest] = t.children(n) as [ClassId, ClassId, ...ClassId[]]
    if (!t.isConstant(w) || rest.length > 0) return null
    const group = getInt(op.attributes, 'group', 1)
    if (group === 1) return t.make(op, [x, this.rows(w, 0, n)])
    const isDepthwise = t.shape(w)[1] === 1 && t.shape(w)[0] === group
    const wide = isDepthwise ? this.of(x, 'any') : null
    if (wide === null) return null
    const attributes = { ...op.attributes, group: int(t.shape(wide)[1] as number) }
    return t.make({ ...op, attributes }, [wide, this.rows(w, 0, n)])
  }

  private binary(n: NodeId, op: 'Add' | 'Mul', filling: Filling): ClassId | null {
    const { t } = this
    const shape = t.shape(t.egraph.classOf(n))
    for (const [x, y] of operandPairs(t, n)) {
      if (!shapeEquals(t.shape(x), shape) || t.rank(y) !== PICTURE) continue
      // A factor of zeros makes zeros of whatever is finite.
      const first = this.of(x, op === 'Mul' && t.isConstant(y) ? 'any' : filling)
      const second = first && this.operand(y, shape[1] as number, op === 'Mul' && filling === 'zeros' ? 'any' : filling)
      if (second) return t.must(t.elementwise(op, [first, second]))
    }
    return null
  }

  /** The other operand, with as many channels. */
  private operand(y: ClassId, channels: number, filling: Filling): ClassId | null {
    const { t } = this
    if (!t.isConstant(y)) return t.shape(y)[1] === channels ? this.of(y, filling) : null
    const shape = t.shape(y)
    const whole = shape.every((d, axis) => d === 1 || axis === 1) ? t.expand(y, [1, channels, 1, 1]) : null
    return whole && extended(t, whole, 1, toWholeBlocks(t, channels))
  }

  private clipsAroundZero(n: NodeId): boolean {
    const { t } = this
    const op = t.op(n)
    if (op.kind !== 'onnx') return false
    const bounds = t
      .children(n)
      .slice(1)
      .map((c) => (t.constantOf(c) === null ? null : t.constants.uniform(t.constantOf(c)!)))
    const low = op.present[1] ? bounds.shift() : Number.NEGATIVE_INFINITY
    const high = op.present[2] ? bounds.shift() : Number.POSITIVE_INFINITY
    return typeof low === 'number' && typeof high === 'number' && low <= 0 && high >= 0
  }

  private rows(w: ClassId, axis: number, n: NodeId): ClassId {
    return extended(this.t, w, axis, missing(this.t, this.t.egraph.classOf(n)))
  }
}

/** Pools and resizes of a picture that leave its channels alone. */
function isPerChannel(t: TensorEGraph, n: NodeId, op: OnnxOp): boolean {
  const spatial = (axes: readonly number[] | null) => axes?.every((a) => a === 2 || a === 3) ?? false
  if (op.op === 'Resize')
    return spatial(getInts(op.attributes, 'axes', null)) && getText(op.attributes, 'mode', 'nearest') !== 'cubic'
  if (!op.op.startsWith('Reduce')) return true
  const axes = t.children(n)[1]
  const given = axes === undefined ? getInts(op.attributes, 'axes', null) : t.fact(axes).contents
  return getInt(op.attributes, 'keepdims', 1) === 1 && spatial(given?.map(Number) ?? null)
}

/** The constant, continued by zeros along `axis`. */
function extended(t: TensorEGraph, w: ClassId, axis: number, more: number): ClassId {
  const shape = t.shape(w).map((d, i) => (i === axis ? more : (d as number)))
  const zeros = ndarray('float32', shape, new Float64Array(shape.reduce((a, b) => a * b, 1)))
  return t.concat([w, t.literal(zeros)], axis)
}

const widenings = new WeakMap<TensorEGraph, Widening>()

function wideningOf(t: TensorEGraph): Widening {
  const known = widenings.get(t) ?? new Widening(t)
  widenings.set(t, known)
  return known
}

/** conv(x, V) = conv(x and more channels, [V | 0]) */
function* readPadded(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  const [x, v] = t.children(n) as [ClassId, ClassId]
  const isPlain = op.kind === 'lin' ? op.axis === 1 : op.kind === 'onnx' && getInt(op.attributes, 'group', 1) === 1
  const more = missing(t, x)
  if (!isPlain || t.children(n).length !== 2 || !t.isConstant(v) || more === 0) return
  const wide = wideningOf(t).of(x, 'any')
  if (wide === null) yield refuse('what it reads is not made by convolutions that can be padded')
  else yield t.make(op, [wide, extended(t, v, op.kind === 'lin' ? 0 : 1, more)])
}

/** y = the first channels of y with more, where others read it. */
function* cutPadded(t: TensorEGraph, n: NodeId): Results {
  const c = t.egraph.classOf(n)
  if (missing(t, c) === 0) return
  const widening = wideningOf(t)
  const made = widening.ofNode(n, 'zeros')
  const known = made === null ? null : widening.of(c, 'zeros')
  if (made === null || known === null) return
  t.egraph.union(made, known)
  yield t.select(made, 1, range(0, t.shape(c)[1]!))
}

const rule = ruleMaker({
  source: "ONNX Runtime's NchwcTransformer",
  exactness: 'finite',
  depth: Number.POSITIVE_INFINITY,
})
const WHEN =
  'float32; the channels of a picture are 8 or more and fill no whole blocks (of 8 or 16, as the machine has them); weights are constant'

export const padRules: readonly Rule[] = [
  rule('read-padded', 'conv(x, [V]) = conv([x; 0], [V | 0])', ['lin', 'Conv'], readPadded, WHEN),
  rule(
    'pad-channels',
    'f(conv(x, [W]) + b) = the first channels of f(conv(x, [W; 0]) + [b; 0])',
    ['lin', 'Conv', 'Add', 'Mul', 'concat', ...KEEP_ZERO, ...FINITE_AT_ZERO, ...POOLS],
    cutPadded,
    WHEN,
  ),
]
