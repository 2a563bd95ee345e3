// What the learned models see of a kernel: one table row per feature, with unit, range and meaning. The table is the only
// definition: columns, documentation and the copy that is stored with the weights derive from it. Change it in any way and
// FEATURE_VERSION must rise; weights of another version are refused on load.
// Source of the list: measured on 28,755 kernel runs of ONNX Runtime (docs on the cost model); tile waste and dimensions
// modulo 8-64 were tried there and did not help; the layout feature is what ranking lives on.
import { shortHash } from '../base/hash.ts'
import { bytesOf, DTYPES } from '../ir/dtype.ts'
import type { Work } from '../ir/op.ts'
import { elementCount } from '../ir/shape.ts'
import { type Geometry, geometryOf, largestInput } from './geometry.ts'
import type { Kernel, KernelTable } from './kernel.ts'
import { isBlocked, KNOWN_OPS, OP_CLASSES, type OpClass, opClassOf } from './op-class.ts'
import { workOf } from './work.ts'

export const FEATURE_VERSION = 1

export type FeatureUnit = 'log1p(count)' | 'log1p(bytes)' | 'log1p(flop)' | 'log(ratio)' | 'count' | 'flag'

/** Everything that a feature may look at. */
export interface KernelFacts {
  readonly kernel: Kernel
  readonly opClass: OpClass
  readonly geometry: Geometry
  readonly work: Work
}

export interface Feature {
  readonly name: string
  readonly unit: FeatureUnit
  /** Smallest and largest possible value. */
  readonly range: readonly [number, number]
  readonly meaning: string
  compute(facts: KernelFacts): number
}

/** Logarithms of sizes: up to 2^53. */
const LOG_MAX = 37

const logged = (name: string, unit: FeatureUnit, meaning: string, of: (f: KernelFacts) => number): Feature => ({
  name,
  unit,
  range: [0, LOG_MAX],
  meaning,
  compute: (f) => Math.log1p(Math.max(0, of(f))),
})
const flag = (name: string, meaning: string, of: (f: KernelFacts) => boolean): Feature => ({
  name,
  unit: 'flag',
  range: [0, 1],
  meaning,
  compute: (f) => (of(f) ? 1 : 0),
})
const ratio = (name: string, meaning: string, of: (f: KernelFacts) => number): Feature => ({
  name,
  unit: 'log(ratio)',
  range: [-LOG_MAX, LOG_MAX],
  meaning,
  compute: (f) => Math.log(of(f)),
})
const count = (name: string, max: number, meaning: string, of: (f: KernelFacts) => number): Feature => ({
  name,
  unit: 'count',
  range: [0, max],
  meaning,
  compute: (f) => Math.min(max, of(f)),
})

const outElements = (f: KernelFacts): number => f.kernel.outputs.reduce((n, o) => n + elementCount(o.shape), 0)
const inElements = (f: KernelFacts): number => elementCount(largestInput(f.kernel)?.shape ?? [])
const bytes = (f: KernelFacts): number => f.work.bytesRead + f.work.bytesWritten
const attribute = (f: KernelFacts, name: string): unknown => f.kernel.attributes[name]
const isProduct = (f: KernelFacts): boolean => f.opClass === 'matmul' || f.opClass.startsWith('conv')
const dtypeBits = (f: KernelFacts): number => DTYPES[f.kernel.inputs.find((o) => o)?.dtype ?? 'float32'].bits
const inputDtypeKind = (f: KernelFacts): string => DTYPES[f.kernel.inputs.find((o) => o)?.dtype ?? 'float32'].kind

/** Largest second operand of a kernel, relative to the output: how it is broadcast. */
function secondOperand(f: KernelFacts): number | null {
  const present = f.kernel.inputs.filter((o) => o !== null)
  return present.length < 2 ? null : Math.min(...present.map((o) => elementCount(o.shape)))
}

