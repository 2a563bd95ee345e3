// Linear maps along one axis, lin(x, W, axis): they move through every operator that is linear in that child and whose other
// children do not vary along the axis, and they compose. Derived from axis maps and linearity; nothing here names an operator
// but lin, concat and Add.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { ndarray } from '../../ir/tensor.ts'
import { range } from '../index-vector.ts'
import { replaceAxis } from '../infer-op.ts'
import { axesOf, isJointlyLinear, linearChildren, onAxis, targetAxes } from '../properties.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'

const SOURCE = 'linearity and axis maps of the operators (docs/rules.md, linear maps)'

/** e-nodes of the class that are lin along `axis`. */
function linsAlong(t: TensorEGraph, c: ClassId, axis: number): NodeId[] {
  return t.nodes(c, 'lin').filter((n) => axisOf(t, n) === axis)
}
function axisOf(t: TensorEGraph, n: NodeId): number {
  const op = t.op(n)
  return op.kind === 'lin' || op.kind === 'concat' ? op.axis : -1
}

/** The child through which a map along output axis `a` may pass, with its axis there; or null. */
function passage(t: TensorEGraph, n: NodeId, a: number): { readonly child: number; readonly axis: number } | null {
  const row = axesOf(t, n)?.[a]
  if (!row) return null
  for (const k of linearChildren(t, n)) {
    const axis = row[k]
    if (typeof axis === 'number' && row.every((source, i) => i === k || source === 'broadcast'))
      return { child: k, axis }
  }
  return null
}

/** lin(f(.., x, ..), W) = f(.., lin(x, W), ..) */
function* push(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  if (op.kind !== 'lin') return
  const w = t.child(n, 1)
  const size = t.shape(w)[1] as number
  for (const f of t.egraph.nodesOf(t.child(n, 0)).filter((x) => t.isTyped(x))) {
    const through = passage(t, f, op.axis)
    if (through === null) {
      const joint = pushJoint(t, f, w, op.axis)
      yield joint ??
        refuse(
          isJointlyLinear(t.op(f))
            ? 'a part of the sum or concatenation could not absorb the map'
            : 'the operator is not linear, or another operand varies along the axis',
        )
      continue
    }
    if (t.op(f).kind === 'lin' && through.child === 1) continue
    const children = t.children(f).map((c, i) => (i === through.child ? t.lin(c, w, through.axis) : c))
    const pushed = onAxis(t, f, children, op.axis, size)
    yield pushed ?? refuse('the operator cannot be resized along the axis')
  }
}

/** Through a sum or a concatenation along another axis: every part must be able to absorb the map, or the map of one part
 * serve them all. */
function pushJoint(t: TensorEGraph, f: NodeId, w: ClassId, axis: number): ClassId | null {
  const op = t.op(f)
  if (!isJointlyLinear(op)) return null
  const row = axesOf(t, f)?.[axis]
  const parts = t.children(f)
  if (!row || !parts.every((c, i) => typeof row[i] === 'number' || t.isConstant(c))) return null
  const others = parts.filter((c) => !absorbs(t, c, w, axis))
  if (others.length > 0 && !shareSource(t, others, axis)) return null
  const mapped = parts.map((c) => linOfPart(t, c, w, axis))
  return mapped.includes(null) ? null : t.rebuild(op, mapped as ClassId[])
}

function linOfPart(t: TensorEGraph, c: ClassId, w: ClassId, axis: number): ClassId | null {
  const size = t.shape(w)[0]!
  if (t.shape(c)[axis] === size) return t.lin(c, w, axis)
  const full = t.isConstant(c) ? t.expand(c, replaceAxis(t.shape(c), axis, size)) : null
  return full === null ? null : t.lin(full, w, axis)
}

/** How many operators down a map may travel to what it merges with. */
const ABSORB_DEPTH = 4

/** True if the map w along `axis` of c can merge with what makes c, or what that is made of, without adding work. */
function absorbs(t: TensorEGraph, c: ClassId, w: ClassId, axis: number, depth = ABSORB_DEPTH): boolean {
  if (t.isConstant(c) || isMapped(t, c, w, axis)) return true
  if (depth === 0) return false
  return t.egraph.nodesOf(c).some((n) => t.isTyped(n) && nodeAbsorbs(t, n, w, axis, depth))
}

