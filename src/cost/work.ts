// Floating-point operations and bytes of a kernel. The operator's own record knows best (`Op.work`); a runtime's internal
// operator is asked through the ONNX operator it stands for. Where there is no record, or the record needs the contents of
// an input (a kernel carries shapes only), two general laws apply:
//   contraction (M, K, N known): flops = 2 batch groups M K N, else one operation per output element and reduced element;
//   bytes: every operand once, views none but their output's descriptor (0).
import { UserError } from '../base/errors.ts'
import { type Attribute, type Attributes, float, floats, int, ints, text } from '../ir/attribute.ts'
import { bytesOf } from '../ir/dtype.ts'
import type { AttributeSpec, ConcreteCall, Op, Work } from '../ir/op.ts'
import { findOp } from '../ir/ops/index.ts'
import { elementCount } from '../ir/shape.ts'
import type { Geometry } from './geometry.ts'
import type { Kernel, KernelOperand } from './kernel.ts'
import { type OpClass, opClassOf } from './op-class.ts'

/** Opset at which records are asked: the newest whose attributes kernels of ONNX Runtime 1.30 carry. */
const OPSET = 20

/** Internal operators whose work is that of an ONNX operator. */
const STANDS_FOR: Readonly<Record<string, string>> = {
  'com.microsoft:FusedConv': 'Conv',
  'com.microsoft.nchwc:Conv': 'Conv',
  'com.microsoft:FusedGemm': 'Gemm',
  'com.microsoft.nchwc:MaxPool': 'MaxPool',
  'com.microsoft.nchwc:AveragePool': 'AveragePool',
  'com.microsoft.nchwc:GlobalAveragePool': 'GlobalAveragePool',
  'com.microsoft.nchwc:GlobalMaxPool': 'GlobalMaxPool',
}

const operandBytes = (o: KernelOperand): number => bytesOf(o.dtype, elementCount(o.shape))
const sumBytes = (list: readonly (KernelOperand | null)[]): number =>
  list.reduce((n, o) => n + (o ? operandBytes(o) : 0), 0)

/** Classes of which one output element costs more than one operation. */
const FLOPS_PER_ELEMENT: Partial<Record<OpClass, number>> = {
  activation: 10,
  softmax: 12,
  norm: 8,
  attention: 4,
  resize: 8,
}
/** Classes that compute nothing. */
const MOVES_ONLY: ReadonlySet<OpClass> = new Set<OpClass>(['transpose', 'copy', 'gather', 'scatter', 'reorder', 'view'])
/** Classes that do 2 batch groups M K N operations. */
const CONTRACTIONS: ReadonlySet<OpClass> = new Set<OpClass>([
  'conv',
  'conv-pointwise',
  'conv-depthwise',
  'conv-transpose',
  'matmul',
  'recurrent',
  'attention',
])

function recordOf(op: string): Op | null {
  const name = STANDS_FOR[op] ?? op
  const colon = name.indexOf(':')
  return colon < 0 ? findOp('', name) : findOp(name.slice(0, colon), name.slice(colon + 1))
}

type Plain = Kernel['attributes'][string]

/** A kernel's plain attribute as the graph has it; the operator's record tells 1 from 1.0. */
export function plainToAttribute(value: Plain, spec: AttributeSpec | undefined): Attribute {
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number') return spec?.kind === 'float' || !Number.isInteger(value) ? float(value) : int(value)
  if (value.some((x) => typeof x === 'string')) return { kind: 'strings', value: value as readonly string[] }
  const numbers = value as readonly number[]
  return spec?.kind === 'floats' || numbers.some((x) => !Number.isInteger(x)) ? floats(numbers) : ints(numbers)
}

function callOf(k: Kernel, op: Op): ConcreteCall {
  const attributes: Record<string, Attribute> = {}
  for (const [name, value] of Object.entries(k.attributes))
    attributes[name] = plainToAttribute(value, op.attributes[name])
  return {
    domain: op.domain,
    op: op.name,
    opset: Math.max(OPSET, op.sinceOpset),
    attributes: attributes as Attributes,
    inputs: k.inputs,
    outputCount: k.outputs.length,
    constants: k.inputs.map(() => null),
    contents: k.inputs.map(() => null),
  }
}

/** Work by the operator's record, or null where it has none or needs more than shapes. */
function workByRecord(k: Kernel): Work | null {
  const op = recordOf(k.op)
  if (!op?.work) return null
  try {
    const work = op.work(callOf(k, op))
    return Object.values(work).every((x) => Number.isFinite(x) && x >= 0) ? work : null
  } catch (error) {
    if (error instanceof UserError) return null // contents of an input that a kernel does not carry
    throw error
  }
}

/** Work by the general laws above. */
export function workByShape(k: Kernel, g: Geometry): Work {
  const opClass = opClassOf(k)
  const outElements = k.outputs.reduce((n, o) => n + elementCount(o.shape), 0)
  const inElements = k.inputs.reduce((n, o) => Math.max(n, o ? elementCount(o.shape) : 0), 0)
  if (opClass === 'view') return { flops: 0, bytesRead: 0, bytesWritten: 0, weightBytes: 0 }
  const moved =
    opClass === 'gather' || opClass === 'copy'
      ? Math.min(sumBytes(k.inputs), 2 * sumBytes(k.outputs))
      : sumBytes(k.inputs)
  const perElement = MOVES_ONLY.has(opClass) ? 0 : (FLOPS_PER_ELEMENT[opClass] ?? 1)
  const pointwise =
    perElement *
    (opClass === 'reduce' || opClass === 'pool' ? Math.max(inElements, outElements * g.kernelArea) : outElements)
  const contraction = CONTRACTIONS.has(opClass)
    ? 2 * g.batch * g.groups * g.m * g.k * g.n * (opClass === 'recurrent' ? g.outer : 1)
    : 0
  return {
    flops: contraction > 0 ? contraction : pointwise,
    bytesRead: moved,
    bytesWritten: sumBytes(k.outputs),
    weightBytes: sumBytes(k.inputs.filter((o) => o?.constant)),
  }
}

/** Work of a kernel: by its record where that can tell, else by shape. `weightBytes` counts constant operands either way. */
export function workOf(k: Kernel, g: Geometry): Work {
  const byShape = workByShape(k, g)
  const byRecord = workByRecord(k)
  return byRecord ? { ...byRecord, weightBytes: Math.min(byShape.weightBytes, byRecord.bytesRead) } : byShape
}
