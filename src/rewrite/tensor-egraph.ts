// The tensor e-graph: the equality engine with tensor operators, and one constructor per canonical operator. Constructors keep
// the canonical form: they fold constants, drop identities, merge chains of the same structural operator, raise element-wise
// operands to the rank of the result, and sort commutative operands. Whatever encodes or rewrites goes through them.
import { invariant } from '../base/errors.ts'
import { type ClassId, EGraph, type NodeId } from '../egraph/egraph.ts'
import { OperatorTable, type OpId } from '../egraph/operators.ts'
import type { Attributes } from '../ir/attribute.ts'
import { type Dim, dimEquals, dimKey } from '../ir/dim.ts'
import type { DType } from '../ir/dtype.ts'
import type { BlockSize } from '../ir/nchwc.ts'
import { findOp } from '../ir/ops/index.ts'
import { broadcastShapes, elementCount, type Shape, shapeEquals } from '../ir/shape.ts'
import { type NdArray, ndarray, type Tensor, type TensorType } from '../ir/tensor.ts'
import { groupAxes } from './axis-groups.ts'
import { type ConstantId, ConstantTable } from './constants.ts'
import { isWritable } from './decode-structure.ts'
import { type ClassFact, FactTable } from './facts.ts'
import { foldConstants } from './fold.ts'
import { composeIndices, type IndexVector, isIdentity } from './index-vector.ts'
import { inferOp } from './infer-op.ts'
import { Absent, absent, findSpelled } from './spellings.ts'
import { broadcasts, familyOf, onnxOp, payloadKey, type TensorOp } from './tensor-op.ts'

/** A constant that a rewrite needs is too large to compute: the rewrite is refused. Caught where rules are bound. */
export class NotFoldable extends Error {
  constructor() {
    super('a constant would be too large to fold')
    this.name = 'NotFoldable'
  }
}

export class TensorEGraph {
  readonly operators = new OperatorTable<TensorOp>()
  readonly constants = new ConstantTable()
  readonly facts = new FactTable()
  readonly egraph: EGraph<TensorOp>
  /** Version of ONNX's domain that new operators are written for. */
  readonly opset: number
  /** Channels of one block of ONNX Runtime's blocked layout (NCHWc) on the machine that the graph is for. */
  readonly blockSize: BlockSize
  /** Whether it has that layout. */
  readonly hasBlocks: boolean
  /** Keys of the open sizes that inputs have. */
  private readonly inputSizes = new Set<string>()
  private mayAdd = true

  /** `blockSize` null: no blocked layout. */
  constructor(opset: number, blockSize: BlockSize | null = 8) {
    this.opset = opset
    this.blockSize = blockSize ?? 8
    this.hasBlocks = blockSize !== null
    this.egraph = new EGraph(this.operators, {
      analysis: {
        make: (egraph, op, children) =>
          this.facts.intern(
            this.infer(
              op,
              Array.from(children, (c) => egraph.data(c as ClassId)),
            ),
          ),
        merge: (a, b) => this.facts.merge(a, b),
      },
    })
    this.int64s([]) // takes id 0: what reads `id && ..` means null, and would miss a class
  }

  private infer(op: OpId, children: readonly number[]): ClassFact {
    return inferOp(
      this.operators.payload(op),
      children.map((id) => this.facts.get(id)),
      this.constants,
    )
  }

  // Reading

  fact(c: ClassId): ClassFact {
    return this.facts.get(this.egraph.data(c))
  }
  type(c: ClassId): TensorType | null {
    return this.fact(c).type
  }
  /** Shape of a class of known type. */
  shape(c: ClassId): Shape {
    const type = this.type(c)
    invariant(type, 'the type of an e-class is needed and unknown')
    return type.shape
  }
  rank(c: ClassId): number {
    return this.shape(c).length
  }
  constantOf(c: ClassId): ConstantId | null {
    return this.fact(c).constant
  }
  isConstant(c: ClassId): boolean {
    return this.constantOf(c) !== null
  }
  op(n: NodeId): TensorOp {
    return this.operators.payload(this.egraph.opOf(n))
  }
  /** The e-nodes of a class that are of the family and whose children are of known type. */
  nodes(c: ClassId, family: string): NodeId[] {
    const f = this.operators.family(family)
    return this.egraph.nodesOf(c).filter((n) => this.egraph.familyOf(n) === f && this.isTyped(n))
  }
  /** True if the types of the e-node and of all its children are known, and were when it was made: operators that were encoded
   * before are not in canonical form. Operands that broadcast are of different ranks, convolutions lack attributes. */
  isTyped(n: NodeId): boolean {
    const type = this.type(this.egraph.classOf(n))
    if (type === null) return false
    const arity = this.egraph.arityOf(n)
    for (let i = 0; i < arity; i++) if (this.type(this.child(n, i)) === null) return false
    const op = this.op(n)
    if (op.kind !== 'onnx' || op.domain !== '') return true
    if (op.op === 'Conv') return op.attributes.strides !== undefined
    return !broadcasts(op) || this.children(n).every((c) => this.rank(c) === type.shape.length)
  }
  child(n: NodeId, i: number): ClassId {
    return this.egraph.childOf(n, i)
  }
  children(n: NodeId): ClassId[] {
    return this.egraph.childrenOf(n)
  }

