// Activation functions, element by element. Defaults of attributes are what float32 holds of them, as a model file would.
import { getFloat, getText } from '../attribute.ts'
import { erf } from '../kernels/erf.ts'
import type { AttributeSpec, Call, Law, Op } from '../op.ts'
import { binary, many, operandOf, TRANSCENDENTAL_FLOPS, unary } from './define.ts'
import { operand, reject } from './operands.ts'

type Parameters = Readonly<Record<string, number>>
interface Activation<P extends Parameters> {
  readonly since: number
  /** Float attributes and their defaults. */
  readonly parameters: P
  readonly f: (x: number, p: P) => number
  readonly laws?: readonly Law[]
  /** Monotone where this holds of the parameters. */
  readonly monotoneIf?: (p: P) => boolean
  readonly zeroPreservingIf?: (p: P) => boolean
  readonly torch?: string
  readonly flops?: number
  readonly takesIntegers?: boolean
}

function activation<P extends Parameters>(name: string, a: Activation<P>): Op {
  const entries = Object.entries(a.parameters).map(([key, value]) => [key, Math.fround(value)] as const)
  const parametersOf = (call: Call): P =>
    Object.fromEntries(entries.map(([key, standard]) => [key, getFloat(call.attributes, key, standard)])) as P
  const attributes = Object.fromEntries(
    entries.map(([key, value]): [string, AttributeSpec] => [key, { kind: 'float', default: value }]),
  )
  const conditional = a.monotoneIf || a.zeroPreservingIf
  return unary({
    name,
    since: a.since,
    attributes,
    accepts: a.takesIntegers ? 'number' : 'float',
    laws: a.laws ?? [],
    ...(a.torch && { torch: { target: a.torch } }),
    flops: a.flops ?? TRANSCENDENTAL_FLOPS,
    ...(conditional && { conditionalLaws: (call: Call) => conditionalLaws(a, parametersOf(call)) }),
    compute: (call) => {
      const p = parametersOf(call)
      return (x) => a.f(x, p)
    },
  })
}

function conditionalLaws<P extends Parameters>(a: Activation<P>, p: P): readonly Law[] {
  const monotone: readonly Law[] = a.monotoneIf?.(p) ? ['monotone'] : []
  return a.zeroPreservingIf?.(p) ? [...monotone, 'zero-preserving'] : monotone
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
const hardSigmoid = (x: number, alpha: number, beta: number): number => Math.max(0, Math.min(1, alpha * x + beta))
const swish = (x: number, alpha: number): number => x * sigmoid(alpha * x)
const geluErf = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2))
const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

function shrink(x: number, bias: number, lambda: number): number {
  if (x < -lambda) return x + bias
  return x > lambda ? x - bias : 0
}

const gelu = unary({
  name: 'Gelu',
  since: 20,
  attributes: { approximate: { kind: 'string', default: 'none' } },
  laws: ['zero-preserving'],
  torch: { target: 'torch.nn.functional.gelu' },
  flops: 2 * TRANSCENDENTAL_FLOPS,
  compute: (call) => (approximationOf(call) === 'tanh' ? geluTanh : geluErf),
})

function approximationOf(call: Call): string {
  const name = getText(call.attributes, 'approximate', 'none')
  return name === 'none' || name === 'tanh' ? name : reject(call, 'approximate none or tanh', name)
}

/** x where x >= 0, else slope * x. The slope broadcasts to x; before opset 7 it is one per channel. */
const prelu = binary({
  name: 'PRelu',
  since: 1,
  laws: ['zero-preserving'],
  torch: { target: 'torch.nn.functional.prelu' },
  compute: () => (x, slope) => (x < 0 ? slope * x : x),
})

const LOWEST = -3.4028234663852886e38

/** Bounds are attributes before opset 11, then optional scalar inputs. */
const clip = many({
  name: 'Clip',
  since: 1,
  attributes: { min: { kind: 'float', default: LOWEST }, max: { kind: 'float', default: -LOWEST } },
  laws: ['idempotent', 'monotone'],
  torch: { target: 'torch.clamp' },
  infer: (call) => {
    const { dtype } = operandOf(call, 0, 'number')
    for (const bound of call.inputs.slice(1))
      if (bound && (bound.dtype !== dtype || bound.shape.length > 1))
        reject(call, `a scalar bound of dtype ${dtype}`, bound.dtype)
  },
  compute: (call) => {
    const low = getFloat(call.attributes, 'min', Number.NEGATIVE_INFINITY)
    const high = getFloat(call.attributes, 'max', Number.POSITIVE_INFINITY)
    if (call.opset < 11) return ([x]) => Math.min(Math.max(x!, low), high)
    const [bounded, capped] = [call.inputs[1] != null, call.inputs[2] != null]
    return ([x, min, max]) => {
      const raised = bounded ? Math.max(x!, min!) : x!
      return capped ? Math.min(raised, max!) : raised
    }
  },
})

