// Toy languages for the engine's tests and benchmarks: every name is an operator of its own, without payload.
import { EGraph } from '../../../src/egraph/egraph.ts'
import type { ClassId } from '../../../src/egraph/ids.ts'
import { OperatorTable } from '../../../src/egraph/operators.ts'
import type { OperatorResolver, Pattern } from '../../../src/egraph/pattern.ts'
import { parsePattern } from '../../../src/egraph/pattern.ts'
import {
  type Condition,
  instantiate,
  type PatternRewrite,
  patternRewrite,
} from '../../../src/egraph/pattern-rewrite.ts'

export type SymbolTable = OperatorTable<null>

/** Interns whatever name it is asked for. */
export function resolverOf(table: SymbolTable): OperatorResolver {
  return (name) => table.intern(name, '', null)
}

export interface Toy {
  readonly table: SymbolTable
  readonly egraph: EGraph<null>
  /** Adds a ground term. */
  add(text: string): ClassId
  /** `left => right` as written in the rule lists: `name: left => right`. */
  rule(text: string, condition?: Condition<null>): PatternRewrite<null>
  parse(text: string): Pattern
}

export function createToy(options: ConstructorParameters<typeof EGraph<null>>[1] = {}): Toy {
  const table: SymbolTable = new OperatorTable()
  const egraph = new EGraph(table, options)
  const resolve = resolverOf(table)
  const parse = (text: string) => parsePattern(text, resolve)
  return {
    table,
    egraph,
    parse,
    add: (text) =>
      instantiate(egraph, parse(text), (name) => {
        throw new Error(`${name} in a ground term`)
      }),
    rule: (text, condition) => {
      const [, name, left, right] = /^(.*?): (.*) => (.*)$/.exec(text)!
      return patternRewrite(resolve, { name: name!, left: left!, right: right!, ...(condition ? { condition } : {}) })
    },
  }
}

export const AC_RULES = ['comm: (+ ?a ?b) => (+ ?b ?a)', 'assoc: (+ ?a (+ ?b ?c)) => (+ (+ ?a ?b) ?c)']

/** 1 + (2 + (... + n)). */
export function rightNestedSum(n: number): string {
  return Array.from({ length: n - 1 }, (_, i) => i + 1).reduceRight((sum, i) => `(+ ${i} ${sum})`, `${n}`)
}

/** The 24 rules of egglog's math microbenchmark: no conditions, no analysis. */
export const MICRO_RULES = [
  'comm-add: (+ ?a ?b) => (+ ?b ?a)',
  'comm-mul: (* ?a ?b) => (* ?b ?a)',
  'assoc-add: (+ ?a (+ ?b ?c)) => (+ (+ ?a ?b) ?c)',
  'assoc-mul: (* ?a (* ?b ?c)) => (* (* ?a ?b) ?c)',
  'sub-canon: (- ?a ?b) => (+ ?a (* -1 ?b))',
  'zero-add: (+ ?a 0) => ?a',
  'zero-mul: (* ?a 0) => 0',
  'one-mul: (* ?a 1) => ?a',
  'cancel-sub: (- ?a ?a) => 0',
  'distribute: (* ?a (+ ?b ?c)) => (+ (* ?a ?b) (* ?a ?c))',
  'factor: (+ (* ?a ?b) (* ?a ?c)) => (* ?a (+ ?b ?c))',
  'pow-mul: (* (pow ?a ?b) (pow ?a ?c)) => (pow ?a (+ ?b ?c))',
  'pow1: (pow ?x 1) => ?x',
  'pow2: (pow ?x 2) => (* ?x ?x)',
  'd-add: (d ?x (+ ?a ?b)) => (+ (d ?x ?a) (d ?x ?b))',
  'd-mul: (d ?x (* ?a ?b)) => (+ (* ?a (d ?x ?b)) (* ?b (d ?x ?a)))',
  'd-sin: (d ?x (sin ?x)) => (cos ?x)',
  'd-cos: (d ?x (cos ?x)) => (* -1 (sin ?x))',
  'i-one: (i 1 ?x) => ?x',
  'i-cos: (i (cos ?x) ?x) => (sin ?x)',
  'i-sin: (i (sin ?x) ?x) => (* -1 (cos ?x))',
  'i-sum: (i (+ ?f ?g) ?x) => (+ (i ?f ?x) (i ?g ?x))',
  'i-dif: (i (- ?f ?g) ?x) => (- (i ?f ?x) (i ?g ?x))',
  'i-parts: (i (* ?a ?b) ?x) => (- (* ?a (i ?b ?x)) (i (* (d ?x ?a) (i ?b ?x)) ?x))',
]

/** Its seven start terms. */
export const MICRO_TERMS = [
  '(i (ln x) x)',
  '(i (+ x (cos x)) x)',
  '(i (* (cos x) x) x)',
  '(d x (+ 1 (* 2 x)))',
  '(d x (- (pow x 3) (* 7 (pow x 2))))',
  '(+ (* y (+ x y)) (- (+ x 2) (+ x x)))',
  '(/ 1 (- (/ (+ 1 (sqrt five)) 2) (/ (- 1 (sqrt five)) 2)))',
]

/** After each iteration of micro: e-nodes, e-classes, matches so far (egg 0.11 and egglog agree). */
export const MICRO_COUNTS: readonly (readonly [eNodes: number, eClasses: number, matches: number])[] = [
  [69, 50, 20],
  [118, 71, 84],
  [208, 116, 213],
  [389, 197, 481],
  [784, 361, 1_108],
  [1_576, 666, 2_603],
  [3_160, 1_347, 6_056],
  [8_113, 3_576, 13_853],
  [28_303, 12_445, 37_657],
  [136_446, 58_464, 154_860],
  [1_047_896, 443_832, 1_070_188],
]
