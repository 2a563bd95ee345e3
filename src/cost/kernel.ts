// A kernel: one operator as a runtime really executes it, after its own fusions, with concrete shapes. Everything that is
// priced is a table of kernels. Facts only; features are computed from them (features.ts).
import type { DType } from '../ir/dtype.ts'

export interface KernelOperand {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** A weight: known before the run, so the runtime may have packed it. */
  readonly constant: boolean
  /** Share of a weight's vectors of 16 numbers that have some below the normal range, where that is known and not 0. */
  readonly subnormal?: number
}

export interface Kernel {
  /** Qualified operator name: `MatMul`, `com.microsoft:FusedConv`, `com.microsoft.nchwc:Conv`. */
  readonly op: string
  /** null: an optional input that is left out. */
  readonly inputs: readonly (KernelOperand | null)[]
  readonly outputs: readonly KernelOperand[]
  /** Scalar and list attributes; subgraphs and tensors are left out. */
  readonly attributes: Readonly<Record<string, number | string | readonly number[] | readonly string[]>>
}

/** What a runtime would execute for one graph at one set of input shapes, in order. */
export type KernelTable = readonly Kernel[]

/** Canonical text of a kernel; equal texts, equal price. */
export function kernelSignature(k: Kernel): string {
  const operand = (o: KernelOperand | null) =>
    o ? `${o.dtype}${o.constant ? '!' : ''}[${o.shape}]${o.subnormal === undefined ? '' : `~${o.subnormal}`}` : '_'
  const attributes = Object.keys(k.attributes)
    .sort()
    .map((name) => `${name}=${JSON.stringify(k.attributes[name])}`)
  return `${k.op}(${k.inputs.map(operand).join(' ')})->(${k.outputs.map(operand).join(' ')}){${attributes.join(' ')}}`
}
