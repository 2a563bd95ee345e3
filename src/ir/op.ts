// What the house knows of an operator: one record. Rules, prices, tests and printers derive from these properties, so a new
// operator is one new record in ops/<family>.ts. A record describes every opset version of its operator; where versions
// differ, it looks at `call.opset` or at which of attribute and input is present.
import type { Attributes } from './attribute.ts'
import type { Dim } from './dim.ts'
import type { ConcreteShape } from './shape.ts'
import type { NdArray, Tensor, TensorType } from './tensor.ts'

/** One application of an operator, as much as is known of it without running it. */
export interface Call {
  readonly domain: string
  readonly op: string
  readonly opset: number
  readonly attributes: Attributes
  /** null: left out, or of unknown type. */
  readonly inputs: readonly (TensorType | null)[]
  readonly outputCount: number
  /** The constant an input is, or null. Same length as `inputs`. */
  readonly constants: readonly (Tensor | null)[]
  /** Contents of integer inputs of rank 0 or 1 that are known (constants, results of Shape arithmetic), else null. */
  readonly contents: readonly (readonly Dim[] | null)[]
}

/** A call whose shapes are all numbers. */
export interface ConcreteCall extends Call {
  readonly inputs: readonly ({ readonly dtype: TensorType['dtype']; readonly shape: ConcreteShape } | null)[]
}

export interface Work {
  /** Floating-point operations; a multiply-add counts two; a transcendental counts its documented weight. */
  readonly flops: number
  readonly bytesRead: number
  readonly bytesWritten: number
  /** The part of `bytesRead` that is constant. */
  readonly weightBytes: number
}

/** Where the coordinate of an output axis comes from in one input: its axis, or the input does not vary along it
 * (absent, or of size 1: 'broadcast'), or several coordinates take part ('mixed'). So cutting the output along an axis is
 * cutting every input that names an axis along that one, and leaving whole every input that says 'broadcast'. */
export type AxisSource = number | 'broadcast' | 'mixed'
/** [axis of output 0][input] */
export type AxisMap = readonly (readonly AxisSource[])[]

export type Law =
  | 'commutative' // f(x, y) = f(y, x)
  | 'associative'
  | 'idempotent' // f(f(x)) = f(x), or f(x, x) = x for two operands
  | 'involution' // f(f(x)) = x
  | 'monotone' // x <= y implies f(x) <= f(y), element-wise
  | 'zero-preserving' // f(0) = 0, element-wise; of several operands, all of them 0

export interface AttributeSpec {
  readonly kind: 'int' | 'float' | 'string' | 'ints' | 'floats' | 'strings' | 'tensor' | 'graph'
  /** What the newest opset takes where it is left out. Absent: required, or its absence has a meaning of its own. */
  readonly default?: number | string | readonly number[]
}

/** How PyTorch writes it: `operator.add`, `torch.relu`; method names carry a leading dot. */
export interface TorchSpelling {
  readonly target: string
}

export interface Op {
  readonly name: string
  readonly domain: string
  /** First opset that has the operator. */
  readonly sinceOpset: number
  readonly attributes: Readonly<Record<string, AttributeSpec>>
  /** Point-wise with broadcasting: its axis map and shape follow from that alone. */
  readonly elementwise?: boolean
  /** False: random. Never folded, merged or moved. */
  readonly deterministic?: boolean
  readonly laws?: readonly Law[]
  /** Laws that hold at some attributes only, beside `laws`. */
  conditionalLaws?(call: Call): readonly Law[]
  readonly torch?: TorchSpelling
  /** Types of the outputs; symbolic in, symbolic out; null where the rank cannot be known. Throws UserError on a call that ONNX forbids. */
  infer(call: Call): readonly (TensorType | null)[]
  /** Contents of integer outputs, for shape arithmetic. */
  inferContents?(call: Call): readonly (readonly Dim[] | null)[]
  /** Reference values in float64, plain and slow. `inputs[i]` is null where left out. */
  evaluate(call: ConcreteCall, inputs: readonly (NdArray | null)[]): readonly NdArray[]
  /** Only where the default (one flop per output element, every operand moved once) is wrong. */
  work?(call: ConcreteCall): Work
  /** Absent or null: nothing is known, every axis counts as mixed. Element-wise operators need none. */
  axes?(call: Call): AxisMap | null
  /** Inputs in which output 0 is linear, the others held fixed; with `jointlyLinear`, all of them scaled and added together. */
  linearIn?(call: Call): readonly number[]
  /** Linear in the listed inputs taken together, so in one of them alone only affine: Add, Sub, Sum, Concat, Where. */
  readonly jointlyLinear?: boolean
  /** The attributes after output 0 (and each input's matching axis) has been cut to `size` along `axis`; absent: unchanged;
   * null: no attributes do it (an input that holds sizes would have to change). */
  resize?(call: Call, axis: number, size: Dim): Attributes | null
}

/** Every law that holds for this call. */
export function lawsOf(op: Op, call: Call): readonly Law[] {
  return [...(op.laws ?? []), ...(op.conditionalLaws?.(call) ?? [])]
}
