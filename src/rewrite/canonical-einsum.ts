// Canonical form of an Einsum of two operands: a linear map where one is a constant matrix, else a product of stacked matrices, or
// element by element where nothing is summed. The axes of each operand are put in order and taken together; what rules there are
// for products then hold for it.
import type { ClassId } from '../egraph/egraph.ts'
import { dimEquals } from '../ir/dim.ts'
import { elementCountDim, type Shape } from '../ir/shape.ts'
import type { TensorEGraph } from './tensor-egraph.ts'

/** A value and the names of its axes. */
interface Named {
  readonly c: ClassId
  readonly names: readonly string[]
}

/** Names of the axes, by what a product does with them. */
interface Roles {
  /** Of both operands, and kept. */
  readonly batch: readonly string[]
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  readonly summed: readonly string[]
}

/** The Einsum of `operands`, or null: names repeat, are broadcast or left implicit, or one operand alone is summed. */
export function einsum(t: TensorEGraph, equation: string, operands: readonly ClassId[]): ClassId | null {
  const match = /^([A-Za-z]+),([A-Za-z]+)->([A-Za-z]*)$/.exec(equation.replaceAll(' ', ''))
  if (!match || operands.length !== 2) return null
  const [left, right, output] = match.slice(1).map((term) => [...term]) as [string[], string[], string[]]
  const [a, b] = operands as [ClassId, ClassId]
  const [x, y] = [
    { c: a, names: left },
    { c: b, names: right },
  ]
  if (!isPlain(t, x, y, output)) return null
  const isTurned = t.isConstant(a) ? !t.isConstant(b) : !t.isConstant(b) && comesFirst(output, right, left)
  return isTurned ? product(t, y, x, output) : product(t, x, y, output)
}

/** True if no name repeats, sizes agree, and every name is in two of the three terms. */
function isPlain(t: TensorEGraph, x: Named, y: Named, output: readonly string[]): boolean {
  const terms = [x.names, y.names, output]
  const size = (v: Named, name: string) => t.shape(v.c)[v.names.indexOf(name)]!
  return (
    terms.every((names) => new Set(names).size === names.length) &&
    x.names.length === t.rank(x.c) &&
    y.names.length === t.rank(y.c) &&
    terms.flat().every((name) => terms.filter((names) => names.includes(name)).length >= 2) &&
    x.names.every((name) => !y.names.includes(name) || dimEquals(size(x, name), size(y, name)))
  )
}

/** True if the output has an axis of `these` alone before any of `those` alone. */
function comesFirst(output: readonly string[], these: readonly string[], those: readonly string[]): boolean {
  const first = output.find((name) => these.includes(name) !== those.includes(name))
  return first !== undefined && these.includes(first)
}

function product(t: TensorEGraph, x: Named, y: Named, output: readonly string[]): ClassId | null {
  const roles: Roles = {
    batch: output.filter((n) => x.names.includes(n) && y.names.includes(n)),
    rows: output.filter((n) => !y.names.includes(n)),
    columns: output.filter((n) => !x.names.includes(n)),
    summed: x.names.filter((n) => !output.includes(n)),
  }
  const sizes = new Map([x, y].flatMap((v) => v.names.map((n, i) => [n, t.shape(v.c)[i]!] as const)))
  const shapeOf = (names: readonly string[]): Shape => names.map((n) => sizes.get(n)!)
  if (roles.summed.length === 0) return spread(t, x, y, output, shapeOf)
  const natural = [...roles.batch, ...roles.rows, ...roles.columns]
  const whole = multiplied(t, x, y, roles, shapeOf)
  const apart = whole === null ? null : t.reshape(whole, shapeOf(natural))
  if (apart === null) return null
  return t.transpose(
    apart,
    output.map((n) => natural.indexOf(n)),
  )
}

const ordered = (t: TensorEGraph, v: Named, names: readonly string[]): ClassId =>
  t.transpose(
    v.c,
    names.map((n) => v.names.indexOf(n)),
  )

/** Where nothing is summed up: each operand repeated along the axes that it lacks. */
function spread(
  t: TensorEGraph,
  x: Named,
  y: Named,
  output: readonly string[],
  shapeOf: (names: readonly string[]) => Shape,
): ClassId | null {
  const operands = [x, y].map((v) => {
    const own = output.filter((n) => v.names.includes(n))
    return t.reshape(
      ordered(t, v, own),
      output.map((n) => (own.includes(n) ? shapeOf([n])[0]! : 1)),
    )
  })
  return operands.includes(null) ? null : t.elementwise('Mul', operands as ClassId[])
}

/** The product, with the axes of each role together or apart. */
function multiplied(
  t: TensorEGraph,
  x: Named,
  y: Named,
  { batch, rows, columns, summed }: Roles,
  shapeOf: (names: readonly string[]) => Shape,
): ClassId | null {
  const count = (names: readonly string[]) => elementCountDim(shapeOf(names))
  const left = ordered(t, x, [...batch, ...rows, ...summed])
  const right = ordered(t, y, [...batch, ...summed, ...columns])
  const matrices = t.reshape(right, [...shapeOf(batch), count(summed), count(columns)])
  const isMap = batch.length === 0 && t.isConstant(right)
  const stacked = t.reshape(left, [...shapeOf(batch), ...(isMap ? shapeOf(rows) : [count(rows)]), count(summed)])
  if (matrices === null || stacked === null) return null
  return isMap ? t.lin(stacked, matrices, rows.length) : t.onnx('MatMul', [stacked, matrices])
}
