// The sizes that a kernel's time depends on, read off its operands and attributes: M, K, N of products and convolutions, the
// runs of contiguous elements that copies and reductions work on. Sizes that do not apply are 1.
import { elementCount } from '../ir/shape.ts'
import type { Kernel, KernelOperand } from './kernel.ts'
import { type OpClass, opClassOf } from './op-class.ts'

export interface Geometry {
  /** Independent products, or images. */
  readonly batch: number
  readonly m: number
  readonly k: number
  readonly n: number
  readonly groups: number
  readonly kernelArea: number
  readonly strideArea: number
  readonly dilation: number
  /** Elements combined into one output element by a reduction, softmax or normalisation. */
  readonly reduced: number
  /** Contiguous elements that are handled alike: behind the axis worked on. */
  readonly inner: number
  /** Repetitions: in front of the axis worked on. */
  readonly outer: number
  /** Axes that a transposition moves; a transposed operand of a product counts one. */
  readonly movedAxes: number
}

const NONE: Geometry = {
  batch: 1,
  m: 1,
  k: 1,
  n: 1,
  groups: 1,
  kernelArea: 1,
  strideArea: 1,
  dilation: 1,
  reduced: 1,
  inner: 1,
  outer: 1,
  movedAxes: 0,
}

export const product = (dims: readonly number[]): number => dims.reduce((p, d) => p * d, 1)

/** A number attribute, or the default. */
export function numberAttribute(k: Kernel, name: string, otherwise: number): number {
  const v = k.attributes[name]
  return typeof v === 'number' ? v : otherwise
}

/** A list-of-numbers attribute, or the default. */
export function numbersAttribute(k: Kernel, name: string, otherwise: readonly number[]): readonly number[] {
  const v = k.attributes[name]
  return Array.isArray(v) && v.every((x) => typeof x === 'number') ? (v as readonly number[]) : otherwise
}

/** The largest present input, or null. */
export function largestInput(k: Kernel): KernelOperand | null {
  let best: KernelOperand | null = null
  for (const o of k.inputs) if (o && (!best || elementCount(o.shape) > elementCount(best.shape))) best = o
  return best
}

/** Geometry of a kernel. Total: kernels that are not understood give ones. */
export function geometryOf(k: Kernel): Geometry {
  return { ...NONE, ...FINDERS[opClassOf(k)]?.(k) }
}

type Finder = (k: Kernel) => Partial<Geometry>

function convGeometry(k: Kernel): Partial<Geometry> {
  const weight = k.inputs[1]?.shape
  const output = k.outputs[0]?.shape
  if (!weight || !output || weight.length < 3 || output.length < 3) return {}
  const spatial = weight.slice(2)
  const groups = Math.max(1, numberAttribute(k, 'group', 1))
  return {
    batch: output[0]!,
    m: output[1]! / groups,
    k: weight[1]! * product(spatial),
    n: product(output.slice(2)),
    groups,
    ...windowGeometry(k, spatial),
  }
}

function windowGeometry(k: Kernel, spatial: readonly number[]): Partial<Geometry> {
  return {
    kernelArea: product(numbersAttribute(k, 'kernel_shape', spatial)),
    strideArea: product(numbersAttribute(k, 'strides', [])),
    dilation: Math.max(1, ...numbersAttribute(k, 'dilations', [])),
  }
}

function convTransposeGeometry(k: Kernel): Partial<Geometry> {
  const [input, weight] = [k.inputs[0]?.shape, k.inputs[1]?.shape]
  if (!input || !weight || input.length < 3) return {}
  const groups = Math.max(1, numberAttribute(k, 'group', 1))
  const spatial = weight.slice(2)
  const size = { batch: input[0]!, m: weight[1]! * product(spatial), k: input[1]! / groups, n: product(input.slice(2)) }
  return { ...size, groups, ...windowGeometry(k, spatial) }
}

