// A law as a rule of the search. It fires where the left side, built on what a template proposes, is the class it looks at.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import type { Refusal } from '../../egraph/rewrite.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { type Exactness, type Results, type Rule, refuse } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { buildTerm, orNull } from './build-term.ts'
import { type Condition, refusalOf } from './condition.ts'
import { LAW_OPSET, type Term } from './law.ts'
import { type Bindings, proposals } from './match.ts'
import { depthOf, type NodeTemplate } from './template.ts'

/** A law that was read, in one direction. */
export interface Law {
  readonly name: string
  /** As it is written. */
  readonly text: string
  readonly left: Term
  readonly right: Term
  readonly variables: readonly string[]
  readonly conditions: readonly Condition[]
  /** The same as written. */
  readonly where: readonly string[]
  readonly exactness: Exactness
  readonly source: string
}

/** The rule that a law is, matched by these templates of its left side. */
export function lawRule(law: Law, templates: readonly NodeTemplate[]): Rule {
  return {
    name: law.name,
    law: law.text,
    condition: law.where.join(', '),
    source: law.source,
    exactness: law.exactness,
    families: [...new Set(templates.map((p) => p.family))],
    depth: Math.max(2, ...templates.map((p) => depthOf(p) + 1)),
    apply: (t, n) => applyLaw(t, n, law, templates),
  }
}

function* applyLaw(t: TensorEGraph, n: NodeId, law: Law, templates: readonly NodeTemplate[]): Results {
  for (const bound of matches(t, n, law, templates)) {
    if (t.opset < LAW_OPSET) return yield refuse(`the model is of an opset before ${LAW_OPSET}`)
    const refused = refusalOf(t, law.conditions, bound)
    yield refused === null ? rightSide(t, law, bound, t.egraph.classOf(n)) : refuse(refused)
  }
}

/** The bindings under which the left side is the class of `n`. */
function* matches(t: TensorEGraph, n: NodeId, law: Law, templates: readonly NodeTemplate[]): Generator<Bindings> {
  const seen = new Set<string>()
  for (const template of templates)
    for (const bound of proposals(t, template, n)) {
      const key = law.variables.map((name) => bound.get(name)).join()
      if (seen.has(key)) continue
      seen.add(key)
      const left = orNull(() => t.existing(() => buildTerm(t, law.left, bound)))
      if (left !== null && t.egraph.find(left) === t.egraph.classOf(n)) yield bound
    }
}

function rightSide(t: TensorEGraph, law: Law, bound: Bindings, at: ClassId): ClassId | Refusal {
  const right = orNull(() => buildTerm(t, law.right, bound))
  if (right === null) return refuse('the operands do not fit the right side')
  const [expected, got] = [t.type(at), t.type(right)]
  if (expected && got && expected.dtype === got.dtype && shapeEquals(expected.shape, got.shape)) return right
  return refuse('the right side is not known to have the shape of the left side')
}
