// What is added up at positions, into something: a sum with what would be added up into zeros. The latter is linear, and what moves
// through linear operators moves through it; afterwards both are one again.
import type { NodeId } from '../../egraph/egraph.ts'
import { getText } from '../../ir/attribute.ts'
import { shapeEquals } from '../../ir/shape.ts'
import { scatterIntoZeros } from '../canonical-scatter.ts'
import { scatterInto } from '../lower-scatter.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import { operandPairs } from './scale.ts'

/** scatter(y, i, x) = y + scatter(0, i, x) */
function* apart(t: TensorEGraph, n: NodeId): Results {
  const op = t.op(n)
  if (op.kind !== 'onnx' || getText(op.attributes, 'reduction', 'none') !== 'add')
    return yield refuse('it does not add up')
  const written = scatterIntoZeros(t, op, t.children(n))
  yield written === null
    ? refuse('it does not write whole slices of floats, of sizes that inputs have')
    : t.add(t.child(n, 0), written)
}

/** y + scatter(0, i, x) = scatter(y, i, x) */
function* into(t: TensorEGraph, n: NodeId) {
  for (const [y, c] of operandPairs(t, n))
    for (const s of t.nodes(c, 'scatter')) {
      const op = t.op(s)
      if (op.kind !== 'scatter' || op.reduction !== 'add') yield refuse('it does not add up')
      else if (!shapeEquals(t.shape(y), t.shape(c))) yield refuse('the other term is repeated in the sum')
      else yield scatterInto(t, s, y) ?? refuse('the positions cannot be repeated to sizes that no input has')
    }
}

const rule = ruleMaker({ source: 'the definition of ScatterElements and ScatterND (docs/rules.md, linear maps)' })

export const scatterRules: readonly Rule[] = [
  rule(
    'scatter-apart',
    'scatter(y, i, x) = y + scatter(0, i, x)',
    ['ScatterElements', 'ScatterND'],
    apart,
    'it adds up whole slices of floats',
  ),
  rule(
    'scatter-into',
    'y + scatter(0, i, x) = scatter(y, i, x)',
    ['Add'],
    into,
    'it adds up; y is as large as the sum',
  ),
]