/** Activation that the runtime fused into the kernel. */
function fusedActivation(f: KernelFacts): string {
  const a = attribute(f, 'activation')
  return typeof a === 'string' && a !== '' ? a : 'none'
}

const SIZES: readonly Feature[] = [
  logged('flops', 'log1p(flop)', 'floating-point operations', (f) => f.work.flops),
  logged('bytesRead', 'log1p(bytes)', 'bytes of all operands that are read', (f) => f.work.bytesRead),
  logged('bytesWritten', 'log1p(bytes)', 'bytes of all results', (f) => f.work.bytesWritten),
  logged('weightBytes', 'log1p(bytes)', 'the constant part of bytesRead', (f) => f.work.weightBytes),
  logged('largestOperand', 'log1p(bytes)', 'bytes of the largest input', (f) => {
    const o = largestInput(f.kernel)
    return o ? bytesOf(o.dtype, elementCount(o.shape)) : 0
  }),
  ratio('intensity', 'flops per byte moved', (f) => (f.work.flops + 1) / (bytes(f) + 1)),
  ratio(
    'outInRatio',
    'elements written per element of the largest input',
    (f) => (outElements(f) + 1) / (inElements(f) + 1),
  ),
  logged('m', 'log1p(count)', 'rows of a product; output channels per group of a convolution', (f) => f.geometry.m),
  logged('k', 'log1p(count)', 'contracted size', (f) => f.geometry.k),
  logged('n', 'log1p(count)', 'columns of a product; output positions of a convolution', (f) => f.geometry.n),
  logged('smallestOfMKN', 'log1p(count)', 'smallest of m, k, n', (f) =>
    Math.min(f.geometry.m, f.geometry.k, f.geometry.n),
  ),
  logged('batch', 'log1p(count)', 'independent products or images', (f) => f.geometry.batch),
  logged('groups', 'log1p(count)', 'groups of a convolution', (f) => f.geometry.groups),
  logged('kernelArea', 'log1p(count)', 'taps of a convolution or pooling window', (f) => f.geometry.kernelArea),
  logged('strideArea', 'log1p(count)', 'product of the strides of a window', (f) => f.geometry.strideArea),
  logged('dilation', 'log1p(count)', 'largest dilation of a window', (f) => f.geometry.dilation),
  logged(
    'reduced',
    'log1p(count)',
    'elements combined into one by a reduction, softmax or normalisation',
    (f) => f.geometry.reduced,
  ),
  logged('inner', 'log1p(count)', 'contiguous elements handled alike', (f) => f.geometry.inner),
  logged('outer', 'log1p(count)', 'repetitions of the inner run', (f) => f.geometry.outer),
  count(
    'movedAxes',
    8,
    'axes that a transposition moves; transposed operands of a product',
    (f) => f.geometry.movedAxes,
  ),
  count('inputs', 8, 'operands that are present', (f) => f.kernel.inputs.filter((o) => o !== null).length),
  count('outputs', 8, 'results', (f) => f.kernel.outputs.length),
  count('rank', 8, 'rank of the first result', (f) => f.kernel.outputs[0]?.shape.length ?? 0),
  logged(
    'lastDim',
    'log1p(count)',
    'last dimension of the first result',
    (f) => f.kernel.outputs[0]?.shape.at(-1) ?? 1,
  ),
  count('bits', 64, 'bits of an element of the first operand', dtypeBits),
]

