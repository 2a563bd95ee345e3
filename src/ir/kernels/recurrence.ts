// One direction of a recurrent layer in float64, step by step. Gate orders, activations and clipping as ONNX RNN, GRU and LSTM
// define them. Matrices are row-major; batches run together.

import { matmul } from './matmul.ts'
import { transposeLast } from './stacked.ts'

export type CellKind = 'RNN' | 'GRU' | 'LSTM'
export const GATES: Readonly<Record<CellKind, number>> = { RNN: 1, GRU: 3, LSTM: 4 }

export interface Direction {
  readonly kind: CellKind
  readonly length: number
  readonly batch: number
  readonly inputSize: number
  readonly hidden: number
  readonly reverse: boolean
  readonly x: Float64Array // [length, batch, input]
  readonly w: Float64Array // [gates * hidden, input]
  readonly r: Float64Array // [gates * hidden, hidden]
  readonly b: Float64Array | null // [2 * gates * hidden]: for w, then for r
  readonly p: Float64Array | null // [3 * hidden]: peepholes of input, output, forget
  readonly lengths: Float64Array | null // [batch]
  readonly h0: Float64Array | null // [batch, hidden]
  readonly c0: Float64Array | null
  /** f, g, h in ONNX's order. */
  readonly activations: readonly ((x: number) => number)[]
  readonly clip: number
  readonly linearBeforeReset: boolean
  readonly inputForget: boolean
}

export interface Recurred {
  readonly y: Float64Array // [length, batch, hidden]; zero past the end of a sample
  readonly h: Float64Array // [batch, hidden]
  readonly c: Float64Array
}

/** Runs the cell over the sequence. */
export function runDirection(d: Direction): Recurred {
  const width = GATES[d.kind] * d.hidden
  const y = new Float64Array(d.length * d.batch * d.hidden)
  const h = d.h0?.slice() ?? new Float64Array(d.batch * d.hidden)
  const c = d.c0?.slice() ?? new Float64Array(d.batch * d.hidden)
  const inputs = matmul(d.x, turned(d.w, width, d.inputSize), d.length * d.batch, d.inputSize, width)
  const recurrent = turned(d.r, width, d.hidden)
  for (let step = 0; step < d.length; step++) {
    const states = matmul(h, recurrent, d.batch, d.hidden, width)
    for (let b = 0; b < d.batch; b++) {
      const length = d.lengths?.[b] ?? d.length
      if (step >= length) continue
      const t = d.reverse ? length - 1 - step : step
      const gates: Gates = { d, x: inputs, xAt: (t * d.batch + b) * width, s: states, sAt: b * width }
      CELLS[d.kind](gates, h, c, b * d.hidden)
      y.set(h.subarray(b * d.hidden, (b + 1) * d.hidden), (t * d.batch + b) * d.hidden)
    }
  }
  return { y, h, c }
}

const turned = (w: Float64Array, rows: number, columns: number): Float64Array =>
  transposeLast({ shape: [rows, columns], data: w }).data

/** Products of one sample at one step: x W' from xAt, h R' from sAt. */
interface Gates {
  readonly d: Direction
  readonly x: Float64Array
  readonly xAt: number
  readonly s: Float64Array
  readonly sAt: number
}

const bias = (d: Direction, part: 0 | 1, at: number): number => d.b?.[part * GATES[d.kind] * d.hidden + at] ?? 0

/** Input plus state plus both biases of gate g, element i. */
function gate({ d, x, xAt, s, sAt }: Gates, g: number, i: number, extra = 0): number {
  const at = g * d.hidden + i
  return clamp(d, x[xAt + at]! + s[sAt + at]! + bias(d, 0, at) + bias(d, 1, at) + extra)
}

const clamp = ({ clip }: Direction, v: number): number => (clip > 0 ? Math.min(Math.max(v, -clip), clip) : v)

type Cell = (g: Gates, h: Float64Array, c: Float64Array, at: number) => void

const CELLS: Readonly<Record<CellKind, Cell>> = {
  RNN: (g, h, _c, at) => {
    const [f] = g.d.activations
    for (let i = 0; i < g.d.hidden; i++) h[at + i] = f!(gate(g, 0, i))
  },
  // Gates z, r, h. The candidate multiplies r before or after the recurrent product.
  GRU: (g, h, _c, at) => {
    const { d } = g
    const [f, k] = d.activations
    const old = h.slice(at, at + d.hidden)
    const reset = Float64Array.from({ length: d.hidden }, (_, i) => f!(gate(g, 1, i)))
    for (let i = 0; i < d.hidden; i++) {
      const z = f!(gate(g, 0, i))
      const row = 2 * d.hidden + i
      const input = g.x[g.xAt + row]! + bias(d, 0, row)
      const state = d.linearBeforeReset
        ? reset[i]! * (g.s[g.sAt + row]! + bias(d, 1, row))
        : resetProduct(d, row, old, reset) + bias(d, 1, row)
      h[at + i] = (1 - z) * k!(clamp(d, input + state)) + z * old[i]!
    }
  },
  // Gates i, o, f, c.
  LSTM: (g, h, c, at) => {
    const { d } = g
    const [f, k, l] = d.activations
    const peep = (which: number, i: number, cell: number) => (d.p ? d.p[which * d.hidden + i]! * cell : 0)
    for (let i = 0; i < d.hidden; i++) {
      const old = c[at + i]!
      const input = f!(gate(g, 0, i, peep(0, i, old)))
      const forget = d.inputForget ? 1 - input : f!(gate(g, 2, i, peep(2, i, old)))
      const cell = forget * old + input * k!(gate(g, 3, i))
      c[at + i] = cell
      h[at + i] = f!(gate(g, 1, i, peep(1, i, cell))) * l!(cell)
    }
  },
}

/** Row `row` of R times (r * h). */
function resetProduct(d: Direction, row: number, h: Float64Array, reset: Float64Array): number {
  let sum = 0
  for (let j = 0; j < d.hidden; j++) sum += d.r[row * d.hidden + j]! * reset[j]! * h[j]!
  return sum
}
