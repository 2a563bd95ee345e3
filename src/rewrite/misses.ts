// Where a rule matched and why it did not fire. Asked only after the search: the rule looks at every e-node once more, and its
// refusals are counted, so that the search itself pays nothing.
import type { NodeId } from '../egraph/egraph.ts'
import type { ValueId } from '../ir/graph.ts'
import { classNames, nodeText } from './derivation.ts'
import type { Explored } from './explore.ts'
import { bindRule, type Rule } from './rule.ts'

/** What one rule did in the finished e-graph. */
export interface Miss {
  readonly rule: string
  /** E-nodes of the rule's operators. */
  readonly looked: number
  /** Of these, where it fires. */
  readonly fires: number
  /** Why it does not elsewhere, the most frequent reason first. */
  readonly refused: readonly Refused[]
}

export interface Refused {
  readonly reason: string
  /** E-nodes at which it does not fire, for this reason among others. */
  readonly count: number
  /** One of them: the value's name in the model, or its e-class. */
  readonly where: string
  /** The same e-node, written out. */
  readonly eNode: string
}

/** The misses of the rules that are `wanted`. Adds e-nodes: the e-graph must not be searched any more. */
export function findMisses(e: Explored, wanted: (name: string) => boolean, valueName: (v: ValueId) => string): Miss[] {
  const names = classNames(e, (v) => valueName(v as ValueId))
  const end = e.phases.searched
  const place = (n: NodeId) => {
    const c = e.t.egraph.classOf(n)
    return { where: names.get(c) ?? `e-class ${c}`, eNode: nodeText(e, n, names, 2) }
  }
  return e.rules.filter((r) => wanted(r.name)).map((rule) => missesOfRule(e, rule, end, place))
}

function missesOfRule(
  e: Explored,
  rule: Rule,
  end: number,
  place: (n: NodeId) => Pick<Refused, 'where' | 'eNode'>,
): Miss {
  const { egraph } = e.t
  const bound = bindRule(e.t, rule)
  const nodes = nodesOf(e, rule).filter((n) => n < end && egraph.isLive(n))
  const refused = new Map<string, NodeId[]>()
  let fires = 0
  for (const n of nodes) {
    const results = [...bound.apply(egraph, n)]
    if (results.some((r) => typeof r !== 'object')) {
      fires++
      continue
    }
    const reasons = new Set(results.flatMap((r) => (typeof r === 'object' ? [r.refused] : [])))
    for (const reason of reasons) refused.set(reason, [...(refused.get(reason) ?? []), n])
  }
  const rows = [...refused].map(([reason, at]) => ({ reason, count: at.length, ...place(at[0]!) }))
  return { rule: rule.name, looked: nodes.length, fires, refused: rows.sort((a, b) => b.count - a.count) }
}

function nodesOf({ t: { egraph } }: Explored, { families }: Rule): NodeId[] {
  if (families !== 'all') return families.flatMap((f) => egraph.nodesInFamily(egraph.operators.family(f)))
  return [...egraph.classes()].flatMap((c) => egraph.nodesOf(c))
}
