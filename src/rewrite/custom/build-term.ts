// Terms of a law made into classes of an e-graph, by the encoder that graphs go through, and into numbers.
import { UnsupportedError, UserError } from '../../base/errors.ts'
import type { ClassId } from '../../egraph/egraph.ts'
import { isFloat } from '../../ir/dtype.ts'
import { type NdArray, ndarray, toNdArray } from '../../ir/tensor.ts'
import { encodeCall } from '../encode.ts'
import { evaluateOp } from '../evaluate-op.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { type OnnxOp, onnxOp } from '../tensor-op.ts'
import type { CallTerm, Term } from './law.ts'

/** Null where an operator refuses its operands, or cannot be computed. */
export function orNull<T>(build: () => T): T | null {
  try {
    return build()
  } catch (error) {
    if (error instanceof UserError || error instanceof UnsupportedError) return null
    throw error
  }
}

/** The class of a term, in canonical form. Throws UserError where the operands do not fit. */
export function buildTerm(t: TensorEGraph, term: Term, bound: ReadonlyMap<string, ClassId>): ClassId {
  switch (term.kind) {
    case 'variable':
      return bound.get(term.name)!
    case 'number':
      return t.scalar(term.value, 0)
    case 'tensor':
      return t.given(term.tensor, '')
    case 'call':
      return buildCall(t, term, bound)
    default:
      return term satisfies never
  }
}

function buildCall(t: TensorEGraph, term: CallTerm, bound: ReadonlyMap<string, ClassId>): ClassId {
  const built = term.args.map((a) => (a === null || a.kind === 'number' ? null : buildTerm(t, a, bound)))
  const dtype = dtypeOfNumbers(built.flatMap((c) => (c === null ? [] : [t.type(c)!.dtype])))
  const args = term.args.map((a, i) => (a?.kind === 'number' ? t.scalar(a.value, 0, dtype) : built[i]!))
  return encodeCall(t, callOp(term, t.opset), args)
}

/** Numbers in a call have the dtype of its first operand that is no condition. */
const dtypeOfNumbers = (dtypes: readonly NdArray['dtype'][]): NdArray['dtype'] =>
  dtypes.find(isFloat) ?? dtypes.find((d) => d !== 'bool') ?? 'float32'

const callOp = (term: CallTerm, opset: number): OnnxOp => ({
  ...onnxOp(term.op, term.args.length, opset, term.attributes),
  present: term.args.map((a) => a !== null),
})

/** The value of a term in float64. `seen` is told every value on the way. */
export function evaluateTerm(
  term: Term,
  bound: ReadonlyMap<string, NdArray>,
  opset: number,
  seen: (value: NdArray) => void = () => {},
): NdArray {
  const value = (): NdArray => {
    if (term.kind === 'variable') return bound.get(term.name)!
    if (term.kind === 'number') return ndarray('float32', [], [term.value])
    if (term.kind === 'tensor') return toNdArray(term.tensor)
    const args = term.args.map((a) => (a && a.kind !== 'number' ? evaluateTerm(a, bound, opset, seen) : null))
    const dtype = dtypeOfNumbers(args.flatMap((a) => (a ? [a.dtype] : [])))
    const all = term.args.flatMap((a, i) => (a?.kind === 'number' ? [ndarray(dtype, [], [a.value])] : (args[i] ?? [])))
    return evaluateOp(callOp(term, opset), all)
  }
  const result = value()
  seen(result)
  return result
}
