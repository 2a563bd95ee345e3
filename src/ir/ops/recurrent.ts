// RNN, GRU and LSTM, both directions, all opset versions. Batch is point-wise; time, features and directions are not.
import { UnsupportedError } from '../../base/errors.ts'
import { type Attributes, getFloat, getFloats, getInt, getText, int } from '../attribute.ts'
import type { Dim } from '../dim.ts'
import { type CellKind, GATES, type Recurred, runDirection } from '../kernels/recurrence.ts'
import { permute } from '../kernels/stacked.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { TRANSCENDENTAL_FLOPS } from './define.ts'
import { arrayOf, axisOfSize, operandOfRank, optional, reject, unify, workOf } from './operands.ts'

interface Geometry {
  readonly batchFirst: boolean
  readonly length: Dim
  readonly batch: Dim
  readonly inputSize: Dim
  readonly directions: number
  readonly hidden: Dim
}

function geometryOf(call: Call): Geometry {
  const x = operandOfRank(call, 0, 3).shape
  const r = operandOfRank(call, 2, 3).shape
  const batchFirst = getInt(call.attributes, 'layout', 0) !== 0
  const [length, batch] = batchFirst ? [x[1]!, x[0]!] : [x[0]!, x[1]!]
  const directions = getText(call.attributes, 'direction', 'forward') === 'bidirectional' ? 2 : 1
  const hidden = getInt(call.attributes, 'hidden_size', null) ?? r[2]!
  return { batchFirst, length, batch, inputSize: x[2]!, directions, hidden }
}

/** Refuses weights of another number of directions, and states that do not belong to the batch. */
function requireSizes(call: Call, g: Geometry): void {
  const weights = [g.directions]
  const states = g.batchFirst ? [g.batch, g.directions, g.hidden] : [g.directions, g.batch, g.hidden]
  // Inputs: X, W, R, B, sequence_lens, initial_h, initial_c, P.
  const known = [[], weights, weights, weights, [], states, states, weights]
  for (const [i, sizes] of known.entries())
    for (const [axis, size] of sizes.entries()) {
      const own = optional(call, i)?.shape[axis]
      if (own !== undefined) unify(call, own, size, `sizes along axis ${axis} of input ${i}`)
    }
}

/** Y: [length, directions, batch, hidden]; the last states: [directions, batch, hidden]. Batch first with layout 1. */
function typesOf(call: Call): TensorType[] {
  const { dtype } = operandOfRank(call, 0, 3)
  const g = geometryOf(call)
  requireSizes(call, g)
  const y = g.batchFirst ? [g.batch, g.length, g.directions, g.hidden] : [g.length, g.directions, g.batch, g.hidden]
  const state = g.batchFirst ? [g.batch, g.directions, g.hidden] : [g.directions, g.batch, g.hidden]
  return [y, state, state].slice(0, call.outputCount).map((shape) => ({ dtype, shape }))
}

function axesOf(call: Call): AxisMap {
  const g = geometryOf(call)
  const [yAxis, xAxis, stateAxis] = g.batchFirst ? [0, 0, 0] : [2, 1, 1]
  const source = axisOfSize(g.batch, 0)
  const at = (axis: number): AxisSource => (source === 'broadcast' ? source : axis)
  // Inputs: X, W, R, B, sequence_lens, initial_h, initial_c, P.
  const batch: AxisSource[] = [
    at(xAxis),
    'broadcast',
    'broadcast',
    'broadcast',
    at(0),
    at(stateAxis),
    at(stateAxis),
    'broadcast',
  ]
  return [0, 1, 2, 3].map((axis) =>
    call.inputs.map((type, i): AxisSource => (axis !== yAxis ? 'mixed' : type ? batch[i]! : 'broadcast')),
  )
}

// --- activations --------------------------------------------------------------------------------------------------------

type Activation = (x: number, alpha: number, beta: number) => number

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const ACTIVATIONS: Readonly<
  Record<string, { readonly alpha?: number; readonly beta?: number; readonly f: Activation }>
