// The trial that a law must pass before it is used: both sides are computed in float64 on many small cases. The first case in
// which they differ is the counterexample, made as small and as round as it stays one.
import { UnsupportedError, UserError } from '../../base/errors.ts'
import { createRandom, type Random } from '../../base/random.ts'
import { namedDim } from '../../ir/dim.ts'
import type { NdArray } from '../../ir/tensor.ts'
import type { Rule } from '../rule.ts'
import { bindRule } from '../rule.ts'
import { NotFoldable, TensorEGraph } from '../tensor-egraph.ts'
import { buildTerm, evaluateTerm, orNull } from './build-term.ts'
import {
  type Case,
  caseKind,
  caseSize,
  caseText,
  drawCase,
  drawValues,
  encodeCase,
  meets,
  type Numbers,
  varyCase,
  withConstants,
  withOnes,
} from './cases.ts'
import { LAW_OPSET, lawFault, operatorsOf } from './law.ts'
import { type Law, lawRule } from './law-rule.ts'
import { type NodeTemplate, PatternEGraph, templateKey, templateOf } from './template.ts'

/** A law that passed. */
export interface ProvedRule {
  readonly rule: Rule
  /** Comparisons of both sides that held. */
  readonly cases: number
  /** Shapes tried, and those in which the rule then fires on the encoded left side. */
  readonly shapes: number
  readonly fires: number
}

const DRAWS = 1500
const MAX_SHAPES = 120
/** Kinds of shapes whose canonical forms become templates. */
const MAX_KINDS = 150
const DRAWS_PER_SHAPE = 2

/** Tries a law. Throws UserError, with the counterexample, where it does not hold, and where it could never fire. */
export function proveLaw(law: Law, where: string, seed: number): ProvedRule {
  const random = createRandom(seed)
  const found = drawShapes(law, where, random)
  const shapes = choose(found, MAX_SHAPES)
  const cases = shapes.reduce((sum, one) => sum + tryCase(law, one, where, random), 0)
  const templates = templatesOf(law, found, random)
  const rule = lawRule(law, templates)
  const scratch = new TensorEGraph(LAW_OPSET)
  const firing = shapes.map((one) => fire(scratch, law, rule, one, random))
  if (cases === 0) throw lawFault('untried-rule', where, 'numbers at which the left side is finite', 'none')
  if (!firing.includes(true)) throw idle(law, where)
  return { rule, cases, shapes: shapes.length, fires: firing.filter((f) => f === true).length }
}

function idle(law: Law, where: string): UserError {
  const got = 'one canonical form for both sides, or a left side that vanishes in it'
  return lawFault(
    'idle-rule',
    where,
    'a rule that changes something',
    `${got}: ${law.text}`,
    'the search has it already: leave it out',
  )
}

/** Distinct cases that both sides take and give one type for. */
function drawShapes(law: Law, where: string, random: Random): readonly Case[] {
  const scratch = new TensorEGraph(LAW_OPSET)
  const found = new Map<string, Case>()
  const ranks = new Set<string>()
  let complaint = 'no case of the variables'
  const consider = (one: Case): void => {
    if (found.has(caseText(one)) || !law.conditions.every((c) => meets(one, c))) return
    const fault = faultOf(scratch, law, one, random)
    if (fault !== null) complaint = fault
    else found.set(caseText(one), one)
    const key = one.map((v) => v.shape.length).join()
    if (fault !== null || ranks.has(key) || one.some((v) => v.shape.some((d) => d < 2))) return
    ranks.add(key)
    for (const other of withOnes(one)) consider(other)
  }
  for (let i = 0; i < DRAWS; i++) {
    const known = i % 2 === 1 && found.size > 0 ? random.pick([...found.values()]) : null
    consider(known ? varyCase(known, random) : drawCase(law.variables, law.conditions, random))
  }
  if (found.size === 0) throw lawFault('bad-rule', where, 'shapes that both sides take and agree on', complaint)
  return [...found.values()]
}

