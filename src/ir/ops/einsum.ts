// Einsum: the equation names the axes; a name in the output is point-wise, every other name is summed over, and the result
// is linear in each operand. Evaluated as a chain of pairwise products of stacked matrices.
import { getText } from '../attribute.ts'
import { type Dim, dimEquals } from '../dim.ts'
import { gather, matmulStacked, permute, type Stack } from '../kernels/stacked.ts'
import type { AxisMap, AxisSource, Call, ConcreteCall, Op } from '../op.ts'
import { elementCount, stridesOf } from '../shape.ts'
import type { NdArray, TensorType } from '../tensor.ts'
import { arrayOf, operand, reject, workOf } from './operands.ts'

/** Axis names of every operand and of the output; the axes behind `...` are called `.0` (the last), `.1`, ... */
interface Equation {
  readonly inputs: readonly (readonly string[])[]
  readonly output: readonly string[]
  readonly sizes: ReadonlyMap<string, Dim>
}

function parseEquation(call: Call): Equation {
  const text = getText(call.attributes, 'equation', '').replaceAll(' ', '')
  const [left, right] = text.split('->') as [string, string | undefined]
  const terms = left.split(',')
  if (!/^[A-Za-z.,]*(->[A-Za-z.]*)?$/.test(text) || terms.length !== call.inputs.length)
    reject(call, `an equation of ${call.inputs.length} terms`, JSON.stringify(text))
  const inputs = terms.map((term, i) => namesOf(call, term, operand(call, i).shape.length))
  const sizes = sizesOf(call, inputs)
  const output = right === undefined ? impliedOutput(inputs) : outputNames(right, inputs)
  const unknown = output.find((name) => !sizes.has(name))
  if (unknown !== undefined) reject(call, 'output axes that an operand has', unknown)
  return { inputs, output, sizes }
}

function namesOf(call: Call, term: string, rank: number): string[] {
  const [before, after] = term.split('...') as [string, string | undefined]
  const hidden = rank - before.length - (after?.length ?? 0)
  if (after === undefined ? hidden !== 0 : hidden < 0) reject(call, `a term for rank ${rank}`, term)
  const dots = Array.from({ length: hidden }, (_, i) => `.${hidden - 1 - i}`)
  return [...before, ...dots, ...(after ?? '')]
}

const isDots = (name: string): boolean => name.startsWith('.')

function sizesOf(call: Call, inputs: readonly (readonly string[])[]): Map<string, Dim> {
  const sizes = new Map<string, Dim>()
  inputs.forEach((names, i) => {
    names.forEach((name, axis) => {
      const dim = operand(call, i).shape[axis]!
      const old = sizes.get(name) ?? 1
      const clash = typeof old === 'number' && typeof dim === 'number' && old !== 1 && dim !== 1 && old !== dim
      if (clash) reject(call, `one size for axis ${name}`, `${old} and ${dim}`)
      if (old === 1 || (typeof old !== 'number' && typeof dim === 'number' && dim !== 1)) sizes.set(name, dim)
    })
  })
  return sizes
}

const dotsOf = (inputs: readonly (readonly string[])[]): string[] =>
  [...new Set(inputs.flat().filter(isDots))].sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)))

function outputNames(term: string, inputs: readonly (readonly string[])[]): string[] {
  const [before, after] = term.split('...') as [string, string | undefined]
  return after === undefined ? [...before] : [...before, ...dotsOf(inputs), ...after]
}

/** Without an arrow: the dots, then every letter that occurs once, in alphabetical order. */
function impliedOutput(inputs: readonly (readonly string[])[]): string[] {
  const letters = inputs.flat().filter((name) => !isDots(name))
  const once = letters.filter((name) => letters.indexOf(name) === letters.lastIndexOf(name))
  return [...dotsOf(inputs), ...once.sort()]
}

function typesOf(call: Call): TensorType[] {
  const { output, sizes } = parseEquation(call)
  return [{ dtype: operand(call, 0).dtype, shape: output.map((name) => sizes.get(name)!) }]
}

function axesOf(call: Call): AxisMap {
  const { inputs, output, sizes } = parseEquation(call)
  return output.map((name) =>
    inputs.map((names, i): AxisSource => {
      const at = names.indexOf(name)
      if (at < 0) return 'broadcast'
      if (names.lastIndexOf(name) !== at) return 'mixed'
      const dim = operand(call, i).shape[at]!
      if (dim === 1) return 'broadcast'
      return dimEquals(dim, sizes.get(name)!) ? at : 'mixed'
    }),
  )
}

