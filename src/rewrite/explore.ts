// From a graph to everything it equals: encode, recognise, search, lay out, lower. The result is an e-graph whose every e-node may be
// chosen, with what each phase did.
import { drain } from '../base/steps.ts'
import type { NodeId } from '../egraph/egraph.ts'
import { type SaturationReport, saturate, saturateInSteps } from '../egraph/saturate.ts'
import type { Graph } from '../ir/graph.ts'
import type { BlockSize } from '../ir/nchwc.ts'
import { type Encoded, encode } from './encode.ts'
import { loweringStages } from './lower.ts'
import { bindRule, type Rule } from './rule.ts'
import { rulesOf } from './rules/index.ts'
import { familyOf } from './tensor-op.ts'

export interface ExploreOptions {
  readonly nodeLimit: number
  readonly iterationLimit: number
  readonly timeLimitMs: number
  /** Rules of the user's own, beside those of the catalogue. */
  readonly more?: readonly Rule[]
  /** Which rules of the search may run; all by default. */
  readonly allows?: (rule: Rule) => boolean
  /** Channels of one block of the runtime's blocked layout on the device, or null where there is none: forms that stay in it are worth
   * having. Default: 8. */
  readonly blockSize?: BlockSize | null
  /** Nodes of the graph, by index, that nothing may change. Default: none. */
  readonly kept?: ReadonlySet<number>
  readonly onIteration?: (eNodes: number, eClasses: number, iteration: number) => void
}

export interface Explored extends Encoded {
  /** E-nodes before the search. */
  readonly initialNodes: number
  /** Node numbers below which the e-nodes of each phase lie: encoded < recognised < searched (layout included) < lowered. */
  readonly phases: { readonly encoded: number; readonly recognised: number; readonly searched: number }
  readonly recognition: SaturationReport
  readonly search: SaturationReport
  /** The rules of recognition, search and layout; `originRule` of an e-node of these phases is an index into them. */
  readonly rules: readonly Rule[]
}

const RECOGNITION_LIMITS = { iterationLimit: 12, nodeLimit: 1_000_000, timeLimitMs: 20_000 }
const LAYOUT_LIMITS = { iterationLimit: 40, nodeLimit: 1_000_000, timeLimitMs: 10_000 }
const LOWERING_LIMITS = { iterationLimit: 4, nodeLimit: 2_000_000, timeLimitMs: 20_000 }

/** The saturated, lowered e-graph of `graph`. */
export function explore(graph: Graph, options: ExploreOptions): Explored {
  return drain(exploreInSteps(graph, options))
}

/** The same, pausing often during the search, which may take long. */
export function* exploreInSteps(graph: Graph, options: ExploreOptions): Generator<void, Explored> {
  const encoded = encode(graph, options)
  const { t } = encoded
  const allowed = (rules: readonly Rule[]) => rules.filter((r) => options.allows?.(r) ?? true)
  const initialNodes = t.egraph.nodeCount
  const encodedLimit = t.egraph.idLimit
  const recognise = allowed(rulesOf('recognise'))
  const recognition = saturate(
    t.egraph,
    recognise.map((r) => bindRule(t, r)),
    RECOGNITION_LIMITS,
  )
  const recognised = t.egraph.idLimit
  const searched = [...recognise, ...allowed([...rulesOf('search'), ...(options.more ?? [])])]
  const layout = allowed(rulesOf('layout', options.blockSize !== null))
  const search = yield* saturateInSteps(
    t.egraph,
    searched.map((r) => bindRule(t, r)),
    {
      ...options,
      onIteration: (i) => options.onIteration?.(i.eNodes, i.eClasses, i.iteration),
    },
  )
  saturate(
    t.egraph,
    layout.map((r) => bindRule(t, r)),
    { ...LAYOUT_LIMITS, firstRule: searched.length },
  )
  const phases = { encoded: encodedLimit, recognised, searched: t.egraph.idLimit }
  for (const stage of loweringStages)
    saturate(
      t.egraph,
      stage.map((r) => bindRule(t, r)),
      LOWERING_LIMITS,
    )
  return {
    ...encoded,
    roots: encoded.roots.map((c) => t.egraph.find(c)),
    initialNodes,
    phases,
    recognition,
    search,
    rules: [...searched, ...layout],
  }
}

/** The rule to which an e-node is owed, through the lowering of what that rule made; null for the model's own. */
export function ruleOfNode(e: Explored, n: NodeId): Rule | null {
  const queue = [n]
  for (const at of queue) {
    if (at >= e.phases.searched) queue.push(...sourcesOf(e, at).filter((m) => !queue.includes(m)))
    else if (at >= e.phases.encoded) return e.rules[e.t.egraph.originRule(at)] ?? null
  }
  return null
}

/** What an e-node was made from: the one that was looked at, and where lowering fused that with a convolution or product below, the latter. */
export function sourcesOf({ t, phases }: Explored, n: NodeId): readonly NodeId[] {
  const source = t.egraph.originSource(n)
  if (source < 0 || source === n) return []
  if (n < phases.searched) return [source as NodeId]
  const weights = t.children(n).filter((c) => t.isConstant(c))
  const isFused = (m: NodeId) =>
    t.egraph.arityOf(m) > 1 && FUSED.includes(familyOf(t.op(m))) && weights.includes(t.child(m, 1))
  return [source as NodeId, ...t.children(source as NodeId).flatMap((c) => t.egraph.nodesOf(c).filter(isFused))]
}

/** What lowering fuses with what comes after it. */
const FUSED = ['lin', 'Conv', 'ConvTranspose', 'fused-conv']
