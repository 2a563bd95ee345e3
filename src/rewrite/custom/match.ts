// Where a template fits an e-node, and what its variables are there. A fit is only a proposal: it compares families, not
// attributes or sizes. Whoever uses it builds the left side again on the bindings and looks whether that is the e-node's class.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import type { Dim } from '../../ir/dim.ts'
import { ndarray } from '../../ir/tensor.ts'
import type { AxisGroups } from '../axis-groups.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import type { Fold, NodeTemplate, Template } from './template.ts'

export type Bindings = ReadonlyMap<string, ClassId>

/** Every proposal at `n`. */
export function* proposals(t: TensorEGraph, template: NodeTemplate, n: NodeId, bound: Bindings = new Map()) {
  const children = t.children(n)
  if (children.length !== template.children.length || t.egraph.familyOf(n) !== t.operators.family(template.family))
    return
  yield* allFit(t, template.children, children, bound)
  if (template.isCommutative) yield* allFit(t, template.children, [...children].reverse(), bound)
}

function* allFit(
  t: TensorEGraph,
  [first, ...rest]: readonly Template[],
  [c, ...others]: readonly ClassId[],
  bound: Bindings,
): Generator<Bindings> {
  if (first === undefined) return yield bound
  for (const more of fits(t, first, c!, bound)) yield* allFit(t, rest, others, more)
}

function* fits(t: TensorEGraph, template: Template, c: ClassId, bound: Bindings): Generator<Bindings> {
  switch (template.kind) {
    case 'variable':
      return yield* bind(t, template.name, c, bound)
    case 'constant':
      if (t.isConstant(c)) yield bound
      return
    case 'folded': {
      const x = t.isConstant(c) ? unfold(t, c, template.folds) : null
      if (x !== null) yield* bind(t, template.name, x, bound)
      return
    }
    case 'node':
      for (const n of t.nodes(c, template.family)) yield* proposals(t, template, n, bound)
      return
    default:
      return template satisfies never
  }
}

function* bind(t: TensorEGraph, name: string, c: ClassId, bound: Bindings): Generator<Bindings> {
  const known = bound.get(name)
  if (known === undefined) yield new Map([...bound, [name, t.egraph.find(c)]])
  else if (t.egraph.find(known) === t.egraph.find(c)) yield bound
}

/** The constant that becomes `c` when these operators are applied to it, or null where they cannot be undone. */
function unfold(t: TensorEGraph, c: ClassId, folds: readonly Fold[]): ClassId | null {
  return folds.reduceRight<ClassId | null>((x, fold) => (x === null ? null : undo(t, x, fold)), c)
}

function undo(t: TensorEGraph, c: ClassId, { op, others }: Fold): ClassId | null {
  if (op.kind === 'transpose') {
    if (op.perm.length !== t.rank(c)) return null
    return t.transpose(
      c,
      op.perm.map((_, i) => op.perm.indexOf(i)),
    )
  }
  if (op.kind === 'reshape') return withoutReshape(t, c, op.groups)
  if (op.kind !== 'onnx') return null
  if (op.op === 'Reciprocal') return t.onnx('Reciprocal', [c])
  const [k] = others
  if (k?.data.length !== 1) return null
  const scalar = (x: number) => t.literal(ndarray(k.dtype, new Array<number>(t.rank(c)).fill(1), [x]))
  if (op.op === 'Mul') return t.mul(c, scalar(1 / k.data[0]!))
  return op.op === 'Add' ? t.add(c, scalar(-k.data[0]!)) : null
}

/** Undoes a reshape that only put axes of size 1 in, or took them out. */
function withoutReshape(t: TensorEGraph, c: ClassId, groups: AxisGroups): ClassId | null {
  const sizes = [...t.shape(c)]
  const before: Dim[] = []
  for (const { inputs, sizes: made } of groups) {
    if (inputs > 1 || made.length > 1) return null
    const size = made.length === 1 ? sizes.shift() : 1
    if (size === undefined || (inputs === 0 && size !== 1)) return null
    if (inputs === 1) before.push(size)
  }
  return sizes.length === 0 ? t.reshape(c, before) : null
}
