// egg's `lambda` test suite: a calculus with let, fix and if; free variables and constants as analysis; one rule that renames
// with a fresh symbol. Rules, terms, goals as in egg 0.11 tests/lambda.rs.
import { ConflictError, type EGraph } from '../../../src/egraph/egraph.ts'
import type { ClassId, OpId } from '../../../src/egraph/ids.ts'
import type { Bindings, Condition, PatternRewrite } from '../../../src/egraph/pattern-rewrite.ts'
import { patternRewrite } from '../../../src/egraph/pattern-rewrite.ts'
import type { Proof } from './goal.ts'
import { createToy, resolverOf, type Toy } from './terms.ts'

type G = EGraph<null>

interface Facts {
  /** Classes of the variables that occur free in every known form. */
  readonly free: readonly number[]
  /** The name of the literal that the class equals. */
  readonly constant: string | null
}

class FactTable {
  private readonly facts: Facts[] = []
  private readonly index = new Map<string, number>()

  intern(facts: Facts): number {
    const free = [...new Set(facts.free)].sort((a, b) => a - b)
    const key = `${free.join()}|${facts.constant}`
    if (!this.index.has(key)) this.index.set(key, this.facts.push({ ...facts, free }) - 1)
    return this.index.get(key)!
  }

  get(data: number): Facts {
    return this.facts[data]!
  }

  merge(a: number, b: number): number {
    const [x, y] = [this.get(a), this.get(b)]
    if (x.constant !== null && y.constant !== null && x.constant !== y.constant)
      throw new ConflictError(x.constant, y.constant)
    return this.intern({ free: x.free.filter((v) => y.free.includes(v)), constant: x.constant ?? y.constant })
  }
}

const LITERAL = /^(true|false|-?\d+)$/

function makeFacts(facts: FactTable, g: G, op: OpId, children: ArrayLike<number>): Facts {
  const name = g.operators.name(op)
  const data = Array.from(children, (c) => facts.get(g.data(c)))
  const without = (v: number, free: readonly number[]) => free.filter((x) => x !== v)
  const constant = children.length === 0 && LITERAL.test(name) ? name : fold(name, data)
  if (name === 'var') return { free: [children[0]!], constant }
  if (name === 'let') return { free: [...without(children[0]!, data[2]!.free), ...data[1]!.free], constant }
  if (name === 'lam' || name === 'fix') return { free: without(children[0]!, data[1]!.free), constant }
  return { free: data.flatMap((d) => d.free), constant }
}

function fold(name: string, [a, b]: readonly Facts[]): string | null {
  if (a?.constant == null || b?.constant == null) return null
  if (name === '=') return String(a.constant === b.constant)
  if (name !== '+' || !/\d/.test(a.constant) || !/\d/.test(b.constant)) return null
  const sum = Number(a.constant) + Number(b.constant)
  return Math.abs(sum) < 2 ** 31 ? String(sum) : null
}

const RULES = [
  'if-true: (if true ?then ?else) => ?then',
  'if-false: (if false ?then ?else) => ?else',
  'add-comm: (+ ?a ?b) => (+ ?b ?a)',
  'add-assoc: (+ (+ ?a ?b) ?c) => (+ ?a (+ ?b ?c))',
  'eq-comm: (= ?a ?b) => (= ?b ?a)',
  'fix: (fix ?v ?e) => (let ?v (fix ?v ?e) ?e)',
  'beta: (app (lam ?v ?body) ?e) => (let ?v ?e ?body)',
  'let-app: (let ?v ?e (app ?a ?b)) => (app (let ?v ?e ?a) (let ?v ?e ?b))',
  'let-add: (let ?v ?e (+ ?a ?b)) => (+ (let ?v ?e ?a) (let ?v ?e ?b))',
  'let-eq: (let ?v ?e (= ?a ?b)) => (= (let ?v ?e ?a) (let ?v ?e ?b))',
  'let-if: (let ?v ?e (if ?c ?t ?s)) => (if (let ?v ?e ?c) (let ?v ?e ?t) (let ?v ?e ?s))',
  'let-var-same: (let ?v ?e (var ?v)) => ?e',
  'let-lam-same: (let ?v ?e (lam ?v ?body)) => (lam ?v ?body)',
]

export interface LambdaToy extends Toy {
  readonly rules: readonly PatternRewrite<null>[]
}

export function createLambdaToy(): LambdaToy {
  const facts = new FactTable()
  const toy: Toy = createToy({
    analysis: {
      make: (g: G, op, children) => facts.intern(makeFacts(facts, g, op, children)),
      merge: (a, b) => facts.merge(a, b),
      modify: (g: G, c) => {
        const { constant } = facts.get(g.data(c))
        if (constant !== null) g.union(c, g.add(toy.table.intern(constant, '', null), []))
      },
    },
  })
  return { ...toy, rules: lambdaRules(toy, (g, c) => facts.get(g.data(c))) }
}