function productGeometry(k: Kernel): Partial<Geometry> {
  if (k.op === 'Einsum') return einsumGeometry(k)
  const [a, b, out] = [k.inputs[0]?.shape, k.inputs[1]?.shape, k.outputs[0]?.shape]
  if (!a || !b || !out || a.length === 0 || b.length === 0) return {}
  const transA = numberAttribute(k, 'transA', 0) !== 0 && a.length > 1
  const transB = numberAttribute(k, 'transB', 0) !== 0 && b.length > 1
  const depth = (transA ? a.at(-2) : a.at(-1)) ?? 1
  const columns = b.length === 1 ? 1 : ((transB ? b.at(-2) : b.at(-1)) ?? 1)
  const rows = product(out) / Math.max(1, columns)
  // A matrix shared by the whole stack is one tall product.
  const batch = b.length > 2 ? product(out.slice(0, -2)) : 1
  return { batch, m: rows / Math.max(1, batch), k: depth, n: columns, movedAxes: Number(transA) + Number(transB) }
}

/** Contracted size: every label that is absent from the output. */
function einsumGeometry(k: Kernel): Partial<Geometry> {
  const equation = typeof k.attributes.equation === 'string' ? k.attributes.equation.replaceAll(' ', '') : ''
  const [left = '', right = ''] = equation.split('->')
  const sizes = new Map<string, number>()
  left.split(',').forEach((labels, i) => {
    ;[...labels].forEach((label, axis) => {
      if (/[a-zA-Z]/.test(label)) sizes.set(label, k.inputs[i]?.shape[axis] ?? 1)
    })
  })
  const contracted = [...sizes].filter(([label]) => !right.includes(label)).map(([, size]) => size)
  return { m: product(k.outputs[0]?.shape ?? []), k: product(contracted), n: 1 }
}

const axisOf = (axis: number, rank: number): number =>
  Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), Math.max(0, rank - 1))

function softmaxGeometry(k: Kernel): Partial<Geometry> {
  const shape = k.inputs[0]?.shape ?? []
  return around(shape, axisOf(numberAttribute(k, 'axis', -1), shape.length), (axis) => ({ reduced: shape[axis] ?? 1 }))
}

/** outer, inner around one axis. */
function around(shape: readonly number[], axis: number, more: (axis: number) => Partial<Geometry>): Partial<Geometry> {
  return { outer: product(shape.slice(0, axis)), inner: product(shape.slice(axis + 1)), ...more(axis) }
}

function normGeometry(k: Kernel): Partial<Geometry> {
  const shape = k.inputs[0]?.shape ?? []
  const isSpatial = /InstanceNorm|GroupNorm|LRN/.test(k.op)
  const from = isSpatial ? Math.min(2, shape.length) : axisOf(numberAttribute(k, 'axis', -1), shape.length)
  return { outer: product(shape.slice(0, from)), reduced: product(shape.slice(from)) }
}

function reduceGeometry(k: Kernel): Partial<Geometry> {
  const input = k.inputs[0]?.shape ?? []
  const output = k.outputs[0]?.shape ?? []
  const reduced = product(input) / Math.max(1, product(output))
  const axes = reducedAxes(k, input, output)
  const last = axes.at(-1)
  const inner = last === undefined ? 1 : product(input.slice(last + 1))
  return { reduced: Math.max(1, reduced), inner, outer: product(output) / Math.max(1, inner) }
}

/** Reduced axes: from the attribute, else where kept dimensions became 1, else (dropped) the earliest that fits. */
function reducedAxes(k: Kernel, input: readonly number[], output: readonly number[]): readonly number[] {
  const given = numbersAttribute(k, 'axes', 'axis' in k.attributes ? [numberAttribute(k, 'axis', 0)] : [])
  if (given.length > 0) return given.map((a) => axisOf(a, input.length)).sort((a, b) => a - b)
  if (input.length === output.length) return input.flatMap((d, i) => (d !== output[i] ? [i] : []))
  const axes: number[] = []
  let at = 0
  input.forEach((d, i) => {
    if (at < output.length && output[at] === d) at++
    else axes.push(i)
  })
  return axes
}

function transposeGeometry(k: Kernel): Partial<Geometry> {
  const shape = k.inputs[0]?.shape ?? []
  const reversed = shape.map((_, i) => shape.length - 1 - i)
  const perm = numbersAttribute(k, 'perm', reversed)
  let kept = perm.length
  while (kept > 0 && perm[kept - 1] === kept - 1) kept--
  const inner = product(shape.slice(kept))
  const moved = perm.filter((p, i) => p !== i && (shape[p] ?? 1) > 1).length
  return { inner, outer: product(shape) / Math.max(1, inner), movedAxes: moved }
}