  // Leaves

  input(index: number, type: TensorType | null): ClassId {
    for (const d of type?.shape ?? []) if (typeof d !== 'number') this.inputSizes.add(dimKey(d))
    return this.raw({ kind: 'input', index, type }, [])
  }
  constant(id: ConstantId): ClassId {
    return this.raw({ kind: 'constant', id }, [])
  }
  given(t: Tensor, name: string): ClassId {
    return this.constant(this.constants.given(t, name))
  }
  literal(array: NdArray): ClassId {
    return this.constant(this.constants.literal(array))
  }
  /** A constant with `value` in all positions, of size 1 along every axis. */
  scalar(value: number, rank: number, dtype: DType = 'float32'): ClassId {
    return this.literal(ndarray(dtype, new Array<number>(rank).fill(1), [value]))
  }
  int64s(values: readonly number[]): ClassId {
    return this.literal(ndarray('int64', [values.length], values))
  }

  // Any operator

  /** The e-node as it is, folded if all its children are constants. */
  make(op: TensorOp, children: readonly ClassId[]): ClassId {
    const ids = children.map((c) => this.constantOf(c))
    if (children.length > 0 && !ids.includes(null)) {
      const folded = foldConstants(this.constants, op, ids as ConstantId[])
      if (folded !== null) return this.constant(folded)
    }
    return this.raw(op, children)
  }

  private raw(op: TensorOp, children: readonly ClassId[]): ClassId {
    if (!this.mayAdd && children.length > 0) return findSpelled(this.egraph, op, children) ?? absent()
    return this.egraph.add(this.operators.intern(familyOf(op), payloadKey(op), op), children)
  }

  /** The class that `build` makes out of e-nodes that are there already; null if one of them is not. Only constants are added. */
  existing(build: () => ClassId): ClassId | null {
    this.mayAdd = false
    try {
      return build()
    } catch (error) {
      if (error instanceof Absent) return null
      throw error
    } finally {
      this.mayAdd = true
    }
  }

  /** An ONNX operator with all inputs present and one output. */
  onnx(op: string, children: readonly ClassId[], attributes: Attributes = {}, domain = ''): ClassId {
    return this.make(onnxOp(op, children.length, this.opset, attributes, domain), children)
  }

  /** Operator `op` again, on other children: through its constructor, so that the canonical form holds. */
  rebuild(op: TensorOp, children: readonly ClassId[]): ClassId | null {
    const x = children[0]!
    switch (op.kind) {
      case 'lin':
        return this.lin(x, children[1]!, op.axis)
      case 'transpose':
        return this.transpose(x, op.perm)
      case 'select':
        return this.select(x, op.axis, op.index)
      case 'concat':
        return this.concat(children, op.axis)
      case 'onnx':
        return this.rebuildOnnx(op, children)
      default:
        return this.make(op, children)
    }
  }

  private rebuildOnnx(op: TensorOp & { kind: 'onnx' }, children: readonly ClassId[]): ClassId | null {
    if (broadcasts(op)) return this.elementwise(op.op, children, op.attributes)
    return this.make(op, children)
  }

  // Element-wise

  /** A broadcasting element-wise operator, its operands raised to one rank. Null if they do not broadcast. */
  elementwise(op: string, operands: readonly ClassId[], attributes: Attributes = {}): ClassId | null {
    const types = operands.map((c) => this.type(c))
    if (types.includes(null)) return this.onnx(op, operands, attributes)
    const rank = Math.max(...types.map((t) => t!.shape.length))
    if (!broadcastShapes(...types.map((t) => t!.shape))) return null
    const raised = operands.map((c) => this.raise(c, rank))
    const commutative = findOp('', op)?.laws?.includes('commutative') ?? false
    const sorted = commutative ? raised.map((c) => this.egraph.find(c)).sort((a, b) => a - b) : raised
    return this.neutral(op, sorted) ?? this.onnx(op, sorted, attributes)
  }

  add(a: ClassId, b: ClassId): ClassId {
    return this.must(this.elementwise('Add', [a, b]))
  }
  mul(a: ClassId, b: ClassId): ClassId {
    return this.must(this.elementwise('Mul', [a, b]))
  }
  /** Operands that are known to broadcast. */
  must(c: ClassId | null): ClassId {
    invariant(c !== null, 'operands do not broadcast')
    return c
  }

  /** x where `op` with the other operand changes nothing: x + 0, x * 1. */
  private neutral(op: string, operands: readonly ClassId[]): ClassId | null {
    const unit = op === 'Add' ? 0 : op === 'Mul' ? 1 : null
    if (unit === null || operands.length !== 2) return null
    for (const [x, c] of [operands, [...operands].reverse()] as [ClassId, ClassId][]) {
      const id = this.constantOf(c)
      const shape = broadcastShapes(this.shape(x), this.shape(c))
      if (
        id !== null &&
        !this.isConstant(x) &&
        shape &&
        shapeEquals(shape, this.shape(x)) &&
        this.constants.uniform(id) === unit
      )
        return x
    }
    return null
  }

