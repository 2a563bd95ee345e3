// The activations that ONNX Runtime fuses into Conv, Gemm and MatMul, and the Gelu forms it has operators for.
import { UnsupportedError } from '../../base/errors.ts'
import { getFloats, getText } from '../attribute.ts'
import { erf } from '../kernels/erf.ts'
import type { Call } from '../op.ts'
import { TRANSCENDENTAL_FLOPS } from './define.ts'

export type Activation = (x: number) => number

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high)
const hardSigmoid = (x: number, alpha: number, beta: number): number => clip(alpha * x + beta, 0, 1)

/** x Phi(x), exact. */
export const gelu = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2))
/** The tanh approximation. */
export const fastGelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
/** x sigmoid(alpha x). */
export const quickGelu =
  (alpha: number): Activation =>
  (x) =>
    x * sigmoid(alpha * x)

interface Fused {
  readonly flops: number
  apply(x: number, parameters: readonly number[]): number
}

const FUSED: Readonly<Record<string, Fused>> = {
  Relu: { flops: 1, apply: (x) => Math.max(x, 0) },
  LeakyRelu: { flops: 2, apply: (x, [alpha = 0.01]) => (x < 0 ? alpha * x : x) },
  Clip: { flops: 2, apply: (x, [low = -Infinity, high = Infinity]) => clip(x, low, high) },
  HardSigmoid: { flops: 4, apply: (x, [alpha = 0.2, beta = 0.5]) => hardSigmoid(x, alpha, beta) },
  HardSwish: { flops: 5, apply: (x) => x * hardSigmoid(x, 1 / 6, 0.5) },
  Sigmoid: { flops: TRANSCENDENTAL_FLOPS, apply: sigmoid },
  Tanh: { flops: TRANSCENDENTAL_FLOPS, apply: Math.tanh },
  Elu: { flops: TRANSCENDENTAL_FLOPS, apply: (x, [alpha = 1]) => (x < 0 ? alpha * Math.expm1(x) : x) },
  Softsign: { flops: 2, apply: (x) => x / (1 + Math.abs(x)) },
  Softplus: { flops: 2 * TRANSCENDENTAL_FLOPS, apply: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) },
  Gelu: { flops: TRANSCENDENTAL_FLOPS, apply: gelu },
  QuickGelu: { flops: TRANSCENDENTAL_FLOPS, apply: (x, [alpha = 1.702]) => quickGelu(alpha)(x) },
  Silu: { flops: TRANSCENDENTAL_FLOPS, apply: (x) => x * sigmoid(x) },
}

/** Flops that the fused activation of a call adds per element; 0 without one. */
export function activationFlops(call: Call): number {
  const name = getText(call.attributes, 'activation', '')
  return FUSED[name]?.flops ?? (name === '' ? 0 : TRANSCENDENTAL_FLOPS)
}

/** The activation that `activation` and its parameters name, or null without one. */
export function activationOf(call: Call): Activation | null {
  const name = getText(call.attributes, 'activation', '')
  if (name === '') return null
  const fused = FUSED[name]
  if (!fused) throw new UnsupportedError(`activation ${name} of ${call.domain}:${call.op}`)
  const parameters = getFloats(call.attributes, 'activation_params', null) ?? separateParameters(call)
  return (x) => fused.apply(x, parameters)
}

/** FusedGemm and FusedMatMulActivation name theirs one by one. */
function separateParameters(call: Call): number[] {
  return ['activation_alpha', 'activation_beta', 'activation_gamma'].flatMap((name) => {
    const a = call.attributes[name]
    return a?.kind === 'float' ? [a.value] : []
  })
}
