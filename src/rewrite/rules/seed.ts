// The three rules of the demonstration that this project started from. They are part of the catalogue but
// not of the default set: the canonical form already makes each of them one choice among equals.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { type Rule, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { operandPairs } from './scale.ts'

const SOURCE = 'the seed demonstration: three rewrites of (x + y) * 2.0'

/** r1: x * 2 = x + x */
function* doubleAsSum(t: TensorEGraph, n: NodeId) {
  for (const [x, c] of operandPairs(t, n)) {
    const id = t.constantOf(c)
    if (id !== null && !t.isConstant(x) && t.constants.uniform(id) === 2 && t.shape(c).every((d) => d === 1))
      yield t.add(x, x)
  }
}

/** r2: x + x = x * 2 */
function* sumAsDouble(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  if (a === b) yield t.mul(a, t.scalar(2, t.rank(a), t.type(a)!.dtype))
}

/** r3: (a + b) * c = a * c + b * c */
function* distribute(t: TensorEGraph, n: NodeId) {
  for (const [sum, c] of operandPairs(t, n))
    for (const s of t.nodes(sum, 'Add')) {
      const [a, b] = t.children(s) as [ClassId, ClassId]
      yield t.add(t.mul(a, c), t.mul(b, c))
    }
}

const rule = ruleMaker({ source: SOURCE })

const EXACT = { exactness: 'exact' } as const

export const seedRules: readonly Rule[] = [
  rule('double-as-sum', 'x * 2 = x + x', ['Mul'], doubleAsSum, '', EXACT),
  rule('sum-as-double', 'x + x = x * 2', ['Add'], sumAsDouble, '', EXACT),
  rule('distribute', '(a + b) * c = a * c + b * c', ['Mul'], distribute),
]
