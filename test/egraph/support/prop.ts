// egg's `prop` test suite: propositions with constant folding, of which each start term is taken to be true. Rules, start
// terms, goals and limits as in egg 0.11 tests/prop.rs; the last rule has two patterns.
import type { EGraph } from '../../../src/egraph/egraph.ts'
import type { PatternRewrite } from '../../../src/egraph/pattern-rewrite.ts'
import type { Proof } from './goal.ts'
import { createToy, type Toy } from './terms.ts'

type G = EGraph<null>
const [UNKNOWN, FALSE, TRUE] = [0, 1, 2]
const toData = (value: boolean) => (value ? TRUE : FALSE)

const FOLD: Readonly<Record<string, (a: boolean, b: boolean) => boolean>> = {
  '&': (a, b) => a && b,
  '|': (a, b) => a || b,
  '->': (a, b) => !a || b,
}

function fold(name: string, values: readonly number[]): number {
  if (values.length === 0) return name === 'true' ? TRUE : name === 'false' ? FALSE : UNKNOWN
  if (values.includes(UNKNOWN)) return UNKNOWN
  const [a, b] = values.map((v) => v === TRUE)
  return toData(name === '~' ? !a : FOLD[name]!(a!, b!))
}

const CONTRAPOSITIVE = [
  'def-imply: (-> ?a ?b) => (| (~ ?a) ?b)',
  'def-imply-flip: (| (~ ?a) ?b) => (-> ?a ?b)',
  'double-neg-flip: ?a => (~ (~ ?a))',
  'comm-or: (| ?a ?b) => (| ?b ?a)',
]
const CHAIN = [
  ...CONTRAPOSITIVE,
  'comm-and: (& ?a ?b) => (& ?b ?a)',
  'lem-imply: ?v = true, ?v = (& (-> ?a ?b) (-> (~ ?a) ?c)) => ?v = (| ?b ?c)',
]

export interface PropToy extends Toy {
  readonly rules: readonly PatternRewrite<null>[]
}

/** The language with its analysis: fold, and add the constant. */
export function createPropToy(rules: readonly string[]): PropToy {
  const toy: Toy = createToy({
    analysis: {
      make: (g: G, op, children) =>
        fold(
          g.operators.name(op),
          Array.from(children, (c) => g.data(c)),
        ),
      merge: (a, b) => a || b,
      modify: (g: G, c) => {
        const value = g.data(c)
        if (value !== UNKNOWN) g.union(c, g.add(toy.table.intern(value === TRUE ? 'true' : 'false', '', null), []))
      },
    },
  })
  return { ...toy, rules: rules.map((rule) => toy.rule(rule)) }
}

/** By the oracle's names. All goals must be in the class of the start at the end; the run does not stop for them. */
export const PROP_PROOFS: Readonly<Record<string, Proof & { readonly rules: readonly string[] }>> = {
  prove_contrapositive: {
    rules: CONTRAPOSITIVE,
    start: '(-> x y)',
    goals: ['(-> x y)', '(| (~ x) y)', '(| (~ x) (~ (~ y)))', '(| (~ (~ y)) (~ x))', '(-> (~ y) (~ x))'],
  },
  prove_chain: {
    rules: CHAIN,
    start: '(& (-> x y) (-> y z))',
    goals: ['(& (-> (~ y) (~ x)) (-> y z))', '(& (-> y z) (-> (~ y) (~ x)))', '(| z (~ x))', '(| (~ x) z)', '(-> x z)'],
  },
}