> = {
  relu: { f: (x) => Math.max(x, 0) },
  tanh: { f: Math.tanh },
  sigmoid: { f: sigmoid },
  affine: { alpha: 1, beta: 0, f: (x, a, b) => a * x + b },
  leakyrelu: { alpha: 0.01, f: (x, a) => (x >= 0 ? x : a * x) },
  thresholdedrelu: { alpha: 1, f: (x, a) => (x > a ? x : 0) },
  scaledtanh: { alpha: 1, beta: 1, f: (x, a, b) => a * Math.tanh(b * x) },
  hardsigmoid: { alpha: 0.2, beta: 0.5, f: (x, a, b) => Math.min(Math.max(a * x + b, 0), 1) },
  elu: { alpha: 1, f: (x, a) => (x >= 0 ? x : a * Math.expm1(x)) },
  softsign: { f: (x) => x / (1 + Math.abs(x)) },
  softplus: { f: (x) => Math.log1p(Math.exp(x)) },
}

const DEFAULTS: Readonly<Record<CellKind, readonly string[]>> = {
  RNN: ['Tanh'],
  GRU: ['Sigmoid', 'Tanh'],
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
}

function stringsOf(a: Attributes, name: string): readonly string[] | null {
  const v = a[name]
  return v?.kind === 'strings' ? v.value : null
}

/** Activations of one direction. `activation_alpha` and `_beta` list only those of the functions that take one, in order. */
function activationsOf(call: Call, kind: CellKind, directions: number): ((x: number) => number)[][] {
  const standard = DEFAULTS[kind]
  const given = stringsOf(call.attributes, 'activations')
  const names = given && given.length > 0 ? given : Array.from({ length: directions }, () => standard).flat()
  const alphas = [...getFloats(call.attributes, 'activation_alpha', [])]
  const betas = [...getFloats(call.attributes, 'activation_beta', [])]
  const functions = names.map((name) => {
    const spec = ACTIVATIONS[name.toLowerCase()] ?? reject(call, 'a known activation', name)
    const alpha = spec.alpha === undefined ? 0 : (alphas.shift() ?? spec.alpha)
    const beta = spec.beta === undefined ? 0 : (betas.shift() ?? spec.beta)
    return (x: number) => spec.f(x, alpha, beta)
  })
  return Array.from({ length: directions }, (_, d) => functions.slice(d * standard.length, (d + 1) * standard.length))
}

// --- values -------------------------------------------------------------------------------------------------------------

/** Swaps batch to where the kernel wants it: layout 1 has it first everywhere. */
const reordered = (
  x: NdArray | null | undefined,
  batchFirst: boolean,
  order: readonly number[],
): Float64Array | null => (x ? (batchFirst ? permute(x, order).data : x.data) : null)

