// Checks one step of a derivation: the e-node before and the e-node after are computed in float64 on the same seeded operands.
// First in isolation, on random values of what the new e-nodes are made of. Where that says "different", the operands may depend
// on each other, so they are computed in turn, from further and further back, at last from the inputs of the model: only what
// differs there does not hold.
import { UnsupportedError, UserError } from '../base/errors.ts'
import { createRandom } from '../base/random.ts'
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import { type Bindings, type Dim, evaluateDim } from '../ir/dim.ts'
import { DTYPES } from '../ir/dtype.ts'
import { type ConcreteShape, elementCount, evaluateShape } from '../ir/shape.ts'
import type { NdArray, TensorType } from '../ir/tensor.ts'
import { evaluateOp, multiplyAdds } from './evaluate-op.ts'
import type { Explored } from './explore.ts'
import type { TensorOp } from './tensor-op.ts'

export interface StepCheck {
  /** False where the numbers could not be computed; `reason` says why. */
  readonly checked: boolean
  /** Largest difference over the largest magnitude; null unless checked. */
  readonly maxRel: number | null
  readonly holds: boolean
  readonly reason: string
}

export interface CheckOptions {
  /** Sizes of the open dimensions. */
  readonly bindings: Bindings
  /** Value of an input of the graph, by its position. */
  readonly input: (index: number) => NdArray
  readonly seed: number
}

/** As in verification of rules: what rounding in float64 cannot explain. */
const TOLERANCE = 1e-6
/** Multiply-adds that one side of a step may take. */
const WORK_LIMIT = 3e8
/** Levels to look below the rewritten e-node for what the rule saw. */
const REACH = 5
const DISTANCES = [1, 2, 4, 8, 16, 32, Number.POSITIVE_INFINITY]

/** The e-node that computes a class; null: the class is an operand and gets random values. */
type Definition = (c: ClassId) => NodeId | null

/** `before` and `after`: e-nodes of one class. */
export function checkStep(e: Explored, before: NodeId, after: NodeId, options: CheckOptions): StepCheck {
  const { egraph } = e.t
  if (egraph.classOf(before) !== egraph.classOf(after))
    return unchecked('the rule found the whole there already, and only a part of it is new')
  const step = new Step(e, before, after)
  try {
    const alone = step.inIsolation()
    const attempts = [...(alone ? [alone] : []), ...DISTANCES.map((d) => step.from(d))]
    let worst = 0
    for (const { old, made } of attempts) {
      const [x, y] = [new Side(e, old, options).value(before), new Side(e, made, options).value(after)]
      const maxRel = difference(x, y)
      if (maxRel <= TOLERANCE) return { checked: true, maxRel, holds: true, reason: '' }
      worst = maxRel
    }
    return { checked: true, maxRel: worst, holds: false, reason: 'before and after differ' }
  } catch (error) {
    if (!(error instanceof UnsupportedError || error instanceof UserError)) throw error
    return unchecked(error.message)
  }
}

const unchecked = (reason: string): StepCheck => ({ checked: false, maxRel: null, holds: true, reason })

function difference(a: NdArray, b: NdArray): number {
  if (a.shape.join() !== b.shape.join() || a.dtype !== b.dtype) return Number.POSITIVE_INFINITY
  let scale = 1e-30
  let worst = 0
  for (const [i, x] of a.data.entries()) {
    const y = b.data[i]!
    if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x))
    if (!Object.is(x, y) && x !== y) worst = Math.max(worst, Number.isFinite(x - y) ? Math.abs(x - y) : Infinity)
  }
  return worst / scale
}

/** How both sides of a step may be computed. */
class Step {
  private readonly e: Explored
  private readonly before: NodeId
  /** What the new e-nodes are made of. */
  private readonly operands = new Set<ClassId>()
  /** The e-nodes that this application made, below the new one. */
  private readonly made = new Map<ClassId, NodeId>()

  constructor(e: Explored, before: NodeId, after: NodeId) {
    this.e = e
    this.before = before
    this.collect(after, new Set())
  }

  private collect(n: NodeId, path: ReadonlySet<ClassId>): void {
    const { egraph } = this.e.t
    const own = (m: NodeId) =>
      m >= this.e.phases.encoded &&
      egraph.originSource(m) === egraph.originSource(n) &&
      egraph.originRule(m) === egraph.originRule(n)
    for (const c of this.childrenOf(n)) {
      if (this.e.t.isConstant(c) || this.made.has(c)) continue
      const made = path.has(c) || c === egraph.classOf(this.before) ? undefined : egraph.nodesOf(c).find(own)
      if (made === undefined) this.operands.add(c)
      else {
        this.made.set(c, made)
        this.collect(made, new Set([...path, c]))
      }
    }
  }

  private childrenOf(n: NodeId): ClassId[] {
    return this.e.t.children(n).map((c) => this.e.t.egraph.find(c))
  }