  /** x with leading axes of size 1 up to `rank`. */
  raise(x: ClassId, rank: number): ClassId {
    const shape = this.shape(x)
    if (shape.length >= rank) return x
    return this.reshape(x, [...new Array<Dim>(rank - shape.length).fill(1), ...shape])!
  }

  // Structure

  /** x regrouped to `shape`; null if the sizes cannot be shown to agree. */
  reshape(x: ClassId, shape: Shape): ClassId | null {
    if (shapeEquals(this.shape(x), shape)) return x
    const source = this.firstChild(x, 'reshape')
    if (source !== null) {
      const direct = this.reshapeOnce(source, shape)
      if (direct !== null) return direct
    }
    return this.reshapeOnce(x, shape)
  }

  private reshapeOnce(x: ClassId, shape: Shape): ClassId | null {
    if (shapeEquals(this.shape(x), shape)) return x
    const own = this.shape(x)
    const groups = groupAxes(own, shape)
    const known = (size: Dim | null) => size === null || typeof size === 'number' || own.some((d) => dimEquals(d, size))
    if (!groups?.every((g) => g.sizes.every(known))) return null
    return this.make({ kind: 'reshape', groups }, [x])
  }

  /** `above`: the classes that led here; a class may be a transposition of itself. */
  transpose(x: ClassId, perm: readonly number[], above: readonly ClassId[] = []): ClassId {
    if (perm.every((p, i) => p === i)) return x
    const passed = [...above, this.egraph.find(x)]
    const inner = this.nodes(x, 'transpose').find((n) => !passed.includes(this.egraph.find(this.child(n, 0))))
    const innerOp = inner === undefined ? null : this.op(inner)
    if (inner !== undefined && innerOp?.kind === 'transpose')
      return this.transpose(
        this.child(inner, 0),
        perm.map((p) => innerOp.perm[p]!),
        passed,
      )
    const shape = this.shape(x)
    const moving = perm.filter((p) => shape[p] !== 1)
    if (moving.every((p, i) => i === 0 || p > moving[i - 1]!))
      return this.must(
        this.reshape(
          x,
          perm.map((p) => shape[p]!),
        ),
      )
    return this.make({ kind: 'transpose', perm }, [x])
  }

  /** `above` as for `transpose`. */
  select(x: ClassId, axis: number, index: IndexVector, above: readonly ClassId[] = []): ClassId {
    if (isIdentity(index, this.shape(x)[axis]!)) return x
    const passed = [...above, this.egraph.find(x)]
    for (const n of this.nodes(x, 'select')) {
      if (passed.includes(this.egraph.find(this.child(n, 0)))) continue
      const inner = this.op(n)
      const both = inner.kind === 'select' && inner.axis === axis ? composeIndices(inner.index, index) : null
      if (both && isWritable(both, this.shape(this.child(n, 0))[axis]!))
        return this.select(this.child(n, 0), axis, both, passed)
    }
    return this.make({ kind: 'select', axis, index }, [x])
  }

  /** The parts side by side; those of size 0 are left out. */
  concat(parts: readonly ClassId[], axis: number): ClassId {
    const filled = parts.filter((p) => this.type(p)?.shape[axis] !== 0)
    const kept = filled.length > 0 ? filled : parts.slice(0, 1)
    return kept.length === 1 ? kept[0]! : this.make({ kind: 'concat', axis }, kept)
  }

  /** x repeated along axes of size 1 to `shape`. Null where another axis would have to change, or where a repeated axis would have
   * an open size that no input has, which could not be written. */
  expand(x: ClassId, shape: Shape): ClassId | null {
    const from = this.raise(x, shape.length)
    const own = this.shape(from)
    if (shapeEquals(own, shape)) return from
    if (own.length !== shape.length || own.some((d, i) => d !== 1 && !dimEquals(d, shape[i]!))) return null
    const sizes = shape.map((d, i) => (dimEquals(d, own[i]!) ? null : d))
    if (sizes.some((d) => d !== null && typeof d !== 'number' && !this.inputSizes.has(dimKey(d)))) return null
    return this.make({ kind: 'expand', sizes }, [from])
  }

  /** Linear map of x along `axis` by the constant w: [K, N]. */
  lin(x: ClassId, w: ClassId, axis: number): ClassId {
    if (!this.isConstant(w)) throw new NotFoldable()
    invariant(this.rank(w) === 2, 'lin needs a matrix')
    return this.make({ kind: 'lin', axis }, [x, w])
  }

  // Helpers for rules

  private firstChild(c: ClassId, family: string): ClassId | null {
    const n = this.nodes(c, family)[0]
    return n === undefined ? null : this.child(n, 0)
  }

  /** Number of elements of a constant class. */
  constantElements(c: ClassId): number {
    return elementCount(this.constants.shape(this.constantOf(c)!))
  }
}
