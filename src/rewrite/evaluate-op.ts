// Reference values of one e-node operator in float64, through the Op records. Used to fold constants, and by the tests to
// check every e-node of an e-graph against the value of its class.
import { UnsupportedError } from '../base/errors.ts'
import { matmul } from '../ir/kernels/matmul.ts'
import type { ConcreteCall } from '../ir/op.ts'
import { broadcastTo } from '../ir/ops/define.ts'
import { findOp } from '../ir/ops/index.ts'
import { type ConcreteShape, elementCount } from '../ir/shape.ts'
import { type NdArray, ndarray } from '../ir/tensor.ts'
import { applyGroups } from './axis-groups.ts'
import { onnxSpelling } from './infer-op.ts'
import {
  type FusedConv,
  type OnnxOp,
  onnxOp,
  type Scatter,
  scatterAttributes,
  type TensorOp,
  writtenDomain,
} from './tensor-op.ts'

/** The value of `op` on `inputs`. Throws UnsupportedError for inputs, opaque operators and those that depend on more. */
export function evaluateOp(op: TensorOp, inputs: readonly NdArray[]): NdArray {
  const x = inputs[0]!
  switch (op.kind) {
    case 'input':
    case 'constant':
      throw new UnsupportedError(`evaluation of a ${op.kind}`)
    case 'reorder-in':
    case 'reorder-out':
    case 'in-blocks':
      return x
    case 'lin':
      return applyLin(x, inputs[1]!, op.axis)
    case 'transpose':
      return evaluateTranspose(op, x)
    case 'reshape':
      return { ...x, shape: applyGroups(op.groups, x.shape) as ConcreteShape }
    case 'scatter':
      return evaluateScatter(op, inputs)
    case 'fused-conv':
      return evaluateFused(op, inputs)
    case 'onnx':
      return evaluateOnnx(op, inputs)
    default:
      return evaluateSpelled(op, inputs)
  }
}

/** About how many multiply-adds `evaluateOp` takes for inputs of these shapes and a result of so many elements. */
export function multiplyAdds(op: TensorOp, [x = [], w = []]: readonly ConcreteShape[], elements: number): number {
  if (op.kind === 'lin') return elements * w[0]!
  if (op.kind !== 'onnx') return elements
  if (op.op === 'MatMul') return elements * (x.at(-1) ?? 1)
  return op.op.startsWith('Conv') ? elements * elementCount(w.slice(1)) : elements
}

/** Through the ONNX operator that a structural operator is. */
function evaluateSpelled(op: Parameters<typeof onnxSpelling>[0], inputs: readonly NdArray[]): NdArray {
  const x = inputs[0]!
  const spelling = onnxSpelling(op, x.shape)!
  const more = spelling.ints ? [ndarray('int64', [spelling.ints.length], spelling.ints)] : inputs.slice(1)
  return evaluateOnnx({ ...spelling.op, present: [x, ...more].map(() => true) }, [x, ...more])
}

/** Matrices are turned often, when weights fold: they get a loop of their own. */
function evaluateTranspose(op: TensorOp & { readonly kind: 'transpose' }, x: NdArray): NdArray {
  if (x.shape.length !== 2) return evaluateSpelled(op, [x])
  const [rows, columns] = x.shape as [number, number]
  return { dtype: x.dtype, shape: [columns, rows], data: transposed(x.data, rows, columns) }
}

function evaluateFused(op: FusedConv, inputs: readonly NdArray[]): NdArray {
  const used = op.bias ? 3 : 2
  const rest = inputs.slice(used)
  const conv = evaluateOnnx(op.conv, inputs.slice(0, used))
  const sum = op.residual ? evaluateOnnx(onnxOp('Add', 2, op.conv.opset), [conv, rest.shift()!]) : conv
  return op.activation ? evaluateOnnx(op.activation, [sum, ...rest]) : sum
}

/** Whatever the spelling, as ScatterElements. */
function evaluateScatter(op: Scatter, [x, positions]: readonly NdArray[]): NdArray {
  const shape = x!.shape.map((d, i) => (i === op.axis ? (op.size as number) : d))
  const zeros = { dtype: x!.dtype, shape, data: new Float64Array(elementCount(shape)) }
  const at = { dtype: positions!.dtype, shape: x!.shape, data: broadcastTo(positions!, x!.shape) }
  return evaluateOnnx(onnxOp('ScatterElements', 3, 18, scatterAttributes({ ...op, spelling: 'ScatterElements' })), [
    zeros,
    at,
    x!,
  ])
}

function evaluateOnnx(op: OnnxOp, arrays: readonly NdArray[]): NdArray {
  const domain = writtenDomain(op.domain)
  const record = findOp(domain, op.op)
  if (!record || op.captures.length > 0) throw new UnsupportedError(`evaluation of ${op.op}`)
  let next = 0
  const inputs = op.present.map((p) => (p ? arrays[next++]! : null))
  const call: ConcreteCall = {
    domain,
    op: op.op,
    opset: op.opset,
    attributes: op.attributes,
    inputs: inputs.map((a) => a && { dtype: a.dtype, shape: a.shape }),
    outputCount: op.outputCount,
    constants: inputs.map(() => null),
    contents: inputs.map((a) => (a && a.dtype === 'int64' && a.shape.length <= 1 ? Array.from(a.data) : null)),
  }
  return record.evaluate(call, inputs)[op.output]!
}

/** x: [outer, K, inner], w: [K, N] -> [outer, N, inner], along `axis` of x. */
function applyLin(x: NdArray, w: NdArray, axis: number): NdArray {
  const [k, n] = w.shape as [number, number]
  const outer = elementCount(x.shape.slice(0, axis))
  const inner = elementCount(x.shape.slice(axis + 1))
  const shape = x.shape.map((d, i) => (i === axis ? n : d))
  if (inner === 1) return { dtype: x.dtype, shape, data: matmul(x.data, w.data, outer, k, n) }
  const turned = transposed(w.data, k, n)
  const data = new Float64Array(outer * n * inner)
  for (let o = 0; o < outer; o++) {
    const slab = x.data.subarray(o * k * inner, (o + 1) * k * inner)
    data.set(matmul(turned, slab, n, k, inner), o * n * inner)
  }
  return { dtype: x.dtype, shape, data }
}

/** [rows, columns] -> [columns, rows] */
function transposed(data: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(data.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]!
  return out
}
