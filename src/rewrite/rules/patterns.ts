// What rules of recognition look for: numbers that are written out as constants, sums and products with them, in any order.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getFloat } from '../../ir/attribute.ts'
import { shapeEquals } from '../../ir/shape.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { withConstant } from './constant.ts'

/** Constants in files are rounded to float32, or written with a few digits. */
const RELATIVE = 1e-5

/** The number that a constant class is in all positions, or null. */
export function uniform(t: TensorEGraph, c: ClassId): number | null {
  const id = t.constantOf(c)
  if (id === null || !['float32', 'float64', 'float16'].includes(t.constants.type(id).dtype)) return null
  return t.constants.uniform(id)
}
export const isNumber = (t: TensorEGraph, c: ClassId, value: number): boolean => {
  const u = uniform(t, c)
  return u !== null && Math.abs(u - value) <= RELATIVE * Math.max(1e-3, Math.abs(value))
}

/** Values that, times or plus the number, make the class. */
export function without(t: TensorEGraph, c: ClassId, family: 'Add' | 'Mul', value: number): ClassId[] {
  return withConstant(t, c, family).flatMap(([x, k]) => (isNumber(t, k, value) ? [x] : []))
}

/** Ways to read a class as a product of `count` factors. */
export function products(t: TensorEGraph, c: ClassId, count: number): ClassId[][] {
  if (count === 1) return [[c]]
  return t.nodes(c, 'Mul').flatMap((n) => {
    const [a, b] = t.children(n) as [ClassId, ClassId]
    const splits = Array.from({ length: count - 1 }, (_, i) => i + 1)
    return splits.flatMap((k) =>
      products(t, a, k).flatMap((left) => products(t, b, count - k).map((right) => [...left, ...right])),
    )
  })
}

/** Readings as value * others, for each choice of the value among the factors that pass `is`. */
export function* pick(
  factors: readonly ClassId[],
  is: (c: ClassId) => boolean,
): Iterable<readonly [ClassId, readonly ClassId[]]> {
  for (const [i, f] of factors.entries()) if (is(f)) yield [f, factors.filter((_, j) => j !== i)]
}

export function clipped(t: TensorEGraph, c: ClassId, low: number, high: number): ClassId[] {
  return t.nodes(c, 'Clip').flatMap((n) => {
    const op = t.op(n)
    const [x, lo, hi] = t.children(n) as [ClassId, ClassId?, ClassId?]
    if (op.kind !== 'onnx') return []
    const bounds =
      op.present.length > 1
        ? [lo && uniform(t, lo), hi && uniform(t, hi)]
        : [getFloat(op.attributes, 'min', null), getFloat(op.attributes, 'max', null)]
    return op.present.every(Boolean) && bounds[0] === low && bounds[1] === high ? [x] : []
  })
}

/** True if x has the shape of the result: no constant of the pattern repeats it. */
export const isWhole = (t: TensorEGraph, n: NodeId, x: ClassId): boolean =>
  shapeEquals(t.shape(x), t.shape(t.egraph.classOf(n)))
/** Runtimes have kernels of HardSigmoid, of which HardSwish is made too, for float32 only. */
export const isSingle = (t: TensorEGraph, x: ClassId): boolean => t.type(x)?.dtype === 'float32'

/** 1 + f(inner) read as f's argument. */
export const onePlus = (t: TensorEGraph, c: ClassId, family: string): ClassId[] =>
  without(t, c, 'Add', 1).flatMap((e) => t.nodes(e, family).map((n) => t.child(n, 0)))

/** Values whose negation the class is. */
export const negated = (t: TensorEGraph, c: ClassId): ClassId[] => [
  ...t.nodes(c, 'Neg').map((n) => t.child(n, 0)),
  ...without(t, c, 'Mul', -1),
]

/** [x, k] for each way to read the class as x * k, k one number. */
export const multiples = (t: TensorEGraph, c: ClassId): (readonly [ClassId, number])[] =>
  withConstant(t, c, 'Mul').flatMap(([x, k]) => {
    const value = uniform(t, k)
    return value === null ? [] : [[x, value] as const]
  })
