// Element-wise functions of one operand: sign, rounding, powers, exponentials, trigonometry, erf.
import { type Dim, mulDims } from '../dim.ts'
import { erf } from '../kernels/erf.ts'
import type { Law, Op } from '../op.ts'
import { type Accepts, linearOnFloats, TRANSCENDENTAL_FLOPS, unary } from './define.ts'

interface Math1 {
  readonly since: number
  readonly f: (x: number) => number
  readonly accepts?: Accepts
  readonly laws?: readonly Law[]
  readonly torch?: string
  readonly flops?: number
  readonly linear?: boolean
  readonly dims?: (x: Dim) => Dim | null
}

const math = (name: string, m: Math1): Op =>
  unary({
    name,
    since: m.since,
    accepts: m.accepts ?? 'float',
    laws: m.laws ?? [],
    torch: { target: m.torch ?? `torch.${name.toLowerCase()}` },
    flops: m.flops ?? TRANSCENDENTAL_FLOPS,
    ...(m.linear && { linearIn: linearOnFloats(0) }),
    ...(m.dims && { dims: (x?: Dim) => m.dims!(x!) }),
    compute: () => m.f,
  })

/** Ties go to the even neighbour; the sign stays, of zeros too. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  const down = rest < 0.5 || (rest === 0.5 && floor % 2 === 0)
  const rounded = down ? floor : floor + 1
  return rounded === 0 && x < 0 ? -0 : rounded
}

const same = (x: Dim): Dim => x
const rounding: readonly Law[] = ['idempotent', 'monotone', 'zero-preserving']

export const elementwiseMath: readonly Op[] = [
  math('Abs', {
    since: 1,
    accepts: 'number',
    flops: 1,
    laws: ['idempotent', 'zero-preserving'],
    f: Math.abs,
    dims: (x) => (typeof x === 'number' ? Math.abs(x) : null),
  }),
  math('Neg', {
    since: 1,
    accepts: 'number',
    flops: 1,
    laws: ['involution', 'zero-preserving'],
    linear: true,
    f: (x) => -x,
    dims: (x) => mulDims(x, -1),
  }),
  math('Sign', { since: 9, accepts: 'number', flops: 1, laws: rounding, f: Math.sign }),
  math('Floor', { since: 1, flops: 1, laws: rounding, f: Math.floor, dims: same }),
  math('Ceil', { since: 1, flops: 1, laws: rounding, f: Math.ceil, dims: same }),
  math('Round', { since: 11, flops: 1, laws: rounding, f: roundHalfEven, dims: same }),
  math('Reciprocal', { since: 1, flops: 4, laws: ['involution'], f: (x) => 1 / x }),
  math('Sqrt', { since: 1, flops: 4, laws: ['monotone', 'zero-preserving'], f: Math.sqrt }),
  math('Exp', { since: 1, laws: ['monotone'], f: Math.exp }),
  math('Log', { since: 1, laws: ['monotone'], f: Math.log }),
  math('Erf', { since: 9, accepts: 'number', laws: ['monotone', 'zero-preserving'], f: erf }),
  math('Sin', { since: 7, laws: ['zero-preserving'], f: Math.sin }),
  math('Cos', { since: 7, f: Math.cos }),
  math('Tan', { since: 7, laws: ['zero-preserving'], f: Math.tan }),
  math('Asin', { since: 7, laws: ['monotone', 'zero-preserving'], f: Math.asin }),
  math('Acos', { since: 7, f: Math.acos }),
  math('Atan', { since: 7, laws: ['monotone', 'zero-preserving'], f: Math.atan }),
  math('Sinh', { since: 9, laws: ['monotone', 'zero-preserving'], f: Math.sinh }),
  math('Cosh', { since: 9, f: Math.cosh }),
  math('Asinh', { since: 9, laws: ['monotone', 'zero-preserving'], f: Math.asinh }),
  math('Acosh', { since: 9, laws: ['monotone'], f: Math.acosh }),
  math('Atanh', { since: 9, laws: ['monotone', 'zero-preserving'], f: Math.atanh }),
]