/** An array whose axes have names; no name twice, none of size 1 unless all are. */
interface Named extends Stack {
  readonly names: readonly string[]
}

/** Takes diagonals of repeated names, drops axes of size 1, and sums over names that nothing else needs. */
function simplify(x: Stack, names: readonly string[], needed: ReadonlySet<string>): Named {
  const strides = stridesOf(x.shape)
  const step = new Map<string, number>()
  const size = new Map<string, number>()
  names.forEach((name, axis) => {
    if (x.shape[axis] === 1) return
    step.set(name, (step.get(name) ?? 0) + strides[axis]!)
    size.set(name, x.shape[axis]!)
  })
  const all = [...step.keys()]
  const kept = all.filter((name) => needed.has(name))
  const order = [...kept, ...all.filter((name) => !needed.has(name))]
  const data = gather(
    x.data,
    order.map((n) => size.get(n)!),
    order.map((n) => step.get(n)!),
  )
  const shape = kept.map((name) => size.get(name)!)
  return { names: kept, shape, data: sumRows(data, elementCount(shape)) }
}

/** Sums of `rows` equal runs. */
function sumRows(data: Float64Array, rows: number): Float64Array {
  const inner = rows === 0 ? 0 : data.length / rows
  if (inner === 1) return data
  const out = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    let sum = 0
    for (let j = 0; j < inner; j++) sum += data[i * inner + j]!
    out[i] = sum
  }
  return out
}

/** Contracts two arrays over the names they share and nobody needs later. */
function contract(a: Named, b: Named, needed: ReadonlySet<string>): Named {
  const shared = a.names.filter((name) => b.names.includes(name))
  const stack = shared.filter((name) => needed.has(name))
  const inner = shared.filter((name) => !needed.has(name))
  const left = a.names.filter((name) => !shared.includes(name))
  const right = b.names.filter((name) => !shared.includes(name))
  const size = (x: Named, names: readonly string[]) => names.map((name) => x.shape[x.names.indexOf(name)]!)
  const count = (x: Named, names: readonly string[]) => elementCount(size(x, names))
  const order = (x: Named, names: readonly string[]) =>
    permute(
      x,
      names.map((name) => x.names.indexOf(name)),
    ).data
  const product = matmulStacked(
    { shape: [count(a, stack), count(a, left), count(a, inner)], data: order(a, [...stack, ...left, ...inner]) },
    { shape: [count(b, stack), count(b, inner), count(b, right)], data: order(b, [...stack, ...inner, ...right]) },
  )
  const shape = [...size(a, stack), ...size(a, left), ...size(b, right)]
  return { names: [...stack, ...left, ...right], shape, data: product.data }
}

function evaluateEinsum(call: ConcreteCall, inputs: readonly (NdArray | null)[]): NdArray {
  const equation = parseEquation(call)
  const neededAfter = (i: number) => new Set([...equation.output, ...equation.inputs.slice(i + 1).flat()])
  const load = (i: number, needed: ReadonlySet<string>) =>
    simplify(arrayOf(call, inputs, i), equation.inputs[i]!, needed)
  let result = load(0, neededAfter(0))
  for (let i = 1; i < inputs.length; i++) {
    const needed = neededAfter(i)
    result = contract(result, load(i, new Set([...needed, ...result.names])), needed)
  }
  const left = result.names.filter((name) => !equation.output.includes(name))
  if (left.length > 0) result = simplify(result, result.names, new Set(equation.output))
  const strides = stridesOf(result.shape)
  const shape = equation.output.map((name) => equation.sizes.get(name) as number)
  const steps = equation.output.map((name) => strides[result.names.indexOf(name)] ?? 0)
  return { dtype: operand(call, 0).dtype, shape, data: gather(result.data, shape, steps) }
}

/** A multiply-add per point of the space of all names and per operand after the first; a lone operand only adds. */
function flopsOf(call: ConcreteCall): number {
  const { sizes } = parseEquation(call)
  const points = elementCount([...sizes.values()] as number[])
  return points * Math.max(1, 2 * (call.inputs.length - 1))
}

const einsum: Op = {
  name: 'Einsum',
  domain: '',
  sinceOpset: 12,
  attributes: { equation: { kind: 'string' } },
  infer: typesOf,
  evaluate: (call, inputs) => [evaluateEinsum(call, inputs)],
  axes: axesOf,
  linearIn: (call) => call.inputs.map((_, i) => i),
  work: (call) => workOf(call, typesOf(call), flopsOf(call)),
}

export const einsumOps: readonly Op[] = [einsum]
