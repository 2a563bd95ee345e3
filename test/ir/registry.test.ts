// Every record of the registry against itself: what it says of types, axes, linearity, laws and contents is checked on numbers.
// A new operator is checked by adding a sample of it.
import { expect } from 'chai'
import { axisMapOf } from '../../src/ir/axes.ts'
import { evaluateDim, namedDim } from '../../src/ir/dim.ts'
import { isFloat } from '../../src/ir/dtype.ts'
import { qualifiedName } from '../../src/ir/graph.ts'
import { type Law, lawsOf, type Op } from '../../src/ir/op.ts'
import { legacyAxis } from '../../src/ir/ops/define.ts'
import { findOp, ops } from '../../src/ir/ops/index.ts'
import { takeAlong } from '../../src/ir/ops/layout.ts'
import { evaluateShape, shapeText } from '../../src/ir/shape.ts'
import type { NdArray } from '../../src/ir/tensor.ts'
import { samples, typedOnlySamples } from './samples/index.ts'
import { arraysOf, callOfSample, type Input, inputsOf, type Sample, sampleText } from './samples/sample.ts'

const recordOf = (s: Sample): Op => findOp(s.domain, s.op) ?? expect.fail(`no record of ${s.op}`)

function evaluate(s: Sample, inputs: readonly (Input | null)[], attributes = s.attributes): readonly NdArray[] {
  return recordOf(s).evaluate(callOfSample(s, inputs, attributes), arraysOf(inputs))
}

/** Fails unless both hold the same numbers, to within rounding. */
function expectClose(got: NdArray, expected: NdArray, what: string): void {
  expect(shapeText(got.shape), `${what}: shape`).to.equal(shapeText(expected.shape))
  expected.data.forEach((e, i) => {
    const g = got.data[i]!
    const same = Object.is(g, e) || g === e || Math.abs(g - e) <= 1e-9 * (1 + Math.abs(e))
    if (!same) expect.fail(`${what}: element ${i} is ${g}, expected ${e}`)
  })
}

const withArray = (input: Input, array: NdArray): Input => ({ ...input, array })
const mapData = (a: NdArray, f: (x: number, i: number) => number): NdArray => ({ ...a, data: a.data.map(f) })
const replaceAt = <T>(list: readonly T[], at: number, value: T): T[] => list.map((x, i) => (i === at ? value : x))

describe('ir: every operator', () => {
  it('has a sample call', () => {
    const sampled = new Set([...samples, ...typedOnlySamples].map((s) => qualifiedName(s.domain, s.op)))
    const missing = ops.map((op) => qualifiedName(op.domain, op.name)).filter((name) => !sampled.has(name))
    expect(missing).to.deep.equal([])
  })

  for (const s of [...samples, ...typedOnlySamples])
    it(`counts finite work: ${sampleText(s)}`, () => {
      const op = recordOf(s)
      expect(s.opset, 'opset').to.be.at.least(op.sinceOpset)
      const work = op.work?.(callOfSample(s, inputsOf(s)))
      for (const [name, n] of Object.entries(work ?? {}))
        expect(Number.isFinite(n) && n >= 0, `${name} = ${n}`).to.equal(true)
      if (work) expect(work.weightBytes).to.be.at.most(work.bytesRead)
    })

  for (const s of samples) it(`infers the types and contents of its values: ${sampleText(s)}`, () => checkTypes(s))
  for (const s of samples) it(`infers symbolic types that hold: ${sampleText(s)}`, () => checkSymbolicTypes(s))
  for (const s of samples) it(`is cut along its axes as its axis map says: ${sampleText(s)}`, () => checkAxes(s))
  for (const s of samples)
    if (recordOf(s).linearIn) it(`is linear where it says: ${sampleText(s)}`, () => checkLinearity(s))
  for (const s of samples) for (const law of lawsThatHold(s)) it(`is ${law}: ${sampleText(s)}`, () => checkLaw[law](s))
})

/** None where the operands are aligned as before opset 7: such a call is not element-wise in today's sense. */
function lawsThatHold(s: Sample): readonly Law[] {
  const call = callOfSample(s, inputsOf(s))
  return legacyAxis(call) === null ? lawsOf(recordOf(s), call) : []
}

function checkTypes(s: Sample): void {
  const inputs = inputsOf(s)
  const call = callOfSample(s, inputs)
  const values = evaluate(s, inputs)
  const types = recordOf(s).infer(call)
  expect(values.length).to.be.at.least(s.outputs)
  values.slice(0, s.outputs).forEach((value, i) => {
    expect(value.data.length, 'elements').to.equal(value.shape.reduce((a, b) => a * b, 1))
    if (types[i])
      expect(`${types[i].dtype}${shapeText(types[i].shape)}`).to.equal(`${value.dtype}${shapeText(value.shape)}`)
  })
  recordOf(s)
    .inferContents?.(call)
    .forEach((contents, i) => {
      if (contents)
        expect(
          contents.map((d) => evaluateDim(d, new Map())),
          'contents',
        ).to.deep.equal(Array.from(values[i]!.data))
    })
}

/** Every size above 1 of what is not constant becomes a name; equal sizes get one name. */
function checkSymbolicTypes(s: Sample): void {
  const inputs = inputsOf(s)
  const call = callOfSample(s, inputs)
  const sizes = new Map<string, number>()
  const symbolic = call.inputs.map((type, i) => {
    if (!type || inputs[i]!.constant) return type
    const shape = type.shape.map((d) => {
      if (d <= 1) return d
      sizes.set(`n${d}`, d)
      return namedDim(`n${d}`)
    })
    return { ...type, shape }
  })
  const values = evaluate(s, inputs)
  recordOf(s)
    .infer({ ...call, inputs: symbolic })
    .forEach((type, i) => {
      if (!type || i >= s.outputs) return
      expect(type.dtype).to.equal(values[i]!.dtype)
      expect(evaluateShape(type.shape, sizes), shapeText(type.shape)).to.deep.equal(values[i]!.shape)
    })
}

