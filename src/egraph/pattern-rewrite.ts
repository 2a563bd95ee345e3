// Pattern rewrites: `(+ ?a ?b)` => `(+ ?b ?a)`. Several patterns that share variables may stand on the left
// (`?p = (* ?x ?a), ?q = (* ?x ?b)`), and on the right what each root variable equals. A function may build the right side.
import { UserError } from '../base/errors.ts'
import type { EGraph } from './egraph.ts'
import type { ClassId } from './ids.ts'
import { type OperatorResolver, type Pattern, parsePattern, variablesOf } from './pattern.ts'
import { compileQuery, type Query, type RootedPattern } from './query.ts'
import type { Refusal } from './refusal.ts'

/** What the variables of a left side are bound to. */
export interface Bindings {
  /** The class bound to `?name`, canonical. */
  get(variable: string): ClassId
}

/** True: the rule fires. A refusal is counted under its reason; false without one. May add nodes. */
export type Condition<P> = (egraph: EGraph<P>, bindings: Bindings) => boolean | Refusal

/** What a root variable of the left side (null: the root of the only pattern) is united with. */
export type RightSide<P> =
  | { readonly kind: 'patterns'; readonly equals: readonly RootedPattern[] }
  | { readonly kind: 'function'; readonly build: (egraph: EGraph<P>, bindings: Bindings) => ClassId | Refusal }

export interface PatternRewrite<P = unknown> {
  readonly kind: 'pattern'
  readonly name: string
  readonly left: readonly RootedPattern[]
  readonly right: RightSide<P>
  readonly query: Query
  readonly condition: Condition<P> | null
}

export interface PatternRewriteText<P> {
  readonly name: string
  /** One pattern, or `?p = pattern, ?q = pattern`. */
  readonly left: string
  /** One pattern, or for several on the left `?p = pattern, ?q = pattern`; or a function that builds the class. */
  readonly right: string | ((egraph: EGraph<P>, bindings: Bindings) => ClassId | Refusal)
  readonly condition?: Condition<P>
}

/** Reads a rewrite. A rule whose right side uses a variable that the left does not bind is refused by name. */
export function patternRewrite<P = unknown>(resolve: OperatorResolver, text: PatternRewriteText<P>): PatternRewrite<P> {
  const left = parseSide(text.left, resolve)
  const right: RightSide<P> =
    typeof text.right === 'string'
      ? { kind: 'patterns', equals: parseSide(text.right, resolve) }
      : { kind: 'function', build: text.right }
  const query = compileQuery(left)
  if (left.some(({ pattern }) => pattern.kind === 'variable') && left.length > 1)
    throw refusal(text.name, 'terms on the left of a rule with several patterns', `"${text.left}"`)
  if (right.kind === 'patterns') checkRight(text, left, right.equals, query)
  return { kind: 'pattern', name: text.name, left, right, query, condition: text.condition ?? null }
}

function checkRight<P>(
  text: PatternRewriteText<P>,
  left: readonly RootedPattern[],
  equals: readonly RootedPattern[],
  query: Query,
): void {
  for (const { root, pattern } of equals) {
    const unbound = variablesOf(pattern).find((name) => !query.slotOf.has(name))
    if (unbound !== undefined)
      throw refusal(text.name, `variables of "${text.left}" on the right`, `unbound ${unbound}`)
    if (root === null ? left.length > 1 : !query.slotOf.has(root))
      throw refusal(text.name, 'a root variable of the left side before each pattern on the right', root ?? 'none')
  }
}

function refusal(rule: string, expected: string, got: string): UserError {
  return new UserError({ code: 'bad-rule', where: `rule ${rule}`, expected, got, fix: 'correct the rule' })
}

function parseSide(text: string, resolve: OperatorResolver): RootedPattern[] {
  return splitTopLevel(text).map((part) => {
    const assigned = /^\s*(\?[^\s()=]+)\s*=\s*(.*)$/s.exec(part)
    if (assigned === null) return { root: null, pattern: parsePattern(part, resolve) }
    return { root: assigned[1]!, pattern: parsePattern(assigned[2]!, resolve) }
  })
}

/** Parts between commas that are outside all parentheses and brackets. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const ch = text[i]!
    if (ch === '(' || ch === '[') depth++
    else if (ch === ')' || ch === ']') depth--
    else if (ch === ',' && depth === 0) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  return [...parts, text.slice(from)]
}

/** The class of a pattern whose variables are bound by `slots`; adds what is not there. */
export function instantiate<P>(egraph: EGraph<P>, pattern: Pattern, classOf: (name: string) => number): ClassId {
  if (pattern.kind === 'variable') return egraph.find(classOf(pattern.name))
  return egraph.add(
    pattern.op,
    pattern.children.map((child) => instantiate(egraph, child, classOf)),
  )
}
