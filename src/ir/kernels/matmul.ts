// Products of matrices in float64, for the reference interpreter and for folding constants. Plain JavaScript: the right
// operand is packed in panels of four columns, and four by four sums are held in locals, which V8 keeps in registers.

const TILE = 4

/** Where a matrix starts inside a larger array; all are row-major and dense. */
export interface Offsets {
  readonly a: number
  readonly b: number
  readonly out: number
}

/** Product of two matrices. a: [m, k], b: [k, n] -> [m, n], all row-major. */
export function matmul(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const out = new Float64Array(m * n)
  matmulInto(out, a, b, m, k, n, { a: 0, b: 0, out: 0 })
  return out
}

/** The same between slices of larger arrays; overwrites [m, n] elements of `out`. */
export function matmulInto(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  m: number,
  k: number,
  n: number,
  at: Offsets,
): void {
  if (m < TILE) {
    rowsTimesMatrix(out, a, b, m, k, n, at)
    return
  }
  const panel = new Float64Array(k * TILE)
  const whole = n - (n % TILE)
  for (let j = 0; j < whole; j += TILE) {
    packPanel(panel, b, k, n, at.b + j)
    multiplyPanel(out, a, panel, m, k, n, at.a, at.out + j)
  }
  for (let j = whole; j < n; j++) columnTimesMatrix(out, a, b, m, k, n, at, j)
}

function packPanel(panel: Float64Array, b: Float64Array, k: number, n: number, start: number): void {
  for (let p = 0, from = start, to = 0; p < k; p++, from += n, to += TILE) {
    panel[to] = b[from]!
    panel[to + 1] = b[from + 1]!
    panel[to + 2] = b[from + 2]!
    panel[to + 3] = b[from + 3]!
  }
}

/** Four columns of the product; the long body is the register tile, unrolled by hand. */
function multiplyPanel(
  out: Float64Array,
  a: Float64Array,
  panel: Float64Array,
  m: number,
  k: number,
  n: number,
  aStart: number,
  outStart: number,
): void {
  let i = 0
  for (; i + 1 < m; i += 2) {
    let s00 = 0
    let s01 = 0
    let s02 = 0
    let s03 = 0
    let s10 = 0
    let s11 = 0
    let s12 = 0
    let s13 = 0
    const row0 = aStart + i * k
    const row1 = row0 + k
    for (let p = 0, q = 0; p < k; p++, q += TILE) {
      const x0 = a[row0 + p]!
      const x1 = a[row1 + p]!
      const y0 = panel[q]!
      const y1 = panel[q + 1]!
      const y2 = panel[q + 2]!
      const y3 = panel[q + 3]!
      s00 += x0 * y0
      s01 += x0 * y1
      s02 += x0 * y2
      s03 += x0 * y3
      s10 += x1 * y0
      s11 += x1 * y1
      s12 += x1 * y2
      s13 += x1 * y3
    }
    const to = outStart + i * n
    out[to] = s00
    out[to + 1] = s01
    out[to + 2] = s02
    out[to + 3] = s03
    out[to + n] = s10
    out[to + n + 1] = s11
    out[to + n + 2] = s12
    out[to + n + 3] = s13
  }
  if (i < m) lastRowTimesPanel(out, a, panel, k, aStart + i * k, outStart + i * n)
}

function lastRowTimesPanel(
  out: Float64Array,
  a: Float64Array,
  panel: Float64Array,
  k: number,
  row: number,
  to: number,
): void {
  for (let j = 0; j < TILE; j++) {
    let sum = 0
    for (let p = 0; p < k; p++) sum += a[row + p]! * panel[p * TILE + j]!
    out[to + j] = sum
  }
}

/** Few rows: packing would cost more than it saves; runs along the rows of b. */
function rowsTimesMatrix(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  m: number,
  k: number,
  n: number,
  at: Offsets,
): void {
  for (let i = 0; i < m; i++) {
    const to = at.out + i * n
    out.fill(0, to, to + n)
    for (let p = 0; p < k; p++) {
      const x = a[at.a + i * k + p]!
      const row = at.b + p * n
      for (let j = 0; j < n; j++) out[to + j] = out[to + j]! + x * b[row + j]!
    }
  }
}

function columnTimesMatrix(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  m: number,
  k: number,
  n: number,
  at: Offsets,
  j: number,
): void {
  for (let i = 0; i < m; i++) {
    let sum = 0
    for (let p = 0; p < k; p++) sum += a[at.a + i * k + p]! * b[at.b + p * n + j]!
    out[at.out + i * n + j] = sum
  }
}