/** Copies: the run behind the axis along which pieces are taken or joined. */
function copyGeometry(k: Kernel): Partial<Geometry> {
  const output = k.outputs[0]?.shape ?? []
  const input = largestInput(k)?.shape ?? []
  const differing = output.length === input.length ? output.findLastIndex((d, i) => d !== input[i]) : -1
  const axis = 'axis' in k.attributes ? axisOf(numberAttribute(k, 'axis', 0), output.length) : differing
  const inner = axis < 0 ? product(output) : product(output.slice(axis))
  return { inner, outer: product(output) / Math.max(1, inner) }
}

function gatherGeometry(k: Kernel): Partial<Geometry> {
  const data = k.inputs[0]?.shape ?? []
  const axis = axisOf(numberAttribute(k, 'axis', 0), data.length)
  const inner = /Elements|NonZero|OneHot/.test(k.op) ? 1 : product(data.slice(axis + 1))
  return { inner, outer: product(k.outputs[0]?.shape ?? []) / Math.max(1, inner) }
}

function poolGeometry(k: Kernel): Partial<Geometry> {
  const input = k.inputs[0]?.shape ?? []
  const output = k.outputs[0]?.shape ?? []
  const isGlobal = k.op.includes('Global')
  const area = isGlobal ? product(input.slice(2)) : product(numbersAttribute(k, 'kernel_shape', []))
  return {
    ...windowGeometry(k, []),
    kernelArea: area,
    reduced: area,
    inner: output.at(-1) ?? 1,
    outer: product(output.slice(0, -1)),
  }
}

function recurrentGeometry(k: Kernel): Partial<Geometry> {
  const [x, w, r] = k.inputs.map((o) => o?.shape ?? [])
  if (!x || !w || !r || x.length < 3) return {}
  return { batch: w[0]!, m: x[1]!, k: (w[2] ?? 1) + (r[2] ?? 1), n: w[1] ?? 1, outer: x[0]! }
}

function attentionGeometry(k: Kernel): Partial<Geometry> {
  const [q, other] = k.inputs.map((o) => o?.shape ?? [])
  const out = k.outputs[0]?.shape ?? []
  if (!q || q.length < 3) return {}
  const heads = q.length === 4 ? q[1]! : numberAttribute(k, 'num_heads', numberAttribute(k, 'q_num_heads', 1))
  const keys = other && other.length === q.length ? other.at(-2)! : q.at(-2)!
  return {
    batch: q[0]! * heads,
    m: q.at(-2)!,
    k: (out.at(-1) ?? 1) / (q.length === 4 ? 1 : Math.max(1, heads)),
    n: keys,
    reduced: keys,
  }
}

/** Element-wise kernels: the run over which every input is either full or constant. */
function elementwiseGeometry(k: Kernel): Partial<Geometry> {
  const output = k.outputs[0]?.shape ?? []
  const total = product(output)
  let inner = total
  for (const o of k.inputs) if (o) inner = Math.min(inner, broadcastRun(o.shape, output))
  return { inner, outer: total / Math.max(1, inner) }
}

/** Longest run of trailing output axes over which an operand is entirely full-size or entirely broadcast. */
function broadcastRun(shape: readonly number[], output: readonly number[]): number {
  const padded = [...new Array<number>(Math.max(0, output.length - shape.length)).fill(1), ...shape]
  let run = 1
  let mode: boolean | null = null
  for (let i = output.length - 1; i >= 0; i--) {
    if (output[i] === 1) continue
    const full = padded[i] === output[i]
    if (mode !== null && mode !== full) break
    mode = full
    run *= output[i]!
  }
  return run
}

const FINDERS: Partial<Record<OpClass, Finder>> = {
  conv: convGeometry,
  'conv-pointwise': convGeometry,
  'conv-depthwise': convGeometry,
  'conv-transpose': convTransposeGeometry,
  matmul: productGeometry,
  elementwise: elementwiseGeometry,
  activation: elementwiseGeometry,
  softmax: softmaxGeometry,
  norm: normGeometry,
  reduce: reduceGeometry,
  transpose: transposeGeometry,
  copy: copyGeometry,
  gather: gatherGeometry,
  scatter: gatherGeometry,
  pool: poolGeometry,
  resize: copyGeometry,
  attention: attentionGeometry,
  recurrent: recurrentGeometry,
}
