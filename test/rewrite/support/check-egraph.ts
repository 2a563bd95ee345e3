// The strongest test of rules: give every class of an e-graph a value, in float64, and check every e-node against the value of
// its class. One wrong rewrite anywhere is found, whether or not extraction would choose it.
import type { ClassId, NodeId } from '../../../src/egraph/egraph.ts'
import { elementCount } from '../../../src/ir/shape.ts'
import type { NdArray } from '../../../src/ir/tensor.ts'
import { evaluateOp } from '../../../src/rewrite/evaluate-op.ts'
import type { Explored } from '../../../src/rewrite/explore.ts'
import { familyOf, payloadKey } from '../../../src/rewrite/tensor-op.ts'

export interface Check {
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
  const nodes = [...t.egraph.classes()].flatMap((c) => t.egraph.nodesOf(c)).sort((a, b) => a - b)
  const compute = (n: NodeId): NdArray | null => {
    const op = t.op(n)
    if (op.kind === 'input') return inputs[op.index]!
    if (op.kind === 'constant') return t.constants.array(op.id)
    const children = t.children(n).map((c) => values.get(c))
    return children.includes(undefined) ? null : evaluateOp(op, children as NdArray[])
  }
  for (let grown = true; grown; ) {
    grown = false
    for (const n of nodes) {
      const c = t.egraph.classOf(n)
      const value = values.has(c) ? null : compute(n)
      if (value) values.set(c, value)
      grown ||= value !== null
    }
  }
  const noise = noiseOf(values.values())
  let checked = 0
  let skipped = 0
  const wrong: string[] = []
  for (const n of nodes) {
    const expected = values.get(t.egraph.classOf(n))
    const got = compute(n)
    if (!expected || !got) skipped++
    else if (!close(expected, got, tolerance, noise)) wrong.push(describe(e, n, expected, got))
    else checked++
  }
  return { checked, skipped, wrong, values }
}

/** What is left where numbers of this size cancel. */
export function noiseOf(values: Iterable<NdArray>): number {
  let largest = 0
  for (const { data } of values) for (const x of data) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x))
  return largest * 1e-12
}

/** Equal within `tolerance` of the largest magnitude, and within `noise`, unless the tolerance is 0; NaN equals NaN. */
export function close(a: NdArray, b: NdArray, tolerance: number, noise = 0): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false
  const scale = a.data.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 1e-30)
  const allowed = tolerance === 0 ? 0 : tolerance * scale + noise
  return a.data.every((x, i) => Object.is(x, b.data[i]) || x === b.data[i] || Math.abs(x - b.data[i]!) <= allowed)
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
