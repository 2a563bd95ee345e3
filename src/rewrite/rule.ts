// What a rewrite rule is: an entry of a table in rules/. It looks at one e-node (and the e-nodes in its children's classes) and
// yields classes that equal it, or says why it does not apply.
import type { ClassId, NodeId } from '../egraph/egraph.ts'
import type { NodeRewrite, Refusal } from '../egraph/rewrite.ts'
import { NotFoldable, type TensorEGraph } from './tensor-egraph.ts'
import type { TensorOp } from './tensor-op.ts'

/** What a rewrite may change in floating point. */
export type Exactness =
  | 'exact' // the same numbers, bit for bit, up to the runtime's own choices
  | 'reassociates' // the same real number; rounding differs
  | 'finite' // the same real number where all numbers are finite; else nothing is promised
  | 'flushes' // values below the normal range may become zero

/** What a rule yields of one e-node. */
export type Results = Iterable<ClassId | Refusal>

export interface Rule {
  readonly name: string
  /** The identity, in the notation of the documentation. */
  readonly law: string
  /** When it holds or is tried; empty if always. */
  readonly condition: string
  readonly source: string
  readonly exactness: Exactness
  /** Operators at which it looks; 'all' for those derived from properties. */
  readonly families: readonly string[] | 'all'
  /** How many levels below the e-node it looks, when more than two. */
  readonly depth?: number
  apply(t: TensorEGraph, n: NodeId): Results
}

/** What the rules of one file have in common. */
type Common = Pick<Rule, 'source'> & Partial<Pick<Rule, 'exactness' | 'depth'>>
type Own = Partial<Pick<Rule, 'exactness' | 'depth'>>

/** Makes the rules of a file: name, law, operators, what to do, condition, and what differs from the others. */
export const ruleMaker =
  (common: Common) =>
  (
    name: string,
    law: string,
    families: Rule['families'],
    apply: Rule['apply'],
    condition = '',
    own: Own = {},
  ): Rule => ({
    exactness: 'reassociates',
    ...common,
    name,
    law,
    condition,
    families,
    apply,
    ...own,
  })

/** The rule as the engine runs it. It never sees an e-node of which a type is unknown. */
export function bindRule(t: TensorEGraph, rule: Rule): NodeRewrite<TensorOp> {
  const apply = (_: unknown, n: NodeId) => (t.isTyped(n) ? foldable(rule.apply(t, n)) : [])
  return { kind: 'node', name: rule.name, families: rule.families, depth: rule.depth ?? 2, apply }
}

/** The same results; a constant that is too large to fold ends them with a refusal. */
function* foldable(results: Results): Results {
  try {
    yield* results
  } catch (error) {
    if (!(error instanceof NotFoldable)) throw error
    yield refuse(error.message)
  }
}

export const refuse = (refused: string): Refusal => ({ refused })
