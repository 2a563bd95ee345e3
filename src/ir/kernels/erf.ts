// The error function in float64, to about one unit in the last place: near zero the series of which all terms have one
// sign (Abramowitz and Stegun 7.1.6), far out the continued fraction of the complement (7.1.14).

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI)
const SERIES_LIMIT = 2.5
/** Beyond it erf(x) is 1 in float64. */
const ONE_LIMIT = 6
const FRACTION_DEPTH = 60

/** erf(x) = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (a >= ONE_LIMIT) return Math.sign(x)
  return a < SERIES_LIMIT ? series(x) : Math.sign(x) * (1 - complement(a))
}

function series(x: number): number {
  const square = x * x
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * square) / (2 * n + 1)
    sum += term
  }
  return TWO_OVER_SQRT_PI * Math.exp(-square) * sum
}

function complement(x: number): number {
  let tail = x
  for (let k = FRACTION_DEPTH; k > 0; k--) tail = x + k / 2 / tail
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail)
}