/** True if the map of c is there already. */
function isMapped(t: TensorEGraph, c: ClassId, w: ClassId, axis: number): boolean {
  const isMap = (n: NodeId) => axisOf(t, n) === axis && t.op(n).kind === 'lin' && t.child(n, 1) === t.egraph.find(w)
  return t.egraph.parentsOf(c).some((n) => isMap(n) && t.child(n, 0) === t.egraph.find(c))
}

function nodeAbsorbs(t: TensorEGraph, n: NodeId, w: ClassId, axis: number, depth: number): boolean {
  const op = t.op(n)
  if (op.kind === 'lin' && op.axis === axis) return composesWell(t, t.child(n, 1), w)
  if (op.kind === 'concat' && op.axis === axis) return true
  if (op.kind === 'onnx' && op.op === 'Conv') return axis === 1
  if (op.kind === 'onnx' && (op.op === 'Add' || op.op === 'Mul')) {
    const rest = t.children(n).filter((x) => !t.isConstant(x))
    return rest.length === 1 && absorbs(t, rest[0]!, w, axis, depth - 1)
  }
  const through = passage(t, n, axis)
  return through !== null && absorbs(t, t.child(n, through.child), w, through.axis, depth - 1)
}

/** True if a map along `axis` of the classes, at least two, would go on to one and the same class. */
function shareSource(t: TensorEGraph, classes: readonly ClassId[], axis: number): boolean {
  const [first, ...rest] = classes.map((c) => new Set(sources(t, c, axis)))
  return rest.length > 0 && [...first!].some((key) => rest.every((s) => s.has(key)))
}

/** Where a map along `axis` of c may go: c itself and what lies below it, each with the axis there. */
function sources(t: TensorEGraph, c: ClassId, axis: number, depth = ABSORB_DEPTH): string[] {
  const below = depth === 0 ? [] : t.egraph.nodesOf(c).filter((n) => t.isTyped(n))
  const further = below.flatMap((n) => {
    const through = passage(t, n, axis)
    return through === null ? [] : sources(t, t.child(n, through.child), through.axis, depth - 1)
  })
  return [`${t.egraph.find(c)}:${axis}`, ...further]
}

/** True if x (A W) takes no more work than (x A) W. */
function composesWell(t: TensorEGraph, a: ClassId, w: ClassId): boolean {
  const [k, inner] = t.shape(a) as [number, number]
  const n = t.shape(w)[1] as number
  return k * n <= k * inner + inner * n
}

/** f(.., lin(x, W), ..) = lin(f(.., x, ..), W) */
function* pull(t: TensorEGraph, n: NodeId) {
  const linear = linearChildren(t, n)
  const joint = isJointlyLinear(t.op(n))
  if (linear.length === 0 && !joint) return
  const axes = axesOf(t, n)
  if (!axes) return
  if (joint) return yield* pullJoint(t, n)
  for (const k of linear) {
    const c = t.child(n, k)
    const targets = targetAxes(axes, k, t.rank(c))
    for (const l of t.nodes(c, 'lin')) {
      const a = targets[axisOf(t, l)]
      if (a == null || !axes[a]!.every((source, i) => i === k || source === 'broadcast')) {
        yield refuse('the operator mixes the axis of the map, or another operand varies along it')
        continue
      }
      if (t.op(n).kind === 'lin' && k === 1) continue
      const x = t.child(l, 0)
      const children = t.children(n).map((other, i) => (i === k ? x : other))
      const inner = onAxis(t, n, children, a, t.shape(x)[axisOf(t, l)] as number)
      if (inner !== null) yield t.lin(inner, t.child(l, 1), a)
    }
  }
}

