// Calls that no sane exporter writes: whatever a damaged model says, a record answers with types, with "unknown", or with a
// UserError that names the operator; never with another error, a hang, or a shape that is none.
import { expect } from 'chai'
import { UnsupportedError, UserError } from '../../src/base/errors.ts'
import { createRandom, type Random } from '../../src/base/random.ts'
import { type Attribute, float, floats, int, ints, text } from '../../src/ir/attribute.ts'
import { axisMapOf } from '../../src/ir/axes.ts'
import { type Dim, namedDim } from '../../src/ir/dim.ts'
import type { DType } from '../../src/ir/dtype.ts'
import { inferCall } from '../../src/ir/infer.ts'
import { type Call, lawsOf, type Op } from '../../src/ir/op.ts'
import { findOp } from '../../src/ir/ops/index.ts'
import { shapeText } from '../../src/ir/shape.ts'
import type { TensorType } from '../../src/ir/tensor.ts'
import { samples, typedOnlySamples } from './samples/index.ts'
import { arraysOf, callOfSample, inputsOf, type Sample, sampleText } from './samples/sample.ts'

const MUTANTS = 60
const SIZES: readonly Dim[] = [0, 1, 2, 3, 7, namedDim('n'), namedDim('m')]
const DTYPES: readonly DType[] = ['float32', 'int64', 'bool', 'string', 'float16', 'int4', 'complex64']
const NUMBERS = [0, 1, -1, 2, 3, -5, 99, 2 ** 31 - 1, -(2 ** 31), 2 ** 63]

const shapeBy = (r: Random): readonly Dim[] => Array.from({ length: r.below(6) }, () => r.pick(SIZES))
const numbersBy = (r: Random): number[] => Array.from({ length: r.below(5) }, () => r.pick(NUMBERS))

function attributeBy(r: Random): Attribute {
  const odd: readonly (() => Attribute)[] = [
    () => int(r.pick(NUMBERS)),
    () => float(r.pick([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])),
    () => ints(numbersBy(r)),
    () => floats(numbersBy(r)),
    () => text(r.pick(['', 'linear', 'SAME_UPPER', 'none', 'ij,jk->ik', '...->', '->->'])),
    () => ({ kind: 'strings', value: ['Tanh'] }),
    () => ({ kind: 'opaque', bytes: new Uint8Array(3) }),
  ]
  return r.pick(odd)()
}

const replaceAt = <T>(list: readonly T[], at: number, value: T): T[] => list.map((x, i) => (i === at ? value : x))

/** The call with one thing about it changed. */
function mutate(call: Call, op: Op, r: Random): Call {
  const at = r.below(Math.max(call.inputs.length, 1))
  const type = call.inputs[at] ?? { dtype: 'float32', shape: [2] }
  const typed = (t: TensorType | null): Call => ({
    ...call,
    inputs: replaceAt(call.inputs, at, t),
    constants: replaceAt(call.constants, at, null),
  })
  const names = [...Object.keys(op.attributes), ...Object.keys(call.attributes)]
  const changes: readonly (() => Call)[] = [
    () => typed({ ...type, shape: shapeBy(r) }),
    () => typed({ ...type, shape: replaceAt(type.shape, r.below(6), r.pick(SIZES)) }),
    () => typed({ ...type, dtype: r.pick(DTYPES) }),
    () => typed(null),
    () => ({
      ...call,
      inputs: call.inputs.slice(0, at),
      constants: call.constants.slice(0, at),
      contents: call.contents.slice(0, at),
    }),
    () => ({
      ...call,
      contents: replaceAt(call.contents, at, r.below(3) === 0 ? null : [...numbersBy(r), ...shapeBy(r)].slice(0, 4)),
    }),
    () => ({ ...call, contents: call.contents.map(() => null), constants: call.constants.map(() => null) }),
    () =>
      names.length === 0 ? call : { ...call, attributes: { ...call.attributes, [r.pick(names)]: attributeBy(r) } },
    () => ({ ...call, attributes: {} }),
    () => ({ ...call, opset: r.pick([1, 6, 9, 11, 13, 18, 28]) }),
    () => ({ ...call, outputCount: r.pick([1, 2, 3, 5]) }),
  ]
  return r.pick(changes)()
}

const describeCall = (c: Call): string =>
  `${c.op}-${c.opset}(${c.inputs.map((t) => (t ? `${t.dtype}${shapeText(t.shape)}` : '-')).join(' ')}) ${JSON.stringify(c.contents)} ${JSON.stringify(c.attributes)} x${c.outputCount}`

/** True if the error is one that the user may see. */
const isRefusal = (error: unknown): boolean => error instanceof UserError || error instanceof UnsupportedError

function expectSane(op: Op, call: Call): void {
  const facts = inferCall(
    call,
    call.inputs.map((t) => t !== null),
  )
  for (const { type } of facts)
    for (const d of type?.shape ?? [])
      if (typeof d === 'number' && !(Number.isSafeInteger(d) && d >= 0)) expect.fail(`a size of ${d}`)
  const type = facts[0]?.type
  if (!type) return
  const map = axisMapOf(op, call)
  if (map) expect(map.length, 'axes').to.equal(type.shape.length)
  op.linearIn?.(call)
  lawsOf(op, call)
  map?.forEach((row, axis) => {
    if (!row.includes('mixed')) op.resize?.(call, axis, 1)
  })
}

function checkMutants(s: Sample): void {
  const op = findOp(s.domain, s.op)!
  const random = createRandom(17)
  for (let i = 0; i < MUTANTS; i++) {
    let call: Call = callOfSample(s, inputsOf(s))
    for (let n = 1 + random.below(3); n > 0; n--) call = mutate(call, op, random)
    try {
      expectSane(op, call)
    } catch (error) {
      if (!isRefusal(error)) throw new Error(`mutant ${i}: ${describeCall(call)}`, { cause: error })
    }
  }
}

/** Each input left out alone, and with those behind it: values, or a refusal. */
function checkArity(s: Sample): void {
  const all = inputsOf(s)
  for (const [at] of all.entries())
    for (const inputs of [all.with(at, null), all.slice(0, at)])
      try {
        const call = callOfSample(s, inputs)
        inferCall(
          call,
          inputs.map((i) => i !== null),
        )
        findOp(s.domain, s.op)!.evaluate(call, arraysOf(inputs))
      } catch (error) {
        if (!isRefusal(error)) throw new Error(`input ${at} of ${all.length} left out`, { cause: error })
      }
}

describe('ir: calls of too few inputs are computed, or refused in the user’s words', () => {
  for (const s of samples) it(sampleText(s), () => checkArity(s))
})

describe('ir: damaged calls are refused in the user’s words', () => {
  for (const s of [...samples, ...typedOnlySamples]) it(sampleText(s), () => checkMutants(s))
})