/** swish(a) * b; no broadcasting. */
const swiGlu = binary({
  name: 'SwiGLU',
  since: 28,
  attributes: { alpha: { kind: 'float', default: 1 } },
  laws: ['zero-preserving'],
  flops: TRANSCENDENTAL_FLOPS,
  linearIn: (call) => [operand(call, 1) && 1],
  compute: (call) => {
    const alpha = getFloat(call.attributes, 'alpha', 1)
    return (a, b) => swish(a, alpha) * b
  },
})

export const elementwiseActivation: readonly Op[] = [
  activation('Relu', {
    since: 1,
    parameters: {},
    takesIntegers: true,
    flops: 1,
    laws: ['idempotent', 'monotone', 'zero-preserving'],
    torch: 'torch.relu',
    f: (x) => Math.max(x, 0),
  }),
  activation('Sigmoid', { since: 1, parameters: {}, laws: ['monotone'], torch: 'torch.sigmoid', f: sigmoid }),
  activation('Tanh', {
    since: 1,
    parameters: {},
    laws: ['monotone', 'zero-preserving'],
    torch: 'torch.tanh',
    f: Math.tanh,
  }),
  activation('Softplus', {
    since: 1,
    parameters: {},
    laws: ['monotone'],
    torch: 'torch.nn.functional.softplus',
    f: softplus,
  }),
  activation('Softsign', {
    since: 1,
    parameters: {},
    flops: 4,
    laws: ['monotone', 'zero-preserving'],
    torch: 'torch.nn.functional.softsign',
    f: (x) => x / (1 + Math.abs(x)),
  }),
  activation('HardSwish', {
    since: 14,
    parameters: {},
    flops: 4,
    laws: ['zero-preserving'],
    torch: 'torch.nn.functional.hardswish',
    f: (x) => x * hardSigmoid(x, 1 / 6, 0.5),
  }),
  activation('Mish', {
    since: 18,
    parameters: {},
    flops: 2 * TRANSCENDENTAL_FLOPS,
    laws: ['zero-preserving'],
    torch: 'torch.nn.functional.mish',
    f: (x) => x * Math.tanh(softplus(x)),
  }),
  activation('HardSigmoid', {
    since: 1,
    parameters: { alpha: 0.2, beta: 0.5 },
    flops: 4,
    monotoneIf: (p) => p.alpha >= 0,
    zeroPreservingIf: (p) => p.beta <= 0,
    torch: 'torch.nn.functional.hardsigmoid',
    f: (x, p) => hardSigmoid(x, p.alpha, p.beta),
  }),
  activation('LeakyRelu', {
    since: 1,
    parameters: { alpha: 0.01 },
    flops: 2,
    laws: ['zero-preserving'],
    monotoneIf: (p) => p.alpha >= 0,
    torch: 'torch.nn.functional.leaky_relu',
    f: (x, p) => (x < 0 ? p.alpha * x : x),
  }),
  activation('Elu', {
    since: 1,
    parameters: { alpha: 1 },
    laws: ['zero-preserving'],
    monotoneIf: (p) => p.alpha >= 0,
    torch: 'torch.nn.functional.elu',
    f: (x, p) => (x < 0 ? p.alpha * Math.expm1(x) : x),
  }),
  activation('Celu', {
    since: 12,
    parameters: { alpha: 1 },
    laws: ['zero-preserving'],
    monotoneIf: (p) => p.alpha > 0,
    torch: 'torch.nn.functional.celu',
    f: (x, p) => Math.max(0, x) + Math.min(0, p.alpha * Math.expm1(x / p.alpha)),
  }),
  activation('Selu', {
    since: 1,
    parameters: { alpha: 1.6732632423543772, gamma: 1.0507009873554805 },
    laws: ['zero-preserving'],
    monotoneIf: (p) => p.gamma >= 0 && p.alpha >= 0,
    torch: 'torch.selu',
    f: (x, p) => p.gamma * (x > 0 ? x : p.alpha * Math.expm1(x)),
  }),
  activation('ThresholdedRelu', {
    since: 10,
    parameters: { alpha: 1 },
    flops: 1,
    laws: ['idempotent', 'zero-preserving'],
    monotoneIf: (p) => p.alpha >= 0,
    f: (x, p) => (x > p.alpha ? x : 0),
  }),
  activation('Shrink', {
    since: 9,
    parameters: { bias: 0, lambd: 0.5 },
    flops: 2,
    takesIntegers: true,
    monotoneIf: (p) => p.lambd >= 0 && p.bias <= p.lambd,
    zeroPreservingIf: (p) => p.lambd >= 0,
    f: (x, p) => shrink(x, p.bias, p.lambd),
  }),
  activation('Swish', {
    since: 24,
    parameters: { alpha: 1 },
    laws: ['zero-preserving'],
    torch: 'torch.nn.functional.silu',
    f: (x, p) => swish(x, p.alpha),
  }),
  gelu,
  prelu,
  clip,
  swiGlu,
]