function lambdaRules(toy: Toy, factsOf: (g: G, c: ClassId) => Facts): PatternRewrite<null>[] {
  const op = (name: string) => toy.table.intern(name, '', null)
  const bindLet = (g: G, v: ClassId, e: ClassId, body: ClassId) => g.add(op('let'), [v, e, body])
  const differ: Condition<null> = (g, b) => g.find(b.get('?v')) !== g.find(b.get('?w'))
  const sameUnderLet: Condition<null> = (g, b) => {
    const [x, e] = [b.get('?x'), b.get('?e')]
    return g.find(bindLet(g, x, e, b.get('?then'))) === g.find(bindLet(g, x, e, b.get('?else')))
  }
  const avoidCapture = (g: G, b: Bindings, root: ClassId): ClassId => {
    const [v, w, e, body] = [b.get('?v'), b.get('?w'), b.get('?e'), b.get('?body')]
    if (!factsOf(g, e).free.some((x) => g.find(x) === g.find(w))) return g.add(op('lam'), [w, bindLet(g, v, e, body)])
    const fresh = g.add(op(`_${g.find(root)}`), [])
    return g.add(op('lam'), [fresh, bindLet(g, v, e, bindLet(g, w, g.add(op('var'), [fresh]), body))])
  }
  const letLamDiff = patternRewrite<null>(resolverOf(toy.table), {
    name: 'let-lam-diff',
    left: '?root = (let ?v ?e (lam ?w ?body))',
    right: (g, b) => avoidCapture(g, b, b.get('?root')),
    condition: differ,
  })
  return [
    ...RULES.map((rule) => toy.rule(rule)),
    toy.rule('if-elim: (if (= (var ?x) ?e) ?then ?else) => ?else', sameUnderLet),
    toy.rule('let-const: (let ?v ?e ?c) => ?c', (g, b) => factsOf(g, b.get('?c')).constant !== null),
    toy.rule('let-var-diff: (let ?v ?e (var ?w)) => (var ?w)', differ),
    letLamDiff,
  ]
}

const COMPOSE = '(lam f (lam g (lam x (app (var f) (app (var g) (var x))))))'
const ADD1 = '(lam y (+ (var y) 1))'
const inCompose = (body: string) => `(let compose ${COMPOSE} (let add1 ${ADD1} ${body}))`
const composeTimes = (n: number): string =>
  n === 1 ? '(var add1)' : `(app (app (var compose) (var add1)) ${composeTimes(n - 1)})`
const REPEAT =
  '(fix repeat (lam fun (lam n (if (= (var n) 0) (lam i (var i)) (app (app (var compose) (var fun)) (app (app (var repeat) (var fun)) (+ (var n) -1)))))))'
const FIB =
  '(fix fib (lam n (if (= (var n) 0) 0 (if (= (var n) 1) 1 (+ (app (var fib) (+ (var n) -1)) (app (var fib) (+ (var n) -2)))))))'

/** By the oracle's names. */
export const LAMBDA_PROOFS: Readonly<Record<string, Proof>> = {
  lambda_under: { start: '(lam x (+ 4 (app (lam y (var y)) 4)))', goals: ['(lam x 8)'] },
  lambda_if_elim: {
    start: '(if (= (var a) (var b)) (+ (var a) (var a)) (+ (var a) (var b)))',
    goals: ['(+ (var a) (var b))'],
  },
  lambda_let_simple: { start: '(let x 0 (let y 1 (+ (var x) (var y))))', goals: ['1'] },
  lambda_capture: { start: '(let x 1 (lam x (var x)))', goals: ['(lam x 1)'], mustFail: true },
  lambda_capture_free: {
    start: '(let y (+ (var x) (var x)) (lam x (var y)))',
    goals: ['(lam x (+ (var x) (var x)))'],
    mustFail: true,
  },
  lambda_closure_not_seven: {
    start: '(let five 5 (let add-five (lam x (+ (var x) (var five))) (let five 6 (app (var add-five) 1))))',
    goals: ['7'],
    mustFail: true,
  },
  lambda_compose: {
    start: inCompose('(app (app (var compose) (var add1)) (var add1))'),
    goals: ['(lam ?x (+ 1 (app (lam ?y (+ 1 (var ?y))) (var ?x))))', '(lam ?x (+ (var ?x) 2))'],
  },
  lambda_compose_many: { start: inCompose(composeTimes(7)), goals: ['(lam ?x (+ (var ?x) 7))'] },
  lambda_if_simple: { start: '(if (= 1 1) 7 9)', goals: ['7'] },
  lambda_if: {
    start: '(let zeroone (lam x (if (= (var x) 0) 0 1)) (+ (app (var zeroone) 0) (app (var zeroone) 10)))',
    goals: ['1'],
  },
  lambda_function_repeat: {
    start: `(let compose ${COMPOSE} (let repeat ${REPEAT} (let add1 ${ADD1} (app (app (var repeat) (var add1)) 2))))`,
    goals: ['(lam ?x (+ (var ?x) 2))'],
  },
  lambda_fib: { start: `(let fib ${FIB} (app (var fib) 4))`, goals: ['3'] },
}