/** lin(x, W) + lin(y, W) = lin(x + y, W); the same for concatenation along another axis. */
function* pullJoint(t: TensorEGraph, n: NodeId) {
  const parts = t.children(n)
  const op = t.op(n)
  for (const first of t.nodes(parts[0]!, 'lin')) {
    const axis = axisOf(t, first)
    if (op.kind === 'concat' && op.axis === axis) continue
    const w = t.child(first, 1)
    const lins = parts.map((p) => linsAlong(t, p, axis).find((l) => t.child(l, 1) === w))
    if (lins.includes(undefined)) {
      yield refuse('not every part is a map by the same matrix')
      continue
    }
    const inner = t.rebuild(
      op,
      (lins as NodeId[]).map((l) => t.child(l, 0)),
    )
    if (inner !== null) yield t.lin(inner, w, axis)
  }
}

/** lin(lin(x, A), B) = lin(x, AB) */
function* compose(t: TensorEGraph, n: NodeId) {
  const axis = axisOf(t, n)
  for (const inner of linsAlong(t, t.child(n, 0), axis)) {
    const w = t.lin(t.child(inner, 1), t.child(n, 1), 1)
    if (t.isConstant(w)) yield t.lin(t.child(inner, 0), w, axis)
    else yield refuse('the product of the two matrices is too large to fold')
  }
}

/** lin(x, AB) = lin(lin(x, A), B), where the product was folded from the model's own A and B. */
function* decompose(t: TensorEGraph, n: NodeId): Results {
  const axis = axisOf(t, n)
  const recipe = t.constants.recipe(t.constantOf(t.child(n, 1))!)
  if (recipe.kind !== 'derived' || recipe.op !== 'lin{1}' || recipe.args.length !== 2)
    return yield refuse('the matrix is not a product of two constants of the model')
  const [a, b] = recipe.args.map((id) => t.constant(id)) as [ClassId, ClassId]
  yield t.lin(t.lin(t.child(n, 0), a, axis), b, axis)
}

/** lin([x, y], W) = lin(x, W1) + lin(y, W2) */
function* ofConcat(t: TensorEGraph, n: NodeId) {
  const axis = axisOf(t, n)
  const w = t.child(n, 1)
  for (const c of t.nodes(t.child(n, 0), 'concat')) {
    if (axisOf(t, c) !== axis) {
      yield refuse('the concatenation is along another axis')
      continue
    }
    let start = 0
    const terms = t.children(c).map((part) => {
      const size = t.shape(part)[axis] as number
      const rows = t.select(w, 0, range(start, size))
      start += size
      return t.lin(part, rows, axis)
    })
    yield terms.reduce((a, b) => t.add(a, b))
  }
}

/** [lin(x, A), lin(x, B)] = lin(x, [A, B]) */
function* concatOf(t: TensorEGraph, n: NodeId) {
  const op = t.op(n)
  if (op.kind !== 'concat') return
  const parts = t.children(n)
  for (const first of linsAlong(t, parts[0]!, op.axis)) {
    const x = t.child(first, 0)
    const lins = parts.map((p) => linsAlong(t, p, op.axis).find((l) => t.child(l, 0) === x))
    if (lins.includes(undefined)) yield refuse('not every part is a map of the same value')
    else
      yield t.lin(
        x,
        t.concat(
          (lins as NodeId[]).map((l) => t.child(l, 1)),
          1,
        ),
        op.axis,
      )
  }
}

/** lin(x, A) + lin(x, B) = lin(x, A + B); lin(x, A) + x = lin(x, A + I) */
function* sumOf(t: TensorEGraph, n: NodeId) {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  for (const l of t.nodes(a, 'lin')) {
    const axis = axisOf(t, l)
    for (const m of linsAlong(t, b, axis))
      if (t.child(l, 0) === t.child(m, 0)) yield t.lin(t.child(l, 0), t.add(t.child(l, 1), t.child(m, 1)), axis)
  }
  for (const [map, x] of [
    [a, b],
    [b, a],
  ] as const)
    for (const l of t.nodes(map, 'lin'))
      if (t.child(l, 0) === t.egraph.find(x))
        yield t.lin(x, t.add(t.child(l, 1), identity(t, t.child(l, 1))), axisOf(t, l))
}

