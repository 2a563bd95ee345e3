// A kernel that was seen in a real graph, put into a synthetic one: the ONNX program that a runtime turns into that kernel
// again. Not every kernel can be: contents of inputs (indices, axes) are not part of a kernel, and some follow from shapes only.
import { type Attributes, float, int, ints } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { findOp } from '../../ir/ops/index.ts'
import { elementCount } from '../../ir/shape.ts'
import { numberAttribute, numbersAttribute } from '../geometry.ts'
import type { Kernel, KernelOperand } from '../kernel.ts'
import { isBlocked, opClassOf } from '../op-class.ts'
import { plainToAttribute } from '../work.ts'
import { ELEMENT_LIMIT, type Kit } from './kit.ts'

type Rebuilder = (kit: Kit, k: Kernel) => ValueId | null

/** Twice the synthetic limit: seen kernels may be larger than drawn ones. */
const SEEN_LIMIT = 2 * ELEMENT_LIMIT

/** The kernel's result in the graph, or null where it cannot be made again. */
export function rebuild(kit: Kit, k: Kernel): ValueId | null {
  const operands = [...k.inputs, ...k.outputs].filter((o) => o !== null)
  if (operands.some((o) => o.dtype !== 'float32' && o.dtype !== 'int64')) return null
  if (operands.some((o) => elementCount(o.shape) > SEEN_LIMIT || o.shape.includes(0))) return null
  const maker = REBUILDERS[k.op] ?? (PLAIN_CLASSES.has(opClassOf(k)) && !isBlocked(k.op) ? plain : null)
  return maker ? maker(kit, k) : null
}

const PLAIN_CLASSES: ReadonlySet<string> = new Set([
  'elementwise',
  'activation',
  'softmax',
  'norm',
  'matmul',
  'conv-transpose',
  'pool',
])

function operand(kit: Kit, o: KernelOperand | null): ValueId | null {
  if (!o) return null
  return o.constant ? kit.weight(o.shape, o.shape.at(-2) ?? 1) : kit.fed(o.shape)
}

const isFloat32 = (o: KernelOperand | null): boolean => !o || o.dtype === 'float32'

/** The same node again. */
const plain: Rebuilder = (kit, k) => {
  if (!k.inputs.every(isFloat32)) return null
  const op = findByName(k.op)
  if (!op) return null
  const attributes: Record<string, ReturnType<typeof plainToAttribute>> = {}
  for (const [name, value] of Object.entries(k.attributes))
    attributes[name] = plainToAttribute(value, op.attributes[name])
  return kit.op(
    k.op,
    k.inputs.map((o) => operand(kit, o)),
    attributes as Attributes,
  )
}

const findByName = (name: string) => {
  const colon = name.indexOf(':')
  return findOp(name.slice(0, Math.max(0, colon)), name.slice(colon + 1))
}

/** Blocked and fused convolutions come from plain ones: with the residual added and the activation behind. */
const conv: Rebuilder = (kit, k) => {
  const [x, w, b, z] = k.inputs
  if (!x || !w) return null
  const kernel = w.shape.slice(2)
  const ones = kernel.map(() => 1)
  const attributes = {
    kernel_shape: ints(numbersAttribute(k, 'kernel_shape', kernel)),
    strides: ints(numbersAttribute(k, 'strides', ones)),
    dilations: ints(numbersAttribute(k, 'dilations', ones)),
    pads: ints(
      numbersAttribute(
        k,
        'pads',
        [...ones, ...ones].map(() => 0),
      ),
    ),
    group: int(numberAttribute(k, 'group', 1)),
  }
  const inputs = [
    operand(kit, x),
    kit.weight(w.shape, elementCount(w.shape.slice(1))),
    ...(b ? [kit.weight(b.shape)] : []),
  ]
  const y = kit.op('Conv', inputs, attributes)
  const summed = z ? kit.op('Add', [y, kit.fed(k.outputs[0]!.shape)]) : y
  return withActivation(kit, summed, k)
}

function withActivation(kit: Kit, y: ValueId, k: Kernel): ValueId {
  const name = k.attributes.activation
  if (typeof name !== 'string' || name === '') return y
  const [a, b] = numbersAttribute(k, 'activation_params', [])
  if (name === 'Clip') return kit.op('Clip', [y, kit.scalar(a ?? 0), kit.scalar(b ?? 6)])
  if (name === 'LeakyRelu') return kit.op('LeakyRelu', [y], { alpha: float(a ?? 0.01) })
  if (name === 'HardSigmoid') return kit.op('HardSigmoid', [y], { alpha: float(a ?? 0.2), beta: float(b ?? 0.5) })
  return kit.op(name, [y])
}

const fusedGemm: Rebuilder = (kit, k) => {
  const attributes = { transA: int(numberAttribute(k, 'transA', 0)), transB: int(numberAttribute(k, 'transB', 0)) }
  if (!k.inputs.every(isFloat32)) return null
  return withActivation(
    kit,
    kit.op(
      'Gemm',
      k.inputs.map((o) => operand(kit, o)),
      attributes,
    ),
    k,
  )
}

