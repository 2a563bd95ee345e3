// Weights below the normal range become zero: a product with one changes by less than 2^-126 times what it is multiplied with,
// and is many times faster where the processor takes long for such numbers. Run once, after the search: with two forms of each weight
// from the start, sums and products of several constants would have very many.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { type Results, type Rule, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'

const rule = ruleMaker({ source: 'flush to zero, IEEE 754 section 7.5' })

function* flush(t: TensorEGraph, n: NodeId): Results {
  const children = t.children(n)
  const flushed = children.map((c) => flushedOperand(t, c))
  if (flushed.every((c, i) => c === children[i])) return
  yield t.make(t.op(n), flushed)
}

function flushedOperand(t: TensorEGraph, c: ClassId): ClassId {
  const id = t.constantOf(c)
  return id === null || t.constants.subnormalShare(id) === 0 ? c : t.constant(t.constants.flushed(id))
}

export const subnormalRules: readonly Rule[] = [
  rule(
    'flush-subnormals',
    'x W = x W[|w| < 2^-126: 0]; the same for conv',
    ['lin', 'MatMul', 'Conv', 'ConvTranspose'],
    flush,
    'W is constant and float32',
    { exactness: 'flushes' },
  ),
]
