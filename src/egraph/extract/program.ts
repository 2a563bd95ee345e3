// A program that is in the e-graph, as choices: what extraction starts from, and what every set of variants contains.
import type { EGraph } from '../egraph.ts'
import type { ClassId, NodeId } from '../ids.ts'

/** The live e-node that stands for `n`: itself, or the equal one it merged with. -1 if that was pruned. */
export function liveNode<P>(egraph: EGraph<P>, n: NodeId): NodeId | -1 {
  const live = egraph.isLive(n) ? n : egraph.lookupNode(egraph.opOf(n), egraph.childrenOf(n))
  return live !== -1 && egraph.isLive(live) ? live : -1
}

/**
 * The choices that a program makes, from its e-nodes in topological order (children first). Where two of its nodes have
 * become equal, the earlier one counts; so no choice can depend on itself.
 */
export function choicesOfProgram<P>(egraph: EGraph<P>, nodes: Iterable<NodeId>): Map<ClassId, NodeId> {
  const choices = new Map<ClassId, NodeId>()
  for (const n of nodes) {
    const c = egraph.classOf(n)
    if (choices.has(c)) continue
    const live = liveNode(egraph, n)
    if (live !== -1) choices.set(c, live)
  }
  return choices
}
