// When a rule of a rule file may fire: a closed list of conditions on its variables. Each says how it is read, how it is met when
// cases are drawn, and how it is checked on classes.
import type { ClassId } from '../../egraph/egraph.ts'
import { DTYPES, type DType, isFloat } from '../../ir/dtype.ts'
import { shapeEquals } from '../../ir/shape.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { lawFault } from './law.ts'

export type Condition =
  | { readonly kind: 'constant' | 'positive' | 'single'; readonly of: string }
  | { readonly kind: 'same-shape'; readonly of: string; readonly as: string }
  | { readonly kind: 'rank'; readonly of: string; readonly rank: number }
  | { readonly kind: 'dtype'; readonly of: string; readonly dtype: DType }

/** The forms in which conditions are written. */
export const CONDITION_FORMS = 'constant(x), positive(x), single(x), same-shape(x, y), rank(x) = 4, dtype(x) = int64'

/** Reads a condition on some of `variables`. Throws UserError where it is none. */
export function parseCondition(text: string, variables: readonly string[], where: string): Condition {
  const condition = read(text) ?? null
  if (condition === null) throw lawFault('bad-rule', where, `one of ${CONDITION_FORMS}`, JSON.stringify(text))
  const names = condition.kind === 'same-shape' ? [condition.of, condition.as] : [condition.of]
  const unbound = names.find((name) => !variables.includes(name))
  if (unbound !== undefined)
    throw lawFault('unbound-variable', where, `variables of the left side: ${variables.join(', ')}`, unbound)
  return condition
}

function read(text: string): Condition | undefined {
  const [, kind, of, as, value] = /^\s*([\w-]+)\(\s*(\w+)\s*(?:,\s*(\w+)\s*)?\)\s*(?:=\s*(\w+)\s*)?$/.exec(text) ?? []
  if (of === undefined) return undefined
  if (as !== undefined) return kind === 'same-shape' && value === undefined ? { kind, of, as } : undefined
  if (value === undefined)
    return kind === 'constant' || kind === 'positive' || kind === 'single' ? { kind, of } : undefined
  if (kind === 'rank') return /^\d$/.test(value) ? { kind, of, rank: Number(value) } : undefined
  return kind === 'dtype' && value in DTYPES ? { kind, of, dtype: value as DType } : undefined
}

/** The dtype that a variable must have; null: any float. */
export function dtypeOf(conditions: readonly Condition[], variable: string): DType | null {
  const found = conditions.find((c) => c.kind === 'dtype' && c.of === variable)
  return found?.kind === 'dtype' ? found.dtype : null
}

/** Why these classes do not meet the conditions; null if they do. */
export function refusalOf(
  t: TensorEGraph,
  conditions: readonly Condition[],
  bound: ReadonlyMap<string, ClassId>,
): string | null {
  for (const [name, c] of bound) {
    const { dtype } = t.type(c)!
    if (dtypeOf(conditions, name) === null && !isFloat(dtype)) return `${name} is ${dtype}, and the law is about floats`
  }
  for (const c of conditions) {
    const reason = unmet(t, c, (name) => bound.get(name)!)
    if (reason !== null) return reason
  }
  return null
}

function unmet(t: TensorEGraph, c: Condition, classOf: (name: string) => ClassId): string | null {
  const x = classOf(c.of)
  switch (c.kind) {
    case 'constant':
      return t.isConstant(x) ? null : `${c.of} is not constant`
    case 'positive':
      return isPositive(t, x) ? null : `${c.of} is not known to be positive`
    case 'single':
      return t.shape(x).every((d) => d === 1) ? null : `${c.of} has more than one element`
    case 'same-shape':
      return shapeEquals(t.shape(x), t.shape(classOf(c.as))) ? null : `${c.of} and ${c.as} have different shapes`
    case 'rank':
      return t.rank(x) === c.rank ? null : `the rank of ${c.of} is not ${c.rank}`
    case 'dtype':
      return t.type(x)!.dtype === c.dtype ? null : `${c.of} is not ${c.dtype}`
    default:
      return c satisfies never
  }
}

function isPositive(t: TensorEGraph, x: ClassId): boolean {
  const id = t.constantOf(x)
  return id !== null && t.constants.array(id).data.every((v) => v > 0 && v < Number.POSITIVE_INFINITY)
}