/** Some of the cases, of every kind one before any has two; small ones first. */
function choose(cases: readonly Case[], count: number): readonly Case[] {
  const perKind = new Map<string, number>()
  const inTurn = cases.map((one) => {
    const turn = perKind.get(caseKind(one)) ?? 0
    perKind.set(caseKind(one), turn + 1)
    return { one, turn }
  })
  const chosen = inTurn.sort((x, y) => x.turn - y.turn).slice(0, count)
  return chosen.map((x) => x.one).sort((x, y) => caseSize(x) - caseSize(y))
}

/** Why the operators do not take these shapes; null if they do. */
function faultOf(t: TensorEGraph, law: Law, one: Case, random: Random): string | null {
  const bound = encodeCase(t, one, drawValues(one, 'normal', random))
  try {
    const [left, right] = [law.left, law.right].map((side) => t.type(buildTerm(t, side, bound)))
    if (!left || !right) return `a shape that cannot be inferred, of ${caseText(one)}`
    const texts = [left, right].map(({ dtype, shape }) => `${dtype}[${shape}]`)
    return texts[0] === texts[1] ? null : `${texts.join(' and ')}, of ${caseText(one)}`
  } catch (error) {
    if (error instanceof UserError) return error.message
    if (error instanceof UnsupportedError || error instanceof NotFoldable) return error.message
    throw error
  }
}

const KINDS: Readonly<Record<Law['exactness'], readonly Numbers[]>> = {
  exact: ['normal', 'whole', 'special'],
  reassociates: ['normal', 'whole', 'special'],
  finite: ['normal', 'whole'],
  flushes: ['normal', 'whole'],
}

/** How many comparisons held. Throws the counterexample. */
function tryCase(law: Law, one: Case, where: string, random: Random): number {
  let held = 0
  for (const kind of KINDS[law.exactness])
    for (let i = 0; i < DRAWS_PER_SHAPE; i++) {
      const values = drawValues(one, kind, random)
      const difference = compareSides(law, withoutForeign(law, values))
      if (difference?.equal === false) throw counterexample(law, one, values, where)
      if (difference) held++
    }
  return held
}

/** How a runtime's MaxPool takes NaN is its own choice. */
function withoutForeign(law: Law, values: ReadonlyMap<string, NdArray>): ReadonlyMap<string, NdArray> {
  if (![law.left, law.right].some((side) => operatorsOf(side).includes('MaxPool'))) return values
  return new Map([...values].map(([name, a]) => [name, { ...a, data: a.data.map((x) => (Number.isNaN(x) ? 0 : x)) }]))
}

interface Comparison {
  readonly equal: boolean
  readonly left: NdArray
  readonly right: NdArray
}

/** Both sides on these numbers; null where they say nothing: an index is out of its range, or the law needs finite numbers. */
function compareSides(law: Law, values: ReadonlyMap<string, NdArray>): Comparison | null {
  let largest = 0
  let allFinite = true
  const look = (a: NdArray) => {
    for (const x of a.data) {
      if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x))
      else allFinite = false
    }
  }
  const left = orNull(() => evaluateTerm(law.left, values, LAW_OPSET, look))
  if (left === null || (law.exactness !== 'exact' && law.exactness !== 'reassociates' && !allFinite)) return null
  const right = orNull(() => evaluateTerm(law.right, values, LAW_OPSET))
  if (right === null) return null
  const scale = left.data.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 0)
  const allowed = 1e-6 * scale + 1e-12 * largest
  const isEqual =
    law.exactness === 'exact'
      ? Object.is
      : (x: number, y: number) => x === y || Object.is(x, y) || Math.abs(x - y) <= allowed
  const equal = left.data.length === right.data.length && left.data.every((x, i) => isEqual(x, right.data[i]!))
  return { equal, left, right }
}

