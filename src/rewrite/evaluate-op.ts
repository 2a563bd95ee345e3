// Reference values of one e-node operator in float64, through the Op records. Used to fold constants, and by the tests to
// check every e-node of an e-graph against the value of its class.
import { UnsupportedError } from '../base/errors.ts'
import type { ConcreteCall } from '../ir/op.ts'
import { findOp } from '../ir/ops/index.ts'
import { type ConcreteShape, elementCount } from '../ir/shape.ts'
import { type NdArray, ndarray } from '../ir/tensor.ts'
import { applyGroups } from './axis-groups.ts'
import { onnxSpelling } from './infer-op.ts'
import type { FusedConv, OnnxOp, TensorOp } from './tensor-op.ts'

/** The value of `op` on `inputs`. Throws UnsupportedError for inputs, opaque operators and those that depend on more. */
export function evaluateOp(op: TensorOp, inputs: readonly NdArray[]): NdArray {
  const x = inputs[0]!
  switch (op.kind) {
    case 'input':
    case 'constant':
      throw new UnsupportedError(`evaluation of a ${op.kind}`)
    case 'reorder-in':
    case 'reorder-out':
      return x
    case 'lin':
      return applyLin(x, inputs[1]!, op.axis)
    case 'reshape':
      return { ...x, shape: applyGroups(op.groups, x.shape) as ConcreteShape }
    case 'fused-conv':
      return evaluateFused(op, inputs)
    case 'onnx':
      return evaluateOnnx(op, inputs)
    default: {
      const spelling = onnxSpelling(op, x.shape)!
      const more = spelling.ints ? [ndarray('int64', [spelling.ints.length], spelling.ints)] : inputs.slice(1)
      return evaluateOnnx({ ...spelling.op, present: [x, ...more].map(() => true) }, [x, ...more])
    }
  }
}

function evaluateFused(op: FusedConv, inputs: readonly NdArray[]): NdArray {
  const used = op.bias ? 3 : 2
  const rest = inputs.slice(used)
  const conv = evaluateOnnx(op.conv, inputs.slice(0, used))
  const sum = op.residual ? evaluateOnnx(plainOp('Add', 2, op.conv.opset), [conv, rest.shift()!]) : conv
  return op.activation ? evaluateOnnx(op.activation, [sum, ...rest]) : sum
}

const plainOp = (op: string, inputs: number, opset: number): OnnxOp => ({
  kind: 'onnx',
  domain: '',
  op,
  opset,
  attributes: {},
  present: new Array<boolean>(inputs).fill(true),
  output: 0,
  outputCount: 1,
  captures: [],
  declared: null,
  identity: '',
})

function evaluateOnnx(op: OnnxOp, arrays: readonly NdArray[]): NdArray {
  const domain = op.domain === 'com.microsoft.nchwc' ? '' : op.domain
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
  const data = new Float64Array(outer * n * inner)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < k; i++) {
      if (inner === 1) addScaled(data, o * n, w.data, i * n, n, x.data[o * k + i]!)
      else
        for (let j = 0; j < n; j++)
          addScaled(data, (o * n + j) * inner, x.data, (o * k + i) * inner, inner, w.data[i * n + j]!)
    }
  return { dtype: x.dtype, shape: x.shape.map((d, i) => (i === axis ? n : d)), data }
}

function addScaled(
  to: Float64Array,
  at: number,
  from: Float64Array,
  start: number,
  count: number,
  scale: number,
): void {
  if (scale === 0) return
  for (let i = 0; i < count; i++) to[at + i]! += scale * from[start + i]!
}