/** The identity matrix of the size of w. */
export function identity(t: TensorEGraph, w: ClassId): ClassId {
  const size = t.shape(w)[0] as number
  const data = new Float64Array(size * size)
  for (let i = 0; i < size; i++) data[i * size + i] = 1
  return t.literal(ndarray(t.type(w)!.dtype, [size, size], data))
}

/** (XY)Z = X(YZ), both ways, batch axes alike. */
function* associate(t: TensorEGraph, n: NodeId): Results {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  if (t.rank(a) !== t.rank(b)) return yield refuse('the operands have different ranks')
  for (const inner of t.nodes(a, 'MatMul')) {
    const [x, y] = t.children(inner) as [ClassId, ClassId]
    if (t.rank(x) === t.rank(b) && t.rank(y) === t.rank(b)) yield t.onnx('MatMul', [x, t.onnx('MatMul', [y, b])])
  }
  for (const inner of t.nodes(b, 'MatMul')) {
    const [y, z] = t.children(inner) as [ClassId, ClassId]
    if (t.rank(y) === t.rank(a) && t.rank(z) === t.rank(a)) yield t.onnx('MatMul', [t.onnx('MatMul', [a, y]), z])
  }
}

/** lin(x, A) Y = x lin(Y, A') along the contracted axis, which either operand's maps may leave. */
function* contract(t: TensorEGraph, n: NodeId): Results {
  const [a, b] = t.children(n) as [ClassId, ClassId]
  const [last, first] = [t.rank(a) - 1, t.rank(b) - 2]
  if (last < 1 || first < 0) return yield refuse('an operand is a vector')
  const turned = (l: NodeId) => t.transpose(t.child(l, 1), [1, 0])
  for (const l of linsAlong(t, a, last)) yield t.onnx('MatMul', [t.child(l, 0), t.lin(b, turned(l), first)])
  for (const l of linsAlong(t, b, first)) yield t.onnx('MatMul', [t.lin(a, turned(l), last), t.child(l, 0)])
}

/** X A + X B = X (A + B), A X + B X = (A + B) X for products of two computed values. */
function* sumOfProducts(t: TensorEGraph, n: NodeId) {
  const [p, q] = t.children(n) as [ClassId, ClassId]
  for (const l of t.nodes(p, 'MatMul'))
    for (const r of t.nodes(q, 'MatMul')) {
      const [a, b] = t.children(l) as [ClassId, ClassId]
      const [c, d] = t.children(r) as [ClassId, ClassId]
      if (a === c && t.rank(b) === t.rank(d)) yield t.onnx('MatMul', [a, t.add(b, d)])
      if (b === d && t.rank(a) === t.rank(c)) yield t.onnx('MatMul', [t.add(a, c), b])
    }
}

const rule = ruleMaker({ source: SOURCE })

export const linearRules: readonly Rule[] = [
  rule(
    'lin-push',
    'lin(f(x, y), W) = f(lin(x, W), y)',
    ['lin'],
    push,
    'f is linear in x and y does not vary along the axis',
  ),
  rule(
    'lin-pull',
    'f(lin(x, W), y) = lin(f(x, y), W)',
    'all',
    pull,
    'f is linear in x and y does not vary along the axis',
  ),
  rule('lin-of-lin', '(x A) B = x (A B)', ['lin'], compose, 'A and B are constant'),
  rule('lin-low-rank', 'x (A B) = (x A) B', ['lin'], decompose, 'A B was folded from two constants of the model'),
  rule('lin-of-concat', '[x, y] W = x W1 + y W2', ['lin'], ofConcat),
  rule('concat-of-lins', '[x A, x B] = x [A, B]', ['concat'], concatOf),
  rule('sum-of-lins', 'x A + x B = x (A + B)', ['Add'], sumOf),
  rule('matmul-associate', '(X Y) Z = X (Y Z)', ['MatMul'], associate, 'equal ranks'),
  rule('lin-contract', "lin(X, A) Y = X lin(Y, A')", ['MatMul'], contract, 'A maps the contracted axis'),
  rule('sum-of-matmuls', 'X A + X B = X (A + B); A X + B X = (A + B) X', ['Add'], sumOfProducts),
]