  /** From the operands of the new side alone; null where the old side is not made of them. */
  inIsolation(): { readonly old: Definition; readonly made: Definition } | null {
    const definitions = new Map<ClassId, NodeId>()
    const made = new Set(this.made.values())
    const reaches = (c: ClassId, depth: number): boolean => {
      if (this.operands.has(c) || this.e.t.isConstant(c) || definitions.has(c)) return true
      if (depth === 0) return false
      const n = this.e.t.egraph
        .nodesOf(c)
        .find((m) => !made.has(m) && isInner(this.e, m) && this.childrenOf(m).every((x) => reaches(x, depth - 1)))
      if (n !== undefined) definitions.set(c, n)
      return n !== undefined
    }
    if (!this.childrenOf(this.before).every((c) => reaches(c, REACH))) return null
    return { old: (c) => definitions.get(c) ?? null, made: (c) => this.made.get(c) ?? null }
  }

  /** From what lies up to `distance` operators behind both sides. Each class is computed by its oldest e-node: those have no cycles. */
  from(distance: number): { readonly old: Definition; readonly made: Definition } {
    const near = this.within(distance)
    const old = (c: ClassId) => (near.has(c) ? oldest(this.e, c) : null)
    return { old, made: (c) => this.made.get(c) ?? old(c) }
  }

  private within(distance: number): ReadonlySet<ClassId> {
    const seen = new Set<ClassId>()
    let front = [...this.operands, ...this.childrenOf(this.before)]
    for (let d = 0; d < distance && front.length > 0; d++) {
      const fresh = [...new Set(front)].filter((c) => !seen.has(c))
      for (const c of fresh) seen.add(c)
      front = fresh.flatMap((c) => this.childrenOf(oldest(this.e, c)))
    }
    return seen
  }
}

const oldest = (e: Explored, c: ClassId): NodeId => e.t.egraph.nodesOf(c).reduce((a, b) => (b < a ? b : a))

function isInner(e: Explored, n: NodeId): boolean {
  const { kind } = e.t.op(n)
  return n < e.phases.searched && kind !== 'input' && kind !== 'constant'
}

/** One side, computed. */
class Side {
  private readonly e: Explored
  private readonly definition: Definition
  private readonly options: CheckOptions
  private readonly values = new Map<ClassId, NdArray>()
  private workLeft = WORK_LIMIT

  constructor(e: Explored, definition: Definition, options: CheckOptions) {
    this.e = e
    this.definition = definition
    this.options = options
  }

  value(n: NodeId): NdArray {
    const { t } = this.e
    const op = t.op(n)
    if (op.kind === 'input') return this.options.input(op.index)
    if (op.kind === 'constant') return t.constants.array(op.id)
    const inputs = t.children(n).map((c) => this.ofClass(t.egraph.find(c)))
    const shapes = inputs.map((x) => x.shape)
    this.workLeft -= multiplyAdds(op, shapes, elementCount(this.shapeOf(t.egraph.classOf(n))))
    if (this.workLeft < 0) throw new UnsupportedError('the reference interpreter would take too long')
    return evaluateOp(withSizes(op, this.options.bindings), inputs)
  }

  private ofClass(c: ClassId): NdArray {
    const known = this.values.get(c)
    if (known) return known
    const n = this.definition(c)
    const value = n === null ? this.operand(c) : this.value(n)
    this.values.set(c, value)
    return value
  }

  /** What is known of the class, else random values; integers, which may be positions, are computed. */
  private operand(c: ClassId): NdArray {
    const { t } = this.e
    const { type, constant, contents } = t.fact(c)
    if (constant !== null) return t.constants.array(constant)
    if (!type) throw new UnsupportedError('an operand of unknown type')
    const shape = this.shapeOf(c)
    const sizes = contents?.map((d) => evaluateDim(d, this.options.bindings))
    if (sizes && !sizes.includes(null)) return { dtype: type.dtype, shape, data: Float64Array.from(sizes as number[]) }
    const own = oldest(this.e, c)
    if (t.op(own).kind === 'input' || DTYPES[type.dtype].kind === 'int') return this.value(own)
    return this.random(type, shape, c)
  }

  private random({ dtype }: TensorType, shape: ConcreteShape, c: ClassId): NdArray {
    const random = createRandom(this.options.seed).fork(c)
    const { kind } = DTYPES[dtype]
    if (kind !== 'float' && kind !== 'bool') throw new UnsupportedError(`numbers of dtype ${dtype}`)
    const draw = kind === 'bool' ? () => random.below(2) : () => random.normal()
    return { dtype, shape, data: Float64Array.from({ length: elementCount(shape) }, draw) }
  }

  private shapeOf(c: ClassId): ConcreteShape {
    const type = this.e.t.type(c)
    const shape = type && evaluateShape(type.shape, this.options.bindings)
    if (!shape) throw new UnsupportedError('a value of unknown shape')
    return shape
  }
}

/** The operator with numbers for the open sizes that it names. */
function withSizes(op: TensorOp, bindings: Bindings): TensorOp {
  const size = (d: Dim): Dim => evaluateDim(d, bindings) ?? d
  switch (op.kind) {
    case 'reshape':
      return { ...op, groups: op.groups.map((g) => ({ ...g, sizes: g.sizes.map((s) => (s === null ? s : size(s))) })) }
    case 'expand':
      return { ...op, sizes: op.sizes.map((s) => (s === null ? s : size(s))) }
    case 'scatter':
      return { ...op, size: size(op.size) }
    case 'select':
      return op.index.kind === 'list'
        ? op
        : { ...op, index: { ...op.index, start: size(op.index.start), count: size(op.index.count) } }
    default:
      return op
  }
}
