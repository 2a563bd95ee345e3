// Makers of records: what element-wise operators share (broadcasting, dtypes, work), and how integers are stored.
// Before opset 7 two operands broadcast in one direction only, the second aligned at the attribute `axis`; shapes and values
// follow that too, but such a call is not element-wise in today's sense (see `legacyAxis`).
import { getInt } from '../attribute.ts'
import type { Dim } from '../dim.ts'
import { DTYPES, type DType, isFloat } from '../dtype.ts'
import type { AttributeSpec, Call, ConcreteCall, Law, Op, TorchSpelling, Work } from '../op.ts'
import { broadcastShapes, type ConcreteShape, elementCount, type Shape, shapeText, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { mapContents } from './contents.ts'
import { arrayOf, operand, reject, workOf } from './operands.ts'

/** dtypes that an operator takes: `number` is any float or integer. */
export type Accepts = 'float' | 'number' | 'int' | 'bool' | 'any'

const ACCEPTED: Readonly<Record<Accepts, readonly string[]>> = {
  float: ['float'],
  number: ['float', 'int'],
  int: ['int'],
  bool: ['bool'],
  any: ['float', 'int', 'bool', 'string', 'complex', 'float8', 'float4', 'int4', 'int2'],
}

/** Floating-point operations that one transcendental function counts as. */
export const TRANSCENDENTAL_FLOPS = 10

/** Type of a required input of an accepted dtype. */
export function operandOf(call: Call, index: number, accepts: Accepts): TensorType {
  const type = operand(call, index)
  if (!ACCEPTED[accepts].includes(DTYPES[type.dtype].kind))
    reject(call, `input ${index} of ${accepts} dtype`, type.dtype)
  return type
}

/** What the dtype holds of x: integers truncate towards zero and wrap, bool is 0 or 1, floats are not rounded. */
export function storeAs(dtype: DType, x: number): number {
  const { kind, bits } = DTYPES[dtype]
  if (kind === 'bool') return x === 0 ? 0 : 1
  if (kind !== 'int') return x
  const whole = Math.trunc(x) + 0
  const limit = dtype.startsWith('u') ? 2 ** bits : 2 ** (bits - 1)
  if (whole < limit && whole >= (dtype.startsWith('u') ? 0 : -limit)) return whole
  if (!Number.isFinite(whole)) return 0
  // What float64 makes of the largest 64-bit number (`to the end` of a Slice); it is kept.
  if (bits === 64 && whole === limit) return whole
  const wrapped = dtype.startsWith('u') ? BigInt.asUintN(bits, BigInt(whole)) : BigInt.asIntN(bits, BigInt(whole))
  return Number(wrapped)
}

/** The elements of `a`, repeated to `out` (NumPy broadcasting). The array's own data where nothing repeats. */
export function broadcastTo(a: NdArray, out: ConcreteShape): Float64Array {
  const count = elementCount(out)
  if (elementCount(a.shape) === count) return a.data
  if (a.data.length === 1) return new Float64Array(count).fill(a.data[0]!)
  const offsets = broadcastOffsets(a.shape, out)
  const data = new Float64Array(count) // not Float64Array.from, which is ten times as slow
  for (let i = 0; i < count; i++) data[i] = a.data[offsets[i]!]!
  return data
}

/** For each element of `out`, row-major, the offset of the element of `shape` that broadcasts to it. */
export function broadcastOffsets(shape: ConcreteShape, out: ConcreteShape): Int32Array {
  const strides = stridesOf(shape)
  let offsets: Int32Array = new Int32Array(1)
  for (let axis = 0; axis < out.length; axis++) {
    const at = axis - (out.length - shape.length)
    const step = at < 0 || shape[at] === 1 ? 0 : strides[at]!
    offsets = extendOffsets(offsets, out[axis]!, step)
  }
  return offsets
}

/** Every offset of `outer`, followed by `size` steps along one more axis. */
export function extendOffsets(outer: Int32Array, size: number, step: number): Int32Array {
  const offsets = new Int32Array(outer.length * size)
  let to = 0
  for (const base of outer) for (let i = 0; i < size; i++) offsets[to++] = base + i * step
  return offsets
}

/** The axis of the first operand at which the second one starts, where ONNX did so: before opset 7. Else null. */
export function legacyAxis(call: Call): number | null {
  if (call.opset >= 7) return null
  if (call.op === 'PRelu')
    return (call.inputs[0]?.shape.length ?? 0) > 1 && call.inputs[1]?.shape.length === 1 ? 1 : null
  return getInt(call.attributes, 'broadcast', 0) === 1 ? getInt(call.attributes, 'axis', null) : null
}

/** Shapes of all operands, as they broadcast today. */
function operandShapes(call: Call): readonly Shape[] {
  const shapes = call.inputs.map((type) => type?.shape ?? [])
  const axis = legacyAxis(call)
  if (axis === null || shapes[1]!.every((d) => d === 1)) return shapes
  const [a, b] = shapes as [Shape, Shape]
  const trailing = a.length - (axis < 0 ? axis + a.length : axis) - b.length
  if (axis < -a.length || trailing < 0)
    reject(call, `an axis from which ${shapeText(b)} fits into ${shapeText(a)}`, String(axis))
  return [a, [...b, ...new Array<number>(trailing).fill(1)]]
}

/** Broadcast shape of all operands. */
export function broadcastAll(call: Call): Shape {
  const shapes = operandShapes(call)
  const out = broadcastShapes(...shapes)
  return out ?? reject(call, 'shapes that broadcast', shapes.map(shapeText).join(' '))
}

export interface ElementwiseSpec {
  readonly name: string
  readonly domain?: string
  readonly since: number
  readonly attributes?: Readonly<Record<string, AttributeSpec>>
  readonly laws?: readonly Law[]
  readonly torch?: TorchSpelling
  readonly accepts?: Accepts
  /** dtype of the output; that of input 0 unless given. */
  readonly result?: (call: Call) => DType
  /** Floating-point operations per output element; 1 unless given. */
  readonly flops?: number
  readonly jointlyLinear?: boolean
  /** The same function on dimensions, where shape arithmetic uses it; null where it cannot tell. */
  readonly dims?: (...x: readonly Dim[]) => Dim | null
  conditionalLaws?(call: Call): readonly Law[]
  linearIn?(call: Call): readonly number[]
}
export interface UnarySpec extends ElementwiseSpec {
  /** The function of one element; attributes are read once. */
  compute(call: ConcreteCall): (x: number) => number
}
export interface BinarySpec extends ElementwiseSpec {
  compute(call: ConcreteCall): (x: number, y: number) => number
}
export interface VariadicSpec extends ElementwiseSpec {
  /** Folds the operands pairwise. */
  combine(x: number, y: number): number
  /** Applied to the folded value. */
  finish?(x: number, operands: number): number
}
export interface ManySpec extends ElementwiseSpec {
  /** Operands that may be left out. */
  infer?(call: Call): void
  compute(call: ConcreteCall): (x: readonly number[]) => number
}

/** f(x), element by element. */
export function unary(spec: UnarySpec): Op {
  const check = (call: Call) => void operandOf(call, 0, spec.accepts ?? 'float')
  return record(spec, check, (call, inputs, dtype) => {
    const x = arrayOf(call, inputs, 0)
    const f = spec.compute(call)
    return { dtype, shape: x.shape, data: x.data.map((v) => storeAs(dtype, f(v))) }
  })
}

/** f(x, y), element by element, broadcasting. Both operands have one dtype. */
export function binary(spec: BinarySpec): Op {
  const check = (call: Call) => {
    const a = operandOf(call, 0, spec.accepts ?? 'number')
    const b = operandOf(call, 1, spec.accepts ?? 'number')
    if (a.dtype !== b.dtype) reject(call, 'two operands of one dtype', `${a.dtype} and ${b.dtype}`)
  }
  return record(spec, check, (call, inputs, dtype) => {
    const shape = broadcastAll(call) as ConcreteShape
    const [a, b] = alignedInputs(call, inputs) as [NdArray, NdArray]
    return { dtype, shape, data: zip(a, b, shape, stored(dtype, spec.compute(call))) }
  })
}

/** One or more operands of one dtype, folded pairwise, broadcasting. */
export function variadic(spec: VariadicSpec): Op {
  const check = (call: Call) => {
    const first = operandOf(call, 0, spec.accepts ?? 'number')
    call.inputs.forEach((_, i) => {
      const { dtype } = operand(call, i)
      if (dtype !== first.dtype) reject(call, 'operands of one dtype', `${first.dtype} and ${dtype}`)
    })
  }
  return record(spec, check, (call, inputs, dtype) => {
    const shape = broadcastAll(call) as ConcreteShape
    const [first, ...rest] = alignedInputs(call, inputs) as [NdArray, ...NdArray[]]
    const combine = stored(dtype, spec.combine)
    const only = rest.length === 0 ? broadcastTo(first, shape).slice() : first.data
    const { data } = rest.reduce(
      (sum, b, i) => {
        const partial = i === rest.length - 1 ? shape : (broadcastShapes(sum.shape, b.shape) as ConcreteShape)
        return { dtype, shape: partial, data: zip(sum, b, partial, combine) }
      },
      { ...first, data: only },
    )
    return { dtype, shape, data: spec.finish ? data.map((x) => storeAs(dtype, spec.finish!(x, inputs.length))) : data }
  })
}

/** f of all operands, element by element, broadcasting. `infer` checks the dtypes; an operand left out is NaN. */
export function many(spec: ManySpec): Op {
  const check = (call: Call) => spec.infer?.(call)
  return record(spec, check, (call, inputs, dtype) => {
    const shape = broadcastAll(call) as ConcreteShape
    const operands = inputs.map((a) => (a ? broadcastTo(a, shape) : null))
    const f = spec.compute(call)
    const data = new Float64Array(elementCount(shape))
    for (let i = 0; i < data.length; i++) data[i] = storeAs(dtype, f(operands.map((x) => (x ? x[i]! : Number.NaN))))
    return { dtype, shape, data }
  })
}

/** The operands with the shapes that broadcast as today's ONNX does. */
function alignedInputs(call: Call, inputs: readonly (NdArray | null)[]): NdArray[] {
  const shapes = operandShapes(call) as readonly ConcreteShape[]
  return inputs.map((_, i) => ({ ...arrayOf(call, inputs, i), shape: shapes[i]! }))
}

type Pairwise = (x: number, y: number) => number

const stored = (dtype: DType, f: Pairwise): Pairwise => (isFloat(dtype) ? f : (x, y) => storeAs(dtype, f(x, y)))

/** f of every pair of elements, broadcasting to `out`, row by row: weights of millions of elements fold this way. */
function zip(a: NdArray, b: NdArray, out: ConcreteShape, f: Pairwise): Float64Array {
  const data = new Float64Array(elementCount(out))
  const columns = out.at(-1) ?? 1
  const rows = [...out.slice(0, -1), 1]
  const [fromA, fromB] = [broadcastOffsets(a.shape, rows), broadcastOffsets(b.shape, rows)]
  const [stepA, stepB] = [a, b].map(({ shape }) => ((shape.at(-1) ?? 1) === 1 ? 0 : 1)) as [number, number]
  const [x, y] = [a.data, b.data]
  let to = 0
  for (let row = 0; to < data.length; row++) {
    let [i, j] = [fromA[row]!, fromB[row]!]
    for (let column = 0; column < columns; column++, i += stepA, j += stepB) data[to++] = f(x[i]!, y[j]!)
  }
  return data
}

type Evaluate = (call: ConcreteCall, inputs: readonly (NdArray | null)[], dtype: DType) => NdArray

function record(spec: ElementwiseSpec, check: (call: Call) => void, evaluate: Evaluate): Op {
  const dtypeOf = spec.result ?? ((call: Call) => operand(call, 0).dtype)
  const infer = (call: Call): TensorType[] => {
    check(call)
    return [{ dtype: dtypeOf(call), shape: broadcastAll(call) }]
  }
  return {
    name: spec.name,
    domain: spec.domain ?? '',
    sinceOpset: spec.since,
    attributes: spec.attributes ?? {},
    elementwise: true,
    ...(spec.laws && { laws: spec.laws }),
    ...(spec.conditionalLaws && { conditionalLaws: spec.conditionalLaws }),
    ...(spec.torch && { torch: spec.torch }),
    ...(spec.linearIn && { linearIn: spec.linearIn }),
    ...(spec.jointlyLinear && { jointlyLinear: true }),
    ...(spec.dims && { inferContents: (call: Call) => [mapContents(call, spec.dims!)] }),
    infer,
    evaluate: (call, inputs) => [evaluate(call, inputs, dtypeOf(call))],
    work: (call) => elementwiseWork(call, infer(call)[0]!, spec.flops ?? 1),
  }
}

function elementwiseWork(call: ConcreteCall, out: TensorType, flops: number): Work {
  return workOf(call, [out], flops * elementCount(out.shape as ConcreteShape))
}

/** linearIn of an operator that is linear in these inputs when it computes on floats. */
export function linearOnFloats(...inputs: readonly number[]): (call: Call) => readonly number[] {
  return (call) => (isFloat(operand(call, inputs[0] ?? 0).dtype) ? inputs : [])
}

/** The call with the values of all its integer inputs of rank 0 and 1 as contents. */
export function withContents(call: ConcreteCall, inputs: readonly (NdArray | null)[]): ConcreteCall {
  const contents = inputs.map((a) => {
    if (!a || a.shape.length > 1) return null
    const { kind } = DTYPES[a.dtype]
    return kind === 'int' || kind === 'bool' ? Array.from(a.data) : null
  })
  return { ...call, contents }
}
