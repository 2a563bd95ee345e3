// egg's `math` test suite: 36 rules with conditions over constant folding. Rules, start terms, goals and limits as in egg
// 0.11 tests/math.rs; the rules are unsound (0 and -1 merge in iteration 8 of the big workload), so runs are short.
import { ConflictError, type EGraph } from '../../../src/egraph/egraph.ts'
import type { ClassId } from '../../../src/egraph/ids.ts'
import type { Bindings, PatternRewrite } from '../../../src/egraph/pattern-rewrite.ts'
import type { Proof } from './goal.ts'
import { createToy, MICRO_RULES, type Toy } from './terms.ts'

type G = EGraph<null>

/** Numbers known to be equal to a class: data 0 is none, otherwise 1 + index. */
class Constants {
  private readonly values: number[] = []
  private readonly index = new Map<number, number>()

  intern(value: number): number {
    const key = value === 0 ? 0 : value
    if (!this.index.has(key)) this.index.set(key, this.values.push(key))
    return this.index.get(key)!
  }

  get(data: number): number | null {
    return data === 0 ? null : this.values[data - 1]!
  }
}

const FOLD: Readonly<Record<string, (a: number, b: number) => number | null>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => (b === 0 ? null : a / b),
}

export interface MathToy extends Toy {
  readonly rules: readonly PatternRewrite<null>[]
}

/** The language with its analysis: fold, add the constant, then keep only leaves in that class. */
export function createMathToy(): MathToy {
  const constants = new Constants()
  const toy: Toy = createToy({
    analysis: {
      make: (g: G, op, children) => {
        const name = g.operators.name(op)
        if (children.length === 0) return isNumber(name) ? constants.intern(Number(name)) : 0
        const [a, b] = Array.from(children, (c) => constants.get(g.data(c)))
        const value = children.length === 2 && a != null && b != null ? (FOLD[name]?.(a, b) ?? null) : null
        return value === null ? 0 : constants.intern(value)
      },
      merge: (a, b) => {
        if (a !== 0 && b !== 0 && a !== b) throw new ConflictError(String(constants.get(a)), String(constants.get(b)))
        return a === 0 ? b : a
      },
      modify: (g: G, c) => {
        const value = constants.get(g.data(c))
        if (value === null) return
        g.union(c, g.add(toy.table.intern(String(value), '', null), []))
        g.prune(c, (n) => g.arityOf(n) === 0)
      },
    },
  })
  return { ...toy, rules: mathRules(toy, (g, c) => constants.get(g.data(c))) }
}

function isNumber(name: string): boolean {
  return /^-?\d/.test(name)
}

function mathRules(toy: Toy, constantOf: (g: G, c: ClassId) => number | null): PatternRewrite<null>[] {
  const isSymbol = (g: G, c: ClassId) =>
    g.nodesOf(c).some((n) => g.arityOf(n) === 0 && !isNumber(g.operators.name(g.opOf(n))))
  const isNotZero =
    (...names: string[]) =>
    (g: G, b: Bindings) =>
      names.every((name) => constantOf(g, b.get(name)) !== 0)
  const isConstantOrOther = (g: G, b: Bindings) => {
    const [c, x] = [b.get('?c'), b.get('?x')]
    return isSymbol(g, x) && c !== x && (constantOf(g, c) !== null || isSymbol(g, c))
  }
  return [
    ...MICRO_RULES.map((rule) => toy.rule(rule)),
    toy.rule('div-canon: (/ ?a ?b) => (* ?a (pow ?b -1))', isNotZero('?b')),
    toy.rule('add-zero: ?a => (+ ?a 0)'),
    toy.rule('mul-one: ?a => (* ?a 1)'),
    toy.rule('cancel-div: (/ ?a ?a) => 1', isNotZero('?a')),
    toy.rule('pow0: (pow ?x 0) => 1', isNotZero('?x')),
    toy.rule('pow-recip: (pow ?x -1) => (/ 1 ?x)', isNotZero('?x')),
    toy.rule('recip-mul-div: (* ?x (/ 1 ?x)) => 1', isNotZero('?x')),
    toy.rule('d-variable: (d ?x ?x) => 1', (g, b) => isSymbol(g, b.get('?x'))),
    toy.rule('d-constant: (d ?x ?c) => 0', isConstantOrOther),
    toy.rule('d-ln: (d ?x (ln ?x)) => (/ 1 ?x)', isNotZero('?x')),
    toy.rule(
      'd-power: (d ?x (pow ?f ?g)) => (* (pow ?f ?g) (+ (* (d ?x ?f) (/ ?g ?f)) (* (d ?x ?g) (ln ?f))))',
      isNotZero('?f', '?g'),
    ),
    toy.rule(
      'i-power-const: (i (pow ?x ?c) ?x) => (/ (pow ?x (+ ?c 1)) (+ ?c 1))',
      (g, b) => constantOf(g, b.get('?c')) !== null,
    ),
  ]
}

/** By the oracle's names. */
export const MATH_PROOFS: Readonly<Record<string, Proof>> = {
  math_simplify_add: { start: '(+ x (+ x (+ x x)))', goals: ['(* 4 x)'] },
  math_powers: { start: '(* (pow 2 x) (pow 2 y))', goals: ['(pow 2 (+ x y))'] },
  math_simplify_const: { start: '(+ 1 (- a (* (- 2 1) a)))', goals: ['1'] },
  math_simplify_root: {
    start: '(/ 1 (- (/ (+ 1 (sqrt five)) 2) (/ (- 1 (sqrt five)) 2)))',
    goals: ['(/ 1 (sqrt five))'],
  },
  math_simplify_factor: { start: '(* (+ x 3) (+ x 1))', goals: ['(+ (+ (* x x) (* 4 x)) 3)'] },
  math_diff_same: { start: '(d x x)', goals: ['1'] },
  math_diff_different: { start: '(d x y)', goals: ['0'] },
  math_diff_simple1: { start: '(d x (+ 1 (* 2 x)))', goals: ['2'] },
  math_diff_simple2: { start: '(d x (+ 1 (* y x)))', goals: ['y'] },
  math_diff_ln: { start: '(d x (ln x))', goals: ['(/ 1 x)'] },
  diff_power_simple: { start: '(d x (pow x 3))', goals: ['(* 3 (pow x 2))'] },
  diff_power_harder: {
    first: '(* x (- (* 3 x) 14))',
    start: '(d x (- (pow x 3) (* 7 (pow x 2))))',
    goals: ['(* x (- (* 3 x) 14))'],
  },
  integ_one: { start: '(i 1 x)', goals: ['x'] },
  integ_sin: { start: '(i (cos x) x)', goals: ['(sin x)'] },
  integ_x: { start: '(i (pow x 1) x)', goals: ['(/ (pow x 2) 2)'] },
  integ_part1: { start: '(i (* x (cos x)) x)', goals: ['(+ (* x (sin x)) (cos x))'] },
  integ_part2: { start: '(i (* (cos x) x) x)', goals: ['(+ (* x (sin x)) (cos x))'] },
  integ_part3: { start: '(i (ln x) x)', goals: ['(- (* x (ln x)) x)'] },
  math_fail: { start: '(+ x y)', goals: ['(/ x y)'], mustFail: true },
}
