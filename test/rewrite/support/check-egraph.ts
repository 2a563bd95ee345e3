// The strongest test of rules: give every class of an e-graph a value, in float64, and check every e-node against the value of
// its class. One wrong rewrite anywhere is found, whether or not extraction would choose it.
import type { ClassId, NodeId } from '../../../src/egraph/egraph.ts'
import { elementCount } from '../../../src/ir/shape.ts'
import type { NdArray } from '../../../src/ir/tensor.ts'
import { evaluateOp } from '../../../src/rewrite/evaluate-op.ts'
import type { Explored } from '../../../src/rewrite/explore.ts'
import { familyOf, payloadKey } from '../../../src/rewrite/tensor-op.ts'

export interface Check {
  /** E-nodes that were computed: those that gave their class its value, and those compared with it. */
  readonly checked: number
  readonly skipped: number
  readonly wrong: readonly string[]
  /** Of every class that could be computed. */
  readonly values: ReadonlyMap<ClassId, NdArray>
}

/** Values of all classes for these inputs, and the e-nodes that differ from theirs by more than `tolerance` of its scale. */
export function checkEveryNode(e: Explored, inputs: readonly NdArray[], tolerance = 1e-6): Check {
  const { t } = e
  const values = new Map<ClassId, NdArray>()
  const others: NodeId[] = []
  const compute = (n: NodeId): NdArray | null => {
    const op = t.op(n)
    if (op.kind === 'input') return inputs[op.index]!
    if (op.kind === 'constant') return t.constants.array(op.id)
    const children: NdArray[] = []
    for (let i = 0; i < t.egraph.arityOf(n); i++) {
      const child = values.get(t.child(n, i))
      if (child === undefined) return null
      children.push(child)
    }
    return evaluateOp(op, children)
  }
  // The oldest e-nodes of a class are the graph's own: they give it its value, and what came later is compared with it.
  let left: NodeId[] = liveNodes(t)
  for (let before = -1; left.length !== before; ) {
    before = left.length
    left = left.filter((n) => {
      const c = t.egraph.classOf(n)
      const value = values.has(c) ? null : compute(n)
      if (value) values.set(c, value)
      else if (values.has(c)) others.push(n)
      return !values.has(c)
    })
  }
  const noise = noiseOf(values.values())
  let compared = 0
  const wrong: string[] = []
  for (const n of others) {
    const got = compute(n)
    if (!got) continue
    compared++
    const expected = values.get(t.egraph.classOf(n))!
    if (!close(expected, got, tolerance, noise)) wrong.push(describe(e, n, expected, got))
  }
  const checked = values.size + compared
  return { checked: checked - wrong.length, skipped: left.length + others.length - compared, wrong, values }
}

/** Oldest first. */
function liveNodes({ egraph }: Explored['t']): NodeId[] {
  const nodes: NodeId[] = []
  for (let n = 0; n < egraph.idLimit; n++) if (egraph.isLive(n as NodeId)) nodes.push(n as NodeId)
  return nodes
}

/** What is left where numbers of this size cancel. */
export function noiseOf(values: Iterable<NdArray>): number {
  let largest = 0
  for (const { data } of values) for (const x of data) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x))
  return largest * 1e-12
}

/** Equal within `tolerance` of the largest magnitude, and within `noise`, unless the tolerance is 0; NaN equals NaN. */
export function close(a: NdArray, b: NdArray, tolerance: number, noise = 0): boolean {
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false
  const allowed = tolerance === 0 ? 0 : tolerance * magnitudeOf(a) + noise
  const [x, y] = [a.data, b.data]
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i]!, y[i]!]
    if (p !== q && !(Math.abs(p - q) <= allowed) && !(Number.isNaN(p) && Number.isNaN(q))) return false
  }
  return true
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i])

/** The largest finite one. */
function magnitudeOf({ data }: NdArray): number {
  let largest = 1e-30
  for (const x of data) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x))
  return largest
}

function describe(e: Explored, n: NodeId, expected: NdArray, got: NdArray): string {
  const { t } = e
  const op = t.op(n)
  const rule = t.egraph.originRule(n)
  const worst = expected.data.reduce((m, x, i) => Math.max(m, Math.abs(x - (got.data[i] ?? Number.NaN))), 0)
  const source = t.egraph.originSource(n) as NodeId
  const from = source < 0 ? 'the graph' : `${familyOf(t.op(source))}(${payloadKey(t.op(source)).slice(0, 60)})`
  return `${familyOf(op)}(${payloadKey(op).slice(0, 80)}) by rule ${rule} ${e.rules[rule]?.name ?? ''} from ${from}: [${expected.shape}] against [${got.shape}] of ${elementCount(got.shape)}, off by ${worst}`
}