/** Cuts the output, and the inputs as the axis map says: the operator on the cut inputs gives the cut output. */
function checkAxes(s: Sample): void {
  const inputs = inputsOf(s)
  const op = recordOf(s)
  const call = callOfSample(s, inputs)
  const map = axisMapOf(op, call)
  const output = evaluate(s, inputs)[0]!
  if (!map) return
  expect(map.length, 'rank of the axis map').to.equal(output.shape.length)
  map.forEach((row, axis) => {
    expect(row.length, `sources of axis ${axis}`).to.equal(inputs.length)
    const size = output.shape[axis]!
    if (size < 2 || row.includes('mixed')) return
    for (const kept of [[size - 1], [size - 1, 0]]) {
      const attributes = op.resize ? op.resize(call, axis, kept.length) : s.attributes
      if (attributes === null) continue
      const cut = inputs.map((input, i) => {
        const source = row[i]!
        return input && typeof source === 'number' ? withArray(input, takeAlong(input.array, source, kept)) : input
      })
      expectClose(evaluate(s, cut, attributes)[0]!, takeAlong(output, axis, kept), `axis ${axis} cut to [${kept}]`)
    }
  })
}

function checkLinearity(s: Sample): void {
  const op = recordOf(s)
  const [xs, ys] = [inputsOf(s), inputsOf(s, 2)]
  const linear = op.linearIn!(callOfSample(s, xs)).filter((i) => xs[i])
  const groups = op.jointlyLinear ? [linear] : linear.map((i) => [i])
  for (const group of groups.filter((g) => g.some((i) => isFloat(xs[i]!.array.dtype)))) {
    const among = (others: readonly (Input | null)[], f: (x: Input, y: Input) => NdArray) =>
      others.map((x, i) => (group.includes(i) ? withArray(x!, f(x!, ys[i]!)) : x))
    const sum = among(xs, (x, y) => mapData(x.array, (v, i) => 2 * v - 3 * y.array.data[i]!))
    const [fx, fy] = [
      evaluate(s, xs)[0]!,
      evaluate(
        s,
        among(xs, (_, y) => y.array),
      )[0]!,
    ]
    const expected = mapData(fx, (v, i) => 2 * v - 3 * fy.data[i]!)
    expectClose(evaluate(s, sum)[0]!, expected, `inputs ${group}`)
  }
}

/** Inputs that are data rather than constant parameters. */
const dataInputs = (inputs: readonly (Input | null)[]): number[] =>
  inputs.flatMap((x, i) => (x && !x.constant ? [i] : []))

function checkMonotone(s: Sample): void {
  const inputs = inputsOf(s)
  const larger = inputs.map((x, i) =>
    dataInputs(inputs).includes(i)
      ? withArray(
          x!,
          mapData(x!.array, (v, k) => grow(x!.array, v, k)),
        )
      : x,
  )
  const [low, high] = [evaluate(s, inputs)[0]!, evaluate(s, larger)[0]!]
  for (const [i, v] of low.data.entries()) expect(high.data[i], `element ${i}`).to.be.at.least(v - 1e-12)
}
function grow(a: NdArray, v: number, i: number): number {
  if (a.dtype === 'bool') return i % 2 === 0 ? 1 : v
  return isFloat(a.dtype) ? v + (1 - Math.min(Math.abs(v), 1)) * (0.05 + (i % 3) / 4) : v + (i % 3)
}

const checkLaw: Readonly<Record<Law, (s: Sample) => void>> = {
  commutative: (s) => {
    const inputs = inputsOf(s)
    expectClose(evaluate(s, [...inputs].reverse())[0]!, evaluate(s, inputs)[0]!, 'operands reversed')
  },
  associative: (s) => {
    const [x, y] = inputsOf(s)
    const z = inputsOf(s, 2)[0]!
    if (!x || !y) return
    const f = (a: Input, b: Input): Input => withArray({ ...a, constant: false }, evaluate(s, [a, b])[0]!)
    expectClose(f(f(x, y), z).array, f(x, f(y, z)).array, 'grouping')
  },
  idempotent: (s) => {
    const inputs = inputsOf(s)
    const operands = dataInputs(inputs).length
    if (recordOf(s).elementwise && operands > 1) {
      const same = inputs.map(() => inputs[0]!)
      return expectClose(evaluate(s, same)[0]!, inputs[0]!.array, 'f(x, x)')
    }
    const once = evaluate(s, inputs)[0]!
    expectClose(evaluate(s, replaceAt(inputs, 0, withArray(inputs[0]!, once)))[0]!, once, 'f(f(x))')
  },
  involution: (s) => {
    const inputs = inputsOf(s)
    const once = evaluate(s, inputs)[0]!
    expectClose(evaluate(s, [withArray(inputs[0]!, once)])[0]!, inputs[0]!.array, 'f(f(x))')
  },
  monotone: checkMonotone,
  'zero-preserving': (s) => {
    const inputs = inputsOf(s).map(
      (x) =>
        x &&
        withArray(
          x,
          mapData(x.array, () => 0),
        ),
    )
    const output = evaluate(s, inputs)[0]!
    expectClose(
      output,
      mapData(output, () => 0),
      'f(0)',
    )
  },
}