function evaluate(kind: CellKind, call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray[] {
  const g = geometryOf(call) as { [K in keyof Geometry]: Geometry[K] extends boolean ? boolean : number }
  const direction = getText(call.attributes, 'direction', 'forward')
  const x = reordered(arrayOf(call, inputs, 0), g.batchFirst, [1, 0, 2])!
  const h0 = reordered(inputs[5], g.batchFirst, [1, 0, 2])
  const c0 = kind === 'LSTM' ? reordered(inputs[6], g.batchFirst, [1, 0, 2]) : null
  const activations = activationsOf(call, kind, g.directions)
  const part = (data: Float64Array | null | undefined, d: number): Float64Array | null =>
    data ? data.subarray((d * data.length) / g.directions, ((d + 1) * data.length) / g.directions) : null
  const runs = activations.map((functions, d) =>
    runDirection({
      kind,
      length: g.length,
      batch: g.batch,
      inputSize: g.inputSize,
      hidden: g.hidden,
      reverse: d === 1 || direction === 'reverse',
      x,
      w: part(arrayOf(call, inputs, 1).data, d)!,
      r: part(arrayOf(call, inputs, 2).data, d)!,
      b: part(inputs[3]?.data, d),
      p: kind === 'LSTM' ? part(inputs[7]?.data, d) : null,
      lengths: inputs[4]?.data ?? null,
      h0: part(h0, d),
      c0: part(c0, d),
      activations: functions,
      clip: getFloat(call.attributes, 'clip', 0),
      linearBeforeReset: getInt(call.attributes, 'linear_before_reset', 0) !== 0,
      inputForget: getInt(call.attributes, 'input_forget', 0) !== 0,
    }),
  )
  return outputsOf(call, g, runs)
}

/** Puts the directions together, in the layout that was asked for. */
function outputsOf(
  call: Call,
  g: { length: number; batch: number; hidden: number; directions: number; batchFirst: boolean },
  runs: readonly Recurred[],
): NdArray[] {
  const { length, batch, hidden, directions } = g
  const y = permute(
    { shape: [directions, length, batch, hidden], data: joined(runs.map((r) => r.y)) },
    g.batchFirst ? [2, 1, 0, 3] : [1, 0, 2, 3],
  )
  const state = (data: readonly Float64Array[]) =>
    permute({ shape: [directions, batch, hidden], data: joined(data) }, g.batchFirst ? [1, 0, 2] : [0, 1, 2])
  const { dtype } = operandOfRank(call, 0, 3)
  return [y, state(runs.map((r) => r.h)), state(runs.map((r) => r.c))]
    .slice(0, call.outputCount)
    .map(({ shape, data }) => ({ dtype, shape, data }))
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((n, p) => n + p.length, 0))
  parts.reduce((at, p) => {
    out.set(p, at)
    return at + p.length
  }, 0)
  return out
}

/** Per step, direction and sample: both products of all gates, and their functions. */
function flopsOf(kind: CellKind, call: ConcreteCall): number {
  const g = geometryOf(call)
  const [length, batch, input, hidden] = [g.length, g.batch, g.inputSize, g.hidden] as [number, number, number, number]
  const perGate = 2 * (input + hidden) + TRANSCENDENTAL_FLOPS + 4
  return length * batch * g.directions * GATES[kind] * hidden * perGate
}

const common: Op['attributes'] = {
  activation_alpha: { kind: 'floats' },
  activation_beta: { kind: 'floats' },
  activations: { kind: 'strings' },
  clip: { kind: 'float' },
  direction: { kind: 'string', default: 'forward' },
  hidden_size: { kind: 'int' },
  layout: { kind: 'int', default: 0 },
  output_sequence: { kind: 'int', default: 0 },
}

const recurrent = (kind: CellKind, attributes: Op['attributes']): Op => ({
  name: kind,
  domain: '',
  sinceOpset: 1,
  attributes: { ...common, ...attributes },
  infer: typesOf,
  evaluate: (call, inputs) => evaluate(kind, call, inputs),
  axes: axesOf,
  work: (call) => workOf(call, typesOf(call), flopsOf(kind, call)),
})

/** ONNX Runtime's LSTM on weights of 8 bits; they come transposed, [directions, inputs, gates], so R says the hidden size first. */
function withHidden<C extends Call>(call: C): C {
  const hidden = operandOfRank(call, 2, 3).shape[1]!
  if (typeof hidden !== 'number') return call
  return { ...call, attributes: { hidden_size: int(hidden), ...call.attributes } }
}

const dynamicQuantizeLstm: Op = {
  ...recurrent('LSTM', { input_forget: { kind: 'int', default: 0 } }),
  name: 'DynamicQuantizeLSTM',
  domain: 'com.microsoft',
  infer: (call) => typesOf(withHidden(call)),
  evaluate: (call) => {
    throw new UnsupportedError(`evaluating ${call.domain}:${call.op}`)
  },
  work: (call) => workOf(call, typesOf(withHidden(call)), flopsOf('LSTM', withHidden(call))),
}

export const recurrentOps: readonly Op[] = [
  recurrent('RNN', {}),
  recurrent('GRU', { linear_before_reset: { kind: 'int', default: 0 } }),
  recurrent('LSTM', { input_forget: { kind: 'int', default: 0 } }),
  dynamicQuantizeLstm,
]