/** A product of transposed operands: the runtime fuses the transpositions in again. */
const fusedMatMul: Rebuilder = (kit, k) => {
  const [a, b] = k.inputs
  if (!a || !b || numberAttribute(k, 'transBatchA', 0) || numberAttribute(k, 'transBatchB', 0)) return null
  const side = (o: KernelOperand, isTransposed: boolean): ValueId => {
    const value = operand(kit, o)!
    const rank = o.shape.length
    const perm = [...Array(Math.max(0, rank - 2)).keys(), rank - 1, rank - 2]
    return isTransposed && rank > 1 ? kit.op('Transpose', [value], { perm: ints(perm) }) : value
  }
  const product = kit.op('MatMul', [
    side(a, numberAttribute(k, 'transA', 0) !== 0),
    side(b, numberAttribute(k, 'transB', 0) !== 0),
  ])
  const alpha = numberAttribute(k, 'alpha', 1)
  return alpha === 1 ? product : kit.op('Mul', [product, kit.scalar(alpha)])
}

const transpose: Rebuilder = (kit, k) => {
  const shape = k.inputs[0]!.shape
  const perm = numbersAttribute(
    k,
    'perm',
    shape.map((_, i) => shape.length - 1 - i),
  )
  return isFloat32(k.inputs[0]!) ? kit.op('Transpose', [kit.fed(shape)], { perm: ints(perm) }) : null
}

const concat: Rebuilder = (kit, k) =>
  k.inputs.every(isFloat32)
    ? kit.op(
        'Concat',
        k.inputs.map((o) => operand(kit, o)),
        { axis: int(numberAttribute(k, 'axis', 0)) },
      )
    : null

/** Axes follow from where sizes differ, if dimensions were kept. */
const reduce: Rebuilder = (kit, k) => {
  const [input, output] = [k.inputs[0]!.shape, k.outputs[0]!.shape]
  if (input.length !== output.length || !isFloat32(k.inputs[0]!)) return null
  const axes = input.flatMap((d, i) => (d !== output[i] ? [i] : []))
  return axes.length === 0 ? null : kit.op(k.op, [kit.fed(input), kit.int64s(axes)], { keepdims: int(1) })
}

/** Any slice of this size costs the same: take the first one. */
const slice: Rebuilder = (kit, k) => {
  const [input, output] = [k.inputs[0]!.shape, k.outputs[0]!.shape]
  if (input.length !== output.length || !isFloat32(k.inputs[0]!)) return null
  return kit.op('Slice', [kit.fed(input), kit.int64s(output.map(() => 0)), kit.int64s(output)])
}

const gather: Rebuilder = (kit, k) => {
  const [data, ids] = k.inputs
  if (!data || !ids || !isFloat32(data)) return null
  const axis = numberAttribute(k, 'axis', 0)
  const size = data.shape.at(axis)
  return size ? kit.op('Gather', [operand(kit, data), kit.indices(ids.shape, size)], { axis: int(axis) }) : null
}

const resize: Rebuilder = (kit, k) => {
  const { attributes } = k
  const kept = ['mode', 'coordinate_transformation_mode', 'nearest_mode'].flatMap((name) => {
    const value = attributes[name]
    return typeof value === 'string' ? [[name, plainToAttribute(value, undefined)] as const] : []
  })
  return kit.op(
    'Resize',
    [kit.fed(k.inputs[0]!.shape), null, null, kit.int64s(k.outputs[0]!.shape)],
    Object.fromEntries(kept),
  )
}

/** Blocked pooling follows a convolution in the blocked layout. */
const blockedPool =
  (op: string): Rebuilder =>
  (kit, k) => {
    const shape = k.inputs[0]!.shape
    const channels = shape[1]!
    const x = kit.op('Conv', [kit.fed(shape), kit.weight([channels, 1, 1, 1])], {
      kernel_shape: ints([1, 1]),
      group: int(channels),
    })
    if (op.startsWith('Global')) return kit.op(op, [x])
    const side = numbersAttribute(k, 'kernel_shape', [2, 2])
    const attributes = {
      kernel_shape: ints(side),
      strides: ints(numbersAttribute(k, 'strides', [1, 1])),
      pads: ints(numbersAttribute(k, 'pads', [0, 0, 0, 0])),
    }
    return kit.op(op, [x], attributes)
  }

const REDUCE_OPS = [
  'ReduceMean',
  'ReduceSum',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
]
const BLOCKED = 'com.microsoft.nchwc:'

/** Old models keep the bounds as attributes, new ones as inputs. */
const clip: Rebuilder = (kit, k) => {
  const low = kit.scalar(numberAttribute(k, 'min', 0))
  return kit.op('Clip', [operand(kit, k.inputs[0]!), low, kit.scalar(numberAttribute(k, 'max', 6))])
}

const REBUILDERS: Readonly<Record<string, Rebuilder>> = {
  Conv: conv,
  'com.microsoft:FusedConv': conv,
  [`${BLOCKED}Conv`]: conv,
  'com.microsoft:FusedGemm': fusedGemm,
  Gemm: fusedGemm,
  'com.microsoft:FusedMatMul': fusedMatMul,
  Clip: clip,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Gather: gather,
  Resize: resize,
  ...Object.fromEntries(
    ['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool'].map((op) => [`${BLOCKED}${op}`, blockedPool(op)]),
  ),
  ...Object.fromEntries(REDUCE_OPS.map((op) => [op, reduce])),
}
