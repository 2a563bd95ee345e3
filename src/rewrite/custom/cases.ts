// The cases on which a law is tried: small shapes of its variables (several ranks, broadcasting, empty tensors, constants or
// not), and numbers to put into them. Drawn at random; what the operators refuse is left out.
import type { Random } from '../../base/random.ts'
import type { ClassId } from '../../egraph/egraph.ts'
import { DTYPES, type DType } from '../../ir/dtype.ts'
import { elementCount } from '../../ir/shape.ts'
import { fromNdArray, type NdArray } from '../../ir/tensor.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { type Condition, dtypeOf } from './condition.ts'

/** What one variable of a law is in a case. */
export interface CaseVariable {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly isConstant: boolean
  readonly isPositive: boolean
}
export type Case = readonly CaseVariable[]

/** What the variables hold: 'special' has infinities, NaN and both zeros among its numbers. */
export type Numbers = 'normal' | 'whole' | 'special'

/** Sizes that one case mixes: all equal, so that any operands fit; or of two or three kinds, one of them 1 or 0. */
const SIZES: readonly (readonly number[])[] = [[2], [3], [1], [1, 2], [1, 3], [2, 3], [1, 2, 3], [0, 2], [4, 2]]
const MAX_RANK = 4

/** One random case; nobody knows yet whether the operators take it. */
export function drawCase(variables: readonly string[], conditions: readonly Condition[], random: Random): Case {
  const sizes = random.pick(SIZES)
  const base = drawShape(random.below(MAX_RANK + 1), sizes, random)
  const broadcasts = random.below(2) === 0
  const usualRank = random.below(MAX_RANK + 1)
  const has = (name: string, ...kinds: Condition['kind'][]) =>
    conditions.some((c) => c.of === name && kinds.includes(c.kind))
  const shapes = new Map<string, readonly number[]>()
  for (const name of variables) {
    const rank = conditions.find((c) => c.kind === 'rank' && c.of === name)
    const any = random.below(2) === 0 ? usualRank : random.below(MAX_RANK + 1)
    const free = rank?.kind === 'rank' ? rank.rank : any
    const shape = broadcasts && !rank ? broadcastPart(base, random) : drawShape(free, sizes, random)
    shapes.set(name, has(name, 'single') ? shape.map(() => 1) : shape)
  }
  for (const c of conditions) if (c.kind === 'same-shape') shapes.set(c.of, shapes.get(c.as)!)
  const constantShare = random.pick([0, 0, 0.5])
  return variables.map((name) => ({
    name,
    dtype: dtypeOf(conditions, name) ?? 'float32',
    shape: shapes.get(name)!,
    isConstant: has(name, 'constant', 'positive') || random.next() < constantShare,
    isPositive: has(name, 'positive'),
  }))
}

const drawShape = (rank: number, sizes: readonly number[], random: Random): readonly number[] =>
  Array.from({ length: rank }, () => random.pick(sizes))

/** What broadcasts to `base`: fewer axes, some of them of size 1. */
function broadcastPart(base: readonly number[], random: Random): readonly number[] {
  const kept = random.below(2) === 0 ? base : base.slice(random.below(base.length + 1))
  return random.below(2) === 0 ? kept : kept.map((d) => (random.below(3) === 0 ? 1 : d))
}

/** A case like one that the operators took: a size is another one throughout, or one axis is changed, put in or taken out. */
export function varyCase(variables: Case, random: Random): Case {
  const size = random.below(4)
  const chosen = new Set(variables.filter(() => random.below(2) === 0).map((v) => v.name))
  const fromEnd = 1 + random.below(MAX_RANK)
  const old = random.pick(variables.flatMap((v) => v.shape).concat(1))
  const change = random.below(4)
  return variables.map((v) => {
    const at = v.shape.length - fromEnd
    if (change === 0) return { ...v, shape: v.shape.map((d) => (d === old ? size : d)) }
    if (!chosen.has(v.name)) return v
    if (change === 1) return { ...v, shape: v.shape.map((d, i) => (i === at ? size : d)) }
    if (change === 2) return { ...v, shape: v.shape.filter((_, i) => i !== at) }
    return v.shape.length === MAX_RANK ? v : { ...v, shape: v.shape.toSpliced(Math.max(0, at + 1), 0, size) }
  })
}

/** The case with neighbouring axes of one variable made 1 long, for every variable and run of axes. */
export function withOnes(variables: Case): readonly Case[] {
  const runs = (v: CaseVariable) =>
    v.shape.flatMap((_, from) => v.shape.slice(from).map((_, i) => ({ from, to: from + i + 1 })))
  return variables.flatMap((v) =>
    runs(v).map(({ from, to }) => {
      const shape = v.shape.map((d, i) => (i >= from && i < to ? 1 : d))
      return variables.map((other) => (other === v ? { ...v, shape } : other))
    }),
  )
}

/** True if the shapes are as a condition asks. */
export function meets(variables: Case, c: Condition): boolean {
  const shapeOf = (name: string) => variables.find((v) => v.name === name)!.shape
  if (c.kind === 'rank') return shapeOf(c.of).length === c.rank
  if (c.kind === 'single') return shapeOf(c.of).every((d) => d === 1)
  return c.kind !== 'same-shape' || shapeOf(c.of).join() === shapeOf(c.as).join()
}

/** The case with every choice of which variables are constant: where a condition forbids one, its refusal is wanted. */
export function withConstants(variables: Case): readonly Case[] {
  return variables.reduce<readonly Case[]>(
    (cases, v) => cases.flatMap((c) => [false, true].map((isConstant) => [...c, { ...v, isConstant }])),
    [[]],
  )
}

/** Cases of one kind have variables of the same ranks, with the same axes of size 1. */
export const caseKind = (variables: Case): string =>
  variables.map((v) => v.shape.map((d) => (d === 1 ? '1' : 'n')).join('')).join()

export const caseText = (variables: Case): string =>
  variables.map((v) => `${v.isConstant ? 'constant ' : ''}${v.name} ${v.dtype}[${v.shape}]`).join(', ')

export const caseSize = (variables: Case): number =>
  variables.reduce((sum, v) => sum + elementCount(v.shape) + v.shape.length, 0)

const SPECIAL = [0, -0, 1, -1, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]

/** Numbers for every variable. */
export function drawValues(variables: Case, numbers: Numbers, random: Random): ReadonlyMap<string, NdArray> {
  return new Map(
    variables.map((v) => {
      const data = Float64Array.from({ length: elementCount(v.shape) }, () => drawNumber(v, numbers, random))
      return [v.name, { dtype: v.dtype, shape: v.shape, data }]
    }),
  )
}

function drawNumber({ dtype, isPositive }: CaseVariable, numbers: Numbers, random: Random): number {
  const { kind } = DTYPES[dtype]
  if (kind === 'bool') return random.below(2)
  if (kind !== 'float') return dtype.startsWith('u') || isPositive ? 1 + random.below(3) : random.below(5) - 2
  const x = numbers === 'normal' ? random.normal() : numbers === 'whole' ? random.below(7) - 3 : random.pick(SPECIAL)
  return isPositive ? Math.abs(random.normal()) + 0.125 : x
}

/** The variables of a case as leaves of an e-graph, each a new one. */
export function encodeCase(
  t: TensorEGraph,
  variables: Case,
  values: ReadonlyMap<string, NdArray>,
): ReadonlyMap<string, ClassId> {
  return new Map(
    variables.map(({ name, dtype, shape, isConstant }) => [
      name,
      isConstant ? t.given(fromNdArray(values.get(name)!), name) : t.input(t.egraph.idLimit, { dtype, shape }),
    ]),
  )
}