function counterexample(law: Law, one: Case, found: ReadonlyMap<string, NdArray>, where: string): UserError {
  const values = rounded(law, one, withoutForeign(law, found))
  const { left, right } = compareSides(law, values)!
  const at = one.map((v) => `${v.isConstant ? 'constant ' : ''}${v.name} = ${arrayText(values.get(v.name)!)}`)
  const isSpecial = [...values.values()].some((a) => a.data.some((x) => !Number.isFinite(x)))
  const fix =
    law.exactness === 'exact'
      ? 'correct the law, state when it holds in "where", or say "exactness": "reassociates" or "finite"'
      : isSpecial
        ? 'say "exactness": "finite" if it need hold for finite numbers only'
        : 'correct the law, or state when it holds in "where"'
  const got = `${law.text} at ${at.join(', ')}: left ${arrayText(left)}, right ${arrayText(right)}`
  return lawFault('wrong-rule', where, 'two sides that are equal', got, fix)
}

const SIMPLE = [0, 1, -1, 2, -2, 3]

/** The same counterexample with the simplest numbers that still are one. */
function rounded(law: Law, one: Case, found: ReadonlyMap<string, NdArray>): ReadonlyMap<string, NdArray> {
  let values = found
  const isCounterexample = (v: ReadonlyMap<string, NdArray>) => compareSides(law, v)?.equal === false
  for (const { name, isPositive } of one)
    for (let i = 0; i < found.get(name)!.data.length; i++)
      for (const x of SIMPLE.filter((s) => !isPositive || s > 0)) {
        const array = values.get(name)!
        const simpler = new Map([...values, [name, { ...array, data: array.data.with(i, x) }]])
        if (!isCounterexample(simpler)) continue
        values = simpler
        break
      }
  return values
}

const arrayText = ({ dtype, shape, data }: NdArray): string =>
  `${dtype}[${shape}]{${Array.from(data, (x) => (Object.is(x, -0) ? '-0' : Number(x.toPrecision(9)))).join(',')}}`

/** What the left side becomes in these cases, with sizes as numbers and with names for them. */
function templatesOf(law: Law, shapes: readonly Case[], random: Random): readonly NodeTemplate[] {
  const templates = new Map<string, NodeTemplate>()
  const scratch = new PatternEGraph(LAW_OPSET)
  const full = shapes.filter((one) => one.every((v) => !v.shape.includes(0))) // empty constants are all one constant
  for (const one of oneOfEachKind(full).slice(0, MAX_KINDS).flatMap(withConstants)) {
    const values = drawValues(one, 'normal', random)
    for (const isOpen of [false, true]) {
      const template = orNull(() => templateOf(scratch, law.left, isOpen ? opened(one) : one, values))
      if (template) templates.set(templateKey(template), template)
    }
  }
  return [...templates.values()]
}

/** Of each kind the largest case: more do not change what the encoder makes of them. */
const oneOfEachKind = (shapes: readonly Case[]): readonly Case[] => [
  ...new Map(shapes.map((one) => [caseKind(one), one])).values(),
]

/** The case with a name for each size of what is not constant. */
function opened(one: Case): Case {
  return one.map((v) =>
    v.isConstant ? v : { ...v, shape: v.shape.map((d) => (d > 1 ? namedDim(`size${d}`) : d)) as number[] },
  )
}

/** True if the rule makes of the encoded left side what it was not; null where the left side is no e-node of its own. */
function fire(t: TensorEGraph, law: Law, rule: Rule, one: Case, random: Random): boolean | null {
  const bound = encodeCase(t, one, drawValues(one, 'normal', random))
  const left = orNull(() => buildTerm(t, law.left, bound))
  if (left === null || t.isConstant(left)) return null
  const { egraph } = t
  const results = egraph.nodesOf(left).flatMap((n) => [...bindRule(t, rule).apply(egraph, n)])
  return results.some((c) => typeof c !== 'object' && egraph.find(c) !== egraph.find(left))
}