const FLAGS: readonly Feature[] = [
  flag('blocked', "reads and writes ONNX Runtime's blocked NCHWc layout", (f) => isBlocked(f.kernel.op)),
  flag(
    'constantWeight',
    'the second operand is constant, so that it may be packed before the run',
    (f) => f.kernel.inputs[1]?.constant === true,
  ),
  flag('anyConstant', 'some operand is constant', (f) => f.kernel.inputs.some((o) => o?.constant === true)),
  flag('depthwise', 'one input channel per group', (f) => f.opClass === 'conv-depthwise'),
  flag('strided', 'a window with a stride', (f) => f.geometry.strideArea > 1),
  flag('bias', 'a product with a third operand', (f) => isProduct(f) && !!f.kernel.inputs[2]),
  flag('residual', 'a convolution that adds a fourth operand', (f) => isProduct(f) && !!f.kernel.inputs[3]),
  flag('scalarOperand', 'some operand is a single element', (f) => secondOperand(f) === 1),
  flag(
    'broadcast',
    'some operand is smaller than the first result',
    (f) => (secondOperand(f) ?? Infinity) < outElements(f),
  ),
  flag('transA', 'the first operand of a product is transposed', (f) => Number(attribute(f, 'transA') ?? 0) !== 0),
  flag('transB', 'the second operand of a product is transposed', (f) => Number(attribute(f, 'transB') ?? 0) !== 0),
  flag('keepsLastAxis', 'the innermost run is longer than one element', (f) => f.geometry.inner > 1),
  flag('integer', 'the first operand holds integers or booleans', (f) => inputDtypeKind(f) !== 'float'),
  flag('cubic', 'cubic interpolation', (f) => attribute(f, 'mode') === 'cubic'),
  flag('linear', 'linear interpolation', (f) => attribute(f, 'mode') === 'linear'),
  ...['Relu', 'Clip', 'LeakyRelu', 'HardSigmoid', 'HardSwish', 'Sigmoid', 'Tanh', 'Gelu', 'none'].map((name) =>
    flag(`activation:${name}`, `fused activation is ${name}`, (f) => fusedActivation(f) === name),
  ),
]

const CLASSES = OP_CLASSES.map((c) => flag(`class:${c}`, `operator class is ${c}`, (f) => f.opClass === c))
const OPERATORS = KNOWN_OPS.map((op) => flag(`op:${op}`, `operator is ${op}`, (f) => f.kernel.op === op))

/** All features in column order. */
export const FEATURES: readonly Feature[] = [...SIZES, ...FLAGS, ...CLASSES, ...OPERATORS]

/** Fingerprint of the table's text: tells an edited table from the one that weights were trained on. */
export const FEATURE_FINGERPRINT = shortHash(FEATURES.map((f) => `${f.name}|${f.unit}|${f.meaning}`).join('\n'))

export function kernelFacts(kernel: Kernel): KernelFacts {
  const geometry = geometryOf(kernel)
  return { kernel, opClass: opClassOf(kernel), geometry, work: workOf(kernel, geometry) }
}

/** Row-major [kernels, FEATURES.length]; every value finite and within its feature's range. */
export function featureMatrix(facts: readonly KernelFacts[]): Float32Array {
  const width = FEATURES.length
  const out = new Float32Array(facts.length * width)
  facts.forEach((f, row) => {
    writeDense(f, out, row * width)
    writeOneHots(f, out, row * width)
  })
  return out
}

const DENSE = SIZES.length + FLAGS.length
const opColumn = new Map(KNOWN_OPS.map((op, i) => [op, DENSE + OP_CLASSES.length + i]))
const classColumn = new Map(OP_CLASSES.map((c, i) => [c, DENSE + i]))

function writeDense(f: KernelFacts, out: Float32Array, at: number): void {
  for (let i = 0; i < DENSE; i++) {
    const feature = FEATURES[i]!
    const [low, high] = feature.range
    out[at + i] = Math.min(high, Math.max(low, feature.compute(f)))
  }
}

/** The same as computing each one-hot flag, without visiting a hundred of them. */
function writeOneHots(f: KernelFacts, out: Float32Array, at: number): void {
  out[at + classColumn.get(f.opClass)!] = 1
  const column = opColumn.get(f.kernel.op)
  if (column !== undefined) out[at + column] = 1
}

/** Facts of every kernel of a table. */
export const factsOf = (kernels: KernelTable): KernelFacts[] => kernels.map(kernelFacts)
